/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The message that labels a connection: an update of conntrack's mark, under a
 * mask, so that bits that are not the label stay (render/marks.h). It only
 * builds and reads messages; sys/nfqueue.c sends them.
 */
#ifndef SLUICE_SYS_CTLABEL_H
#define SLUICE_SYS_CTLABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

struct nlmsghdr;

/* Room for one message. */
#define CTLABEL_MAX 192

/* A connection of zone 0, by one of its packets as chain forward sees it. */
struct ctlabel {
	struct ip_endpoint src;
	struct ip_endpoint dst; /* of the same family */
	uint8_t protocol;	/* IPPROTO_TCP or _UDP */
	uint32_t bits;		/* within LABEL_MASK | LABEL_HINT */
};

/*
 * Write the message for @label to @buf (CTLABEL_MAX bytes, aligned to 4). The
 * kernel answers with an error only, ENOENT when it has no such connection. The
 * length, or 0 when @label has no address, two families or other bits.
 */
__attribute__((warn_unused_result)) size_t
ctlabel_put(void *buf, const struct ctlabel *label);

/* Whether @msg, from a kernel's error message, is one of ours. */
bool ctlabel_is(const struct nlmsghdr *msg);

/*
 * The same the other way round: source and destination of @msg, which the
 * kernel refused with ENOENT, change places.
 *
 * Conntrack knows a connection by two tuples, one for each direction, as they
 * are before it translates addresses. Chain forward stands between destination
 * and source NAT, so a packet there looks like one of the two, or like one of
 * the two turned round: behind masquerading, what servers send; with port
 * forwarding, what clients send. With both at once (hairpin NAT) it looks like
 * neither, and the connection stays without a label.
 *
 * The length, or 0 when @msg is damaged or was turned round already. @msg_len:
 * bytes that are there, whatever it says itself.
 */
__attribute__((warn_unused_result)) size_t
ctlabel_turn(void *buf, const struct nlmsghdr *msg, size_t msg_len);

#endif
