/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of table `inet sluice` that names applications, while it is in
 * place: what this kernel queues with, the switch of the queue rule, hints.
 *
 * For the net role (through sys/nft.h) and the app role, each with a netlink
 * socket of its own (NETLINK_NETFILTER) and CAP_NET_ADMIN. Each call is one
 * transaction and waits for its answer: some 15 us when it works and nobody
 * else changes rules, some 20 ms when the kernel refuses it (it waits for RCU
 * before it takes back), at most NETLINK_TIMEOUT_MS. So whoever must not wait
 * doesn't try again at once what was refused, such as a hint in a full map.
 */
#ifndef SLUICE_SYS_NFT_CLASSIFY_H
#define SLUICE_SYS_NFT_CLASSIFY_H

#include <stddef.h>
#include <stdint.h>

#include "render/ruleset.h"

struct netlink;
struct nft_hint; /* sys/nft_object.h */

/* How long packets are queued without being asked for again. */
#define NFT_CLASSIFY_MS 4000

/*
 * What the kernel has: the expression is preferred to the target. Asked in
 * transactions that never take effect. 0 or -errno.
 */
__attribute__((warn_unused_result)) int
nft_queue_probe(struct netlink *nl, enum ruleset_queue *queue);
/* "nft_queue", "xt_NFQUEUE", "none". */
const char *nft_queue_name(enum ruleset_queue queue);

/*
 * Elements @protos (@count) of set @id for @timeout_ms from now, 0: not any
 * more. 0; -ENOENT when the set or its table is gone; -errno.
 */
__attribute__((warn_unused_result)) int
nft_renew(struct netlink *nl, enum ruleset_set_id id, const uint8_t *protos,
	  size_t count, uint64_t timeout_ms);

/*
 * Queue packets for NFT_CLASSIFY_MS from now. Renew each second while somebody
 * reads. -ENOENT: the rules are not in place or don't classify.
 */
__attribute__((warn_unused_result)) int nft_classify_renew(struct netlink *nl);
/* Queue nothing from now on. */
__attribute__((warn_unused_result)) int nft_classify_stop(struct netlink *nl);

/*
 * Packets that rule "queue" has offered to the queues since it was put in
 * place; those that a full queue let pass are among them, and nowhere else.
 * 0; -ENOENT as above; -errno.
 */
__attribute__((warn_unused_result)) int nft_classify_offered(struct netlink *nl,
							     uint64_t *packets);

/*
 * New connections to a server get @hint->mark, which should have LABEL_HINT;
 * a hint that there is already is replaced. 0; -ENFILE when RULESET_HINTS are
 * there; -ENOENT as above; -EINVAL for a protocol without ports; -errno.
 */
__attribute__((warn_unused_result)) int
nft_hint_set(struct netlink *nl, const struct nft_hint *hint);
/* Take one back before its time. 0, also when there is none; -errno. */
__attribute__((warn_unused_result)) int
nft_hint_forget(struct netlink *nl, const struct nft_hint *hint);

#endif
