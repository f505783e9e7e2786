/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel says about NFQUEUEs, read. No system call, no allocation. */
#ifndef SLUICE_SYS_NFQUEUE_MSG_H
#define SLUICE_SYS_NFQUEUE_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;

/* Pointers lead into the message. */
struct nfqueue_packet {
	const uint8_t *data; /* from its IP header on */
	uint32_t len;	     /* of @data: at most what is copied of a packet */
	uint32_t full_len;   /* of the packet; GSO: up to 64 KiB and beyond */
	uint32_t id;
	uint32_t mark; /* of the packet */
	uint32_t in;   /* index of the interface, 0: none */
	uint32_t out;
	uint16_t queue;
	uint16_t ethertype; /* ETH_P_IP or ETH_P_IPV6 */
	uint8_t hook;	    /* NF_INET_FORWARD */
};

/*
 * False when @nlh is no packet or is damaged; then only the queue may answer
 * for it (the verdict for a later packet covers it). @nlh lies within what was
 * received, as mnl_nlmsg_ok() says.
 */
__attribute__((warn_unused_result)) bool
nfqueue_packet_read(const struct nlmsghdr *nlh, struct nfqueue_packet *p);

#endif
