// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "appctl/usage_table.h"
#include "policy/app.h"

#define ROWS 64
#define TIME 1700000100

static struct usage_table *table;

static int set_up(void **state)
{
	static const struct siphash_key secret = {1, 2};

	(void)state;
	table = usage_table_new(ROWS, &secret);
	return table == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	usage_table_free(table);
	return 0;
}

static struct usage usage_of(uint32_t client, uint16_t app, uint8_t direction)
{
	struct usage u = {.bytes = 100, .packets = 2, .flows = 1};

	u.client.family = AF_INET;
	memcpy(u.client.bytes, &client, sizeof(client));
	u.app = app;
	u.direction = direction;
	return u;
}

/* Sums over all rows; how many there are comes back. */
static unsigned int total(struct usage *sum)
{
	struct usage u;
	unsigned int rows = 0;

	memset(sum, 0, sizeof(*sum));
	for (uint32_t at = usage_table_next(table, 0, TIME, &u); at != 0;
	     at = usage_table_next(table, at, TIME, &u)) {
		assert_int_equal(u.time_s, TIME);
		sum->bytes += u.bytes;
		sum->packets += u.packets;
		sum->flows += u.flows;
		rows++;
	}
	return rows;
}

static void equal_keys_share_a_row(void **state)
{
	struct usage u = usage_of(1, APP_HTTP, USAGE_UP), got;

	(void)state;
	assert_int_equal(usage_table_next(table, 0, TIME, &got), 0);
	usage_table_add(table, &u);
	usage_table_add(table, &u);
	assert_int_equal(usage_table_count(table), 1);
	assert_int_not_equal(usage_table_next(table, 0, TIME, &got), 0);
	assert_int_equal(got.bytes, 200);
	assert_int_equal(got.packets, 4);
	assert_int_equal(got.flows, 2);
	assert_int_equal(got.app, APP_HTTP);
	assert_int_equal(got.direction, USAGE_UP);
	assert_true(ip_addr_equal(&got.client, &u.client));
}

static void each_part_of_the_key_counts(void **state)
{
	struct usage u = usage_of(1, APP_HTTP, USAGE_UP), sum;

	(void)state;
	usage_table_add(table, &u);
	u.direction = USAGE_DOWN;
	usage_table_add(table, &u);
	u.app = APP_NONE;
	usage_table_add(table, &u);
	u.client.bytes[3]++;
	usage_table_add(table, &u);
	u.client.family = AF_INET6;
	usage_table_add(table, &u);
	u.client.family = 0;
	usage_table_add(table, &u);
	assert_int_equal(usage_table_count(table), 6);
	assert_int_equal(total(&sum), 6);
	assert_int_equal(sum.bytes, 600);
}

/* Too many clients: their sums stay, without names. */
static void nothing_is_lost_when_it_is_full(void **state)
{
	struct usage u, sum;
	unsigned int unnamed = 0;

	(void)state;
	for (uint32_t client = 1; client <= 1000; client++) {
		u = usage_of(client, client % 2 ? APP_ID_MAX : APP_NONE,
			     USAGE_DOWN);
		usage_table_add(table, &u);
	}
	assert_int_equal(usage_table_count(table), ROWS - ROWS / 8);
	assert_int_equal(usage_table_crowded(table), 1000 - (ROWS - ROWS / 8));
	assert_int_equal(total(&sum), ROWS - ROWS / 8 + 2);
	assert_int_equal(sum.bytes, 100000);
	assert_int_equal(sum.packets, 2000);
	assert_int_equal(sum.flows, 1000);
	for (uint32_t at = usage_table_next(table, 0, TIME, &u); at != 0;
	     at = usage_table_next(table, at, TIME, &u))
		unnamed += u.client.family == 0;
	assert_int_equal(unnamed, 2);
	/* Those that have a row keep it. */
	u = usage_of(1, APP_ID_MAX, USAGE_DOWN);
	usage_table_add(table, &u);
	assert_int_equal(usage_table_crowded(table), 1000 - (ROWS - ROWS / 8));
}

static void a_new_span_begins_empty(void **state)
{
	struct usage u, sum;

	(void)state;
	for (uint32_t client = 1; client <= 100; client++) {
		u = usage_of(client, APP_HTTP, USAGE_UP);
		usage_table_add(table, &u);
	}
	usage_table_clear(table);
	assert_int_equal(usage_table_count(table), 0);
	assert_int_equal(usage_table_crowded(table), 0);
	assert_int_equal(total(&sum), 0);
	usage_table_add(table, &u);
	assert_int_equal(total(&sum), 1);
	assert_int_equal(sum.bytes, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(equal_keys_share_a_row, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(each_part_of_the_key_counts,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_lost_when_it_is_full,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_new_span_begins_empty, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("usage table", tests, NULL, NULL);
}
