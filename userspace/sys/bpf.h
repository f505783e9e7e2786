/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accounting by BPF: loads bpf/acct.bpf.c, puts it on LAN interfaces and reads
 * what it counted. bpf/acct.h says what is counted, and how it adds up.
 *
 * Needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON; opening and probing also
 * CAP_SYS_ADMIN where conntrack is a module (as Debian's is), for only then
 * does the kernel show a module's types. And the network namespace that the
 * interfaces are in: the program looks connections and sockets up there.
 *
 * Lifetime: one owner, one thread. Nothing is pinned: maps and programs end
 * with the structure, or with the process. On a kernel without tcx the filter
 * of a process that crashed stays until the next bpf_acct_attach() to the same
 * interface; it counts into maps that nobody reads, and harms no traffic.
 */
#ifndef SLUICE_SYS_BPF_H
#define SLUICE_SYS_BPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/acct.h"

struct bpf_acct;

/* Longest explanation of why something doesn't work, with its NUL. */
#define BPF_WHY_MAX 256

struct bpf_acct_options {
	/*
	 * Entries of the maps, all allocated at once. Bytes of kernel memory,
	 * about: counters 2 * (80 + 56 a processor), pending 217, labels 112.
	 */
	uint32_t counters; /* clients * applications * 2 between two reads */
	uint32_t pending;  /* flows without a label */
	uint32_t labels;   /* intercepted flows with a better label */
	/* Ids for what has no label of its own; 0: counted by reason. */
	uint16_t intercepted; /* what relays carry, but see bpf_acct_port() */
	uint16_t data;	      /* ... and are data connections of FTP */
	uint16_t gateway;
	const uint16_t *protocols; /* 256, by IANA's numbers; may be NULL */
	bool clsact;		   /* don't use tcx even where there is one */
	bool no_conntrack; /* as on a kernel without bpf_skb_ct_lookup() */
};

struct bpf_probe {
	bool usable; /* as a source of accounting: labels can be read */
	bool tcx;    /* else clsact, which every kernel of today has */
	/* Why not usable, or how it will work; a sentence without its dot. */
	char why[BPF_WHY_MAX];
};

/*
 * What this kernel offers, found by loading the program. Leaves nothing
 * behind. Takes some ten milliseconds.
 */
void bpf_acct_probe(struct bpf_probe *p);

/*
 * Load. NULL with errno, and the reason in @why (at least BPF_WHY_MAX), when
 * the kernel doesn't take it. A kernel that has no look-up of connections gets
 * a program that counts the frames of all flows to ACCT_NO_CONNTRACK.
 */
__attribute__((warn_unused_result)) struct bpf_acct *
bpf_acct_open(const struct bpf_acct_options *opt, char *why);
/* Detaches, and forgets what was not read. NULL is fine. */
void bpf_acct_close(struct bpf_acct *a);
/* Whether labels are read from connections. */
bool bpf_acct_has_conntrack(const struct bpf_acct *a);

/*
 * Count what the Ethernet interface @ifindex carries, both directions from
 * this moment on. Filters of others stay what they are. 0, or -errno:
 * -EEXIST attached already, -ENODEV no such interface, -EPROTOTYPE not
 * Ethernet, -ENOSPC too many.
 */
__attribute__((warn_unused_result)) int bpf_acct_attach(struct bpf_acct *a,
							int ifindex);
/* Take away what attach put there. -ENOENT when it had not; -errno. */
int bpf_acct_detach(struct bpf_acct *a, int ifindex);

/* One counter; @counter is the sum of all processors. */
typedef void (*bpf_counter_fn)(const struct acct_key *key,
			       const struct acct_counter *counter, void *arg);

/*
 * Pass on what was counted since the last call, and count from 0 again.
 * Exact: what is counted meanwhile is in the next call's. The number of
 * counters, or -errno; then what was not passed on comes next time.
 * Waits for a grace period of RCU, which is milliseconds, rarely tens.
 */
__attribute__((warn_unused_result)) int
bpf_acct_read(struct bpf_acct *a, bpf_counter_fn fn, void *arg);

struct bpf_reasons {
	struct acct_sum sum[ACCT_REASONS][ACCT_DIRECTIONS];
};

/* What was counted by reason since the last call. 0 or -errno. */
__attribute__((warn_unused_result)) int
bpf_acct_reasons(struct bpf_acct *a, struct bpf_reasons *delta);

struct bpf_pending {
	struct acct_sum sum[ACCT_DIRECTIONS];
	uint32_t flows; /* entries */
};

/*
 * What is held for flows without a label now: once traffic rests, all that was
 * read plus this is what the interfaces carried. 0 or -errno.
 */
__attribute__((warn_unused_result)) int bpf_acct_pending(struct bpf_acct *a,
							 struct bpf_pending *p);

/* Ages in nanoseconds; see bpf_acct_sweep(). */
struct bpf_sweep {
	uint64_t idle;
	uint64_t age;
	uint64_t forget;
};

/*
 * Go through pending flows. Bytes of those that have got a label since their
 * last packet are passed to @fn, as bpf_acct_read() does. Bytes of those that
 * have none and had no packet for @idle, or that began @age ago, go to
 * ACCT_UNLABELLED or, when conntrack never knew the flow, to ACCT_NO_CONNTRACK
 * (bpf_acct_reasons() has them). Entries without a label stay, so that a flow
 * labelled after all is counted as one, until there was no packet for @forget.
 * The number of entries removed, or -errno.
 *
 * Call it more often than conntrack forgets a datagram without an answer
 * (30 s). Reads the whole table and asks conntrack about each entry that holds
 * bytes: some 0.7 s a million entries, not at a stretch.
 */
__attribute__((warn_unused_result)) int
bpf_acct_sweep(struct bpf_acct *a, const struct bpf_sweep *age,
	       bpf_counter_fn fn, void *arg);

/*
 * Attribute an intercepted flow to @app from now on; 0: to the default. What
 * is set least recently gives way when there is no room. 0 or -errno.
 */
__attribute__((warn_unused_result)) int
bpf_acct_label(struct bpf_acct *a, const struct acct_flow *flow, uint16_t app);

/*
 * Attribute intercepted flows to @port (host order) of servers to @app from now
 * on; 0: to the default. 0; -E2BIG when ACCT_PORTS are there; -errno.
 */
__attribute__((warn_unused_result)) int
bpf_acct_port(struct bpf_acct *a, uint16_t port, uint16_t app);

#endif
