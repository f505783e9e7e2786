// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/nft_clients.h"

#include <errno.h>
#include <netinet/in.h> /* before the kernel's in.h */
#include <string.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "sys/netlink.h"
#include "sys/nft_batch.h"

static int take_handle(const struct nlmsghdr *nlh, void *arg)
{
	struct nftnl_table *t = nftnl_table_alloc();

	if (t == NULL)
		return -ENOMEM;
	if (nftnl_table_nlmsg_parse(nlh, t) == 0)
		*(uint64_t *)arg = nftnl_table_get_u64(t, NFTNL_TABLE_HANDLE);
	nftnl_table_free(t);
	return 0;
}

int nft_table_handle(struct netlink *nl, uint64_t *handle)
{
	char buf[256];
	struct nlmsghdr *nlh = nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETTABLE,
						     NFPROTO_INET, 0, 0);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, RULESET_TABLE);
	*handle = 0;
	return netlink_get(nl, nlh, take_handle, handle);
}

int nft_clients_add(struct netlink *nl, const char *name,
		    const struct nft_client *client)
{
	struct nft_batch b;

	nft_batch_begin(&b, nl);
	nft_batch_clients(&b, name, client, 1);
	return nft_batch_commit(&b, NULL);
}

int nft_clients_replace(struct netlink *nl, const char *name,
			const struct nft_client *list, size_t count)
{
	struct nft_batch b;

	nft_batch_begin(&b, nl);
	nft_batch_flush(&b, name);
	nft_batch_clients(&b, name, list, count);
	return nft_batch_commit(&b, NULL);
}
