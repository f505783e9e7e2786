// SPDX-License-Identifier: GPL-2.0-or-later
/* Options of `sluicectl apps`; its output: tests/golden/usage_test.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sluicectl/apps.h"
#include "sluicectl/when.h"

#define NOW_US	  UINT64_C(1732227120000000) /* 2024-11-21T22:12:00Z */
#define NOW_S	  (NOW_US / 1000000)
#define WORDS_MAX 16

/* @line as a command line, split at its spaces. */
static int parse(struct apps_options *o, const char *line)
{
	static char text[256];
	char *argv[WORDS_MAX + 1] = {text}, *at = text;
	char wrong[256] = "";
	int argc = 1, rc;

	assert_true(str_copy(text, sizeof(text), line));
	while ((at = strchr(at, ' ')) != NULL) {
		*at++ = '\0';
		argv[argc++] = at;
	}
	rc = apps_parse(argc, argv, NOW_US, o, wrong, sizeof(wrong));
	assert_true((rc == 0) == (wrong[0] == '\0'));
	return rc;
}

static void in_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static void today_by_the_local_clock(void **state)
{
	struct apps_options o;

	(void)state;
	in_zone("UTC");
	assert_int_equal(parse(&o, "apps"), 0);
	assert_int_equal(o.since_s, NOW_S - (22 * 3600 + 12 * 60));
	assert_true(o.until_s == UINT64_MAX && o.limit == UINT64_MAX);
	assert_int_equal(o.by, APPS_BY_APP);
	/* in Tokyo it is the next morning already */
	in_zone("JST-9");
	assert_int_equal(parse(&o, "apps"), 0);
	assert_int_equal(o.since_s, NOW_S - (7 * 3600 + 12 * 60));
	in_zone("UTC");
}

static void a_day_with_another_clock(void **state)
{
	struct apps_options o;

	(void)state;
	in_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_int_equal(parse(&o, "apps --day --since 2024-10-27T12:00:00Z"),
			 0);
	assert_int_equal(o.until_s - o.since_s, 25 * 3600);
	assert_int_equal(parse(&o, "apps --day --since 2024-03-31T12:00:00Z"),
			 0);
	assert_int_equal(o.until_s - o.since_s, 23 * 3600);
	in_zone("UTC");
	assert_int_equal(parse(&o, "apps --day"), 0);
	assert_int_equal(o.until_s - o.since_s, 24 * 3600);
}

static void each_option(void **state)
{
	struct apps_options o;

	(void)state;
	assert_int_equal(parse(&o,
			       "apps --by client --client fd00::/8 --app dns "
			       "--since 2h --until 1h -n 7 --json"),
			 0);
	assert_int_equal(o.by, APPS_BY_CLIENT);
	assert_true(o.by_given && o.json && !o.watch && !o.day);
	assert_int_equal(o.client.prefix, 8);
	assert_string_equal(o.app, "dns");
	assert_int_equal(o.since_s, NOW_S - 7200);
	assert_int_equal(o.until_s, NOW_S - 3600);
	assert_int_equal(o.limit, 7);
	assert_int_equal(parse(&o, "apps --app unlabelled --watch"), 0);
	assert_string_equal(o.app, "-");
	assert_true(o.watch);
}

static void nonsense(void **state)
{
	static const char *const lines[] = {
		"apps --by",
		"apps --by port",
		"apps --app nobody",
		"apps --since tomorrow",
		"apps -n -1",
		"apps --since 1h --until 2h",
		"apps --until 2020-01-01T00:00:00Z",
	};
	struct apps_options o;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(parse(&o, lines[i]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(today_by_the_local_clock),
		cmocka_unit_test(a_day_with_another_clock),
		cmocka_unit_test(each_option),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests_name("apps", tests, NULL, NULL);
}
