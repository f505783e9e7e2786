// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/nft_object.h"

#include <arpa/inet.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "sys/nft_expr.h"

/*
 * How nft shows a set is written into it: the number of the data type in
 * nft's own table (its enum datatypes, never renumbered) and the byte order.
 */
#define NFT_TYPE_IPV4_ADDR    7
#define NFT_TYPE_IPV6_ADDR    8
#define NFT_TYPE_INET_PROTO   12
#define NFT_TYPE_INET_SERVICE 13
#define NFT_TYPE_MARK	      19
#define NFT_TYPE_IFNAME	      41
/* Parts of a concatenation take six bits each. */
#define NFT_TYPE_SERVER(addr) \
	((addr) << 12 | NFT_TYPE_INET_PROTO << 6 | NFT_TYPE_INET_SERVICE)
#define NFT_TYPE_PAIR(addr) ((addr) << 6 | (addr))
#define NFT_ORDER_NONE	    0 /* of a concatenation */
#define NFT_ORDER_HOST	    1
#define NFT_ORDER_NETWORK   2

static const struct {
	uint32_t type;
	uint32_t len;
	uint32_t order;
	uint32_t flags;
} types[] = {
	[SET_TYPE_PROTO] = {NFT_TYPE_INET_PROTO, 1, NFT_ORDER_NETWORK, 0},
	[SET_TYPE_IFNAME] = {NFT_TYPE_IFNAME, 16, NFT_ORDER_HOST, 0},
	[SET_TYPE_PORT] = {NFT_TYPE_INET_SERVICE, 2, NFT_ORDER_NETWORK, 0},
	[SET_TYPE_NET4] = {NFT_TYPE_IPV4_ADDR, 4, NFT_ORDER_NETWORK,
			   NFT_SET_INTERVAL},
	[SET_TYPE_NET6] = {NFT_TYPE_IPV6_ADDR, 16, NFT_ORDER_NETWORK,
			   NFT_SET_INTERVAL},
	/* Each part of a key is padded to four bytes. */
	[SET_TYPE_SERVER4] = {NFT_TYPE_SERVER(NFT_TYPE_IPV4_ADDR), 12,
			      NFT_ORDER_NONE, NFT_SET_MAP},
	[SET_TYPE_SERVER6] = {NFT_TYPE_SERVER(NFT_TYPE_IPV6_ADDR), 24,
			      NFT_ORDER_NONE, NFT_SET_MAP},
	[SET_TYPE_LABEL] = {NFT_TYPE_MARK, 4, NFT_ORDER_HOST, 0},
	[SET_TYPE_HOST4] = {NFT_TYPE_IPV4_ADDR, 4, NFT_ORDER_NETWORK, 0},
	[SET_TYPE_HOST6] = {NFT_TYPE_IPV6_ADDR, 16, NFT_ORDER_NETWORK, 0},
	[SET_TYPE_PAIR4] = {NFT_TYPE_PAIR(NFT_TYPE_IPV4_ADDR), 8,
			    NFT_ORDER_NONE, 0},
	[SET_TYPE_PAIR6] = {NFT_TYPE_PAIR(NFT_TYPE_IPV6_ADDR), 32,
			    NFT_ORDER_NONE, 0},
};

static struct nftnl_set *set_of_table(const char *name)
{
	struct nftnl_set *s = nftnl_set_alloc();

	if (s == NULL)
		return NULL;
	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
	if (nftnl_set_set_str(s, NFTNL_SET_TABLE, RULESET_TABLE) == -1 ||
	    nftnl_set_set_str(s, NFTNL_SET_NAME, name) == -1) {
		nftnl_set_free(s);
		return NULL;
	}
	return s;
}

static int put_order(struct nftnl_set *s, uint32_t order, bool map)
{
	struct nftnl_udata_buf *ud = nftnl_udata_buf_alloc(64);
	int err = -1;

	if (ud == NULL)
		return -1;
	if (nftnl_udata_put_u32(ud, NFTNL_UDATA_SET_KEYBYTEORDER, order) &&
	    (!map || nftnl_udata_put_u32(ud, NFTNL_UDATA_SET_DATABYTEORDER,
					 NFT_ORDER_HOST)))
		err = nftnl_set_set_data(s, NFTNL_SET_USERDATA,
					 nftnl_udata_buf_data(ud),
					 nftnl_udata_buf_len(ud));
	nftnl_udata_buf_free(ud);
	return err;
}

struct nftnl_set *nft_object_set(const struct ruleset_set *set, uint32_t id)
{
	struct nftnl_set *s = set_of_table(set->name);
	bool map = (types[set->type].flags & NFT_SET_MAP) != 0;

	if (s == NULL)
		return NULL;
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, types[set->type].type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, types[set->type].len);
	nftnl_set_set_u32(s, NFTNL_SET_ID, id);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS,
			  types[set->type].flags |
				  (set->timeout ? NFT_SET_TIMEOUT : 0) |
				  (set->dynamic ? NFT_SET_EVAL : 0));
	if (set->idle_s > 0)
		nftnl_set_set_u64(s, NFTNL_SET_TIMEOUT,
				  UINT64_C(1000) * set->idle_s);
	if (map) {
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, NFT_TYPE_MARK);
		nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN, sizeof(uint32_t));
	}
	if (set->size > 0)
		nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, set->size);
	if (put_order(s, types[set->type].order, map) == -1) {
		nftnl_set_free(s);
		return NULL;
	}
	return s;
}

struct nftnl_chain *nft_object_chain(const struct ruleset_chain *chain)
{
	static const uint32_t hooks[] = {
		[HOOK_PREROUTING] = NF_INET_PRE_ROUTING,
		[HOOK_INPUT] = NF_INET_LOCAL_IN,
		[HOOK_FORWARD] = NF_INET_FORWARD,
		[HOOK_OUTPUT] = NF_INET_LOCAL_OUT,
	};
	struct nftnl_chain *c = nftnl_chain_alloc();

	if (c == NULL)
		return NULL;
	nftnl_chain_set_u32(c, NFTNL_CHAIN_FAMILY, NFPROTO_INET);
	if (nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, RULESET_TABLE) == -1 ||
	    nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, chain->name) == -1)
		goto err_free;
	if (chain->hook != HOOK_NONE) {
		if (nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter") == -1)
			goto err_free;
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hooks[chain->hook]);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, chain->priority);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	return c;
err_free:
	nftnl_chain_free(c);
	return NULL;
}

static struct nftnl_set_elem *elem_add(struct nftnl_set *s, const void *key,
				       uint32_t len)
{
	struct nftnl_set_elem *e = nftnl_set_elem_alloc();

	if (e == NULL)
		return NULL;
	if (nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, key, len) == -1) {
		nftnl_set_elem_free(e);
		return NULL;
	}
	nftnl_set_elem_add(s, e);
	return e;
}

/* The address behind @addr; false when there is none. */
static bool successor(struct ip_addr *addr)
{
	for (size_t i = ip_addr_len(addr); i-- > 0;) {
		if (++addr->bytes[i] != 0)
			return true;
	}
	return false;
}

/* nft's mark of an interval that ends with the address space. */
static int put_open(struct nftnl_set_elem *e)
{
	struct nftnl_udata_buf *ud = nftnl_udata_buf_alloc(64);
	int err = -1;

	if (ud == NULL)
		return -1;
	if (nftnl_udata_put_u32(ud, NFTNL_UDATA_SET_ELEM_FLAGS,
				NFTNL_SET_ELEM_F_INTERVAL_OPEN))
		err = nftnl_set_elem_set(e, NFTNL_SET_ELEM_USERDATA,
					 nftnl_udata_buf_data(ud),
					 nftnl_udata_buf_len(ud));
	nftnl_udata_buf_free(ud);
	return err;
}

/* An interval is its first address, and the first one behind it as its end. */
static int put_net(struct nftnl_set *s, const struct ip_net *net)
{
	struct ruleset_range r = ruleset_range(net);
	uint32_t len = (uint32_t)ip_addr_len(&net->addr);
	struct nftnl_set_elem *e = elem_add(s, r.first.bytes, len);

	if (e == NULL)
		return -1;
	if (!successor(&r.last))
		return put_open(e);
	e = elem_add(s, r.last.bytes, len);
	if (e == NULL)
		return -1;
	nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_FLAGS,
			       NFT_SET_ELEM_INTERVAL_END);
	return 0;
}

static int put_elem(struct nftnl_set *s, enum ruleset_set_type type,
		    const union ruleset_elem *e)
{
	uint16_t port = htons(e->port);

	switch (type) {
	case SET_TYPE_PROTO:
		return elem_add(s, &e->proto, 1) != NULL ? 0 : -1;
	case SET_TYPE_IFNAME:
		return elem_add(s, e->ifname, 16) != NULL ? 0 : -1;
	case SET_TYPE_PORT:
		return elem_add(s, &port, sizeof(port)) != NULL ? 0 : -1;
	case SET_TYPE_LABEL:
		return elem_add(s, &e->mark, 4) != NULL ? 0 : -1;
	case SET_TYPE_SERVER4: /* come at run time: nft_object_hint() */
	case SET_TYPE_SERVER6:
	case SET_TYPE_HOST4: /* nft_object_clients() */
	case SET_TYPE_HOST6:
	case SET_TYPE_PAIR4: /* and nft_object_pairs() */
	case SET_TYPE_PAIR6:
		return -1;
	case SET_TYPE_NET4:
	case SET_TYPE_NET6:
		break;
	}
	return put_net(s, &e->net);
}

struct nftnl_set *nft_object_elems(const struct ruleset_set *set, uint32_t from,
				   uint32_t count)
{
	struct nftnl_set *s = set_of_table(set->name);

	if (s == NULL)
		return NULL;
	for (uint32_t i = from; i < from + count; i++) {
		if (put_elem(s, set->type, &set->elems[i]) == -1) {
			nftnl_set_free(s);
			return NULL;
		}
	}
	return s;
}

struct nftnl_set *nft_object_net(const char *name, const struct ip_net *net)
{
	struct nftnl_set *s = set_of_table(name);

	if (s != NULL && put_net(s, net) == -1) {
		nftnl_set_free(s);
		return NULL;
	}
	return s;
}

struct nftnl_set *nft_object_proto(const char *name, uint8_t proto,
				   uint64_t timeout_ms)
{
	struct nftnl_set *s = set_of_table(name);
	struct nftnl_set_elem *e;

	if (s == NULL)
		return NULL;
	e = elem_add(s, &proto, 1);
	if (e == NULL) {
		nftnl_set_free(s);
		return NULL;
	}
	if (timeout_ms > 0)
		nftnl_set_elem_set_u64(e, NFTNL_SET_ELEM_TIMEOUT, timeout_ms);
	return s;
}

struct nftnl_set *nft_object_hint(const char *name, const struct nft_hint *hint)
{
	struct nftnl_set *s = set_of_table(name);
	uint16_t port = htons(hint->port);
	uint8_t key[24] = {0};
	struct nftnl_set_elem *e;
	size_t n = ip_addr_len(&hint->server);

	if (s == NULL)
		return NULL;
	memcpy(key, hint->server.bytes, n);
	key[n] = hint->protocol;
	memcpy(key + n + 4, &port, sizeof(port));
	e = elem_add(s, key, (uint32_t)n + 8);
	if (e == NULL || nftnl_set_elem_set(e, NFTNL_SET_ELEM_DATA, &hint->mark,
					    sizeof(hint->mark)) == -1) {
		nftnl_set_free(s);
		return NULL;
	}
	nftnl_set_elem_set_u64(e, NFTNL_SET_ELEM_TIMEOUT, hint->timeout_ms);
	return s;
}

struct nftnl_set *nft_object_clients(const char *name,
				     const struct nft_client *list,
				     size_t count)
{
	struct nftnl_set *s = set_of_table(name);

	for (size_t i = 0; s != NULL && i < count; i++) {
		struct nftnl_set_elem *e =
			elem_add(s, list[i].addr.bytes,
				 (uint32_t)ip_addr_len(&list[i].addr));

		if (e == NULL) {
			nftnl_set_free(s);
			return NULL;
		}
		nftnl_set_elem_set_u64(e, NFTNL_SET_ELEM_TIMEOUT,
				       list[i].timeout_ms);
	}
	return s;
}

struct nftnl_set *nft_object_pairs(const char *name,
				   const struct nft_pair *list, size_t count)
{
	struct nftnl_set *s = set_of_table(name);

	for (size_t i = 0; s != NULL && i < count; i++) {
		size_t n = ip_addr_len(&list[i].client);
		uint8_t key[32];

		memcpy(key, list[i].client.bytes, n);
		memcpy(key + n, list[i].server.bytes, n);
		if (elem_add(s, key, 2 * (uint32_t)n) == NULL) {
			nftnl_set_free(s);
			return NULL;
		}
	}
	return s;
}

static int put_comment(struct nftnl_rule *r, const char *text)
{
	struct nftnl_udata_buf *ud = nftnl_udata_buf_alloc(128);
	int err = -1;

	if (ud == NULL)
		return -1;
	if (nftnl_udata_put_strz(ud, NFTNL_UDATA_RULE_COMMENT, text))
		err = nftnl_rule_set_data(r, NFTNL_RULE_USERDATA,
					  nftnl_udata_buf_data(ud),
					  nftnl_udata_buf_len(ud));
	nftnl_udata_buf_free(ud);
	return err;
}

struct nftnl_rule *nft_object_rule(const struct ruleset *rs,
				   const struct ruleset_chain *chain,
				   const struct ruleset_rule *rule)
{
	struct nftnl_rule *r = nftnl_rule_alloc();

	if (r == NULL)
		return NULL;
	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, NFPROTO_INET);
	if (nftnl_rule_set_str(r, NFTNL_RULE_TABLE, RULESET_TABLE) == -1 ||
	    nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain->name) == -1 ||
	    put_comment(r, rule->name) == -1 ||
	    nft_expr_rule(r, rs, rule) < 0) {
		nftnl_rule_free(r);
		return NULL;
	}
	return r;
}
