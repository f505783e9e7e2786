// SPDX-License-Identifier: GPL-2.0-or-later
#include "feed.h"

#include "proto/http1_range.h"
#include "proto/http1_write.h"

#define OUT_MAX 4096

static struct http1_request req;
static struct http1_response res;

static void parse_request(const char *bytes)
{
	size_t len = strlen(bytes);

	assert_int_equal(http1_parse_request((const uint8_t *)bytes, len, 0,
					     &feed_limits, &req),
			 len);
}

static void parse_response(const char *bytes, enum http1_method method)
{
	size_t len = strlen(bytes);

	assert_int_equal(http1_parse_response((const uint8_t *)bytes, len, 0,
					      &feed_limits, method, &res),
			 len);
}

typedef bool (*write_fn)(struct buf *b, const struct http1_out *out);

static bool write_req(struct buf *b, const struct http1_out *out)
{
	return http1_write_request(b, &req, out);
}

static bool write_res(struct buf *b, const struct http1_out *out)
{
	return http1_write_response(b, &res, out);
}

/* Room for exactly the head suffices; with a byte less nothing happens. */
static void expect_in_exact_room(write_fn fn, const struct http1_out *out,
				 const char *expect)
{
	size_t len = strlen(expect);
	uint8_t *exact = guard_copy(expect, len);
	struct buf b;

	for (size_t room = 0; room < len; room++) {
		buf_init(&b, exact + len - room, room);
		assert_false(fn(&b, out));
		assert_int_equal(b.tail, 0);
	}
	memset(exact, 0, len);
	buf_init(&b, exact, len);
	assert_true(fn(&b, out));
	assert_int_equal(b.tail, len);
	assert_memory_equal(exact, expect, len);
	guard_free(exact, len);
}

static void expect(write_fn fn, const struct http1_out *out, const char *text)
{
	char bytes[OUT_MAX];
	struct buf b;

	buf_init(&b, bytes, sizeof(bytes));
	/* Not at the buffer's start, and something is in it already. */
	assert_true(buf_append(&b, "xyz", 3));
	buf_consume(&b, 1);
	assert_true(fn(&b, out));
	assert_int_equal(b.head, 1);
	bytes[b.tail] = '\0';
	assert_string_equal(bytes + 3, text);
	expect_in_exact_room(fn, out, text);
}

/* Write @in under @out; the result must be @text. */
static void request(const char *in, struct http1_out out, const char *text)
{
	parse_request(in);
	expect(write_req, &out, text);
}

static void response(const char *in, enum http1_method method,
		     struct http1_out out, const char *text)
{
	parse_response(in, method);
	expect(write_res, &out, text);
}

#define NONE(...) ((struct http1_out){.framing = HTTP1_BODY_NONE, __VA_ARGS__})
#define LENGTH(n, ...)       \
	((struct http1_out){ \
		.framing = HTTP1_BODY_LENGTH, .length = (n), __VA_ARGS__})
#define CHUNKED(...) \
	((struct http1_out){.framing = HTTP1_BODY_CHUNKED, __VA_ARGS__})
#define CLOSE(...) \
	((struct http1_out){.framing = HTTP1_BODY_CLOSE, __VA_ARGS__})
#define KEEP .keep_alive = true

static void as_received(void **state)
{
	const char *in = "GET /a?b HTTP/1.1\r\nUser-agent:  x \r\n"
			 "HOST: a.example\r\nAccept: */*\r\nX-Y:\r\n\r\n";

	(void)state;
	request(in, NONE(KEEP),
		"GET /a?b HTTP/1.1\r\nUser-agent: x\r\n"
		"Host: a.example\r\nAccept: */*\r\nX-Y: \r\n\r\n");
	request(in, NONE(.keep_alive = false),
		"GET /a?b HTTP/1.1\r\nUser-agent: x\r\n"
		"Host: a.example\r\nAccept: */*\r\nX-Y: \r\n"
		"Connection: close\r\n\r\n");
}

static void hop_fields(void **state)
{
	(void)state;
	request("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, x-one\r\n"
		"X-One: 1\r\nX-Two: 2\r\nKeep-Alive: timeout=5\r\n"
		"Proxy-Connection: keep-alive\r\nTE: trailers\r\n"
		"Upgrade: h2c\r\nHTTP2-Settings: AAMA\r\nTrailer: X\r\n\r\n",
		NONE(KEEP), "GET / HTTP/1.1\r\nHost: a\r\nX-Two: 2\r\n\r\n");
	response("HTTP/1.1 200 OK\r\nServer: x\r\nConnection: close, y\r\n"
		 "Keep-Alive: 1\r\nY: 1\r\nUpgrade: h2\r\n"
		 "Content-Length: 1\r\n\r\n",
		 HTTP1_GET, LENGTH(1, KEEP),
		 "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 1\r\n\r\n");
}

static void targets(void **state)
{
	(void)state;
	request("GET http://a.example:81/x?y HTTP/1.1\r\nHost: b\r\n\r\n",
		NONE(KEEP), "GET /x?y HTTP/1.1\r\nHost: a.example:81\r\n\r\n");
	request("GET http://a.example HTTP/1.1\r\nA: b\r\nHost: c\r\n\r\n",
		NONE(KEEP),
		"GET / HTTP/1.1\r\nA: b\r\nHost: a.example\r\n\r\n");
	request("GET http://a?x HTTP/1.0\r\n\r\n", NONE(KEEP),
		"GET /?x HTTP/1.1\r\nHost: a\r\n\r\n");
	request("OPTIONS http://a:8001 HTTP/1.1\r\nHost: a:8001\r\n\r\n",
		NONE(KEEP), "OPTIONS * HTTP/1.1\r\nHost: a:8001\r\n\r\n");
	request("OPTIONS http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", NONE(KEEP),
		"OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n");
	request("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", NONE(KEEP),
		"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
	request("CONNECT a:443 HTTP/1.1\r\nHost: b\r\n\r\n", NONE(KEEP),
		"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n");
	request("GET / HTTP/1.0\r\nA: b\r\n\r\n", NONE(KEEP),
		"GET / HTTP/1.1\r\nHost: \r\nA: b\r\n\r\n");
}

static void host_of_the_caller(void **state)
{
	const struct http1_out out = NONE(KEEP);

	(void)state;
	parse_request("GET / HTTP/1.0\r\nA: b\r\n\r\n");
	req.host = STR("192.0.2.1");
	expect(write_req, &out,
	       "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nA: b\r\n\r\n");
	/* The parser takes no two; should there be two, one is written. */
	parse_request("GET / HTTP/1.0\r\nHost: a\r\nA: b\r\n\r\n");
	req.head.fields[1].id = HTTP1_F_HOST;
	expect(write_req, &out, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

static void framing(void **state)
{
	const char *in = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
			 "A: b\r\n\r\n";
	const char *chunked = "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X\r\n"
			      "Transfer-Encoding: chunked\r\nA: b\r\n\r\n";

	(void)state;
	request(in, LENGTH(5, KEEP),
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
		"A: b\r\n\r\n");
	request(in, LENGTH(UINT64_MAX, KEEP),
		"POST / HTTP/1.1\r\nHost: a\r\n"
		"Content-Length: 18446744073709551615\r\nA: b\r\n\r\n");
	request(in, CHUNKED(KEEP),
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
		"A: b\r\n\r\n");
	request(in, NONE(KEEP), "POST / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n");
	request(chunked, LENGTH(0, KEEP),
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
		"A: b\r\n\r\n");
	request(chunked, CHUNKED(KEEP),
		"POST / HTTP/1.1\r\nHost: a\r\nTrailer: X\r\n"
		"Transfer-Encoding: chunked\r\nA: b\r\n\r\n");
	request("POST / HTTP/1.1\r\nHost: a\r\n\r\n", LENGTH(10, KEEP),
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
}

static void response_framing(void **state)
{
	const char *in = "HTTP/1.0 200\r\nContent-Length: 5\r\nA: b\r\n\r\n";

	(void)state;
	response(in, HTTP1_GET, LENGTH(7, KEEP),
		 "HTTP/1.1 200 \r\nContent-Length: 7\r\nA: b\r\n\r\n");
	response(in, HTTP1_GET, CHUNKED(KEEP),
		 "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n");
	/* A body that ends with the connection says so, come what may. */
	response(in, HTTP1_GET, CLOSE(KEEP),
		 "HTTP/1.1 200 \r\nA: b\r\nConnection: close\r\n\r\n");
	response(in, HTTP1_GET, LENGTH(5, KEEP, .http10_peer = true),
		 "HTTP/1.1 200 \r\nContent-Length: 5\r\nA: b\r\n"
		 "Connection: keep-alive\r\n\r\n");
	response(in, HTTP1_GET, LENGTH(5, .http10_peer = true),
		 "HTTP/1.1 200 \r\nContent-Length: 5\r\nA: b\r\n"
		 "Connection: close\r\n\r\n");
}

/* Whatever a response got away with, it is written once and in one way. */
static void lenience_ends_here(void **state)
{
	(void)state;
	response("HTTP/1.1 200 OK\nContent-Length : 5\nA\t:b\n"
		 "Content-Length: 5, 5\n\n",
		 HTTP1_GET, LENGTH(5, KEEP),
		 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\n");
	response("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nA: b\r\n"
		 "Content-Length: 5\r\n\r\n",
		 HTTP1_GET, LENGTH(5, KEEP),
		 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\n");
	response("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity, chunked\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n",
		 HTTP1_GET, CHUNKED(KEEP),
		 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

static void bodyless_responses(void **state)
{
	(void)state;
	response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", HTTP1_HEAD,
		 NONE(KEEP), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
	response("HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n", HTTP1_GET,
		 NONE(KEEP), "HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n");
	response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		 HTTP1_HEAD, NONE(KEEP), "HTTP/1.1 200 OK\r\n\r\n");
	response("HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n", HTTP1_GET,
		 NONE(KEEP), "HTTP/1.1 204 x\r\n\r\n");
	response("HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n"
		 "Trailer: y\r\n\r\n",
		 HTTP1_GET, CHUNKED(KEEP), "HTTP/1.1 204 x\r\n\r\n");
	response("HTTP/1.1 100 x\r\nContent-Length: 3\r\n\r\n", HTTP1_GET,
		 LENGTH(3, KEEP), "HTTP/1.1 100 x\r\n\r\n");
	response("HTTP/1.1 304 x\r\nTransfer-Encoding: identity\r\n"
		 "Content-Length: 05\r\nContent-Length: 5, 5\r\n\r\n",
		 HTTP1_GET, NONE(KEEP),
		 "HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n");
	/* Host in a response is nothing to us. */
	response("HTTP/1.1 304 x\r\nHost: a\r\n\r\n", HTTP1_GET, NONE(KEEP),
		 "HTTP/1.1 304 x\r\nHost: a\r\n\r\n");
}

static void upgrade(void **state)
{
	(void)state;
	request("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade, HTTP2-Settings\r\n"
		"HTTP2-Settings: x\r\n\r\n",
		NONE(KEEP, .upgrade = true),
		"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
		"Connection: upgrade\r\n\r\n");
	response("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n"
		 "Connection: Upgrade\r\n\r\n",
		 HTTP1_GET, NONE(.upgrade = true),
		 "HTTP/1.1 101 x\r\nUpgrade: websocket\r\n"
		 "Connection: upgrade\r\n\r\n");
}

static void dropped_on_demand(void **state)
{
	const char *in = "GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=1-\r\n"
			 "If-Range: \"x\"\r\nExpect: 100-continue\r\n\r\n";

	(void)state;
	request(in, NONE(KEEP),
		"GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=1-\r\n"
		"If-Range: \"x\"\r\nExpect: 100-continue\r\n\r\n");
	request(in, NONE(KEEP, .drop_range = true),
		"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n");
	request(in, NONE(KEEP, .drop_expect = true),
		"GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=1-\r\n"
		"If-Range: \"x\"\r\n\r\n");
}

/* What is said of the whole content goes; what is said of the object stays. */
static void parts(void **state)
{
	const char *in = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"
			 "ETag: \"x\"\r\nContent-Digest: md5=:x:\r\n"
			 "Content-MD5: x\r\nContent-Range: bytes 0-9/10\r\n"
			 "Repr-Digest: md5=:x:\r\n\r\n";
	const struct http1_part part = {3, 6, 10}, none = {0, 0, UINT64_MAX};

	(void)state;
	response(in, HTTP1_GET, LENGTH(10, KEEP), in);
	response(in, HTTP1_GET, LENGTH(3, KEEP, .part = &part),
		 "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: \"x\"\r\n"
		 "Repr-Digest: md5=:x:\r\nContent-Range: bytes 3-5/10\r\n"
		 "\r\n");
	response("HTTP/1.1 416 x\r\nTransfer-Encoding: chunked\r\n\r\n",
		 HTTP1_GET, LENGTH(0, .part = &none),
		 "HTTP/1.1 416 x\r\nContent-Length: 0\r\n"
		 "Content-Range: bytes */18446744073709551615\r\n"
		 "Connection: close\r\n\r\n");
	/* A request's own Content-Range is the client's business. */
	request("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
		"Content-Range: bytes 0-0/2\r\n\r\n",
		LENGTH(1, KEEP),
		"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
		"Content-Range: bytes 0-0/2\r\n\r\n");
}

/* Accept-Encoding @in, and what is left of it. */
static void codings(const char *in, const char *out)
{
	char from[512], to[512];
	struct strbuf sb;

	strbuf_init(&sb, from, sizeof(from));
	strbuf_printf(&sb, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", in);
	strbuf_init(&sb, to, sizeof(to));
	strbuf_printf(&sb, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", out);
	request(from, NONE(KEEP, .limit_codings = true), to);
}

static void limited_codings(void **state)
{
	(void)state;
	codings("Accept-Encoding: gzip, deflate, br, zstd",
		"Accept-Encoding: gzip, deflate, br, zstd");
	codings("accept-encoding: GZIP;q=0.5,sdch, x-gzip ; q=0 ,*;q=0.1",
		"Accept-Encoding: GZIP;q=0.5, x-gzip ; q=0");
	codings("Accept-Encoding: identity;q=1, lzma",
		"Accept-Encoding: identity;q=1");
	codings("Accept-Encoding: *", "Accept-Encoding: identity");
	codings("Accept-Encoding:", "Accept-Encoding: identity");
	codings("Accept-Encoding: compress", "Accept-Encoding: identity");
	codings("Accept-Encoding: dcb\r\nA: b\r\nAccept-Encoding: br\r\n"
		"Accept-Encoding: dcz, gzip",
		"Accept-Encoding: br, gzip\r\nA: b");
	codings("Accept-Encoding: gzip;\"\r\nAccept-Encoding: x\", br",
		"Accept-Encoding: identity");
	codings("A: b", "A: b");
	codings("A: zstd\r\nAccept-Encoding: br\r\nB: gzip",
		"A: zstd\r\nAccept-Encoding: br\r\nB: gzip");
	request("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: x\r\n\r\n",
		NONE(KEEP),
		"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: x"
		"\r\n\r\n");
}

/* What was written reads back as the same message, and writes the same again. */
static void round_trip(void **state)
{
	static const char *const heads[] = {
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /x HTTP/1.1\r\nHost: a:1\r\nContent-Length: 5\r\n"
		"Content-Encoding: gzip\r\nConnection: close\r\n\r\n",
		"PUT http://b HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: "
		"chunked\r\nExpect: 100-continue\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\n"
		"Connection: upgrade\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(heads); i++) {
		static struct http1_request first;
		char bytes[OUT_MAX];
		struct http1_out out;
		struct buf b;

		parse_request(heads[i]);
		first = req;
		out = (struct http1_out){.framing = first.head.framing,
					 .length = first.head.length,
					 .keep_alive = first.head.keep_alive,
					 .upgrade = first.head.upgrade};
		buf_init(&b, bytes, sizeof(bytes));
		assert_true(http1_write_request(&b, &req, &out));
		assert_true(b.tail < sizeof(bytes));
		bytes[b.tail] = '\0';
		parse_request(bytes);
		assert_int_equal(req.method, first.method);
		assert_true(str_eq(req.host, first.host));
		assert_true(str_eq(req.path, first.path));
		assert_int_equal(req.head.framing, first.head.framing);
		assert_int_equal(req.head.length, first.head.length);
		assert_int_equal(req.head.keep_alive, first.head.keep_alive);
		assert_int_equal(req.head.upgrade, first.head.upgrade);
		assert_int_equal(req.head.codings.count,
				 first.head.codings.count);
		assert_int_equal(req.expect_continue, first.expect_continue);
		assert_false(req.host_differs);
		expect(write_req, &out, bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_received),
		cmocka_unit_test(hop_fields),
		cmocka_unit_test(targets),
		cmocka_unit_test(host_of_the_caller),
		cmocka_unit_test(framing),
		cmocka_unit_test(response_framing),
		cmocka_unit_test(lenience_ends_here),
		cmocka_unit_test(bodyless_responses),
		cmocka_unit_test(upgrade),
		cmocka_unit_test(dropped_on_demand),
		cmocka_unit_test(parts),
		cmocka_unit_test(limited_codings),
		cmocka_unit_test(round_trip),
	};

	return cmocka_run_group_tests_name("http1_write", tests, NULL, NULL);
}
