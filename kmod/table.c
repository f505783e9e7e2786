// SPDX-License-Identifier: GPL-2.0
/*
 * Counters by client and application. The number of entries is bounded; what
 * finds no room is counted for TABLE_FULL and passes all the same: open.
 */
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "acct.h"

/* An own cache: the kernel complains at unload when an entry was left. */
static struct kmem_cache *entry_cache;

/* The core mixes a random number into the hash, so clients can't choose it. */
static const struct rhashtable_params entry_params = {
	.key_len = sizeof(struct acct_key),
	.key_offset = offsetof(struct acct_entry, key),
	.head_offset = offsetof(struct acct_entry, node),
	.automatic_shrinking = true,
};

int acct_table_start(void)
{
	/* The hash runs over the whole key: no hole may be in it. */
	BUILD_BUG_ON(sizeof(struct acct_key) != sizeof(struct in6_addr) + 4);
	entry_cache = kmem_cache_create("sluice_acct_entry",
					sizeof(struct acct_entry), 0, 0, NULL);
	return entry_cache ? 0 : -ENOMEM;
}

void acct_table_stop(void)
{
	kmem_cache_destroy(entry_cache);
}

static void entry_free(struct acct_entry *e)
{
	acct_counter_free(&e->counter);
	kmem_cache_free(entry_cache, e);
}

/* Packets that had found the entry before it was unlinked have added to it. */
static void entry_free_rcu(struct rcu_head *head)
{
	struct acct_entry *e = container_of(head, struct acct_entry, rcu);
	struct acct_value v;
	unsigned int dir;

	for (dir = 0; dir < ACCT_DIRECTIONS; dir++) {
		if (acct_counter_read(&e->counter, dir, &v))
			acct_table_add(e->an, &e->key.client, e->key.app, dir,
				       &v);
	}
	entry_free(e);
}

/*
 * Memory of CPUs comes in pages that a kernel thread gets ready: in a burst of
 * new entries there may be none for a moment, and the packet is counted for
 * TABLE_FULL. The next one tries again.
 */
static struct acct_entry *entry_new(struct acct_net *an,
				    const struct acct_key *key)
{
	const gfp_t gfp = GFP_ATOMIC | __GFP_NOWARN;
	struct acct_entry *e = kmem_cache_alloc(entry_cache, gfp);

	if (!e)
		return NULL;
	e->an = an;
	e->key = *key;
	if (acct_counter_init(&e->counter, gfp))
		goto err_entry;
	/* Reserved only: dumps don't see it before it is in the hash table. */
	if (xa_alloc_bh(&an->places, &e->place, NULL, xa_limit_32b, gfp))
		goto err_counter;
	return e;

err_counter:
	acct_counter_free(&e->counter);
err_entry:
	kmem_cache_free(entry_cache, e);
	return NULL;
}

/* A new entry, or the one that another CPU was quicker to put in. */
static struct acct_entry *entry_insert(struct acct_net *an,
				       const struct acct_key *key)
{
	struct acct_entry *e, *other;

	if (!atomic_add_unless(&an->entry_count, 1, acct_max_entries))
		return NULL;
	e = entry_new(an, key);
	if (!e)
		goto err_count;
	other = rhashtable_lookup_get_insert_fast(&an->entries, &e->node,
						  entry_params);
	if (other)
		goto err_entry;
	/* The place has been reserved, so this takes no memory. */
	xa_store_bh(&an->places, e->place, e, GFP_ATOMIC | __GFP_NOWARN);
	return e;

err_entry:
	xa_erase_bh(&an->places, e->place);
	entry_free(e);
	atomic_dec(&an->entry_count);
	return IS_ERR(other) ? NULL : other;
err_count:
	atomic_dec(&an->entry_count);
	return NULL;
}

void acct_table_add(struct acct_net *an, const struct in6_addr *client, u32 app,
		    unsigned int dir, const struct acct_value *v)
{
	const struct acct_key key = {.client = *client, .app = app};
	struct acct_counter *c = &an->reasons[SLUICE_ACCT_TABLE_FULL];
	struct acct_entry *e;

	rcu_read_lock();
	e = rhashtable_lookup(&an->entries, &key, entry_params);
	if (unlikely(!e))
		e = entry_insert(an, &key);
	if (likely(e))
		c = &e->counter;
	acct_counter_add(c, dir, v);
	rcu_read_unlock();
}

struct acct_entry *acct_table_at(struct acct_net *an, unsigned long *place)
{
	return xa_find(&an->places, place, ULONG_MAX, XA_PRESENT);
}

void acct_table_evict(struct acct_entry *e)
{
	struct acct_net *an = e->an;

	lockdep_assert_held(&an->lock);
	rhashtable_remove_fast(&an->entries, &e->node, entry_params);
	xa_erase_bh(&an->places, e->place);
	atomic_dec(&an->entry_count);
	call_rcu(&e->rcu, entry_free_rcu);
}

static void counter_reset(struct acct_counter *c, struct acct_value *told)
{
	struct acct_value v;
	unsigned int dir;

	for (dir = 0; dir < ACCT_DIRECTIONS; dir++) {
		acct_counter_read(c, dir, &v);
		acct_counter_take(c, dir, &v);
		if (told)
			acct_value_add(&told[dir], &v);
	}
}

void acct_table_reset(struct acct_net *an)
{
	struct acct_entry *e;
	unsigned long place = 0;
	int i;

	lockdep_assert_held(&an->lock);
	do {
		rcu_read_lock();
		e = acct_table_at(an, &place);
		if (e) {
			counter_reset(&e->counter, an->told);
			acct_table_evict(e);
		}
		rcu_read_unlock();
		cond_resched();
	} while (e);
	for (i = 0; i < ACCT_REASONS; i++)
		counter_reset(&an->reasons[i], NULL);
}

int acct_table_init(struct acct_net *an)
{
	int err, i;

	err = rhashtable_init(&an->entries, &entry_params);
	if (err)
		return err;
	xa_init_flags(&an->places, XA_FLAGS_ALLOC | XA_FLAGS_LOCK_BH);
	atomic_set(&an->entry_count, 0);
	for (i = 0; i < ACCT_REASONS; i++) {
		err = acct_counter_init(&an->reasons[i], GFP_KERNEL);
		if (err)
			goto err_reasons;
	}
	return 0;

err_reasons:
	while (i-- > 0)
		acct_counter_free(&an->reasons[i]);
	rhashtable_destroy(&an->entries);
	return err;
}

static void free_one(void *ptr, void *unused)
{
	entry_free(ptr);
}

void acct_table_free(struct acct_net *an)
{
	int i;

	rhashtable_free_and_destroy(&an->entries, free_one, NULL);
	xa_destroy(&an->places);
	for (i = 0; i < ACCT_REASONS; i++)
		acct_counter_free(&an->reasons[i]);
}
