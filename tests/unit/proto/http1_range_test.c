// SPDX-License-Identifier: GPL-2.0-or-later
#include "feed.h"

#include "proto/http1_range.h"

static bool parse(const char *value, struct http1_range *range)
{
	size_t len = strlen(value);
	uint8_t *copy = guard_copy(value, len);
	bool ok =
		http1_range_parse((struct str){(const char *)copy, len}, range);

	guard_free(copy, len);
	return ok;
}

/* --- what is asked for --------------------------------------------- */

static void one_range(void **state)
{
	static const struct {
		const char *value;
		struct http1_range range;
	} v[] = {
		{"bytes=0-0", {false, 0, 0}},
		{"bytes=0-499", {false, 0, 499}},
		{"bytes=500-", {false, 500, UINT64_MAX}},
		{"bytes=-500", {true, 0, 500}},
		{"bytes=-0", {true, 0, 0}},
		{"BYTES=1-2", {false, 1, 2}},
		{"bytes=007-0010", {false, 7, 10}},
		/* White space and empty members: RFC 9110 5.6.1.2 */
		{"bytes= 1-2", {false, 1, 2}},
		{"bytes=,\t1-2 , ,", {false, 1, 2}},
		{"bytes=18446744073709551614-",
		 {false, UINT64_MAX - 1, UINT64_MAX}},
		{"bytes=0-18446744073709551616", {false, 0, UINT64_MAX}},
		{"bytes=99999999999999999999-",
		 {false, UINT64_MAX, UINT64_MAX}},
		{"bytes=-99999999999999999999999", {true, 0, UINT64_MAX}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(v); i++) {
		struct http1_range range = {true, 77, 77};

		if (!parse(v[i].value, &range))
			fail_msg("%s is a range", v[i].value);
		assert_int_equal(range.suffix, v[i].range.suffix);
		assert_int_equal(range.first, v[i].range.first);
		assert_int_equal(range.last, v[i].range.last);
	}
}

/* The field is to be ignored (RFC 9110 14.2). */
static void no_range(void **state)
{
	static const char *const v[] = {
		"",
		"bytes",
		"bytes=",
		"bytes=,",
		"bytes=-",
		"bytes=5",
		"bytes=a-b",
		"bytes=1-b",
		"bytes=1-2x",
		"bytes=2-1",
		"bytes=+1-2",
		"bytes=1--2",
		"bytes=--2",
		"bytes=0x1-2",
		"bytes=1 -2",
		"bytes=1- 2",
		"bytes =1-2",
		" bytes=1-2",
		"bytes:1-2",
		"bytes 1-2/3",
		"byte=1-2",
		"bytess=1-2",
		"items=1-2",
		"bytes=1-2,4-5",
		"bytes=1-2,1-2",
		"bytes=1-2,-5",
		"bytes=1-2,x",
		"bytes=x,1-2",
		"bytes=\"1-2\"",
		"bytes=1-2;q=1",
		"bytes=1-2, bytes=4-5",
		"bytes=18446744073709551616-1",
	};
	struct http1_range range;

	(void)state;
	for (size_t i = 0; i < COUNT(v); i++)
		if (parse(v[i], &range))
			fail_msg("%s is no range that is served", v[i]);
}

/* --- of a request -------------------------------------------------- */

static struct http1_request req;

static bool asks(const char *method, const char *fields,
		 struct http1_range *range, struct str *condition)
{
	char head[512];
	struct strbuf sb;

	strbuf_init(&sb, head, sizeof(head));
	strbuf_printf(&sb, "%s / HTTP/1.1\r\nHost: a\r\n%s\r\n", method,
		      fields);
	assert_int_equal(http1_parse_request((const uint8_t *)head, sb.len, 0,
					     &feed_limits, &req),
			 sb.len);
	return http1_range_of(&req, range, condition);
}

static void of_a_request(void **state)
{
	struct http1_range range;
	struct str condition;

	(void)state;
	assert_true(asks("GET", "Range: bytes=3-\r\n", &range, &condition));
	assert_int_equal(range.first, 3);
	assert_null(condition.p);
	assert_true(asks("GET", "If-Range: \"x\"\r\nRange: bytes=3-\r\n",
			 &range, &condition));
	assert_true(str_eq(condition, STR("\"x\"")));
	/* There, and true of nothing. */
	assert_true(asks("GET", "If-Range:\r\nRange: bytes=3-\r\n", &range,
			 &condition));
	assert_non_null(condition.p);
	assert_false(asks("GET", "", &range, &condition));
	assert_false(asks("GET", "If-Range: \"x\"\r\n", &range, &condition));
	assert_false(asks("GET", "Range:\r\n", &range, &condition));
	assert_false(asks("HEAD", "Range: bytes=3-\r\n", &range, &condition));
	assert_false(asks("POST", "Range: bytes=3-\r\n", &range, &condition));
	assert_false(asks("FETCH", "Range: bytes=3-\r\n", &range, &condition));
	assert_false(asks("GET", "Range: bytes=3-\r\nRange: bytes=4-\r\n",
			  &range, &condition));
	assert_false(asks("GET",
			  "Range: bytes=3-\r\nIf-Range: \"x\"\r\n"
			  "If-Range: \"x\"\r\n",
			  &range, &condition));
}

/* --- where it is --------------------------------------------------- */

static void where(void **state)
{
	static const struct {
		const char *value;
		uint64_t total;
		uint64_t first, end; /* no byte: 0, 0 */
	} v[] = {
		{"bytes=0-", 10, 0, 10},
		{"bytes=0-0", 10, 0, 1},
		{"bytes=3-5", 10, 3, 6},
		{"bytes=9-", 10, 9, 10},
		{"bytes=9-9", 10, 9, 10},
		{"bytes=3-9", 10, 3, 10},
		{"bytes=3-10", 10, 3, 10},
		{"bytes=3-99999999999999999999", 10, 3, 10},
		{"bytes=-1", 10, 9, 10},
		{"bytes=-10", 10, 0, 10},
		{"bytes=-11", 10, 0, 10},
		{"bytes=-99999999999999999999", 10, 0, 10},
		{"bytes=0-0", 1, 0, 1},
		{"bytes=0-", UINT64_MAX, 0, UINT64_MAX},
		{"bytes=-1", UINT64_MAX, UINT64_MAX - 1, UINT64_MAX},
		{"bytes=10-", 10, 0, 0},
		{"bytes=10-20", 10, 0, 0},
		{"bytes=99999999999999999999-", UINT64_MAX, 0, 0},
		{"bytes=-0", 10, 0, 0},
		{"bytes=0-", 0, 0, 0},
		{"bytes=-5", 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(v); i++) {
		struct http1_part part = {77, 77, 77};
		struct http1_range range;

		assert_true(parse(v[i].value, &range));
		assert_int_equal(http1_range_resolve(&range, v[i].total, &part),
				 v[i].end > 0);
		assert_int_equal(part.first, v[i].first);
		assert_int_equal(part.end, v[i].end);
		assert_int_equal(part.total, v[i].total);
	}
}

/* --- on what condition --------------------------------------------- */

static bool holds(const char *condition, const char *fields)
{
	static struct http1_response res;
	size_t len = strlen(condition);
	uint8_t *copy = guard_copy(condition, len);
	char head[512];
	struct strbuf sb;
	bool is;

	strbuf_init(&sb, head, sizeof(head));
	strbuf_printf(&sb, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n%s\r\n",
		      fields);
	assert_int_equal(http1_parse_response((const uint8_t *)head, sb.len, 0,
					      &feed_limits, HTTP1_GET, &res),
			 sb.len);
	is = http1_if_range_holds((struct str){(const char *)copy, len},
				  &res.head);
	guard_free(copy, len);
	return is;
}

#define MONDAY	"Mon, 02 Nov 2026 08:00:00 GMT"
#define TUESDAY "Tue, 03 Nov 2026 08:00:00 GMT"

static void entity_tags(void **state)
{
	(void)state;
	assert_true(holds("\"x\"", "ETag: \"x\"\r\n"));
	assert_true(holds("\"\"", "ETag: \"\"\r\n"));
	assert_true(holds("\"W/\"", "ETag: \"W/\"\r\n"));
	assert_false(holds("\"x\"", "ETag: \"X\"\r\n"));
	assert_false(holds("\"x\"", "ETag: \"xy\"\r\n"));
	assert_false(holds("\"x\"", ""));
	/* Weak ones are equal to nothing (RFC 9110 8.8.3.2). */
	assert_false(holds("W/\"x\"", "ETag: W/\"x\"\r\n"));
	assert_false(holds("\"x\"", "ETag: W/\"x\"\r\n"));
	assert_false(holds("W/\"x\"", "ETag: \"x\"\r\n"));
	/* No entity tags at all. */
	assert_false(holds("x", "ETag: x\r\n"));
	assert_false(holds("\"", "ETag: \"\r\n"));
	assert_false(holds("", "ETag:\r\n"));
	assert_false(holds("*", "ETag: \"x\"\r\n"));
	assert_false(holds("\"x\"", "ETag: \"x\"\r\nETag: \"x\"\r\n"));
	assert_false(holds("\"x\"", "ETag: \"x\"\r\nLast-Modified: " MONDAY
				    "\r\nLast-Modified: " MONDAY "\r\n"));
}

static void dates(void **state)
{
	const char *fields = "Last-Modified: " MONDAY "\r\nDate: " TUESDAY
			     "\r\nETag: \"x\"\r\n";

	(void)state;
	assert_true(holds(MONDAY, fields));
	assert_true(holds("\"x\"", fields));
	assert_true(holds(MONDAY, "Last-Modified: " MONDAY "\r\n"));
	assert_false(holds(TUESDAY, fields));
	assert_false(holds("Mon, 02 Nov 2026 08:00:00 UTC", fields));
	assert_false(holds("", fields));
	assert_false(holds(MONDAY, ""));
	assert_false(holds(MONDAY, "Date: " MONDAY "\r\n"));
	assert_false(holds("", "Last-Modified:\r\n"));
	/* Modified in the second in which it was sent. */
	assert_false(holds(MONDAY, "Last-Modified: " MONDAY "\r\nDate: " MONDAY
				   "\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_range),	cmocka_unit_test(no_range),
		cmocka_unit_test(of_a_request), cmocka_unit_test(where),
		cmocka_unit_test(entity_tags),	cmocka_unit_test(dates),
	};

	return cmocka_run_group_tests_name("http1_range", tests, NULL, NULL);
}
