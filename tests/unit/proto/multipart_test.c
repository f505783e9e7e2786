// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "guard.h"
#include "proto/multipart.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FORM	 "multipart/form-data"

/* --- boundary ---------------------------------------------------------------- */

static bool boundary_is(const char *type, const char *expect)
{
	size_t len = strlen(type);
	uint8_t *copy = guard_copy(type, len);
	struct str boundary;
	bool form = multipart_boundary((struct str){(const char *)copy, len},
				       &boundary);
	bool same = str_eq(boundary, str_of(expect));

	guard_free(copy, len);
	if (!form)
		assert_int_equal(boundary.len, 0);
	return form && same;
}

static void boundaries(void **state)
{
	static const char *const v[][2] = {
		{FORM "; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
		 "----WebKitFormBoundary7MA4YWxkTrZu0gW"},
		{FORM "; boundary=---------------------------735323031399963",
		 "---------------------------735323031399963"},
		{FORM "; boundary=\"gc0p4Jq0M2Yt08j34c0p\"",
		 "gc0p4Jq0M2Yt08j34c0p"},
		{"Multipart/Form-Data;BOUNDARY=x", "x"},
		{FORM " ;charset=utf-8 ; boundary=x ;", "x"},
		{FORM "; boundary=\"a b,c\"; y=\"z;\"", "a b,c"},
		{FORM "; boundary==_Part/0:1?(2)+'3'.=",
		 "=_Part/0:1?(2)+'3'.="},
		{FORM ";;; boundary=x", "x"},
		{FORM "; boundary=0123456789012345678901234567890123456789"
		      "012345678901234567890123456789",
		 "0123456789012345678901234567890123456789"
		 "012345678901234567890123456789"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(v); i++)
		if (!boundary_is(v[i][0], v[i][1]))
			fail_msg("%s", v[i][0]);
}

static void bad_boundaries(void **state)
{
	static const char *const v[] = {
		FORM,
		FORM ";",
		FORM "; charset=utf-8",
		FORM "; boundary",
		FORM "; boundary=",
		FORM "; boundary=\"\"",
		FORM "; boundary = x",
		FORM "; boundary= x",
		FORM "; boundary=x y",
		FORM "; boundary=x,y",
		FORM ", boundary=x",
		FORM " boundary=x",
		FORM "; boundary=x\"y\"",
		FORM "; boundary=\"x",
		FORM "; boundary=\"x\\\"y\"",
		FORM "; boundary=\"x \"",
		FORM "; boundary=\"x\"y",
		FORM "; boundary=x; boundary=y",
		FORM "; boundary=x; boundary=x",
		FORM "; boundary*=x; boundary=x",
		FORM "; boundary*0=x; boundary*1=y",
		FORM "; name=\"boundary=y\"; boundary=x",
		FORM "; xboundary=y; boundary=x",
		FORM "; boundary=x; y",
		FORM "; boundary=x; =y",
		FORM "; boundary=x; y=\"",
		FORM "; boundary=\xc3\xa4",
		FORM "; boundary=a\x01z",
		FORM "; boundary=0123456789012345678901234567890123456789"
		     "0123456789012345678901234567890",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(v); i++)
		if (!boundary_is(v[i], ""))
			fail_msg("%s", v[i]);
}

static void other_types(void **state)
{
	static const char *const v[] = {
		"",
		"multipart/form-dat",
		"multipart/form-data2; boundary=x",
		"multipart/form-data-x; boundary=x",
		"multipart/mixed; boundary=x",
		"text/plain",
	};
	struct str boundary;

	(void)state;
	for (size_t i = 0; i < COUNT(v); i++)
		assert_false(multipart_boundary(str_of(v[i]), &boundary));
	assert_false(multipart_boundary((struct str){NULL, 0}, &boundary));
}

/* --- parts ------------------------------------------------------------------- */

/*
 * Walk over @body with boundary "b" and write down what is found: for a part
 * its encoding, fields and data in brackets, then E for the end or B for bad.
 */
static void walk(const char *body, size_t len, char *text, size_t size)
{
	uint8_t *copy = guard_copy(body, len);
	const struct str all = {(const char *)copy, len};
	struct multipart_part part;
	enum multipart_result r;
	size_t offset = 0;
	struct strbuf sb;

	strbuf_init(&sb, text, size);
	while ((r = multipart_next(all, STR("b"), &offset, &part)) ==
	       MULTIPART_PART) {
		strbuf_printf(&sb, "%d[", part.encoding);
		strbuf_printable(&sb, part.fields);
		strbuf_puts(&sb, "][");
		strbuf_printable(&sb, part.data);
		strbuf_puts(&sb, "]");
	}
	strbuf_puts(&sb, r == MULTIPART_END ? "E" : "B");
	/* Asking again changes nothing. */
	assert_int_equal(multipart_next(all, STR("b"), &offset, &part), r);
	guard_free(copy, len);
}

struct body {
	const char *bytes;
	size_t len;
	const char *expect;
};

#define BODY(literal) (literal), sizeof(literal) - 1

static void run(const struct body *v, size_t count)
{
	char text[1024];

	for (size_t i = 0; i < count; i++) {
		walk(v[i].bytes, v[i].len, text, sizeof(text));
		assert_string_equal(text, v[i].expect);
	}
}

static void bodies(void **state)
{
	static const struct body v[] = {
		{BODY("--b--"), "E"},
		{BODY("--b--\r\n"), "E"},
		{BODY("--b-- \t\r\nepilogue"), "E"},
		{BODY("--b\r\n\r\nx\r\n--b--\r\n"), "0[][x]E"},
		{BODY("preamble\r\n--b\r\nA: b\r\n\r\nx\r\n--b--"),
		 "0[A: b\\x0d\\x0a][x]E"},
		{BODY("\r\n--b \t\r\nA: b\r\n\r\nx\r\n--b--"),
		 "0[A: b\\x0d\\x0a][x]E"},
		{BODY("--b\r\nA: b\r\n\r\nx\r\ny\r\n\r\n--b\r\n"
		      "C: d\r\nE: f\r\n\r\n\0\r\n--b--"),
		 "0[A: b\\x0d\\x0a][x\\x0d\\x0ay\\x0d\\x0a]"
		 "0[C: d\\x0d\\x0aE: f\\x0d\\x0a][\\x00]E"},
		/* No data: with a line end of its own, and without. */
		{BODY("--b\r\nA: b\r\n\r\n\r\n--b--"), "0[A: b\\x0d\\x0a][]E"},
		{BODY("--b\r\nA: b\r\n\r\n--b--"), "0[A: b\\x0d\\x0a][]E"},
		/* Almost a delimiter. */
		{BODY("--b\r\n\r\n-b\r\n--\r\n--B\r\n--b--"),
		 "0[][-b\\x0d\\x0a--\\x0d\\x0a--B]E"},
	};

	(void)state;
	run(v, COUNT(v));
}

static void bad_bodies(void **state)
{
	static const struct body v[] = {
		{BODY("b"), "B"},
		{BODY("no delimiter at all"), "B"},
		{BODY("--b"), "B"},
		{BODY("--b\r\n"), "B"},
		{BODY("--b-"), "B"},
		{BODY("--b--x"), "B"},
		{BODY("--bx\r\n\r\n\r\n--b--"), "B"},
		{BODY("--b\n\r\nx\r\n--b--"), "B"},
		{BODY("--b\r\nA: b\r\n--b--"), "B"},
		{BODY("--b\r\nA: b\r\n\r\nx"), "B"},
		{BODY("--b\r\nA: b\r\n\r\nx\r\n--b"), "0[A: b\\x0d\\x0a][x]B"},
		{BODY("--b\r\nA: b\r\n\r\nx\r\n--bc\r\n"),
		 "0[A: b\\x0d\\x0a][x]B"},
		/* Where some recipients see a delimiter and others none. */
		{BODY("x--b\r\n\r\n\r\n--b--"), "B"},
		{BODY("x\n--b\r\n\r\n\r\n--b--"), "B"},
		{BODY("\n--b\r\n\r\n\r\n--b--"), "B"},
		{BODY("--b\r\n\r\nx\n--b\r\n\r\ny\r\n--b--"), "B"},
		{BODY("--b\r\n\r\nx\r--b\r\n\r\ny\r\n--b--"), "B"},
		{BODY("--b\r\n\r\nx--b\r\n\r\ny\r\n--b--"), "B"},
		{BODY("--b\r\n\r\nx\r\n---b--"), "B"},
		{BODY("--b\r\n\r\n\n--b--"), "B"},
		{BODY("--b\r\n\r\nx\r\n--b--\r\n--b\r\n\r\ny\r\n--b--"),
		 "0[][x]B"},
		{BODY("--b--\r\nx--b"), "B"},
		/* Fields by the rules of heads. */
		{BODY("--b\r\nA: b\n\r\nx\r\n--b--"), "B"},
		{BODY("--b\r\nA: b\r\n c\r\n\r\nx\r\n--b--"), "B"},
		{BODY("--b\r\nA : b\r\n\r\nx\r\n--b--"), "B"},
		{BODY("--b\r\nA: \0\r\n\r\nx\r\n--b--"), "B"},
		{BODY("--b\r\nA\r\n\r\nx\r\n--b--"), "B"},
	};
	struct multipart_part part;
	size_t offset = 0;

	(void)state;
	run(v, COUNT(v));
	assert_int_equal(
		multipart_next((struct str){NULL, 0}, STR("b"), &offset, &part),
		MULTIPART_BAD);
	assert_int_equal(multipart_next(STR("----"), (struct str){NULL, 0},
					&offset, &part),
			 MULTIPART_BAD);
	assert_int_equal(
		multipart_next(STR("--b--"),
			       (struct str){"", MULTIPART_BOUNDARY_MAX + 1},
			       &offset, &part),
		MULTIPART_BAD);
	offset = 6;
	assert_int_equal(multipart_next(STR("--b--"), STR("b"), &offset, &part),
			 MULTIPART_BAD);
}

static void encodings(void **state)
{
#define ENCODED(fields) BODY("--b\r\n" fields "\r\n\r\n--b--")
#define CTE		"Content-Transfer-Encoding: "
	static const struct body v[] = {
		{ENCODED("content-transfer-encoding:7BIT\r\n"),
		 "0[content-transfer-encoding:7BIT\\x0d\\x0a][]E"},
		{ENCODED(CTE "8bit\r\n"), "0[" CTE "8bit\\x0d\\x0a][]E"},
		{ENCODED(CTE "binary\r\n"), "0[" CTE "binary\\x0d\\x0a][]E"},
		{ENCODED(CTE "Base64\r\n"), "1[" CTE "Base64\\x0d\\x0a][]E"},
		{ENCODED(CTE "quoted-printable\r\n"),
		 "2[" CTE "quoted-printable\\x0d\\x0a][]E"},
		{ENCODED(CTE "x-uuencode\r\n"),
		 "3[" CTE "x-uuencode\\x0d\\x0a][]E"},
		{ENCODED(CTE "\r\n"), "3[" CTE "\\x0d\\x0a][]E"},
		{ENCODED(CTE "7bit\r\n" CTE "7bit\r\n"),
		 "3[" CTE "7bit\\x0d\\x0a" CTE "7bit\\x0d\\x0a][]E"},
	};

	(void)state;
	run(v, COUNT(v));
}

static void longest_boundary(void **state)
{
	char body[2 + MULTIPART_BOUNDARY_MAX + 2];
	struct multipart_part part;
	size_t offset = 0;

	(void)state;
	memset(body, '-', sizeof(body));
	memset(body + 2, 'x', MULTIPART_BOUNDARY_MAX);
	assert_int_equal(
		multipart_next((struct str){body, sizeof(body)},
			       (struct str){body + 2, MULTIPART_BOUNDARY_MAX},
			       &offset, &part),
		MULTIPART_END);
}

/* What curl -F and Firefox send. */
static void real_forms(void **state)
{
	static const char body[] =
		"------------------------d74496d66958873e\r\n"
		"Content-Disposition: form-data; name=\"person\"\r\n"
		"\r\n"
		"anonymous\r\n"
		"------------------------d74496d66958873e\r\n"
		"Content-Disposition: form-data; name=\"secret\"; "
		"filename=\"file.txt\"\r\n"
		"Content-Type: text/plain\r\n"
		"\r\n"
		"contents of the file\n\r\n"
		"------------------------d74496d66958873e--\r\n";
	const struct str all = STR(body);
	const struct str boundary =
		STR("----------------------d74496d66958873e");
	struct multipart_part part;
	size_t offset = 0;

	(void)state;
	assert_int_equal(multipart_next(all, boundary, &offset, &part),
			 MULTIPART_PART);
	assert_true(str_eq(part.data, STR("anonymous")));
	assert_int_equal(multipart_next(all, boundary, &offset, &part),
			 MULTIPART_PART);
	assert_true(str_eq(part.data, STR("contents of the file\n")));
	assert_true(str_starts(part.fields, STR("Content-Disposition: ")));
	assert_int_equal(multipart_next(all, boundary, &offset, &part),
			 MULTIPART_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boundaries),
		cmocka_unit_test(bad_boundaries),
		cmocka_unit_test(other_types),
		cmocka_unit_test(bodies),
		cmocka_unit_test(bad_bodies),
		cmocka_unit_test(encodings),
		cmocka_unit_test(real_forms),
		cmocka_unit_test(longest_boundary),
	};

	return cmocka_run_group_tests_name("multipart", tests, NULL, NULL);
}
