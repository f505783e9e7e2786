/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rule's terms as the instructions of nf_tables' machine. */
#ifndef SLUICE_SYS_NFT_EXPR_H
#define SLUICE_SYS_NFT_EXPR_H

#include "render/ruleset.h"

struct nftnl_rule;

/* sizeof(struct xt_NFQ_info_v3), rounded up as x_tables wants it. */
#define NFT_EXPR_NFQ_SIZE 8

/*
 * Append the instructions of @rule to @r, the same ones that nft compiles from
 * the rule's text, so that a table loaded from text has no difference to ours.
 * 0 or -ENOMEM.
 */
__attribute__((warn_unused_result)) int
nft_expr_rule(struct nftnl_rule *r, const struct ruleset *rs,
	      const struct ruleset_rule *rule);

#endif
