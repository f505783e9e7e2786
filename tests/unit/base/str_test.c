// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"

static const struct str absent = {NULL, 0};

static void comparisons(void **state)
{
	(void)state;
	assert_true(str_eq(STR("abc"), str_of("abc")));
	assert_false(str_eq(STR("abc"), STR("abd")));
	assert_false(str_eq(STR("abc"), STR("ab")));
	assert_true(str_eq(absent, STR("")));
	assert_true(
		str_eq_nocase(STR("Content-LENGTH"), STR("content-length")));
	/* Only letters fold: [ is not { although one bit apart. */
	assert_false(str_eq_nocase(STR("["), STR("{")));
	assert_false(str_eq_nocase(STR("\xc4"), STR("\xe4")));
	assert_false(str_eq_nocase(STR("a"), STR("ab")));
	assert_true(str_starts(STR("http://x"), STR("http://")));
	assert_false(str_starts(STR("http"), STR("http://")));
	assert_true(str_starts(STR("x"), absent));
	assert_true(str_starts(absent, absent));
	assert_false(str_starts(absent, STR("x")));
}

static void trimming(void **state)
{
	(void)state;
	assert_true(str_eq(str_trim(STR(" \t a b\t ")), STR("a b")));
	assert_true(str_eq(str_trim(STR(" \t ")), STR("")));
	assert_true(str_eq(str_trim(absent), STR("")));
	/* A line end is no white space here: RFC 9112 5.1. */
	assert_true(str_eq(str_trim(STR("a\r")), STR("a\r")));
}

static void list_elements(void **state)
{
	static const struct {
		const char *list;
		const char *elements[4];
	} rows[] = {
		{"gzip, chunked", {"gzip", "chunked"}},
		{" , ,a ,, b\t,", {"a", "b"}},
		{"a;q=\"x,y\", b", {"a;q=\"x,y\"", "b"}},
		{"a;q=\"x\\\",y\", b", {"a;q=\"x\\\",y\"", "b"}},
		{"\"never closed, a", {"\"never closed, a"}},
		{"\"ends in a backslash\\", {"\"ends in a backslash\\"}},
		{"", {NULL}},
		{",", {NULL}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct str rest = str_of(rows[i].list);
		struct str element;

		for (size_t n = 0; rows[i].elements[n] != NULL; n++) {
			assert_true(str_next_element(&rest, &element));
			assert_true(
				str_eq(element, str_of(rows[i].elements[n])));
		}
		assert_false(str_next_element(&rest, &element));
		assert_int_equal(element.len, 0);
	}
}

static void numbers(void **state)
{
	static const char *const bad[] = {"",
					  "-1",
					  "+1",
					  " 1",
					  "1 ",
					  "1a",
					  "0x",
					  "١",
					  "1.0",
					  "18446744073709551616",
					  "99999999999999999999999999"};
	uint64_t v;

	(void)state;
	assert_true(str_to_u64(STR("0"), &v));
	assert_int_equal(v, 0);
	assert_true(str_to_u64(STR("007"), &v));
	assert_int_equal(v, 7);
	assert_true(str_to_u64(STR("18446744073709551615"), &v));
	assert_true(v == UINT64_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		v = 42;
		assert_false(str_to_u64(str_of(bad[i]), &v));
		assert_int_equal(v, 0);
	}
}

static void builder_never_overflows(void **state)
{
	char room[8];
	struct strbuf sb;

	(void)state;
	memset(room, 'x', sizeof(room));
	strbuf_init(&sb, room, 5);
	strbuf_puts(&sb, "ab");
	strbuf_putc(&sb, 'c');
	assert_false(sb.cut);
	strbuf_puts(&sb, "de");
	assert_true(sb.cut);
	assert_string_equal(room, "abcd");
	assert_int_equal(sb.len, 4);
	strbuf_putc(&sb, 'e');
	strbuf_printf(&sb, "%d", 12345);
	assert_string_equal(room, "abcd");
	assert_memory_equal(room + 5, "xxx", 3);
}

static void builder_without_room(void **state)
{
	char room[1] = {'x'};
	struct strbuf sb;

	(void)state;
	strbuf_init(&sb, room, 0);
	strbuf_puts(&sb, "a");
	strbuf_printf(&sb, "%s", "a");
	strbuf_html(&sb, STR("<"));
	assert_true(sb.cut);
	assert_int_equal(room[0], 'x');
	strbuf_init(&sb, room, 1);
	assert_false(sb.cut);
	strbuf_str(&sb, absent);
	assert_false(sb.cut);
	strbuf_printf(&sb, "%s", "a");
	assert_true(sb.cut);
	assert_string_equal(room, "");
}

static void builder_formats(void **state)
{
	char room[64];
	struct strbuf sb;

	(void)state;
	strbuf_init(&sb, room, sizeof(room));
	strbuf_printf(&sb, "%s-%d", "a", 7);
	strbuf_str(&sb, STR("!"));
	strbuf_hex(&sb, (const uint8_t *)"\x00\xff\x1a", 3);
	assert_string_equal(room, "a-7!00ff1a");
	strbuf_init(&sb, room, 8);
	strbuf_printf(&sb, "%s", "1234567");
	assert_false(sb.cut);
	strbuf_init(&sb, room, 8);
	strbuf_printf(&sb, "%s", "12345678");
	assert_true(sb.cut);
	assert_string_equal(room, "1234567");
}

static void escaping(void **state)
{
	char room[128];
	struct strbuf sb;

	(void)state;
	strbuf_init(&sb, room, sizeof(room));
	strbuf_html(&sb, STR("<a href=\"x\" b='y'>&amp;</a>"));
	assert_string_equal(room, "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;"
				  "&amp;amp;&lt;/a&gt;");
	strbuf_init(&sb, room, sizeof(room));
	strbuf_printable(&sb, STR("a\\b\n\x1b[0m\x00\x7f\xc3\xa4~ "));
	assert_string_equal(room, "a\\x5cb\\x0a\\x1b[0m\\x00\\x7f\\xc3\\xa4~ ");
}

static void copies(void **state)
{
	char room[4];

	(void)state;
	assert_true(str_copy(room, sizeof(room), "abc"));
	assert_string_equal(room, "abc");
	assert_false(str_copy(room, sizeof(room), "abcd"));
	assert_string_equal(room, "abc");
	assert_true(str_copy_view(room, sizeof(room), absent));
	assert_string_equal(room, "");
	assert_false(str_copy(room, 1, "a"));
	assert_string_equal(room, "");
	room[0] = 'x';
	assert_false(str_copy(room, 0, "a"));
	assert_int_equal(room[0], 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comparisons),
		cmocka_unit_test(trimming),
		cmocka_unit_test(list_elements),
		cmocka_unit_test(numbers),
		cmocka_unit_test(builder_never_overflows),
		cmocka_unit_test(builder_without_room),
		cmocka_unit_test(builder_formats),
		cmocka_unit_test(escaping),
		cmocka_unit_test(copies),
	};

	return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
