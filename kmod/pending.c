// SPDX-License-Identifier: GPL-2.0
/*
 * Flows that have no label yet. The classifier wants a few packets before it
 * knows; what they amounted to is held here and moved to the label when there
 * is one, so that an application's first bytes are its own.
 *
 * A flow is told by what conntrack tells it by: the original tuple and the
 * zone, copied. A pointer to the entry would need a reference, since entries
 * are reused at once (SLAB_TYPESAFE_BY_RCU), and references held for half a
 * minute would keep ended connections in memory and in the way of conntrack's
 * own clean-up. A later flow may have the same tuple; its first packet, the
 * only one that meets an unconfirmed entry, ends what is held for the earlier.
 *
 * Packets with a label don't look here: the sweep, each second and before each
 * dump, asks conntrack about every flow that is held. So the wait costs only
 * packets without a label, and those only a look-up.
 *
 * Bounded: a flow that finds no room is counted for NO_LABEL until it has its
 * label, and noted in pending_lost. Nothing here holds packets up: open.
 */
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "acct.h"

/* Younger ones may not be in conntrack's table yet: it comes after the hooks. */
#define MIN_AGE	    HZ
/* Flows looked at in one go, without letting others run. */
#define SWEEP_BATCH 256

struct pending_key {
	struct nf_conntrack_tuple tuple;
	struct in6_addr client; /* a flow between two clients is held twice */
	u16 zone;
	u16 zero;
};

struct acct_pending {
	struct rhash_head node;
	struct pending_key key;
	struct nf_conntrack_zone zone;
	unsigned long since; /* jiffies */
	spinlock_t lock;
	bool settled;
	struct acct_value held[ACCT_DIRECTIONS];
	struct rcu_head rcu;
};

static struct kmem_cache *pending_cache;

static const struct rhashtable_params pending_params = {
	.key_len = sizeof(struct pending_key),
	.key_offset = offsetof(struct acct_pending, key),
	.head_offset = offsetof(struct acct_pending, node),
	.automatic_shrinking = true,
};

int acct_pending_start(void)
{
	BUILD_BUG_ON(sizeof(struct pending_key) !=
		     sizeof(struct nf_conntrack_tuple) +
			     sizeof(struct in6_addr) + 4);
	pending_cache = kmem_cache_create(
		"sluice_acct_pending", sizeof(struct acct_pending), 0, 0, NULL);
	return pending_cache ? 0 : -ENOMEM;
}

void acct_pending_stop(void)
{
	kmem_cache_destroy(pending_cache);
}

static void pending_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(pending_cache,
			container_of(head, struct acct_pending, rcu));
}

static void key_fill(struct pending_key *key, const struct nf_conn *ct,
		     const struct in6_addr *client)
{
	memset(key, 0, sizeof(*key));
	key->tuple = ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	key->client = *client;
	key->zone = nf_ct_zone(ct)->id;
}

u32 acct_label(const struct nf_conn *ct)
{
	return (READ_ONCE(ct->mark) & SLUICE_ACCT_MARK_APP) >>
	       SLUICE_ACCT_MARK_SHIFT;
}

/* Move what @p holds to @app, 0: to NO_LABEL. Nothing if somebody else did. */
static void settle(struct acct_net *an, struct acct_pending *p, u32 app)
{
	struct acct_counter *none = &an->reasons[SLUICE_ACCT_NO_LABEL];
	unsigned int dir;
	bool mine;

	spin_lock_bh(&p->lock);
	mine = !p->settled;
	p->settled = true;
	spin_unlock_bh(&p->lock);
	if (!mine)
		return;
	for (dir = 0; dir < ACCT_DIRECTIONS; dir++) {
		const struct acct_value *v = &p->held[dir];

		if (!v->packets)
			continue;
		if (app)
			acct_table_add(an, &p->key.client, app, dir, v);
		else
			acct_counter_add(none, dir, v);
	}
	rhashtable_remove_fast(&an->pending, &p->node, pending_params);
	atomic_dec(&an->pending_count);
	call_rcu(&p->rcu, pending_free_rcu);
}

/* The flow itself was counted when it came. */
static bool hold(struct acct_pending *p, unsigned int dir,
		 const struct acct_value *v)
{
	bool ok;

	spin_lock_bh(&p->lock);
	ok = !p->settled;
	if (ok) {
		p->held[dir].bytes += v->bytes;
		p->held[dir].packets += v->packets;
	}
	spin_unlock_bh(&p->lock);
	return ok;
}

static bool pending_insert(struct acct_net *an, const struct nf_conn *ct,
			   const struct pending_key *key, unsigned int dir,
			   const struct acct_value *v)
{
	struct acct_pending *p, *other;

	if (!atomic_add_unless(&an->pending_count, 1, acct_max_pending))
		goto err_lost;
	p = kmem_cache_zalloc(pending_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!p)
		goto err_count;
	p->key = *key;
	p->zone = *nf_ct_zone(ct);
	p->since = jiffies;
	spin_lock_init(&p->lock);
	p->held[dir] = *v;
	other = rhashtable_lookup_get_insert_fast(&an->pending, &p->node,
						  pending_params);
	if (!other)
		return true;
	kmem_cache_free(pending_cache, p);
	if (!IS_ERR(other)) {
		atomic_dec(&an->pending_count);
		return hold(other, dir, v);
	}
err_count:
	atomic_dec(&an->pending_count);
err_lost:
	atomic64_inc(&an->pending_lost);
	return false;
}

/*
 * Two first packets at once are one flow (conntrack drops one of the two
 * entries, or makes one of them); a leftover is older.
 */
static bool is_leftover(const struct acct_pending *p)
{
	return time_after(jiffies, p->since + MIN_AGE);
}

bool acct_pending_add(struct acct_net *an, const struct nf_conn *ct,
		      const struct in6_addr *client, unsigned int dir,
		      bool first, const struct acct_value *v)
{
	struct acct_pending *p;
	struct pending_key key;

	if (!first && !atomic_read(&an->pending_count))
		return false;
	key_fill(&key, ct, client);
	p = rhashtable_lookup(&an->pending, &key, pending_params);
	if (p && first && is_leftover(p)) {
		settle(an, p, 0);
		p = NULL;
	}
	if (p)
		return hold(p, dir, v);
	return first && pending_insert(an, ct, &key, dir, v);
}

void acct_pending_forget(struct acct_net *an, const struct nf_conn *ct,
			 const struct in6_addr *client)
{
	struct acct_pending *p;
	struct pending_key key;

	if (!atomic_read(&an->pending_count))
		return;
	key_fill(&key, ct, client);
	p = rhashtable_lookup(&an->pending, &key, pending_params);
	if (p && is_leftover(p))
		settle(an, p, 0);
}

/* The label that conntrack has for it, 0 for none; -ENOENT: the flow ended. */
static int label_now(struct acct_net *an, const struct acct_pending *p)
{
	struct nf_conntrack_tuple_hash *h;
	struct nf_conn *ct;
	int app;

	h = nf_conntrack_find_get(an->net, &p->zone, &p->key.tuple);
	if (!h)
		return -ENOENT;
	ct = nf_ct_tuplehash_to_ctrack(h);
	app = acct_label(ct);
	nf_ct_put(ct);
	return app;
}

static bool sweep_one(struct acct_net *an, struct acct_pending *p, bool all)
{
	unsigned long age = jiffies - p->since;
	int app = label_now(an, p);
	bool over = all || age > READ_ONCE(acct_pending_seconds) * HZ;

	if (app == -ENOENT) {
		over = over || age > MIN_AGE;
		app = 0;
	}
	if (!app && !over)
		return false;
	settle(an, p, app);
	return true;
}

static void held_add(struct acct_pending *p, struct acct_value *held)
{
	unsigned int dir;

	spin_lock_bh(&p->lock);
	for (dir = 0; dir < ACCT_DIRECTIONS && !p->settled; dir++)
		acct_value_add(&held[dir], &p->held[dir]);
	spin_unlock_bh(&p->lock);
}

/*
 * The walk starts over when the table is resized under it, and then meets some
 * flows again: what was added up so far is forgotten.
 */
void acct_pending_sweep(struct acct_net *an, bool all, struct acct_value *held)
{
	struct rhashtable_iter iter;
	struct acct_pending *p;
	unsigned int seen = 0;

	lockdep_assert_held(&an->lock);
	memset(held, 0, ACCT_DIRECTIONS * sizeof(*held));
	if (!atomic_read(&an->pending_count))
		return;
	rhashtable_walk_enter(&an->pending, &iter);
	rhashtable_walk_start(&iter);
	while ((p = rhashtable_walk_next(&iter))) {
		if (IS_ERR(p))
			memset(held, 0, ACCT_DIRECTIONS * sizeof(*held));
		else if (!sweep_one(an, p, all))
			held_add(p, held);
		if (++seen % SWEEP_BATCH == 0) {
			rhashtable_walk_stop(&iter);
			cond_resched();
			rhashtable_walk_start(&iter);
		}
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

int acct_pending_init(struct acct_net *an)
{
	atomic_set(&an->pending_count, 0);
	atomic64_set(&an->pending_lost, 0);
	return rhashtable_init(&an->pending, &pending_params);
}

static void free_one(void *ptr, void *unused)
{
	kmem_cache_free(pending_cache, ptr);
}

void acct_pending_free(struct acct_net *an)
{
	rhashtable_free_and_destroy(&an->pending, free_one, NULL);
}
