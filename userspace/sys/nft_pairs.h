/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pairs of clients and FTP servers in table `inet sluice` (pairs4, pairs6),
 * between which data connections find sockets of ours. See sys/nft_classify.h
 * for what a call costs. All pairs of a call are of one family.
 */
#ifndef SLUICE_SYS_NFT_PAIRS_H
#define SLUICE_SYS_NFT_PAIRS_H

#include <stddef.h>
#include <stdint.h>

#include "sys/nft_object.h"

struct netlink;

/*
 * 0, also for one that is there already; -ENOENT when there is no such set;
 * -ENFILE when RULESET_PAIRS are there; -errno.
 */
__attribute__((warn_unused_result)) int
nft_pairs_add(struct netlink *nl, const struct nft_pair *list, size_t count);

/* All or none. 0; -ENOENT when one of them isn't there; -errno. */
__attribute__((warn_unused_result)) int
nft_pairs_del(struct netlink *nl, const struct nft_pair *list, size_t count);

/*
 * Those that are there, in memory for the caller to free. 0; -ENOENT when there
 * is no such set; -errno.
 */
__attribute__((warn_unused_result)) int nft_pairs_list(struct netlink *nl,
						       uint8_t family,
						       struct nft_pair **list,
						       size_t *count);

#endif
