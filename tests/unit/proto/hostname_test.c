// SPDX-License-Identifier: GPL-2.0-or-later
/* Which texts are host names, and how they are written then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "guard.h"
#include "proto/hostname.h"

#define L10 "abcdefghij"
#define L60 L10 L10 L10 L10 L10 L10
#define L63 L60 "abc"

static const struct {
	const char *text;
	const char *name; /* NULL: it is none */
} cases[] = {
	{"example.com", "example.com"},
	{"EXAMPLE.Com", "example.com"},
	{"localhost", "localhost"},
	{"a", "a"},
	{"3com.example", "3com.example"},
	{"1.2.3.example", "1.2.3.example"},
	{"a-b.c--d.example", "a-b.c--d.example"},
	{"_dmarc.example.com", "_dmarc.example.com"},
	{"file_server.example", "file_server.example"},
	{"xn--bcher-kva.example", "xn--bcher-kva.example"},
	{"example.xn--p1ai", "example.xn--p1ai"},
	{L63 ".example", L63 ".example"},
	{"example.com.", "example.com"}, /* the root's dot */
	{"example.1a", "example.1a"},
	{"example.0xyz", "example.0xyz"},

	{"", NULL},
	{".", NULL},
	{"..", NULL},
	{".example.com", NULL},
	{"example..com", NULL},
	{"example.com..", NULL},
	{"-a.example", NULL},
	{"a-.example", NULL},
	{"example.-", NULL},
	{L63 "d.example", NULL},
	{"exa mple.com", NULL},
	{"example.com ", NULL},
	{" example.com", NULL},
	{"example.com\n", NULL},
	{"example.com:21", NULL},
	{"user@example.com", NULL},
	{"example.com/", NULL},
	{"*.example.com", NULL},
	{"b\xc3\xbc"
	 "cher.example",
	 NULL},
	{"ex\x7f.com", NULL},
	/* addresses, in each way that inet_aton(3) reads */
	{"192.0.2.1", NULL},
	{"192.0.2.1.", NULL},
	{"127.1", NULL},
	{"2130706433", NULL},
	{"0x7f000001", NULL},
	{"0X7F.1", NULL},
	{"127.0.0.0x1", NULL},
	{"example.0x", NULL},
	{"017700000001", NULL},
	{"2001:db8::1", NULL},
	{"[2001:db8::1]", NULL},
	{"example.123", NULL},
};

static void table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *want = cases[i].name;
		size_t len = strlen(cases[i].text);
		char name[HOSTNAME_SIZE] = "x";
		bool valid = hostname_parse(str_of(cases[i].text), name);

		if (valid != (want != NULL) ||
		    strcmp(name, want != NULL ? want : "") != 0)
			fail_msg("\"%s\" became \"%s\"", cases[i].text, name);
		assert_int_equal(hostname_is_plain(str_of(cases[i].text)),
				 want != NULL &&
					 strcmp(want, cases[i].text) == 0);
		/* Cut anywhere it is read no further. */
		for (size_t cut = 0; cut <= len; cut++) {
			uint8_t *copy = guard_copy(cases[i].text, cut);

			(void)hostname_parse(
				(struct str){(const char *)copy, cut}, name);
			guard_free(copy, cut);
		}
	}
}

static void nul_is_no_end(void **state)
{
	char name[HOSTNAME_SIZE];

	(void)state;
	assert_false(hostname_parse(STR("example\0.com"), name));
	assert_false(hostname_parse(STR("example.com\0"), name));
	assert_false(hostname_is_plain(STR("example.com\0")));
}

/* 253 characters are the longest; a root's dot comes on top. */
static void lengths(void **state)
{
	char text[300], name[HOSTNAME_SIZE];

	(void)state;
	for (size_t len = 1; len < sizeof(text); len++) {
		for (size_t i = 0; i < len; i++)
			text[i] = i % 50 == 49 ? '.' : 'a';
		if (text[len - 1] == '.')
			continue;
		assert_int_equal(hostname_parse((struct str){text, len}, name),
				 len <= 253);
		text[len] = '.';
		if (len + 1 < sizeof(text))
			assert_int_equal(
				hostname_parse((struct str){text, len + 1},
					       name),
				len <= 253);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(nul_is_no_end),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests_name("hostname", tests, NULL, NULL);
}
