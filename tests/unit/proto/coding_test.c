// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "guard.h"
#include "proto/coding.h"

static enum coding of(const char *name)
{
	size_t len = strlen(name);
	uint8_t *copy = guard_copy(name, len);
	enum coding c = coding_of((struct str){(const char *)copy, len});

	guard_free(copy, len);
	return c;
}

static void by_name(void **state)
{
	(void)state;
	assert_int_equal(of("gzip"), CODING_GZIP);
	assert_int_equal(of("X-GZip"), CODING_GZIP);
	assert_int_equal(of("deflate"), CODING_DEFLATE);
	assert_int_equal(of("BR"), CODING_BR);
	assert_int_equal(of("zstd"), CODING_ZSTD);
	assert_int_equal(of("gzi"), CODING_UNKNOWN);
	assert_int_equal(of("gzipx"), CODING_UNKNOWN);
	assert_int_equal(of("compress"), CODING_UNKNOWN);
	assert_int_equal(of("identity"), CODING_UNKNOWN);
	assert_int_equal(of(""), CODING_UNKNOWN);
}

static void names(void **state)
{
	(void)state;
	for (int c = CODING_GZIP; c < CODING_COUNT; c++)
		assert_int_equal(of(coding_name((enum coding)c)), c);
	assert_string_equal(coding_name(CODING_UNKNOWN), "unknown");
	assert_string_equal(coding_name(CODING_COUNT), "unknown");
}

/* Several values add up in order; what can't be undone is never forgotten. */
static void lists(void **state)
{
	struct coding_list l = {{0}, 0, false};

	(void)state;
	coding_list_add(&l, STR(""));
	coding_list_add(&l, STR(" , identity ,, Identity"));
	coding_list_add(&l, STR("None, UTF-8"));
	assert_int_equal(l.count, 0);
	assert_false(l.unknown);
	coding_list_add(&l, STR("gzip ,br"));
	coding_list_add(&l, STR("zstd"));
	assert_int_equal(l.count, 3);
	assert_int_equal(l.coding[0], CODING_GZIP);
	assert_int_equal(l.coding[1], CODING_BR);
	assert_int_equal(l.coding[2], CODING_ZSTD);
	assert_false(l.unknown);
	coding_list_add(&l, STR("deflate"));
	assert_int_equal(l.count, CODING_MAX);
	assert_false(l.unknown);
	coding_list_add(&l, STR("deflate"));
	assert_int_equal(l.count, CODING_MAX);
	assert_true(l.unknown);
}

static void unknown_members(void **state)
{
	struct coding_list l = {{0}, 0, false};

	(void)state;
	coding_list_add(&l, STR("gzip;q=1, br"));
	assert_true(l.unknown);
	assert_int_equal(l.count, 1);
	assert_int_equal(l.coding[0], CODING_BR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_name),
		cmocka_unit_test(names),
		cmocka_unit_test(lists),
		cmocka_unit_test(unknown_members),
	};

	return cmocka_run_group_tests_name("coding", tests, NULL, NULL);
}
