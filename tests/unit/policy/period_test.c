// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/period.h"

static void zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

/* The moment at which the clock on the wall shows this. */
static int64_t at(int year, int month, int day, int hour, int minute)
{
	struct tm tm = {.tm_year = year - 1900,
			.tm_mon = month - 1,
			.tm_mday = day,
			.tm_hour = hour,
			.tm_min = minute,
			.tm_isdst = -1};

	return mktime(&tm);
}

static void check(enum period_kind kind, int64_t now, int64_t start,
		  int64_t end)
{
	struct period p = {0};

	assert_true(period_of(kind, now, localtime_r, &p));
	assert_int_equal(p.start, start);
	assert_int_equal(p.end, end);
}

static void days_weeks_and_months_by_the_wall(void **state)
{
	static const char *const zones[] = {"UTC0", "EST5", "<+14>-14",
					    "<-12>12",
					    "CET-1CEST,M3.5.0,M10.5.0/3"};

	(void)state;
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		zone(zones[i]);
		check(PERIOD_DAY, at(2026, 11, 22, 6, 33),
		      at(2026, 11, 22, 0, 0), at(2026, 11, 23, 0, 0));
		check(PERIOD_DAY, at(2026, 12, 31, 23, 59),
		      at(2026, 12, 31, 0, 0), at(2027, 1, 1, 0, 0));
		/* 22 November 2026 is a Sunday. */
		check(PERIOD_WEEK, at(2026, 11, 22, 23, 59),
		      at(2026, 11, 16, 0, 0), at(2026, 11, 23, 0, 0));
		check(PERIOD_WEEK, at(2026, 11, 23, 0, 0),
		      at(2026, 11, 23, 0, 0), at(2026, 11, 30, 0, 0));
		check(PERIOD_WEEK, at(2027, 1, 1, 12, 0),
		      at(2026, 12, 28, 0, 0), at(2027, 1, 4, 0, 0));
		check(PERIOD_MONTH, at(2028, 2, 29, 12, 0),
		      at(2028, 2, 1, 0, 0), at(2028, 3, 1, 0, 0));
		check(PERIOD_MONTH, at(2026, 12, 1, 0, 0),
		      at(2026, 12, 1, 0, 0), at(2027, 1, 1, 0, 0));
	}
}

static void a_day_has_its_hours(void **state)
{
	struct period p;

	(void)state;
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_true(
		period_of(PERIOD_DAY, at(2026, 3, 29, 12, 0), localtime_r, &p));
	assert_int_equal(p.end - p.start, 23 * 3600);
	assert_true(period_of(PERIOD_DAY, at(2026, 10, 25, 12, 0), localtime_r,
			      &p));
	assert_int_equal(p.end - p.start, 25 * 3600);
}

/* Clocks go from 0:00 to 1:00, or back to 23:00: there is one start all day. */
static void midnight_may_be_missing_or_come_twice(void **state)
{
	static const char *const zones[] = {"<-03>3<-02>,M10.3.0/0,M2.3.0/0",
					    "EET-2EEST,M3.5.0/0,M10.5.0/0"};

	(void)state;
	for (size_t z = 0; z < 2; z++) {
		int64_t first;
		struct period before = {0}, p;

		zone(zones[z]);
		first = at(2026, 1, 1, 12, 0);
		assert_true(period_of(PERIOD_DAY, first, localtime_r, &before));
		/* Each half hour of a year belongs to the day it is in. */
		for (int64_t t = before.end; t < first + 366 * 86400;
		     t += 1800) {
			assert_true(period_of(PERIOD_DAY, t, localtime_r, &p));
			if (p.start != before.start)
				assert_int_equal(p.start, before.end);
			assert_in_range(p.end - p.start, 22 * 3600, 26 * 3600);
			before = p;
		}
	}
}

static struct tm *nobody(const time_t *t, struct tm *tm)
{
	(void)t;
	(void)tm;
	return NULL;
}

static void without_a_clock_there_is_no_period(void **state)
{
	struct period p = {1, 2};

	(void)state;
	assert_false(period_of(PERIOD_DAY, 0, nobody, &p));
	assert_int_equal(p.start, 1);
	assert_int_equal(p.end, 2);
}

static void they_have_names(void **state)
{
	(void)state;
	assert_string_equal(period_name(PERIOD_DAY), "day");
	assert_string_equal(period_name(PERIOD_WEEK), "week");
	assert_string_equal(period_name(PERIOD_MONTH), "month");
	assert_string_equal(period_name((enum period_kind)9), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_weeks_and_months_by_the_wall),
		cmocka_unit_test(a_day_has_its_hours),
		cmocka_unit_test(midnight_may_be_missing_or_come_twice),
		cmocka_unit_test(without_a_clock_there_is_no_period),
		cmocka_unit_test(they_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
