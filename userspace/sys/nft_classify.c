// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/nft_classify.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include "sys/netlink.h"
#include "sys/nft_batch.h"
#include "sys/nft_dump.h"
#include "sys/nft_object.h"

/* --- what the kernel has -------------------------------------------------------- */

/* The set that ends a probe, as there is none of that name. */
#define PROBE_END "no_such_set"

static void probe_chain(struct ruleset *rs, enum ruleset_queue queue)
{
	struct ruleset_chain *chain = &rs->chains[0];

	rs->queue = queue;
	rs->chain_count = 1;
	chain->name = "probe";
	chain->hook = HOOK_NONE;
	chain->count = 1;
	chain->rules[0].name = "probe";
	chain->rules[0].count = 1;
	chain->rules[0].terms[0] = (struct ruleset_term){
		.kind = TERM_QUEUE, .value = 0, .total = 1};
}

/*
 * 1, 0 or -errno. The transaction ends with a message that fails, so the kernel
 * takes back whatever it accepted before; no packet ever meets the rule. If the
 * last message is the first one that failed, the rule was accepted.
 */
static int probe(struct netlink *nl, const struct ruleset *rs)
{
	const struct ruleset_chain *chain = &rs->chains[0];
	const char *what = "";
	struct nft_batch b;
	int err;

	nft_batch_begin(&b, nl);
	nft_batch_table(&b, NFT_MSG_NEWTABLE);
	nft_batch_chain(&b, chain);
	nft_batch_rule(&b, rs, chain, &chain->rules[0]);
	nft_batch_proto(&b, NFT_MSG_DELSETELEM, PROBE_END, IPPROTO_TCP, 0);
	err = nft_batch_commit(&b, &what);
	if (strcmp(what, PROBE_END) == 0)
		return 1;
	/* EOPNOTSUPP: x_tables knows the target, but not in this family. */
	return err == -ENOENT || err == -EOPNOTSUPP ? 0 : err;
}

int nft_queue_probe(struct netlink *nl, enum ruleset_queue *queue)
{
	struct ruleset *rs = calloc(1, sizeof(*rs));
	int found = 0;

	if (rs == NULL)
		return -ENOMEM;
	*queue = QUEUE_NONE;
	for (enum ruleset_queue q = QUEUE_NATIVE; q < QUEUE_NONE && found == 0;
	     q++) {
		probe_chain(rs, q);
		found = probe(nl, rs);
		if (found > 0)
			*queue = q;
	}
	free(rs);
	return found < 0 ? found : 0;
}

const char *nft_queue_name(enum ruleset_queue queue)
{
	switch (queue) {
	case QUEUE_NATIVE:
		return "nft_queue";
	case QUEUE_TARGET:
		return "xt_NFQUEUE";
	case QUEUE_NONE:
		break;
	}
	return "none";
}

/* --- sets with a time -------------------------------------------------------------- */

/*
 * Adding an element that exists leaves its timeout alone before Linux 6.12, so
 * it is deleted and added; and as deleting wants it to exist, which it doesn't
 * once it has expired, it is added before as well. No packet sees the moments
 * between.
 */
int nft_renew(struct netlink *nl, enum ruleset_set_id id, const uint8_t *protos,
	      size_t count, uint64_t timeout_ms)
{
	const char *set = ruleset_set_name(id);
	struct nft_batch b;

	nft_batch_begin(&b, nl);
	for (size_t i = 0; i < count; i++) {
		nft_batch_proto(&b, NFT_MSG_NEWSETELEM, set, protos[i],
				NFT_CLASSIFY_MS);
		nft_batch_proto(&b, NFT_MSG_DELSETELEM, set, protos[i], 0);
		if (timeout_ms > 0)
			nft_batch_proto(&b, NFT_MSG_NEWSETELEM, set, protos[i],
					timeout_ms);
	}
	return nft_batch_commit(&b, NULL);
}

static const uint8_t classified[] = {IPPROTO_TCP, IPPROTO_UDP};

int nft_classify_renew(struct netlink *nl)
{
	return nft_renew(nl, SET_CLASSIFYING, classified, sizeof(classified),
			 NFT_CLASSIFY_MS);
}

int nft_classify_stop(struct netlink *nl)
{
	return nft_renew(nl, SET_CLASSIFYING, classified, sizeof(classified),
			 0);
}

/* --- what was queued ----------------------------------------------------------------- */

/* Its name in render/ruleset.c, which it has as its comment. */
#define QUEUE_RULE "queue"

struct offered {
	uint64_t packets;
	bool found;
};

static int take_offered(struct nftnl_rule *rule, void *arg)
{
	char name[RULESET_NAME_MAX];
	struct offered *o = arg;
	uint64_t bytes;

	if (strcmp(nft_dump_comment(rule, name, sizeof(name)), QUEUE_RULE) == 0)
		o->found = nft_dump_counter(rule, &o->packets, &bytes);
	return 0;
}

int nft_classify_offered(struct netlink *nl, uint64_t *packets)
{
	struct nftnl_rule_list *rules = nft_dump_rules(nl);
	struct offered o = {.found = false};

	if (rules == NULL)
		return -errno;
	nftnl_rule_list_foreach(rules, take_offered, &o);
	nftnl_rule_list_free(rules);
	*packets = o.packets;
	return o.found ? 0 : -ENOENT;
}

/* --- hints --------------------------------------------------------------------------- */

static const char *hint_map(const struct nft_hint *hint)
{
	return ruleset_set_name(hint->server.family == AF_INET6 ? SET_HINTS6
								: SET_HINTS4);
}

static bool has_ports(const struct nft_hint *hint)
{
	return hint->protocol == IPPROTO_TCP || hint->protocol == IPPROTO_UDP;
}

/*
 * A transaction that fails costs some 20 ms, as the kernel waits for all
 * readers before it takes anything back; one that works, some 10 us. So the
 * first attempt is the one that fails neither for a new hint nor for one that
 * is there: as in nft_renew(), for the sake of its timeout.
 */
static int hint_renew(struct netlink *nl, const struct nft_hint *hint)
{
	const char *map = hint_map(hint);
	struct nft_batch b;

	nft_batch_begin(&b, nl);
	nft_batch_hint(&b, NFT_MSG_NEWSETELEM, 0, map, hint);
	nft_batch_hint(&b, NFT_MSG_DELSETELEM, 0, map, hint);
	nft_batch_hint(&b, NFT_MSG_NEWSETELEM, 0, map, hint);
	return nft_batch_commit(&b, NULL);
}

/* @again: and add it. */
static int hint_delete(struct netlink *nl, const struct nft_hint *hint,
		       bool again)
{
	const char *map = hint_map(hint);
	struct nft_batch b;

	nft_batch_begin(&b, nl);
	nft_batch_hint(&b, NFT_MSG_DELSETELEM, 0, map, hint);
	if (again)
		nft_batch_hint(&b, NFT_MSG_NEWSETELEM, 0, map, hint);
	return nft_batch_commit(&b, NULL);
}

/*
 * One with another mark can't be added over; it may expire just between the
 * first two attempts, which is what the third is for.
 */
int nft_hint_set(struct netlink *nl, const struct nft_hint *hint)
{
	int err;

	if (!has_ports(hint))
		return -EINVAL;
	err = hint_renew(nl, hint);
	if (err == -EEXIST || err == -EBUSY) {
		err = hint_delete(nl, hint, true);
		if (err == -ENOENT)
			err = hint_renew(nl, hint);
	}
	return err;
}

int nft_hint_forget(struct netlink *nl, const struct nft_hint *hint)
{
	int err = has_ports(hint) ? hint_delete(nl, hint, false) : -EINVAL;

	return err == -ENOENT ? 0 : err;
}
