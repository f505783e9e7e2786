// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/units.h"

struct row {
	const char *text;
	uint64_t value;
};

static void sizes(void **state)
{
	static const struct row good[] = {
		{"0", 0},
		{"1", 1},
		{"512B", 512},
		{"64K", 65536},
		{"64k", 65536},
		{"64KiB", 65536},
		{"64kib", 65536},
		{" 64 K ", 65536},
		{"2M", 2 << 20},
		{"1G", 1 << 30},
		{"1T", 1ULL << 40},
		{"16777215T", 16777215ULL << 40},
		{"18446744073709551615", UINT64_MAX},
		{"18014398509481983K", 18014398509481983ULL << 10},
	};
	static const char *const bad[] = {"",
					  " ",
					  "K",
					  "-1",
					  "+1",
					  "1.5M",
					  "64KB",
					  "64 K K",
					  "1P",
					  "0x10",
					  "1 0",
					  "16777216T",
					  "10s",
					  "\n1",
					  "1\n",
					  "18014398509481984K",
					  "18446744073709551616"};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(units_parse_size(good[i].text, &v));
		assert_true(v == good[i].value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		v = 42;
		assert_false(units_parse_size(bad[i], &v));
		assert_int_equal(v, 0);
	}
}

static void durations(void **state)
{
	static const struct row good[] = {
		{"0", 0},
		{"0s", 0},
		{"250ms", 250},
		{"10s", 10000},
		{"5m", 300000},
		{"4h", 4 * 3600000ULL},
		{"90d", 90 * 86400000ULL},
		{"2w", 14 * 86400000ULL},
		{" 10 s ", 10000},
		{"18446744073709551615ms", UINT64_MAX},
	};
	/* A bare number could be seconds or milliseconds: nobody guesses. */
	static const char *const bad[] = {"10",
					  "",
					  "s",
					  "10S",
					  "10M",
					  "1.5s",
					  "-1s",
					  "10 sec",
					  "1y",
					  "18446744073709552s",
					  "18446744073709551616ms"};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(units_parse_duration(good[i].text, &v));
		assert_true(v == good[i].value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(units_parse_duration(bad[i], &v));
}

static void formats(void **state)
{
	static const struct row size_rows[] = {
		{"0", 0},
		{"1", 1},
		{"1023", 1023},
		{"1K", 1024},
		{"1025", 1025},
		{"64K", 65536},
		{"1536K", 1572864},
		{"1M", 1 << 20},
		{"2047M", 2047ULL << 20},
		{"4G", 4ULL << 30},
		{"1T", 1ULL << 40},
		{"18446744073709551615", UINT64_MAX}};
	static const struct row duration_rows[] = {
		{"0ms", 0},	   {"100ms", 100},
		{"1s", 1000},	   {"75s", 75000},
		{"1m", 60000},	   {"4h", 14400000},
		{"1d", 86400000},  {"90d", 7776000000ULL},
		{"1w", 604800000}, {"18446744073709551615ms", UINT64_MAX}};
	char text[UNITS_TEXT_MAX];
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(size_rows) / sizeof(size_rows[0]); i++) {
		units_format_size(text, sizeof(text), size_rows[i].value);
		assert_string_equal(text, size_rows[i].text);
		assert_true(units_parse_size(text, &v));
		assert_true(v == size_rows[i].value);
	}
	for (size_t i = 0; i < sizeof(duration_rows) / sizeof(duration_rows[0]);
	     i++) {
		units_format_duration(text, sizeof(text),
				      duration_rows[i].value);
		assert_string_equal(text, duration_rows[i].text);
		assert_true(units_parse_duration(text, &v));
		assert_true(v == duration_rows[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(durations),
		cmocka_unit_test(formats),
	};

	return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
