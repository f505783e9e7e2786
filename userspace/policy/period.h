/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The day, week or month that a moment belongs to, by the clock on the wall:
 * with summer time, a day has 23 or 25 hours. Weeks begin on Monday. Pure: what
 * the local time is, the caller knows.
 */
#ifndef SLUICE_POLICY_PERIOD_H
#define SLUICE_POLICY_PERIOD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum period_kind { PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH };

struct period {
	int64_t start; /* seconds since 1970 */
	int64_t end;   /* the first moment behind it */
};

/* As localtime_r(3). */
typedef struct tm *(*period_local_fn)(const time_t *t, struct tm *tm);

/*
 * The period of @kind around @now (seconds since 1970). False when @local
 * can't tell; @out is untouched then.
 */
bool period_of(enum period_kind kind, int64_t now, period_local_fn local,
	       struct period *out);

/* "day", "week", "month"; "?" for anything else. */
const char *period_name(enum period_kind kind);

#endif
