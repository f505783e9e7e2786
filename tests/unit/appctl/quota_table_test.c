// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "appctl/quota_table.h"
#include "guard.h"

#define SLOTS 8
#define SIZE  ((SLOTS + 1) * QUOTA_SLOT_SIZE)
#define FIRST QUOTA_SLOT_SIZE /* where the first slot is */
#define DAY1  1000
#define DAY2  87400

static const struct siphash_key secret = {1, 2};
static const struct siphash_key other_secret = {3, 4};
static struct quota_found found;

static struct quota_sum sum_of(unsigned int client, uint16_t subject,
			       int64_t start, uint64_t bytes)
{
	struct quota_sum s;

	memset(&s, 0, sizeof(s));
	s.client.family = AF_INET;
	s.client.bytes[0] = 10;
	s.client.bytes[3] = (uint8_t)client;
	s.subject = subject;
	s.start_s = start;
	s.bytes = bytes;
	return s;
}

/* The sum after @bytes more; UINT64_MAX when there is no room. */
static uint64_t add(struct quota_table *t, unsigned int client,
		    uint16_t subject, int64_t start, uint64_t bytes)
{
	struct quota_sum s = sum_of(client, subject, start, bytes);
	uint64_t before, after;

	if (quota_table_add(t, &s, &before, &after) != 0)
		return UINT64_MAX;
	assert_int_equal(after - before, bytes);
	return after;
}

/* Memory that ends where nothing may be touched. */
static uint8_t *memory(void)
{
	static const uint8_t zero[SIZE];

	return guard_copy(zero, SIZE);
}

static struct quota_table *open_table(uint8_t *mem)
{
	struct quota_table *t = quota_table_new(mem, SIZE, &secret, &found);

	assert_non_null(t);
	return t;
}

static void sums_add_up_and_stay(void **state)
{
	uint8_t *mem = memory();
	struct quota_table *t = open_table(mem);

	(void)state;
	assert_true(found.fresh);
	assert_int_equal(add(t, 1, 7, DAY1, 100), 100);
	assert_int_equal(add(t, 1, 7, DAY1, 50), 150);
	assert_int_equal(add(t, 1, 8, DAY1, 1), 1);
	assert_int_equal(add(t, 2, 7, DAY1, 2), 2);
	quota_table_free(t);
	/* Another process, another secret. */
	t = quota_table_new(mem, SIZE, &other_secret, &found);
	assert_non_null(t);
	assert_false(found.fresh);
	assert_int_equal(found.sums, 3);
	assert_int_equal(found.damaged, 0);
	assert_int_equal(add(t, 1, 7, DAY1, 0), 150);
	assert_int_equal(add(t, 2, 7, DAY1, 1), 3);
	quota_table_free(t);
	guard_free(mem, SIZE);
}

static void a_period_begins_anew(void **state)
{
	uint8_t *mem = memory();
	struct quota_table *t = open_table(mem);

	(void)state;
	assert_int_equal(add(t, 1, 7, DAY1, 100), 100);
	assert_int_equal(add(t, 1, 7, DAY2, 5), 5);
	assert_int_equal(add(t, 1, 7, DAY2, 5), 10);
	quota_table_free(t);
	guard_free(mem, SIZE);
}

static bool is_day2(const struct quota_sum *sum, void *arg)
{
	(void)arg;
	return sum->start_s == DAY2;
}

static void a_full_table_says_so_and_is_swept(void **state)
{
	uint8_t *mem = memory();
	struct quota_table *t = open_table(mem);
	struct quota_sum s;
	unsigned int count = 0;

	(void)state;
	for (unsigned int i = 0; i < SLOTS; i++)
		assert_int_equal(add(t, i, 7, i < 5 ? DAY1 : DAY2, 10 + i),
				 10 + i);
	assert_int_equal(add(t, 99, 7, DAY2, 1), UINT64_MAX);
	assert_int_equal(add(t, 7, 7, DAY2, 1), 18); /* those who are in */
	assert_int_equal(quota_table_sweep(t, is_day2, NULL), 5);
	for (unsigned int i = 20; i < 25; i++)
		assert_int_equal(add(t, i, 7, DAY2, i), i);
	assert_int_equal(add(t, 99, 7, DAY2, 1), UINT64_MAX);
	assert_int_equal(add(t, 7, 7, DAY2, 0), 18);
	for (uint32_t at = quota_table_next(t, 0, &s); at != 0;
	     at = quota_table_next(t, at, &s)) {
		assert_int_equal(s.start_s, DAY2);
		count++;
	}
	assert_int_equal(count, SLOTS);
	quota_table_free(t);
	guard_free(mem, SIZE);
}

static void a_sum_stops_at_the_top(void **state)
{
	uint8_t *mem = memory();
	struct quota_table *t = open_table(mem);
	struct quota_sum s = sum_of(1, 7, DAY1, UINT64_MAX);
	uint64_t before, after;

	(void)state;
	assert_int_equal(quota_table_add(t, &s, &before, &after), 0);
	assert_int_equal(quota_table_add(t, &s, &before, &after), 0);
	assert_int_equal(after, UINT64_MAX);
	quota_table_free(t);
	guard_free(mem, SIZE);
}

/* Whichever byte is changed: that sum is begun anew, or as it was before. */
static void damage_costs_one_sum_at_most(void **state)
{
	(void)state;
	for (size_t at = 0; at < 2 * QUOTA_SLOT_SIZE; at++) {
		uint8_t *mem = memory();
		struct quota_table *t = open_table(mem);
		uint64_t got;

		add(t, 1, 7, DAY1, 100);
		add(t, 1, 7, DAY1, 50);
		add(t, 2, 7, DAY1, 9);
		quota_table_free(t);
		mem[FIRST + at] ^= 0x55;
		t = open_table(mem);
		assert_false(found.foreign);
		assert_in_range(found.sums, 1, 2);
		got = add(t, 1, 7, DAY1, 0);
		assert_true(got == 150 || got == 100 || got == 0);
		if (at >= QUOTA_SLOT_SIZE)
			assert_int_equal(got, 150);
		got = add(t, 2, 7, DAY1, 0);
		assert_true(got == 9 || (got == 0 && at >= QUOTA_SLOT_SIZE));
		quota_table_free(t);
		guard_free(mem, SIZE);
	}
}

static void what_is_no_table_is_begun_anew(void **state)
{
	(void)state;
	for (unsigned int fill = 0; fill < 3; fill++) {
		uint8_t *mem = memory();
		struct quota_table *t;

		/* rubbish, another version, another number of slots */
		if (fill == 0)
			memset(mem, 0xaa, SIZE);
		t = open_table(mem);
		add(t, 1, 7, DAY1, 100);
		quota_table_free(t);
		if (fill > 0)
			mem[fill == 1 ? 8 : 12] ^= 1;
		t = open_table(mem);
		assert_int_equal(found.foreign, fill > 0);
		assert_int_equal(add(t, 1, 7, DAY1, 0), fill > 0 ? 0 : 100);
		quota_table_free(t);
		guard_free(mem, SIZE);
	}
}

/* A slot that was just being made, when its writer was killed, is no damage. */
static void a_slot_without_a_sum_is_free(void **state)
{
	uint8_t *mem = memory();
	struct quota_table *t = open_table(mem);

	(void)state;
	add(t, 1, 7, DAY1, 100);
	quota_table_free(t);
	memset(mem + FIRST + 32, 0, 32);
	t = open_table(mem);
	assert_int_equal(found.sums, 0);
	assert_int_equal(found.damaged, 0);
	for (unsigned int i = 0; i < SLOTS; i++)
		assert_int_equal(add(t, i, 7, DAY1, 1), 1);
	quota_table_free(t);
	guard_free(mem, SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_add_up_and_stay),
		cmocka_unit_test(a_period_begins_anew),
		cmocka_unit_test(a_full_table_says_so_and_is_swept),
		cmocka_unit_test(a_sum_stops_at_the_top),
		cmocka_unit_test(damage_costs_one_sum_at_most),
		cmocka_unit_test(what_is_no_table_is_begun_anew),
		cmocka_unit_test(a_slot_without_a_sum_is_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
