// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/nft_pairs.h"

#include <errno.h>
#include <netinet/in.h> /* before the kernel's in.h */
#include <stdlib.h>
#include <string.h>
#include <libnftnl/set.h>
#include <linux/netfilter/nf_tables.h>

#include "sys/netlink.h"
#include "sys/nft_batch.h"
#include "sys/nft_dump.h"

static const char *set_of(uint8_t family)
{
	return ruleset_set_name(family == AF_INET6 ? SET_PAIRS6 : SET_PAIRS4);
}

static int change(struct netlink *nl, uint16_t message,
		  const struct nft_pair *list, size_t count)
{
	struct nft_batch b;

	if (count == 0)
		return 0;
	nft_batch_begin(&b, nl);
	nft_batch_pairs(&b, message, set_of(list[0].client.family), list,
			count);
	return nft_batch_commit(&b, NULL);
}

int nft_pairs_add(struct netlink *nl, const struct nft_pair *list, size_t count)
{
	return change(nl, NFT_MSG_NEWSETELEM, list, count);
}

int nft_pairs_del(struct netlink *nl, const struct nft_pair *list, size_t count)
{
	return change(nl, NFT_MSG_DELSETELEM, list, count);
}

struct listing {
	struct nft_pair *list;
	size_t count, room;
	uint8_t family;
};

static int count_elem(struct nftnl_set_elem *e, void *arg)
{
	struct listing *l = arg;

	(void)e;
	l->room++;
	return 0;
}

static int take_elem(struct nftnl_set_elem *e, void *arg)
{
	struct listing *l = arg;
	uint32_t len = 0;
	const uint8_t *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &len);
	struct nft_pair *pair = &l->list[l->count];
	size_t n = l->family == AF_INET6 ? 16 : 4;

	if (key == NULL || len != 2 * n || l->count == l->room)
		return 0;
	pair->client.family = l->family;
	pair->server.family = l->family;
	memcpy(pair->client.bytes, key, n);
	memcpy(pair->server.bytes, key + n, n);
	l->count++;
	return 0;
}

int nft_pairs_list(struct netlink *nl, uint8_t family, struct nft_pair **list,
		   size_t *count)
{
	struct nftnl_set *set = nft_dump_set(nl, set_of(family));
	struct listing l = {.family = family};

	if (set == NULL)
		return -errno;
	nftnl_set_elem_foreach(set, count_elem, &l);
	l.list = calloc(l.room + 1, sizeof(*l.list));
	if (l.list != NULL)
		nftnl_set_elem_foreach(set, take_elem, &l);
	nftnl_set_free(set);
	*list = l.list;
	*count = l.count;
	return l.list != NULL ? 0 : -ENOMEM;
}
