// SPDX-License-Identifier: GPL-2.0-or-later
/* Each limit met exactly, and passed by one, in every way a head can arrive. */
#include "feed.h"

static char text[FEED_TEXT];

static ptrdiff_t request(const char *bytes, size_t len, size_t max_line,
			 size_t max_head, unsigned int max_fields)
{
	const struct http1_limits limits = {max_line, max_head, max_fields};
	const struct feed feed = {feed_parse_request, &limits, HTTP1_GET};

	return feed_all(&feed, bytes, len, text);
}

static ptrdiff_t response(const char *bytes, size_t len, size_t max_line,
			  size_t max_head, unsigned int max_fields)
{
	const struct http1_limits limits = {max_line, max_head, max_fields};
	const struct feed feed = {feed_parse_response, &limits, HTTP1_GET};

	return feed_all(&feed, bytes, len, text);
}

#define LONG (-HTTP1_LINE_TOO_LONG)
#define HEAD (-HTTP1_HEAD_TOO_LONG)
#define MANY (-HTTP1_TOO_MANY_FIELDS)

static void line(void **state)
{
	/* 14 bytes, 4 of empty lines before */
	const char get[] = "GET / HTTP/1.0\r\n\r\n";
	const char late[] = "\r\n\r\nGET / HTTP/1.0\r\nA: b\r\n\r\n";
	const char ok[] = "HTTP/1.1 200 OK\r\n\r\n";

	(void)state;
	assert_int_equal(request(BYTES(get), 14, 100, 9), 18);
	assert_int_equal(request(BYTES(get), 13, 100, 9), LONG);
	assert_int_equal(request(BYTES(get), 5, 100, 9), LONG);
	assert_int_equal(request(BYTES(get), 0, 100, 9), LONG);
	assert_int_equal(request(BYTES(late), 14, 100, 9), 28);
	assert_int_equal(request(BYTES(late), 13, 100, 9), LONG);
	assert_int_equal(response(BYTES(ok), 15, 100, 9), 19);
	assert_int_equal(response(BYTES(ok), 14, 100, 9), LONG);
	assert_int_equal(response(BYTES(ok), 3, 100, 9), LONG);
	/* As soon as the bytes show it, and no sooner. */
	assert_int_equal(request("GET /0123456789", 15, 15, 100, 9), 0);
	assert_int_equal(request("GET /0123456789\r", 16, 15, 100, 9), 0);
	assert_int_equal(request("GET /0123456789x", 16, 15, 100, 9), LONG);
	/* A line that is too long is that first, whatever ends it. */
	assert_int_equal(request("GET /0123456789x\n", 17, 15, 100, 9), LONG);
	assert_int_equal(request("GET /0123456789\n", 16, 15, 100, 9),
			 -HTTP1_BAD_LINE);
}

static void head(void **state)
{
	const char get[] = "GET / HTTP/1.0\r\nA: b\r\n\r\nbody";
	const char late[] = "\r\nGET / HTTP/1.0\r\nA: b\r\n\r\n";
	const char ok[] = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";

	(void)state;
	assert_int_equal(request(BYTES(get), 100, 24, 9), 24);
	for (size_t max = 15; max < 24; max++)
		assert_int_equal(request(BYTES(get), 100, max, 9), HEAD);
	assert_int_equal(request(BYTES(late), 100, 26, 9), 26);
	assert_int_equal(request(BYTES(late), 100, 25, 9), HEAD);
	assert_int_equal(request(BYTES(late), 100, 1, 9), HEAD);
	assert_int_equal(request(BYTES(late), 100, 0, 9), HEAD);
	assert_int_equal(response(BYTES(ok), 100, 25, 9), 25);
	assert_int_equal(response(BYTES(ok), 100, 24, 9), HEAD);
	assert_int_equal(request(get, 20, 100, 21, 9), 0);
	assert_int_equal(request(get, 21, 100, 21, 9), HEAD);
	/* What is wrong before the limit is what is told. */
	assert_int_equal(request(BYTES("GET / HTTP/1.0\r\nA : b\r\nC: d\r\n"),
				 100, 25, 9),
			 -HTTP1_SPACE_BEFORE_COLON);
	assert_int_equal(request(BYTES("GET / HTTP/1.0\r\nC: d\r\nA : b\r\n"),
				 100, 25, 9),
			 HEAD);
}

/* @count fields "F: v" after a start line. */
static size_t many(char *dst, size_t size, const char *start,
		   unsigned int count)
{
	struct strbuf sb;

	strbuf_init(&sb, dst, size);
	strbuf_puts(&sb, start);
	for (unsigned int i = 0; i < count; i++)
		strbuf_puts(&sb, "F: v\r\n");
	strbuf_puts(&sb, "\r\n");
	assert_false(sb.cut);
	return sb.len;
}

static void fields(void **state)
{
	static char bytes[4096];
	const char *get = "GET / HTTP/1.0\r\n", *ok = "HTTP/1.1 200 OK\r\n";
	size_t n;

	(void)state;
	n = many(bytes, sizeof(bytes), get, 3);
	assert_int_equal(request(bytes, n, 100, 4096, 3), n);
	assert_int_equal(request(bytes, n, 100, 4096, 2), MANY);
	assert_int_equal(request(bytes, n, 100, 4096, 0), MANY);
	n = many(bytes, sizeof(bytes), ok, 3);
	assert_int_equal(response(bytes, n, 100, 4096, 3), n);
	assert_int_equal(response(bytes, n, 100, 4096, 2), MANY);
	/* More than the array has, whatever the caller asks for. */
	n = many(bytes, sizeof(bytes), get, HTTP1_FIELDS_MAX);
	assert_int_equal(request(bytes, n, 100, 4096, 1000), n);
	n = many(bytes, sizeof(bytes), get, HTTP1_FIELDS_MAX + 1);
	assert_int_equal(request(bytes, n, 100, 4096, 1000), MANY);
	/* Counted at the end of the head, so that an error among them wins. */
	assert_int_equal(
		request(BYTES("GET / HTTP/1.0\r\nA: b\r\nB\r\n"), 100, 100, 0),
		-HTTP1_BAD_FIELD);
}

static void connection_options(void **state)
{
	static char bytes[4096];
	struct strbuf sb;

	(void)state;
	strbuf_init(&sb, bytes, sizeof(bytes));
	strbuf_puts(&sb, "GET / HTTP/1.0\r\nConnection: ");
	for (int i = 0; i < 63; i++)
		strbuf_puts(&sb, "x,");
	strbuf_puts(&sb, "close\r\n\r\n");
	assert_int_equal(request(bytes, sb.len, 100, 4096, 9), sb.len);
	sb.len -= 4;
	strbuf_puts(&sb, "\r\nConnection: y\r\n\r\n");
	assert_int_equal(request(bytes, sb.len, 100, 4096, 9),
			 -HTTP1_BAD_FIELD);
	put_bytes(bytes, BYTES("HTTP/1.0 200 x"));
	assert_int_equal(response(bytes, sb.len, 100, 4096, 9),
			 -HTTP1_BAD_FIELD);
}

static void nothing_yet(void **state)
{
	static struct http1_request req;
	static struct http1_response res;

	(void)state;
	assert_int_equal(http1_parse_request(NULL, 0, 0, &feed_limits, &req),
			 0);
	assert_int_equal(req.head.nfields, 0);
	assert_int_equal(
		http1_parse_response(NULL, 0, 0, &feed_limits, HTTP1_GET, &res),
		0);
	assert_int_equal(res.status, 0);
}

/* Every byte of a 64 KiB head in a call of its own, most of them fields. */
static void head_of_single_bytes(void **state)
{
	static uint8_t bytes[65536];
	static struct http1_request req;
	const struct http1_limits limits = {65536, 65536, 256};
	size_t n = 0;

	(void)state;
	put_bytes(bytes, BYTES("GET / HTTP/1.0\r\nA: "));
	for (n = 19; n < 40000; n++)
		bytes[n] = 'a';
	for (; n < sizeof(bytes) - 2; n += 4)
		put_bytes(bytes + n, BYTES("\r\nb:"));
	bytes[sizeof(bytes) - 4] = '\r';
	bytes[sizeof(bytes) - 3] = '\n';
	bytes[sizeof(bytes) - 2] = '\r';
	bytes[sizeof(bytes) - 1] = '\n';
	for (n = 1; n < sizeof(bytes); n++)
		assert_int_equal(
			http1_parse_request(bytes, n, n - 1, &limits, &req), 0);
	assert_int_equal(http1_parse_request(bytes, n, n - 1, &limits, &req),
			 MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line),
		cmocka_unit_test(head),
		cmocka_unit_test(fields),
		cmocka_unit_test(connection_options),
		cmocka_unit_test(nothing_yet),
		cmocka_unit_test(head_of_single_bytes),
	};

	return cmocka_run_group_tests_name("http1_limits", tests, NULL, NULL);
}
