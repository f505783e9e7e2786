/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The elements of an interval set as ranges of addresses. */
#ifndef SLUICE_SYS_NFT_RANGE_H
#define SLUICE_SYS_NFT_RANGE_H

#include <stddef.h>
#include <stdint.h>

#include "render/ruleset_set.h"

struct nftnl_set;

/*
 * The ranges in @set of addresses of @family, in order. 0 or -ENOMEM; @ranges
 * is the caller's to free.
 */
__attribute__((warn_unused_result)) int
nft_range_list(struct nftnl_set *set, uint8_t family,
	       struct ruleset_range **ranges, size_t *count);

#endif
