// SPDX-License-Identifier: GPL-2.0-or-later
/* What is a possible record of usage, and the words in which it is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ipc/usage.h"
#include "policy/app.h"

static struct usage sample(void)
{
	struct usage u = {.time_s = 1732227000, .app = APP_DNS, .bytes = 1};

	assert_true(ip_addr_parse("10.0.0.1", &u.client));
	return u;
}

static void valid(void **state)
{
	struct usage u = sample();

	(void)state;
	assert_true(usage_valid(&u));
	u.app = APP_NONE;
	assert_true(usage_valid(&u));
	u.app = APP_ID_MAX;
	assert_true(usage_valid(&u));
	u.direction = USAGE_DOWN;
	assert_true(usage_valid(&u));
	memset(&u.client, 0, sizeof(u.client));
	assert_true(usage_valid(&u));
	assert_true(ip_addr_parse("2001:db8::1", &u.client));
	assert_true(usage_valid(&u));
}

/* One member wrong each time. */
static void invalid(void **state)
{
	struct usage u;

	(void)state;
#define WRONG(change)                          \
	do {                                   \
		u = sample();                  \
		change;                        \
		assert_false(usage_valid(&u)); \
	} while (0)
	WRONG(u.time_s++);
	WRONG(u.time_s = UINT64_MAX / USAGE_SPAN_S * USAGE_SPAN_S);
	WRONG(u.time_s = UINT64_C(253402300800)); /* the year 10000 */
	WRONG(u.app = APP_ID_MAX + 1);
	WRONG(u.direction = USAGE_DIRECTIONS);
	WRONG(u.client.family = 3);
	WRONG(u.client.bytes[4] = 1);
	WRONG(u.client.family = 0);
	WRONG(u.zero = 1);
#undef WRONG
}

static void words(void **state)
{
	struct usage u = sample();
	char text[IP_TEXT_MAX];

	(void)state;
	assert_string_equal(usage_app_text(APP_NONE), "-");
	assert_string_equal(usage_group_text(APP_NONE), "-");
	assert_string_equal(usage_app_text(APP_DNS), "dns");
	assert_string_equal(usage_app_text(APP_UNKNOWN), "unknown");
	assert_string_equal(usage_group_text(APP_UNKNOWN), "unknown");
	assert_string_equal(usage_app_text(APP_ID_MAX), "?");
	assert_string_equal(usage_group_text(APP_ID_MAX), "?");
	assert_string_equal(usage_direction_text(USAGE_UP), "up");
	assert_string_equal(usage_direction_text(USAGE_DOWN), "down");
	assert_string_equal(usage_client_text(&u, text), "10.0.0.1");
	memset(&u.client, 0, sizeof(u.client));
	assert_string_equal(usage_client_text(&u, text), "-");
	assert_string_equal(usage_time_text(1732227000, text),
			    "2024-11-21T22:10:00Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid),
		cmocka_unit_test(invalid),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests_name("usage", tests, NULL, NULL);
}
