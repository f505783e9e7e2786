// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "scan/transfer.h"

typedef size_t (*decode_fn)(struct transfer *t, uint8_t *dst, size_t room);

struct sample {
	const char *coded;
	const char *plain;
	bool damaged;
};

/* @room bytes at a time, against a guard page; all rooms give the same. */
static void check(decode_fn decode, const struct sample *s, size_t room)
{
	size_t len = strlen(s->coded), n = 0, got;
	uint8_t *src = guard_copy(s->coded, len);
	uint8_t out[256];
	struct transfer t;

	transfer_init(&t, src, len);
	do {
		got = decode(&t, out + n, room);
		assert_true(got <= room);
		n += got;
	} while (t.len > 0);
	guard_free(src, len);
	assert_int_equal(n, strlen(s->plain));
	assert_memory_equal(out, s->plain, n);
	assert_int_equal(t.damaged, s->damaged);
}

static void check_all(decode_fn decode, const struct sample *s, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t room = 1; room < 40; room++)
			check(decode, &s[i], room);
}

/* RFC 4648 10, and what mail gateways do to it. */
static void base64(void **state)
{
	static const struct sample samples[] = {
		{"", "", false},
		{"Zg==", "f", false},
		{"Zm8=", "fo", false},
		{"Zm9v", "foo", false},
		{"Zm9vYg==", "foob", false},
		{"Zm9vYmE=", "fooba", false},
		{"Zm9vYmFy", "foobar", false},
		{"Zm9v\r\nYmFy\r\n", "foobar", false},
		{" Z m 9 v\tYmFy", "foobar", false},
		{"Zm9vYmFy====", "foobar", true},
		{"Zm9vY", "foo", true},
		{"Zg", "f", true},
		{"Zg==Zg==", "f\x06`", true},
		{"Zm9-v", "foo", true},
		{"Zm9v!YmFy", "foobar", true},
	};

	(void)state;
	check_all(transfer_base64, samples,
		  sizeof(samples) / sizeof(samples[0]));
}

/* RFC 2045 6.7. */
static void quoted_printable(void **state)
{
	static const struct sample samples[] = {
		{"", "", false},
		{"plain text", "plain text", false},
		{"a=3Db", "a=b", false},
		{"a=3db", "a=b", false},
		{"soft=\r\nbreak", "softbreak", false},
		{"soft= \t\r\nbreak", "softbreak", false},
		{"soft=\nbreak", "softbreak", false},
		{"at the end=", "at the end", false},
		{"at the end=\r", "at the end", false},
		{"hard\r\nbreak", "hard\r\nbreak", false},
		{"no digits =XY.", "no digits =XY.", true},
		{"cut =4", "cut =4", true},
		{"==41", "=A", true},
	};

	(void)state;
	check_all(transfer_quoted_printable, samples,
		  sizeof(samples) / sizeof(samples[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64),
		cmocka_unit_test(quoted_printable),
	};

	return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
}
