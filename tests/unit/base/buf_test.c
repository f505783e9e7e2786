// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"

static void fill_and_drain(void **state)
{
	uint8_t room[8];
	struct buf b;

	(void)state;
	buf_init(&b, room, sizeof(room));
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(buf_room(&b), 8);
	assert_true(buf_append(&b, "abcdef", 6));
	assert_int_equal(buf_len(&b), 6);
	assert_int_equal(buf_room(&b), 2);
	assert_memory_equal(buf_head(&b), "abcdef", 6);
	buf_consume(&b, 4);
	assert_memory_equal(buf_head(&b), "ef", 2);
	assert_int_equal(buf_room(&b), 2);
	buf_consume(&b, 2);
	assert_int_equal(buf_room(&b), 8);
}

static void append_is_all_or_nothing(void **state)
{
	uint8_t room[4];
	struct buf b;

	(void)state;
	buf_init(&b, room, sizeof(room));
	assert_false(buf_append(&b, "abcde", 5));
	assert_int_equal(buf_len(&b), 0);
	assert_true(buf_append(&b, "abcd", 4));
	assert_false(buf_append(&b, "e", 1));
	assert_true(buf_append(&b, NULL, 0));
	assert_memory_equal(buf_head(&b), "abcd", 4);
}

static void compact_makes_room(void **state)
{
	uint8_t room[8];
	struct buf b;

	(void)state;
	buf_init(&b, room, sizeof(room));
	buf_append(&b, "abcdefgh", 8);
	buf_consume(&b, 3);
	assert_int_equal(buf_room(&b), 0);
	buf_compact(&b);
	assert_int_equal(buf_room(&b), 3);
	assert_memory_equal(buf_head(&b), "defgh", 5);
	*buf_tail(&b) = 'i';
	buf_produce(&b, 1);
	assert_memory_equal(buf_head(&b), "defghi", 6);
	buf_compact(&b);
	assert_memory_equal(buf_head(&b), "defghi", 6);
}

static void no_memory_at_all(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, NULL, 0);
	assert_true(buf_append(&b, "", 0));
	assert_false(buf_append(&b, "a", 1));
	buf_compact(&b);
	buf_consume(&b, 0);
	assert_int_equal(buf_len(&b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fill_and_drain),
		cmocka_unit_test(append_is_all_or_nothing),
		cmocka_unit_test(compact_makes_room),
		cmocka_unit_test(no_memory_at_all),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
