/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each client has used of each quota in the period at hand, in memory that
 * outlives its writer: a shared file, which a writer that is killed between any
 * two instructions leaves readable. A slot has its sum twice, each with a check,
 * and the one that is not the larger is overwritten.
 *
 * Pure; the file, and what a period is, are the caller's.
 */
#ifndef SLUICE_APPCTL_QUOTA_TABLE_H
#define SLUICE_APPCTL_QUOTA_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "ipc/quota.h"

struct quota_table;

/* What was in the memory. */
struct quota_found {
	bool fresh;	  /* nothing: all zero */
	bool foreign;	  /* something else: it was begun anew */
	uint32_t sums;	  /* of them, good ones */
	uint32_t damaged; /* slots that were cleared */
};

/*
 * Over @size bytes at @memory (aligned to 8, at least two slots' worth, the
 * caller's and there until quota_table_free()). NULL without memory. The
 * secret keeps clients from choosing addresses that fall on one place.
 */
struct quota_table *quota_table_new(void *memory, size_t size,
				    const struct siphash_key *secret,
				    struct quota_found *found);
void quota_table_free(struct quota_table *t);

/* A sum: who, of which quota, in the period that began when. */
struct quota_sum {
	struct ip_addr client;
	uint16_t subject; /* of the rule: it stays when rules are reordered */
	int64_t start_s;
	uint64_t bytes;
};

/*
 * Add @add->bytes to its sum; one of another period is begun anew. The sum
 * before and after come out in @before and @after. 0, or -ENOSPC when all
 * slots are taken: see quota_table_sweep().
 */
__attribute__((warn_unused_result)) int
quota_table_add(struct quota_table *t, const struct quota_sum *add,
		uint64_t *before, uint64_t *after);

/* Free the slots that @keep says no to. How many that were. */
uint32_t quota_table_sweep(struct quota_table *t,
			   bool (*keep)(const struct quota_sum *sum, void *arg),
			   void *arg);

/* As usage_table_next(): start with 0; 0 is the end. */
uint32_t quota_table_next(const struct quota_table *t, uint32_t at,
			  struct quota_sum *out);

#endif
