/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients in the sets of table `inet sluice` that hold them for a while: who
 * has used up a quota. For the app role; see sys/nft_classify.h for what a call
 * costs.
 */
#ifndef SLUICE_SYS_NFT_CLIENTS_H
#define SLUICE_SYS_NFT_CLIENTS_H

#include <stddef.h>
#include <stdint.h>

#include "sys/nft_object.h"

struct netlink;

/*
 * The number of the table that is in place; one that replaces it has another,
 * and none of its elements. 0, -ENOENT without a table, -errno.
 */
__attribute__((warn_unused_result)) int nft_table_handle(struct netlink *nl,
							 uint64_t *handle);

/* Add @client to set @name. 0; -ENOENT when there is no such set; -errno. */
__attribute__((warn_unused_result)) int
nft_clients_add(struct netlink *nl, const char *name,
		const struct nft_client *client);

/* @count clients at @list, in place of whoever is in the set. The same. */
__attribute__((warn_unused_result)) int
nft_clients_replace(struct netlink *nl, const char *name,
		    const struct nft_client *list, size_t count);

#endif
