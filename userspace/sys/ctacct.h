/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accounting by conntrack's own counters (nf_conntrack_acct = 1), for kernels
 * that have nothing better. Connections are listed now and then, and each one's
 * counters compared with what was passed on of them; when a connection ends,
 * the kernel sends its last counters. So what ends between two looks is counted
 * to the byte as well, and what an offloaded connection moves (flowtable with
 * its "counter" on) like all else.
 *
 * Counters are never set to zero: the rules of others may test them, and the
 * kernel loses what it has zeroed for an answer that then has no room for it.
 *
 * What is the client's? Conntrack knows no interfaces. An end of a connection
 * whose address is on a LAN by the kernel's routes is a client: what it sends
 * is up. A connection between two LANs has two clients and counts for both, as
 * it passes LAN interfaces twice. In zone ZONE_CLIENT stand the client's legs of
 * intercepted connections, where the first end is the client (or, if only it is
 * on a LAN, the second). The relay's leg
 * to the server looks like a forwarded connection of the same client; rule
 * "label-upstream" labels it as the gateway's, and what has that label in zone 0
 * is left out: it carries the same bytes once more. Other connections that
 * begin or end at the gateway have no label, and are the gateway's if their
 * other end is on a LAN.
 *
 * What can't be seen: frames that are no IP packet, packets that conntrack
 * doesn't follow (neighbour discovery, ICMP errors, invalid and untracked ones),
 * connections from before nf_conntrack_acct = 1, and what went between the last
 * look at a connection and an end that was not seen (state.missed).
 *
 * Needs CAP_NET_ADMIN over the network namespace that it is opened in.
 *
 * Lifetime: ctacct_open() to ctacct_close(), one owner, one thread.
 */
#ifndef SLUICE_SYS_CTACCT_H
#define SLUICE_SYS_CTACCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/siphash.h"

struct ctacct;

struct ctacct_options {
	uint32_t connections; /* remembered, see sys/ctseen.h */
	uint32_t addresses;   /* see sys/reach.h */
	/*
	 * Bytes of the buffer for connections that end (the kernel doubles it;
	 * one takes about 1.5 KiB).
	 */
	uint32_t event_buffer;
	uint32_t age_s; /* how long a connection may wait for its label */
	/*
	 * Between two looks passes as many times what the last one took: 20
	 * for a twentieth of the time; 0: none. A look costs some 10 ms where
	 * conntrack's table has 262144 buckets, be there connections or not.
	 */
	uint32_t rest;
	/* Ids for what has no label; 0: counted as without a label. */
	uint16_t intercepted;
	uint16_t gateway;
};

/* Why bytes have no application. */
enum ctacct_reason { CTACCT_UNLABELLED, CTACCT_PROTOCOL };

struct ctacct_record {
	struct ip_addr client; /* none when @app is 0 */
	uint16_t app;	       /* 0: none, because of @reason */
	enum ctacct_reason reason;
	bool down; /* to the client */
	uint64_t bytes;
	uint64_t packets;
	uint64_t flows;
};

typedef void (*ctacct_fn)(const struct ctacct_record *record, void *arg);

struct ctacct_state {
	uint64_t pending;    /* bytes of connections that wait for a label */
	uint64_t overruns;   /* times that the buffer for ends was full */
	uint64_t missed;     /* connections whose end was not seen */
	uint32_t remembered; /* connections now */
	uint32_t uncounted; /* connections without counters, in the last look */
};

/*
 * Connections that there are count from now on, no matter what they moved
 * before. NULL with errno; ctacct_error(-errno) has the sentence.
 */
__attribute__((warn_unused_result)) struct ctacct *
ctacct_open(const struct ctacct_options *opt, const struct siphash_key *secret);
void ctacct_close(struct ctacct *a);
/* What a negative errno of these calls means here, and what to do. */
const char *ctacct_error(int err);

/* The clients' interfaces by their indexes, at most REACH_LANS. */
void ctacct_set_lan(struct ctacct *a, const unsigned int *lan, size_t count);

/* Readable when connections have ended; for a loop. */
int ctacct_fd(const struct ctacct *a);
/*
 * Pass on what connections that have ended leave. 0 or -errno; that the buffer
 * was full is no error but an overrun: ctacct_read() repairs what can be.
 */
__attribute__((warn_unused_result)) int ctacct_ends(struct ctacct *a,
						    ctacct_fn fn, void *arg);
/*
 * Look at all connections, and pass on what they have moved since the last
 * look; ctacct_ends() is part of it. Too soon after the last look
 * (options.rest) this one is left out, but never after an overrun. 0 or
 * -errno; what was not passed on comes next time.
 */
__attribute__((warn_unused_result)) int ctacct_read(struct ctacct *a,
						    ctacct_fn fn, void *arg);

void ctacct_state(const struct ctacct *a, struct ctacct_state *state);

/* The switch, net.netfilter.nf_conntrack_acct: 0, 1, or -errno. */
__attribute__((warn_unused_result)) int ctacct_switch(void);
/*
 * On, and back to what it was; sys/sysctl.h says what @record is. 0 or -errno
 * (-ENOENT: conntrack isn't loaded).
 */
__attribute__((warn_unused_result)) int ctacct_switch_on(const char *record);
__attribute__((warn_unused_result)) int
ctacct_switch_restore(const char *record);

#endif
