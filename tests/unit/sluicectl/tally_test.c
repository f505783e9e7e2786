// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sluicectl/amount.h"
#include "sluicectl/tally.h"

static void add(struct tally *t, const char *word, uint64_t bytes)
{
	struct usage_line u = {.direction = USAGE_DOWN,
			       .bytes = bytes,
			       .packets = 1,
			       .flows = 2};

	tally_add(t, str_of(word), STR("web"), &u);
}

static void sums_by_word(void **state)
{
	struct tally t;
	char word[16];

	(void)state;
	assert_int_equal(tally_init(&t), 0);
	/* enough to grow several times, each word twice */
	for (unsigned int i = 0; i < 20000; i++) {
		snprintf(word, sizeof(word), "w%u", i % 10000);
		add(&t, word, i % 10000);
	}
	assert_int_equal(t.count, 10000);
	assert_int_equal(tally_find(&t, STR("w9999"))->sum.bytes[USAGE_DOWN],
			 2 * 9999);
	assert_null(tally_find(&t, STR("w10000")));
	assert_null(tally_find(&t, STR("w")));
	assert_false(t.crowded);
	assert_int_equal(t.total.packets[USAGE_DOWN], 20000);
	tally_sort(&t);
	assert_string_equal(t.rows[0].word, "w9999");
	assert_string_equal(t.rows[9999].word, "w0");
	assert_string_equal(t.rows[0].group, "web");
	assert_int_equal(t.rows[1].sum.flows[USAGE_DOWN], 4);
	tally_free(&t);
}

/* Somebody goes through all addresses: memory is bounded, sums are right. */
static void too_many_words(void **state)
{
	const unsigned int words = TALLY_ROWS + 5000;
	uint64_t bytes = 0;
	struct tally t;
	char word[16];

	(void)state;
	assert_int_equal(tally_init(&t), 0);
	for (unsigned int i = 0; i < words; i++) {
		snprintf(word, sizeof(word), "w%u", i);
		add(&t, word, 1);
	}
	add(&t, "w0", 1); /* one that was there before goes on */
	assert_true(t.crowded);
	assert_int_equal(t.count, TALLY_ROWS);
	assert_int_equal(t.size, 2 * TALLY_ROWS);
	assert_int_equal(t.crowd.bytes[USAGE_DOWN], 5000);
	assert_int_equal(tally_find(&t, STR("w0"))->sum.bytes[USAGE_DOWN], 2);
	for (size_t i = 0; i < t.size; i++)
		bytes += tally_bytes(&t.rows[i].sum);
	assert_int_equal(bytes + tally_bytes(&t.crowd), words + 1);
	assert_int_equal(tally_bytes(&t.total), words + 1);
	tally_free(&t);
}

static void amounts(void **state)
{
	char text[AMOUNT_TEXT], bar[11];

	(void)state;
	assert_string_equal(amount_bytes(text, 0), "0 B");
	assert_string_equal(amount_bytes(text, 1023), "1023 B");
	assert_string_equal(amount_bytes(text, 1536), "1.5 KiB");
	assert_string_equal(amount_bytes(text, UINT64_MAX), "16.0 EiB");
	assert_string_equal(amount_rate(text, 0), "0 bit/s");
	assert_string_equal(amount_rate(text, 125000), "1.0 Mbit/s");
	assert_string_equal(amount_duration(text, 59), "59 s");
	assert_string_equal(amount_duration(text, 90061), "1 d 1 h");
	assert_string_equal(amount_bar(bar, 10, 0, 100), "");
	assert_string_equal(amount_bar(bar, 10, 1, 1000), "#");
	assert_string_equal(amount_bar(bar, 10, 50, 100), "#####");
	assert_string_equal(amount_bar(bar, 10, 100, 100), "##########");
	assert_string_equal(amount_bar(bar, 10, 300, 100), "##########");
	assert_string_equal(amount_bar(bar, 10, 0, 0), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_by_word),
		cmocka_unit_test(too_many_words),
		cmocka_unit_test(amounts),
	};

	return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
