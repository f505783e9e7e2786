// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/net/sluice_acct: a summary for people, of one network namespace, since
 * the module was loaded. No client's address is in it. Programs ask by netlink.
 */
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "acct.h"

static const char *const direction_names[ACCT_DIRECTIONS] = {
	[SLUICE_ACCT_UP] = "up",
	[SLUICE_ACCT_DOWN] = "down",
};

static const char *const reason_names[__SLUICE_ACCT_REASONS] = {
	[SLUICE_ACCT_NO_CONNTRACK] = "no-conntrack",
	[SLUICE_ACCT_NO_LABEL] = "no-label",
	[SLUICE_ACCT_TABLE_FULL] = "table-full",
	[SLUICE_ACCT_PENDING] = "pending",
};

static void show_value(struct seq_file *seq, const char *what, unsigned int dir,
		       const struct acct_value *v)
{
	seq_printf(seq, "%-12s %-4s %llu %llu %llu\n", what,
		   direction_names[dir], v->bytes, v->packets, v->flows);
}

static void show_setup(struct seq_file *seq, struct acct_net *an)
{
	const struct acct_setup *setup = rcu_dereference_protected(
		an->setup, lockdep_is_held(&an->lock));
	u32 i;

	seq_puts(seq, "lan");
	for (i = 0; setup && i < setup->count; i++)
		seq_printf(seq, " %d", setup->lan[i]);
	seq_printf(seq, "\nintercepted %u\ngateway %u\n",
		   setup ? setup->intercepted : 0, setup ? setup->gateway : 0);
	seq_printf(seq, "entries %d of %u\n", atomic_read(&an->entry_count),
		   acct_max_entries);
	seq_printf(seq, "pending %d of %u, no room for %lld\n",
		   atomic_read(&an->pending_count), acct_max_pending,
		   atomic64_read(&an->pending_lost));
}

/* Of all applications: what was told and what is still to be. */
static void show_entries(struct seq_file *seq, struct acct_net *an)
{
	struct acct_value sum[ACCT_DIRECTIONS], v;
	struct acct_entry *e;
	unsigned long place = 0;
	unsigned int dir;

	memcpy(sum, an->told, sizeof(sum));
	do {
		rcu_read_lock();
		e = acct_table_at(an, &place);
		for (dir = 0; e && dir < ACCT_DIRECTIONS; dir++) {
			acct_counter_read(&e->counter, dir, &v);
			acct_value_add(&sum[dir], &v);
		}
		rcu_read_unlock();
		place++;
		cond_resched();
	} while (e);
	for (dir = 0; dir < ACCT_DIRECTIONS; dir++)
		show_value(seq, "labelled", dir, &sum[dir]);
}

static void show_reasons(struct seq_file *seq, struct acct_net *an)
{
	struct acct_value v, held[ACCT_DIRECTIONS];
	unsigned int dir;
	int i;

	for (i = 0; i < ACCT_REASONS; i++) {
		for (dir = 0; dir < ACCT_DIRECTIONS; dir++) {
			acct_counter_read(&an->reasons[i], dir, &v);
			acct_value_add(&v, &an->reasons[i].taken[dir]);
			show_value(seq, reason_names[i], dir, &v);
		}
	}
	acct_pending_sweep(an, !an->hooked, held);
	for (dir = 0; dir < ACCT_DIRECTIONS; dir++)
		show_value(seq, reason_names[i], dir, &held[dir]);
}

int acct_proc_show(struct seq_file *seq, void *unused)
{
	struct acct_net *an = acct_net(seq_file_single_net(seq));

	mutex_lock(&an->lock);
	show_setup(seq, an);
	seq_puts(seq, "# what       dir  bytes packets flows\n");
	show_entries(seq, an);
	show_reasons(seq, an);
	mutex_unlock(&an->lock);
	return 0;
}
