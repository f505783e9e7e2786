/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sluice_acct inside: one struct acct_net a network namespace.
 *
 * Lifetimes and locks
 *
 * struct acct_net lives as long as its namespace, or until the module goes.
 * Its hooks are registered by the first SET that names a LAN interface. At the
 * end, .pre_exit unregisters them; the core then waits for a grace period, so
 * no packet is in a hook any more when .exit_batch frees the tables.
 *
 * struct acct_entry (table.c) is found by packets under RCU and belongs to its
 * namespace's table. It is unlinked under acct_net.lock only. What packets that
 * had found it before added meanwhile is counted anew after the grace period,
 * so nothing is lost; then it is freed. The callback needs the acct_net, hence
 * the rcu_barrier() in .exit_batch.
 *
 * struct acct_pending (pending.c) is found under RCU as well. Its lock guards
 * what it holds and `settled`: whoever sets that moves the bytes and unlinks.
 * It never points to a conntrack entry.
 *
 * struct acct_setup is immutable; SET puts another in its place.
 *
 * acct_net.lock, a mutex, orders SET, TAKE, RESET, the sweep and what they
 * remember (struct acct_counter.taken). Packets never take it.
 */
#ifndef SLUICE_KMOD_ACCT_H
#define SLUICE_KMOD_ACCT_H

#include <linux/in6.h>
#include <linux/mutex.h>
#include <linux/rhashtable.h>
#include <linux/types.h>
#include <linux/u64_stats_sync.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "sluice_acct.h"

struct nf_conn;
struct seq_file;

#define ACCT_DIRECTIONS __SLUICE_ACCT_DIRECTIONS
/* Counters of reasons; PENDING is found by adding up. */
#define ACCT_REASONS	SLUICE_ACCT_PENDING

/* What one direction of something amounts to. */
struct acct_value {
	u64 bytes;
	u64 packets;
	u64 flows;
};

/* One CPU's part of a counter. */
struct acct_cell {
	struct {
		u64_stats_t bytes;
		u64_stats_t packets;
		u64_stats_t flows;
	} dir[ACCT_DIRECTIONS];
	struct u64_stats_sync syncp;
};

/*
 * Cells only grow. A reset doesn't write to them (it would race with packets)
 * but remembers in @taken, under acct_net.lock, what has been told.
 */
struct acct_counter {
	struct acct_cell __percpu *cells;
	struct acct_value taken[ACCT_DIRECTIONS];
};

struct acct_key {
	struct in6_addr client;
	u32 app;
};

struct acct_entry {
	struct rhash_head node;
	struct acct_key key;
	u32 place; /* in acct_net.places */
	struct acct_counter counter;
	struct acct_net *an;
	struct rcu_head rcu;
};

struct acct_setup {
	struct rcu_head rcu;
	u16 intercepted; /* application ids, 0: none */
	u16 gateway;
	u32 count;
	int lan[]; /* interface indexes */
};

struct acct_net {
	struct net *net;
	struct mutex lock;
	struct acct_setup __rcu *setup; /* NULL: nothing was set yet */
	bool hooked;			/* guarded by lock */

	/*
	 * Entries are found by key in the hash table, and by a number that they
	 * keep for life in the array: a dump goes by numbers, so that no entry
	 * is left out or told twice when the hash table grows meanwhile.
	 */
	struct rhashtable entries;
	struct xarray places;
	atomic_t entry_count;
	struct acct_counter reasons[ACCT_REASONS];
	struct acct_value told[ACCT_DIRECTIONS]; /* of entries; lock */

	struct rhashtable pending;
	atomic_t pending_count;
	atomic64_t pending_lost;
	struct delayed_work sweep;
};

extern unsigned int acct_net_id;
extern unsigned int acct_max_entries;
extern unsigned int acct_max_pending;
extern unsigned int acct_pending_seconds;

static inline struct acct_net *acct_net(const struct net *net)
{
	return net_generic(net, acct_net_id);
}

/* --- counter.c --- */

/* 0 or -ENOMEM. */
int acct_counter_init(struct acct_counter *c, gfp_t gfp);
void acct_counter_free(struct acct_counter *c);
/* From any context but hard interrupts. */
void acct_counter_add(struct acct_counter *c, unsigned int dir,
		      const struct acct_value *v);
/* Since the last acct_counter_take(). False when that is nothing. */
bool acct_counter_read(const struct acct_counter *c, unsigned int dir,
		       struct acct_value *v);
/* @v, from acct_counter_read(), has been told. */
void acct_counter_take(struct acct_counter *c, unsigned int dir,
		       const struct acct_value *v);
void acct_value_add(struct acct_value *to, const struct acct_value *v);

/* --- table.c --- */

int acct_table_start(void); /* of the module: 0 or -ENOMEM */
void acct_table_stop(void); /* after rcu_barrier() */
int acct_table_init(struct acct_net *an);
void acct_table_free(struct acct_net *an);
/* Count @v for @client and @app, or for TABLE_FULL. From any context. */
void acct_table_add(struct acct_net *an, const struct in6_addr *client, u32 app,
		    unsigned int dir, const struct acct_value *v);
/* The first entry at @place or behind it, whose number goes there. Under RCU. */
struct acct_entry *acct_table_at(struct acct_net *an, unsigned long *place);
/* Under acct_net.lock and RCU. */
void acct_table_evict(struct acct_entry *e);
/* Forget everything. Under acct_net.lock. */
void acct_table_reset(struct acct_net *an);

/* --- pending.c --- */

int acct_pending_start(void);
void acct_pending_stop(void); /* after rcu_barrier() */
int acct_pending_init(struct acct_net *an);
void acct_pending_free(struct acct_net *an);
/*
 * Hold @v for the unlabelled flow @ct of @client. @first: this is the flow's
 * first packet; only then a new place is made. False when the flow isn't held:
 * then it is the caller's to count. Under RCU.
 */
bool acct_pending_add(struct acct_net *an, const struct nf_conn *ct,
		      const struct in6_addr *client, unsigned int dir,
		      bool first, const struct acct_value *v);
/* A new flow has a label at once: an earlier one like it is over. Under RCU. */
void acct_pending_forget(struct acct_net *an, const struct nf_conn *ct,
			 const struct in6_addr *client);
/*
 * Move on what has its label, ended, or waited long enough; @all: everything.
 * What stays is added up in @held (ACCT_DIRECTIONS of them). Under
 * acct_net.lock.
 */
void acct_pending_sweep(struct acct_net *an, bool all, struct acct_value *held);
/* The application in @ct's mark, 0 for none. */
u32 acct_label(const struct nf_conn *ct);

/* --- hook.c --- */

/* Register or unregister the hooks. Under acct_net.lock. */
int acct_hook_start(struct acct_net *an);
void acct_hook_stop(struct acct_net *an);

/* --- netlink.c, proc.c --- */

int acct_netlink_start(void);
void acct_netlink_stop(void);
int acct_proc_show(struct seq_file *seq, void *unused);

#endif
