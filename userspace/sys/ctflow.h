/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a message of conntrack (ctnetlink) says about a connection. Pure.
 */
#ifndef SLUICE_SYS_CTFLOW_H
#define SLUICE_SYS_CTFLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

struct nlmsghdr;

/* Directions of conntrack: of the first packet, and back. */
enum ctflow_way { CTFLOW_ORIGINAL, CTFLOW_REPLY, CTFLOW_WAYS };

struct ctflow_sum {
	uint64_t bytes;	  /* IP packets */
	uint64_t packets; /* as the kernel handles them: GSO and GRO are one */
};

struct ctflow {
	bool ended; /* the last word about it; else it lives */
	/*
	 * The two ends as they are before and behind all translation of
	 * addresses: who sent the first packet, and who answers. An intercepted
	 * connection's leg has the origin server as its second end, although it
	 * is the relay that answers.
	 */
	struct ip_addr from;
	struct ip_addr to;
	uint8_t protocol;
	uint16_t zone;
	uint32_t mark;
	uint32_t id;   /* the kernel's, of this connection */
	bool has_sums; /* false: older than nf_conntrack_acct = 1 */
	struct ctflow_sum sum[CTFLOW_WAYS]; /* since it began */
	/*
	 * With @zone and @id, what tells it from others: its original tuple as
	 * the kernel writes it, the same in each message. In the message.
	 */
	const void *name;
	size_t name_len;
};

/*
 * @nlh is whole (mnl_nlmsg_ok()); nothing else is trusted. 0; -EBADMSG for
 * another message, one that is cut short, or that lacks what it must have.
 */
__attribute__((warn_unused_result)) int ctflow_parse(const struct nlmsghdr *nlh,
						     struct ctflow *flow);

#endif
