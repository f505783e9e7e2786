/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between one set in the kernel and in the model. */
#ifndef SLUICE_SYS_NFT_DIFF_SET_H
#define SLUICE_SYS_NFT_DIFF_SET_H

#include "sys/nft_diff.h"

struct nftnl_set;
struct ruleset_set;

/* 0 or -ENOMEM; the lines given to @fn don't name the set. */
__attribute__((warn_unused_result)) int
nft_diff_set(struct nftnl_set *have, const struct ruleset_set *want,
	     nft_diff_fn fn, void *arg);

#endif
