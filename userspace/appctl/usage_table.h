/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is used in the span at hand: sums by client, application and direction,
 * whichever source they were counted by. Nothing that is added is ever lost:
 * clients for whom there is no room share a row without an address.
 *
 * No system call, no clock.
 */
#ifndef SLUICE_APPCTL_USAGE_TABLE_H
#define SLUICE_APPCTL_USAGE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "ipc/usage.h"

struct usage_table;

/*
 * Room for @rows of them (rounded up to a power of two; 72 bytes each). The
 * secret keeps clients from choosing addresses that fall on one place. NULL
 * without memory.
 */
struct usage_table *usage_table_new(uint32_t rows,
				    const struct siphash_key *secret);
void usage_table_free(struct usage_table *t);

/*
 * Add the sums of @u to its row; @u->time_s is not looked at. An application
 * of APP_ID_MAX at most, a direction below USAGE_DIRECTIONS.
 */
void usage_table_add(struct usage_table *t, const struct usage *u);

/* Rows that hold something. */
uint32_t usage_table_count(const struct usage_table *t);
/* Additions since the last clear that went to a row without an address. */
uint64_t usage_table_crowded(const struct usage_table *t);

/*
 * Row @at or the next one that holds something, with @time_s filled in; the
 * place to go on from comes back, 0 at the end. Start with 0:
 *
 *	for (at = usage_table_next(t, 0, time, &u); at != 0;
 *	     at = usage_table_next(t, at, time, &u))
 */
uint32_t usage_table_next(const struct usage_table *t, uint32_t at,
			  uint64_t time_s, struct usage *u);
/* A new span begins. */
void usage_table_clear(struct usage_table *t);

#endif
