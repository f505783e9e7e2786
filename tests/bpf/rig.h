/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of bpf/acct.bpf.c: a network namespace of one's own, frames built
 * by hand, the program run over them, and its maps read. Everything asserts
 * what it needs, so a test that goes on has what it asked for.
 */
#ifndef SLUICE_BPF_RIG_H
#define SLUICE_BPF_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/acct.h"

/* The ids that the program is given. */
#define RIG_INTERCEPTED 100
#define RIG_GATEWAY	101
#define RIG_ICMP	102
#define RIG_ICMPV6	103
#define RIG_DATA	104

struct acct_bpf;

struct rig {
	struct acct_bpf *obj;
	int cpus;
	struct acct_sum swept; /* from flows that rig_sweep() found labelled */
};

struct rig_options {
	uint32_t counters; /* 0: 64 */
	uint32_t pending;  /* 0: 64 */
	bool no_conntrack;
	bool no_ids; /* all 0 */
	uint64_t recent_ticks;
};

/* Loads the program; @opt may be NULL. */
void rig_open(struct rig *r, const struct rig_options *opt);
void rig_close(struct rig *r);

/*
 * For cmocka's group: into a new network namespace that forwards, with its
 * loopback up. -1, which fails the group, when that isn't allowed here.
 */
int rig_namespace(void **state);

/* --- frames ----------------------------------------------------------------- */

struct frame {
	uint8_t data[2048];
	size_t len;
	size_t ip; /* where the IP header is */
	/* what the kernel says of it */
	uint32_t mark;
	uint32_t gso_segs, gso_size;
	bool local; /* going out: didn't come in anywhere */
};

/* Empty it, and write an Ethernet header. @protocol ETH_P_*. */
void frame_start(struct frame *f, uint16_t protocol);
/* In place of the last two bytes, which are a protocol. */
void frame_tag(struct frame *f, uint16_t tag, uint16_t protocol);
/* @options: bytes, 0 to 40. Lengths are set by frame_end(). */
void frame_ipv4(struct frame *f, const char *src, const char *dst,
		uint8_t protocol, size_t options);
void frame_ipv6(struct frame *f, const char *src, const char *dst,
		uint8_t next);
/* An extension header of @size bytes, a multiple of 8 (AH: of 4). */
void frame_extension(struct frame *f, uint8_t type, uint8_t next, size_t size);
/* @flags as in the TCP header's 14th byte. */
void frame_tcp(struct frame *f, uint16_t sport, uint16_t dport, uint8_t flags,
	       size_t options);
void frame_udp(struct frame *f, uint16_t sport, uint16_t dport);
void frame_bytes(struct frame *f, size_t count);
/* The IP header's length becomes what there is. */
void frame_end(struct frame *f);

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_ACK 0x10

/* A whole frame with @payload bytes; up is from client to server. */
void frame_flow(struct frame *f, const struct acct_flow *flow,
		enum acct_direction d, uint8_t flags, size_t payload);

/* --- running and reading ------------------------------------------------------ */

/* Once; and that the program left the packet to others. */
void rig_run(struct rig *r, enum acct_direction d, const struct frame *f);
/* @times, on this processor; nanoseconds that each took. */
uint32_t rig_repeat(struct rig *r, enum acct_direction d, const struct frame *f,
		    int times);

struct acct_sum rig_reason(struct rig *r, enum acct_reason reason,
			   enum acct_direction d);
/* Of both tables. */
struct acct_counter rig_counter(struct rig *r, const char *client, uint16_t app,
				enum acct_direction d);
/* False: no entry. */
bool rig_pending(struct rig *r, const struct acct_flow *flow,
		 struct acct_pending *p);
/* What is in all places together. */
struct acct_sum rig_total(struct rig *r);
/*
 * Give one pending flow up that had no packet since @before; @forget (ns). When
 * it has a label by now, the sweep's swept[0] says so.
 */
void rig_sweep(struct rig *r, const struct acct_flow *flow, uint64_t before,
	       uint64_t forget);

/* --- the kernel around it ------------------------------------------------------- */

struct acct_flow rig_flow(uint8_t protocol, const char *client, uint16_t cport,
			  const char *server, uint16_t sport);

/* Make or change conntrack's entry. @reply: its other side, NULL: no NAT. */
void ct_put(const struct acct_flow *flow, const struct acct_flow *reply,
	    uint32_t mark, bool replied);
void ct_remove(const struct acct_flow *flow);

#endif
