// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/nft.h"

#include <errno.h>
#include <netinet/in.h> /* before the kernel's in.h */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "sys/netlink.h"
#include "sys/nft_batch.h"
#include "sys/nft_classify.h"
#include "sys/nft_dump.h"
#include "sys/nft_range.h"

struct nft {
	struct netlink nl;
	char error[256];
};

struct nft *nft_open(void)
{
	struct nft *n = calloc(1, sizeof(*n));
	int err;

	if (n == NULL)
		return NULL;
	err = netlink_open(&n->nl, NETLINK_NETFILTER);
	if (err < 0) {
		free(n);
		errno = -err;
		return NULL;
	}
	return n;
}

void nft_close(struct nft *n)
{
	if (n == NULL)
		return;
	netlink_close(&n->nl);
	free(n);
}

struct netlink *nft_netlink(struct nft *n)
{
	return &n->nl;
}

const char *nft_error(const struct nft *n)
{
	return n->error;
}

/* Remember why, and pass @err on. */
__attribute__((format(printf, 3, 4))) static int fail(struct nft *n, int err,
						      const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(n->error, sizeof(n->error), format, ap);
	va_end(ap);
	return err;
}

static const char *hint(int err)
{
	switch (err) {
	case -EPERM:
		return " (needs CAP_NET_ADMIN)";
	case -ENOENT:
	case -EOPNOTSUPP:
		return " (does this kernel have nft_socket, nft_tproxy, nft_fib,"
		       " nft_ct, nft_limit and nft_reject_inet?)";
	default:
		return "";
	}
}

int nft_queue(struct nft *n, enum ruleset_queue *queue)
{
	int err = nft_queue_probe(&n->nl, queue);

	if (err != 0)
		return fail(n, err, "NFQUEUE not probed: %s%s", strerror(-err),
			    err == -EPERM ? hint(err) : "");
	return 0;
}

static void put_rules(struct nft_batch *b, const struct ruleset *rs)
{
	for (uint32_t c = 0; c < rs->chain_count; c++) {
		const struct ruleset_chain *chain = &rs->chains[c];

		for (uint32_t r = 0; r < chain->count; r++)
			nft_batch_rule(b, rs, chain, &chain->rules[r]);
	}
}

static void put_sets(struct nft_batch *b, const struct ruleset *rs)
{
	for (uint32_t i = 0; i < rs->set_count; i++) {
		if (!ruleset_set_exists(&rs->sets[i]))
			continue;
		nft_batch_set(b, rs, i);
		nft_batch_elems(b, &rs->sets[i]);
	}
}

static void put_pairs(struct nft_batch *b, const struct ruleset *rs,
		      const struct nft_pairs *pairs)
{
	if (!rs->data || pairs == NULL)
		return;
	nft_batch_pairs(b, NFT_MSG_NEWSETELEM, rs->sets[SET_PAIRS4].name,
			pairs->list4, pairs->count4);
	nft_batch_pairs(b, NFT_MSG_NEWSETELEM, rs->sets[SET_PAIRS6].name,
			pairs->list6, pairs->count6);
}

int nft_install(struct nft *n, const struct ruleset *rs, bool alive,
		const struct nft_pairs *pairs)
{
	struct nft_batch b;
	const char *what = "";
	int err;

	nft_batch_begin(&b, &n->nl);
	/* Deleting wants it to exist, and adding doesn't mind if it does. */
	nft_batch_table(&b, NFT_MSG_NEWTABLE);
	nft_batch_table(&b, NFT_MSG_DELTABLE);
	nft_batch_table(&b, NFT_MSG_NEWTABLE);
	put_sets(&b, rs);
	if (alive)
		nft_batch_proto(&b, NFT_MSG_NEWSETELEM,
				rs->sets[SET_ALIVE].name, IPPROTO_TCP,
				NFT_ALIVE_MS);
	/* All chains before the rules that jump to them. */
	for (uint32_t i = 0; i < rs->chain_count; i++)
		nft_batch_chain(&b, &rs->chains[i]);
	put_rules(&b, rs);
	put_pairs(&b, rs, pairs);
	err = nft_batch_commit(&b, &what);
	if (err != 0)
		return fail(n, err, "rules not installed: %s: %s%s", what,
			    strerror(-err), hint(err));
	return 0;
}

int nft_remove(struct nft *n)
{
	struct nft_batch b;
	int err;

	nft_batch_begin(&b, &n->nl);
	nft_batch_table(&b, NFT_MSG_NEWTABLE);
	nft_batch_table(&b, NFT_MSG_DELTABLE);
	err = nft_batch_commit(&b, NULL);
	if (err != 0)
		return fail(n, err, "rules not removed: %s", strerror(-err));
	return 0;
}

/* @timeout_ms 0: leave it out. */
static int renew(struct nft *n, enum ruleset_set_id id, uint64_t timeout_ms)
{
	static const uint8_t tcp = IPPROTO_TCP;
	const char *set = ruleset_set_name(id);
	int err = nft_renew(&n->nl, id, &tcp, 1, timeout_ms);

	if (err == -ENOENT)
		return fail(n, err,
			    "set %s of table inet " RULESET_TABLE " is gone",
			    set);
	if (err != 0)
		return fail(n, err, "set %s: %s", set, strerror(-err));
	return 0;
}

int nft_alive_renew(struct nft *n)
{
	return renew(n, SET_ALIVE, NFT_ALIVE_MS);
}

int nft_alive_disarm(struct nft *n)
{
	return renew(n, SET_ALIVE, 0);
}

int nft_syncookies_renew(struct nft *n)
{
	return renew(n, SET_SYNCOOKIES, NFT_SYNCOOKIES_MS);
}

static int is_tcp(struct nftnl_set_elem *e, void *arg)
{
	uint32_t len = 0;
	const uint8_t *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &len);

	if (key != NULL && len == 1 && *key == IPPROTO_TCP)
		*(bool *)arg = true;
	return 0;
}

int nft_alive(struct nft *n)
{
	/* Dumps leave out what has expired. */
	struct nftnl_set *set =
		nft_dump_set(&n->nl, ruleset_set_name(SET_ALIVE));
	bool on = false;

	if (set == NULL)
		return fail(n, -errno, "set %s: %s",
			    ruleset_set_name(SET_ALIVE), strerror(errno));
	nftnl_set_elem_foreach(set, is_tcp, &on);
	nftnl_set_free(set);
	return on;
}

struct ports {
	uint16_t *list;
	size_t count, max;
};

static int take_port(struct nftnl_set_elem *e, void *arg)
{
	struct ports *p = arg;
	uint32_t len = 0;
	const void *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &len);
	uint16_t port;

	if (key == NULL || len != sizeof(port) || p->count == p->max)
		return 0;
	memcpy(&port, key, sizeof(port));
	p->list[p->count++] = ntohs(port);
	return 0;
}

int nft_held_ports(struct nft *n, uint16_t *out, size_t max)
{
	const char *name = ruleset_set_name(SET_SOCKET_PORTS);
	struct nftnl_set *set = nft_dump_set(&n->nl, name);
	struct ports ports = {.list = out, .max = max};

	if (set == NULL)
		return fail(n, -errno, "set %s: %s", name, strerror(errno));
	nftnl_set_elem_foreach(set, take_port, &ports);
	nftnl_set_free(set);
	return (int)ports.count;
}

bool nft_has_set(struct nft *n, enum ruleset_set_id id)
{
	struct nftnl_set *set = nft_dump_set(&n->nl, ruleset_set_name(id));

	if (set != NULL)
		nftnl_set_free(set);
	return set != NULL;
}

static bool apart(const struct ruleset_range *a, const struct ruleset_range *b)
{
	size_t len = sizeof(a->first.bytes);

	return memcmp(a->last.bytes, b->first.bytes, len) < 0 ||
	       memcmp(b->last.bytes, a->first.bytes, len) < 0;
}

/*
 * The entry of set @name that shares addresses with @want in @found. 1, or 0
 * when there is none, or -errno.
 */
static int find_overlap(struct nft *n, const char *name,
			const struct ruleset_range *want,
			struct ruleset_range *found)
{
	struct nftnl_set *set = nft_dump_set(&n->nl, name);
	struct ruleset_range *ranges;
	size_t count;
	int err;

	if (set == NULL)
		return -errno;
	err = nft_range_list(set, want->first.family, &ranges, &count);
	nftnl_set_free(set);
	if (err < 0)
		return err;
	for (size_t i = 0; i < count && err == 0; i++) {
		if (apart(&ranges[i], want))
			continue;
		*found = ranges[i];
		err = 1;
	}
	free(ranges);
	return err;
}

static int change_net(struct nft *n, uint16_t message, uint16_t flags,
		      const char *set, const struct ip_net *net)
{
	struct nft_batch b;
	int err;

	nft_batch_begin(&b, &n->nl);
	nft_batch_net(&b, message, flags, set, net);
	err = nft_batch_commit(&b, NULL);
	/* Somebody was quicker; the kernel's word for an overlap. */
	return err == -ENOTEMPTY ? -EEXIST : err;
}

int nft_bypass_add(struct nft *n, enum ruleset_bypass list,
		   const struct ip_net *net)
{
	const char *set = ruleset_set_name(ruleset_bypass_set(list, net));
	struct ruleset_range want = ruleset_range(net), found;
	char text[IP_TEXT_MAX], other[RULESET_RANGE_TEXT];
	int err = find_overlap(n, set, &want, &found);

	ip_net_format(net, text, sizeof(text));
	if (err == 1) {
		ruleset_range_format(&found, other, sizeof(other));
		return fail(n, -EEXIST, "%s overlaps with %s in set %s", text,
			    other, set);
	}
	if (err == 0)
		err = change_net(n, NFT_MSG_NEWSETELEM, NLM_F_EXCL, set, net);
	if (err != 0)
		return fail(n, err, "%s not added to set %s: %s", text, set,
			    strerror(-err));
	return 0;
}

/*
 * The kernel deletes two edges and asks no more: of two neighbours it would
 * take the start of one and the end of the other. So look before.
 */
int nft_bypass_del(struct nft *n, enum ruleset_bypass list,
		   const struct ip_net *net)
{
	const char *set = ruleset_set_name(ruleset_bypass_set(list, net));
	struct ruleset_range want = ruleset_range(net), found;
	char text[IP_TEXT_MAX];
	int err = find_overlap(n, set, &want, &found);

	ip_net_format(net, text, sizeof(text));
	if (err == 0 ||
	    (err == 1 && (!ip_addr_equal(&found.first, &want.first) ||
			  !ip_addr_equal(&found.last, &want.last))))
		return fail(n, -ENOENT, "%s is no entry of set %s", text, set);
	if (err == 1)
		err = change_net(n, NFT_MSG_DELSETELEM, 0, set, net);
	if (err != 0)
		return fail(n, err, "%s not deleted from set %s: %s", text, set,
			    strerror(-err));
	return 0;
}

struct counters {
	struct nft_counter *out;
	size_t max;
	int count;
};

static int take_rule(struct nftnl_rule *r, void *arg)
{
	struct counters *c = arg;
	struct nft_counter *out = &c->out[c->count];

	if ((size_t)c->count == c->max)
		return 0;
	nft_dump_comment(r, out->rule, RULESET_NAME_MAX);
	if (nft_dump_counter(r, &out->packets, &out->bytes))
		c->count++;
	return 0;
}

int nft_counters(struct nft *n, struct nft_counter *out, size_t max)
{
	struct counters c = {.out = out, .max = max};
	struct nftnl_rule_list *rules = nft_dump_rules(&n->nl);

	if (rules == NULL)
		return fail(n, -errno, "counters: %s", strerror(errno));
	nftnl_rule_list_foreach(rules, take_rule, &c);
	nftnl_rule_list_free(rules);
	return c.count;
}

int nft_diff(struct nft *n, const struct ruleset *rs, nft_diff_fn fn, void *arg)
{
	struct nft_dump d;
	int err = nft_dump_table(&n->nl, &d);

	if (err == -ENOENT) {
		fn("table missing", arg);
		return 1;
	}
	if (err == 0) {
		err = nft_diff_dump(&d, rs, fn, arg);
		nft_dump_free(&d);
	}
	if (err < 0)
		return fail(n, err, "rules not compared: %s", strerror(-err));
	return err;
}
