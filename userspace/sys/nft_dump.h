/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel has in table `inet sluice`. */
#ifndef SLUICE_SYS_NFT_DUMP_H
#define SLUICE_SYS_NFT_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netlink;
struct nftnl_chain_list;
struct nftnl_rule;
struct nftnl_rule_list;
struct nftnl_set;
struct nftnl_set_list;

struct nft_dump {
	struct nftnl_chain_list *chains;
	struct nftnl_set_list *sets; /* with elements */
	struct nftnl_rule_list *rules;
};

/* 0; -ENOENT when there is no such table; -errno. Free after 0 only. */
__attribute__((warn_unused_result)) int nft_dump_table(struct netlink *nl,
						       struct nft_dump *d);
void nft_dump_free(struct nft_dump *d);

/* Rules alone, in order. NULL and errno (ENOENT: no table). Free it. */
struct nftnl_rule_list *nft_dump_rules(struct netlink *nl);
/* Set @name with its elements alone. NULL and errno. Free it. */
struct nftnl_set *nft_dump_set(struct netlink *nl, const char *name);

/* The comment of @rule, cut to @size; "" when it has none. */
const char *nft_dump_comment(const struct nftnl_rule *rule, char *dst,
			     size_t size);
/* What the counter of @rule says; false when it has none. */
bool nft_dump_counter(struct nftnl_rule *rule, uint64_t *packets,
		      uint64_t *bytes);

#endif
