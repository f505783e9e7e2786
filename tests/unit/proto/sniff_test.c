// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "guard.h"
#include "proto/sniff.h"

#define VECTOR(bytes, name)                    \
	{                                      \
		bytes, sizeof(bytes) - 1, name \
	}

struct vector {
	const char *bytes;
	size_t len;
	const char *name; /* NULL: no DNS */
};

/* Id and flags, then one question and the other counts. */
#define QUERY "\x12\x34\1\0\0\1\0\0\0\0"
#define NAME  "\3wWw\7example\3org\0"
#define A_IN  "\0\1\0\1"
#define OPT   "\0\0\x29\4\xd0\0\0\0\0\0\0"

static const struct vector messages[] = {
	VECTOR(QUERY "\0\0" NAME A_IN, "www.example.org"),
	VECTOR(QUERY "\0\1" NAME A_IN OPT, "www.example.org"),
	VECTOR(QUERY "\0\0"
		     "\0"
		     "\0\2\0\1",
	       ""),
	VECTOR("\x12\x34\x81\x80\0\1\0\1\0\0\0\0" NAME A_IN
	       "\xc0\x0c\0\1\0\1\0\0\0\1\0\4\1\2\3\4",
	       "www.example.org"),
	VECTOR("\x12\x34\x81\x83\0\1\0\0\0\0\0\0" NAME A_IN, "www.example.org"),
	/* bytes behind the question that nothing announces, or none though */
	VECTOR(QUERY "\0\0" NAME A_IN "x", NULL),
	VECTOR(QUERY "\0\1" NAME A_IN, NULL),
	VECTOR(QUERY "\0\1" NAME A_IN "12345678901", NULL),
	/* type 0, class 9, an operation, two questions, a pointer, a space */
	VECTOR(QUERY "\0\0" NAME "\0\0\0\1", NULL),
	VECTOR(QUERY "\0\0" NAME "\0\1\0\x09", NULL),
	VECTOR("\x12\x34\x29\0\0\1\0\0\0\0\0\0" NAME A_IN, NULL),
	VECTOR("\x12\x34\1\0\0\2\0\0\0\0\0\0" NAME A_IN, NULL),
	VECTOR(QUERY "\0\0"
		     "\xc0\x0c" A_IN,
	       NULL),
	VECTOR(QUERY "\0\0"
		     "\3w w\0" A_IN,
	       NULL),
	VECTOR(QUERY "\0\0"
		     "\x3fwww" A_IN,
	       NULL),
	VECTOR("GET / HTTP/1.1\r\nHost: x\r\n\r\n", NULL),
};

static void dns(void **state)
{
	char name[SNIFF_DNS_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		const struct vector *v = &messages[i];

		for (size_t len = 0; len <= v->len; len++) {
			uint8_t *copy = guard_copy(v->bytes, len);
			bool is = sniff_dns((struct str){(char *)copy, len},
					    name);

			guard_free(copy, len);
			if (len < v->len)
				continue;
			if (is != (v->name != NULL))
				fail_msg("%zu", i);
			if (is)
				assert_string_equal(name, v->name);
		}
	}
}

static void dns_over_tcp(void **state)
{
	static const char query[] = "\0\x21" QUERY "\0\0" NAME A_IN;
	char name[SNIFF_DNS_NAME_MAX];

	(void)state;
	assert_true(
		sniff_dns_tcp((struct str){query, sizeof(query) - 1}, name));
	assert_string_equal(name, "www.example.org");
	assert_false(
		sniff_dns_tcp((struct str){query, sizeof(query) - 2}, name));
	assert_false(sniff_dns_tcp((struct str){query, 1}, name));
	assert_false(sniff_dns_tcp((struct str){query + 2, sizeof(query) - 3},
				   name));
}

/* A name of 253 bytes, and one that is longer. */
static void long_names(void **state)
{
	char m[12 + 300] = "\x12\x34\1\0\0\1\0\0\0\0\0\0";
	char name[SNIFF_DNS_NAME_MAX];

	(void)state;
	for (size_t last = 59; last <= 63; last++) {
		size_t at = 12;

		for (int i = 0; i < 4; i++) {
			size_t n = i < 3 ? 63 : last;

			m[at++] = (char)n;
			memset(m + at, 'n', n);
			at += n;
		}
		m[at++] = 0;
		memcpy(m + at, A_IN, 4);
		assert_int_equal(sniff_dns((struct str){m, at + 4}, name),
				 last <= 61);
		if (last == 61)
			assert_int_equal(strlen(name), 253);
	}
}

static void bittorrent(void **state)
{
	char d[60] = {1};

	(void)state;
	memcpy(d + 20, "\023BitTorrent protocol", 20);
	assert_true(sniff_bittorrent_utp((struct str){d, sizeof(d)}));
	assert_true(sniff_bittorrent_utp((struct str){d, 40}));
	assert_false(sniff_bittorrent_utp((struct str){d, 39}));
	d[1] = 1;
	assert_false(sniff_bittorrent_utp((struct str){d, sizeof(d)}));
	d[1] = 0;
	d[0] = 0x41;
	assert_false(sniff_bittorrent_utp((struct str){d, sizeof(d)}));
}

/* "s" the server's line, "c" the client's; whether the last one settles it. */
static void ftp(void **state)
{
	static const struct {
		const char *lines[5];
		bool is;
	} talks[] = {
		{{"s220 Welcome\r\n", "cUSER a\r\n", "s331 Password?\r\n"},
		 true},
		{{"s220-Hello\r\n", "s220 Go on\r\n", "cuser a\r\n",
		  "s230 In\r\n"},
		 true},
		{{"s220 x\r\n", "cAUTH TLS\r\n", "s234 Go\r\n"}, true},
		{{"s220 mail\r\n", "cEHLO a\r\n", "s250 ok\r\n"}, false},
		{{"s220 mail\r\n", "cAUTH LOGIN\r\n", "s503 no\r\n"}, false},
		{{"cUSER a\r\n", "s331 Password?\r\n"}, false},
		{{"s220", "cUSER a\r\n", "s331 Password?\r\n"}, false},
		{{"s220 x\r\n", "cUSER a\r\n", "c331 x\r\n"}, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++) {
		struct sniff_ftp s = {0, 0};
		bool is = false;

		for (const char *const *l = talks[i].lines; *l != NULL; l++) {
			assert_false(is);
			is = sniff_ftp(&s, **l == 's', str_of(*l + 1));
		}
		if (is != talks[i].is)
			fail_msg("%zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dns),	      cmocka_unit_test(dns_over_tcp),
		cmocka_unit_test(long_names), cmocka_unit_test(bittorrent),
		cmocka_unit_test(ftp),
	};

	return cmocka_run_group_tests_name("sniff", tests, NULL, NULL);
}
