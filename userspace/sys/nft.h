/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gateway's rules in the kernel: table `inet sluice`.
 *
 * Needs CAP_NET_ADMIN in the network namespace it was opened in. Every call
 * waits for the kernel's answer, some milliseconds as a rule and at most
 * NETLINK_TIMEOUT_MS an answer.
 *
 * Lifetime: nft_open() to nft_close(), one owner, one thread.
 */
#ifndef SLUICE_SYS_NFT_H
#define SLUICE_SYS_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render/ruleset.h"
#include "sys/nft_diff.h"

struct nft;
struct netlink;
struct nft_pair; /* sys/nft_object.h */

/* How long the switch stays on without being renewed. Renew each second. */
#define NFT_ALIVE_MS	  4000
/* The same for the rules that complete handshakes made with SYN cookies. */
#define NFT_SYNCOOKIES_MS 60000

struct nft_pairs {
	const struct nft_pair *list4, *list6;
	size_t count4, count6;
};

/* NULL and errno. */
struct nft *nft_open(void);
void nft_close(struct nft *n);
/* Its socket, for sys/nft_pairs.h. */
struct netlink *nft_netlink(struct nft *n);
/* What went wrong in the last call that failed, for a log line. */
const char *nft_error(const struct nft *n);

/*
 * What this kernel queues packets with, for ruleset_set_queue() before
 * nft_install(). The answer doesn't change while the kernel runs. 0 or -errno.
 */
__attribute__((warn_unused_result)) int nft_queue(struct nft *n,
						  enum ruleset_queue *queue);

/*
 * Put @rs in place of whatever table of that name there is: one transaction,
 * so that every packet meets the old rules or the new ones. @alive: with the
 * switch on. Elements that only the kernel knew are gone, but for @pairs (NULL:
 * none), which are put in if @rs has sets for them; bypasses added at run time
 * belong in @rs (ruleset_bypass_add()). 0 or -errno.
 */
__attribute__((warn_unused_result)) int
nft_install(struct nft *n, const struct ruleset *rs, bool alive,
	    const struct nft_pairs *pairs);

/* Take the table away; open, whatever when_down says. Also 0 without one. */
__attribute__((warn_unused_result)) int nft_remove(struct nft *n);

/*
 * Switch on for NFT_ALIVE_MS from now. 0; -ENOENT when the table or its set is
 * gone (somebody flushed the rules): install again; -errno.
 */
__attribute__((warn_unused_result)) int nft_alive_renew(struct nft *n);
/* Switch off now: open or closed, as the rules have it. As nft_alive_renew(). */
__attribute__((warn_unused_result)) int nft_alive_disarm(struct nft *n);
/* 1 on, 0 off, -ENOENT, -errno. */
__attribute__((warn_unused_result)) int nft_alive(struct nft *n);

/*
 * Ports of servers whose connections the rules in place deliver to sockets, up
 * to @max. How many; -ENOENT without a table, or -errno.
 */
__attribute__((warn_unused_result)) int
nft_held_ports(struct nft *n, uint16_t *out, size_t max);

/* Whether the rules in place have that set. */
bool nft_has_set(struct nft *n, enum ruleset_set_id id);

/*
 * The kernel is sending SYN cookies (SyncookiesSent of /proc/net/netstat
 * grows): let them be completed for NFT_SYNCOOKIES_MS. As nft_alive_renew().
 */
__attribute__((warn_unused_result)) int nft_syncookies_renew(struct nft *n);

/*
 * New connections from or to @net pass by. 0; -EEXIST when an entry shares
 * addresses with @net (nft_error() names it); -ENOENT without a table; -errno.
 */
__attribute__((warn_unused_result)) int
nft_bypass_add(struct nft *n, enum ruleset_bypass list,
	       const struct ip_net *net);
/* 0; -ENOENT when exactly @net isn't there, or the table isn't; -errno. */
__attribute__((warn_unused_result)) int
nft_bypass_del(struct nft *n, enum ruleset_bypass list,
	       const struct ip_net *net);

struct nft_counter {
	char rule[RULESET_NAME_MAX];
	uint64_t packets;
	uint64_t bytes;
};

/*
 * Counters of up to @max rules that have one, in the order of the rules. How
 * many, or -ENOENT without a table, or -errno.
 */
__attribute__((warn_unused_result)) int
nft_counters(struct nft *n, struct nft_counter *out, size_t max);

/*
 * Lines for whatever differs from @rs, "table missing" if there is none. How
 * many, or -errno.
 */
__attribute__((warn_unused_result)) int
nft_diff(struct nft *n, const struct ruleset *rs, nft_diff_fn fn, void *arg);

#endif
