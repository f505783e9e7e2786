// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/period.h"

#include <stddef.h>

#define MINUTE 60
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
/* No zone is further from UTC than this. */
#define AHEAD  (15 * HOUR)
#define BEHIND (13 * HOUR)

/*
 * Days since 1970 of a date of the Gregorian calendar, @month from 1 on, by
 * counting years from March, so that the day that comes and goes is the last.
 */
static int64_t days_of(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t in_era = y - era * 400;
	int64_t in_year =
		(153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 +
	       in_year - 719468;
}

/* What the clock on the wall shows, as seconds since its own 1970. */
static bool wall(int64_t t, period_local_fn local, struct tm *tm, int64_t *out)
{
	time_t at = (time_t)t;

	if (local(&at, tm) == NULL)
		return false;
	*out = days_of(tm->tm_year + INT64_C(1900), tm->tm_mon + 1,
		       tm->tm_mday) *
		       DAY +
	       tm->tm_hour * HOUR + tm->tm_min * MINUTE + tm->tm_sec;
	return true;
}

/*
 * The moment at which the wall shows the start of day number @day, or the first
 * one behind it where clocks are put forward at midnight. Looked for between
 * bounds that depend on the day alone, so that each moment of it finds the
 * same start.
 */
static bool midnight(int64_t day, period_local_fn local, int64_t *out)
{
	int64_t want = day * DAY, low = want - AHEAD, high = want + BEHIND;

	while (low < high) {
		int64_t mid = low + (high - low) / 2, shown;
		struct tm tm;

		if (!wall(mid, local, &tm, &shown))
			return false;
		if (shown < want)
			low = mid + 1;
		else
			high = mid;
	}
	*out = low;
	return true;
}

bool period_of(enum period_kind kind, int64_t now, period_local_fn local,
	       struct period *out)
{
	int64_t shown, first, next;
	struct period p;
	struct tm tm;

	if (!wall(now, local, &tm, &shown))
		return false;
	first = days_of(tm.tm_year + INT64_C(1900), tm.tm_mon + 1, tm.tm_mday);
	next = first + 1;
	if (kind == PERIOD_WEEK) {
		first -= (tm.tm_wday + 6) % 7; /* 0 is Sunday */
		next = first + 7;
	} else if (kind == PERIOD_MONTH) {
		first -= tm.tm_mday - 1;
		next = days_of(tm.tm_year + INT64_C(1900) + tm.tm_mon / 11,
			       tm.tm_mon == 11 ? 1 : tm.tm_mon + 2, 1);
	}
	if (!midnight(first, local, &p.start) || !midnight(next, local, &p.end))
		return false;
	*out = p;
	return true;
}

const char *period_name(enum period_kind kind)
{
	static const char *const names[] = {"day", "week", "month"};

	return (size_t)kind < sizeof(names) / sizeof(names[0]) ? names[kind]
							       : "?";
}
