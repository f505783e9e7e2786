// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/nft_dump.h"

#include <errno.h>
#include <netinet/in.h> /* before the kernel's in.h */
#include <stdio.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "base/str.h"
#include "render/ruleset.h"
#include "sys/netlink.h"

/* A dump that others' changes disturb is asked for again this many times. */
#define TRIES 5

static bool is_ours(const char *table)
{
	return table != NULL && strcmp(table, RULESET_TABLE) == 0;
}

static int take_chain(const struct nlmsghdr *nlh, void *arg)
{
	struct nftnl_chain *c = nftnl_chain_alloc();

	if (c == NULL)
		return -ENOMEM;
	if (nftnl_chain_nlmsg_parse(nlh, c) == -1 ||
	    !is_ours(nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE)))
		nftnl_chain_free(c);
	else
		nftnl_chain_list_add_tail(c, arg);
	return 0;
}

static int take_set(const struct nlmsghdr *nlh, void *arg)
{
	struct nftnl_set *s = nftnl_set_alloc();

	if (s == NULL)
		return -ENOMEM;
	if (nftnl_set_nlmsg_parse(nlh, s) == -1 ||
	    !is_ours(nftnl_set_get_str(s, NFTNL_SET_TABLE)))
		nftnl_set_free(s);
	else
		nftnl_set_list_add_tail(s, arg);
	return 0;
}

static int take_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct nftnl_rule *r = nftnl_rule_alloc();

	if (r == NULL)
		return -ENOMEM;
	if (nftnl_rule_nlmsg_parse(nlh, r) == -1 ||
	    !is_ours(nftnl_rule_get_str(r, NFTNL_RULE_TABLE)))
		nftnl_rule_free(r);
	else
		nftnl_rule_list_add_tail(r, arg);
	return 0;
}

/* libnftnl skips a message that it can't read; its set then lacks elements. */
static int take_elems(const struct nlmsghdr *nlh, void *arg)
{
	return nftnl_set_elems_nlmsg_parse(nlh, arg) == -1 ? -EBADMSG : 0;
}

/* One dump; @set is the name of the set for its elements, or NULL. */
static int dump(struct netlink *nl, uint16_t type, const char *set,
		netlink_fn fn, void *arg)
{
	char buf[256];
	struct nlmsghdr *nlh =
		nftnl_nlmsg_build_hdr(buf, type, NFPROTO_INET, 0, 0);

	/* The table's name is attribute 1 of rules, sets and elements alike. */
	if (type != NFT_MSG_GETCHAIN)
		mnl_attr_put_strz(nlh, NFTA_SET_TABLE, RULESET_TABLE);
	if (set != NULL)
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	return netlink_dump(nl, nlh, fn, arg);
}

/*
 * The element dump of a set that vanished meanwhile: ask for all again.
 * Elements of run time, of which there may be many, are nothing to compare.
 */
static int dump_elems(struct netlink *nl, struct nftnl_set_list *sets)
{
	struct nftnl_set_list_iter *i = nftnl_set_list_iter_create(sets);
	struct nftnl_set *s;
	int err = 0;

	if (i == NULL)
		return -ENOMEM;
	while (err == 0 && (s = nftnl_set_list_iter_next(i)) != NULL)
		if ((nftnl_set_get_u32(s, NFTNL_SET_FLAGS) & NFT_SET_TIMEOUT) ==
		    0)
			err = dump(nl, NFT_MSG_GETSETELEM,
				   nftnl_set_get_str(s, NFTNL_SET_NAME),
				   take_elems, s);
	nftnl_set_list_iter_destroy(i);
	return err == -ENOENT ? -EINTR : err;
}

/* Dumps don't say that a table is absent, so ask for it by name. */
static int table_exists(struct netlink *nl)
{
	char buf[256];
	struct nlmsghdr *nlh = nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETTABLE,
						     NFPROTO_INET, 0, 0);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, RULESET_TABLE);
	return netlink_ask(nl, nlh);
}

static int try_dump(struct netlink *nl, struct nft_dump *d)
{
	int err;

	d->chains = nftnl_chain_list_alloc();
	d->sets = nftnl_set_list_alloc();
	d->rules = nftnl_rule_list_alloc();
	if (d->chains == NULL || d->sets == NULL || d->rules == NULL)
		err = -ENOMEM;
	else
		err = table_exists(nl);
	if (err == 0)
		err = dump(nl, NFT_MSG_GETCHAIN, NULL, take_chain, d->chains);
	if (err == 0)
		err = dump(nl, NFT_MSG_GETSET, NULL, take_set, d->sets);
	if (err == 0)
		err = dump_elems(nl, d->sets);
	if (err == 0)
		err = dump(nl, NFT_MSG_GETRULE, NULL, take_rule, d->rules);
	if (err != 0)
		nft_dump_free(d);
	return err;
}

int nft_dump_table(struct netlink *nl, struct nft_dump *d)
{
	int err = -EINTR;

	for (int i = 0; i < TRIES && err == -EINTR; i++)
		err = try_dump(nl, d);
	return err;
}

void nft_dump_free(struct nft_dump *d)
{
	if (d->chains != NULL)
		nftnl_chain_list_free(d->chains);
	if (d->sets != NULL)
		nftnl_set_list_free(d->sets);
	if (d->rules != NULL)
		nftnl_rule_list_free(d->rules);
	memset(d, 0, sizeof(*d));
}

struct nftnl_rule_list *nft_dump_rules(struct netlink *nl)
{
	int err = -EINTR;

	for (int i = 0; i < TRIES && err == -EINTR; i++) {
		struct nftnl_rule_list *rules = nftnl_rule_list_alloc();

		if (rules == NULL)
			return NULL;
		err = table_exists(nl);
		if (err == 0)
			err = dump(nl, NFT_MSG_GETRULE, NULL, take_rule, rules);
		if (err == 0)
			return rules;
		nftnl_rule_list_free(rules);
	}
	errno = -err;
	return NULL;
}

struct nftnl_set *nft_dump_set(struct netlink *nl, const char *name)
{
	int err = -EINTR;

	for (int i = 0; i < TRIES && err == -EINTR; i++) {
		struct nftnl_set *set = nftnl_set_alloc();

		if (set == NULL)
			return NULL;
		err = dump(nl, NFT_MSG_GETSETELEM, name, take_elems, set);
		if (err == 0)
			return set;
		nftnl_set_free(set);
	}
	errno = -err;
	return NULL;
}

const char *nft_dump_comment(const struct nftnl_rule *rule, char *dst,
			     size_t size)
{
	uint32_t len = 0;
	const uint8_t *p = nftnl_rule_get_data(rule, NFTNL_RULE_USERDATA, &len);

	dst[0] = '\0';
	/* Type, length, value; others may have written it, so trust no length. */
	while (p != NULL && len >= 2 && len - 2 >= p[1]) {
		if (p[0] == NFTNL_UDATA_RULE_COMMENT) {
			struct str s = {(const char *)p + 2,
					strnlen((const char *)p + 2, p[1])};

			str_copy_view(dst, size, s);
			break;
		}
		len -= 2U + p[1];
		p += 2 + p[1];
	}
	return dst;
}

struct counter {
	uint64_t packets, bytes;
	bool found;
};

static int take_counter(struct nftnl_expr *e, void *arg)
{
	struct counter *c = arg;
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);

	if (name == NULL || strcmp(name, "counter") != 0)
		return 0;
	c->packets = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_PACKETS);
	c->bytes = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_BYTES);
	c->found = true;
	return 1; /* one a rule */
}

bool nft_dump_counter(struct nftnl_rule *rule, uint64_t *packets,
		      uint64_t *bytes)
{
	struct counter c = {.found = false};

	nftnl_expr_foreach(rule, take_counter, &c);
	*packets = c.packets;
	*bytes = c.bytes;
	return c.found;
}
