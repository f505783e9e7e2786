// SPDX-License-Identifier: GPL-2.0
/* Counters with a cell for each CPU, so that packets never wait for another. */
#include <linux/bottom_half.h>
#include <linux/percpu.h>
#include <linux/string.h>

#include "acct.h"

int acct_counter_init(struct acct_counter *c, gfp_t gfp)
{
	int cpu;

	memset(c->taken, 0, sizeof(c->taken));
	c->cells = alloc_percpu_gfp(struct acct_cell, gfp);
	if (!c->cells)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(c->cells, cpu)->syncp);
	return 0;
}

void acct_counter_free(struct acct_counter *c)
{
	free_percpu(c->cells);
	c->cells = NULL;
}

/*
 * LOCAL_OUT runs in process context, where a packet that arrives could
 * interrupt the update on this CPU.
 */
void acct_counter_add(struct acct_counter *c, unsigned int dir,
		      const struct acct_value *v)
{
	struct acct_cell *cell;

	local_bh_disable();
	cell = this_cpu_ptr(c->cells);
	u64_stats_update_begin(&cell->syncp);
	u64_stats_add(&cell->dir[dir].bytes, v->bytes);
	u64_stats_add(&cell->dir[dir].packets, v->packets);
	u64_stats_add(&cell->dir[dir].flows, v->flows);
	u64_stats_update_end(&cell->syncp);
	local_bh_enable();
}

void acct_value_add(struct acct_value *to, const struct acct_value *v)
{
	to->bytes += v->bytes;
	to->packets += v->packets;
	to->flows += v->flows;
}

static void cell_read(const struct acct_cell *cell, unsigned int dir,
		      struct acct_value *v)
{
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&cell->syncp);
		v->bytes = u64_stats_read(&cell->dir[dir].bytes);
		v->packets = u64_stats_read(&cell->dir[dir].packets);
		v->flows = u64_stats_read(&cell->dir[dir].flows);
	} while (u64_stats_fetch_retry(&cell->syncp, start));
}

/*
 * On 64 bits nothing keeps the three numbers of a cell together: a packet's
 * bytes may be in this answer and the packet itself in the next.
 */
bool acct_counter_read(const struct acct_counter *c, unsigned int dir,
		       struct acct_value *v)
{
	const struct acct_value *taken = &c->taken[dir];
	struct acct_value one;
	int cpu;

	memset(v, 0, sizeof(*v));
	local_bh_disable();
	for_each_possible_cpu(cpu) {
		cell_read(per_cpu_ptr(c->cells, cpu), dir, &one);
		acct_value_add(v, &one);
	}
	local_bh_enable();
	v->bytes -= taken->bytes;
	v->packets -= taken->packets;
	v->flows -= taken->flows;
	return v->bytes || v->packets || v->flows;
}

void acct_counter_take(struct acct_counter *c, unsigned int dir,
		       const struct acct_value *v)
{
	acct_value_add(&c->taken[dir], v);
}
