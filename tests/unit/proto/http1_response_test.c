// SPDX-License-Identifier: GPL-2.0-or-later
#include "feed.h"

static void run(enum http1_method method, const struct vector *v, size_t count)
{
	const struct feed feed = {feed_parse_response, &feed_limits, method};

	feed_vectors(&feed, v, count);
}

/* The spelling, order and fields of common servers. */
static void servers(void **state)
{
	static const struct vector v[] = {
		{BYTES("HTTP/1.1 200 OK\r\n"
		       "Server: nginx/1.22.1\r\n"
		       "Date: Mon, 06 May 2024 10:00:00 GMT\r\n"
		       "Content-Type: text/html\r\n"
		       "Last-Modified: Sun, 05 May 2024 08:00:00 GMT\r\n"
		       "Transfer-Encoding: chunked\r\n"
		       "Connection: keep-alive\r\n"
		       "ETag: W/\"6637-1a\"\r\n"
		       "Content-Encoding: gzip\r\n\r\n5\r\n"),
		 "200 OK 1.1 chunked keep gzip"},
		{BYTES("HTTP/1.1 404 Not Found\r\n"
		       "Date: Mon, 06 May 2024 10:00:00 GMT\r\n"
		       "Server: Apache/2.4.57 (Debian)\r\n"
		       "Content-Length: 274\r\n"
		       "Keep-Alive: timeout=5, max=100\r\n"
		       "Connection: Keep-Alive\r\n"
		       "Content-Type: text/html; charset=iso-8859-1\r\n\r\n"),
		 "404 Not Found 1.1 length=274 keep"},
		{BYTES("HTTP/1.1 200 OK\r\n"
		       "Cache-Control: private\r\n"
		       "Content-Type: text/html; charset=utf-8\r\n"
		       "Server: Microsoft-IIS/10.0\r\n"
		       "X-AspNet-Version: 4.0.30319\r\n"
		       "X-Powered-By: ASP.NET\r\n"
		       "Date: Mon, 06 May 2024 10:00:00 GMT\r\n"
		       "Content-Length: 1204\r\n\r\n"),
		 "200 OK 1.1 length=1204 keep"},
		{BYTES("HTTP/1.0 200 OK\r\n"
		       "Server: SimpleHTTP/0.6 Python/3.11.2\r\n"
		       "Content-type: application/octet-stream\r\n"
		       "Content-Length: 9\r\n\r\n"),
		 "200 OK 1.0 length=9"},
		{BYTES("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"),
		 "200 OK 1.0 close"},
		{BYTES("HTTP/1.1 101 Switching Protocols\r\n"
		       "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		       "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
		       "\r\n"),
		 "101 Switching Protocols 1.1 none keep upgrade"},
		/* RFC 9110 15.3.7.2 */
		{BYTES("HTTP/1.1 206 Partial Content\r\n"
		       "Date: Wed, 15 Nov 1995 06:25:24 GMT\r\n"
		       "Last-Modified: Wed, 15 Nov 1995 04:58:08 GMT\r\n"
		       "Content-Range: bytes 21010-47021/47022\r\n"
		       "Content-Length: 26012\r\n"
		       "Content-Type: image/gif\r\n\r\n"),
		 "206 Partial Content 1.1 length=26012 keep"},
	};

	(void)state;
	run(HTTP1_GET, v, COUNT(v));
}

static void status_lines(void **state)
{
	static const struct vector v[] = {
		{BYTES("HTTP/1.1 200\r\n\r\n"), "200  1.1 close"},
		{BYTES("HTTP/1.1 200 \r\n\r\n"), "200  1.1 close"},
		{BYTES("HTTP/1.1 200  OK\t\xfc!\r\n\r\n"),
		 "200  OK\\x09\\xfc! 1.1 close"},
		{BYTES("HTTP/1.1 999 x\r\n\r\n"), "999 x 1.1 close"},
		{BYTES("HTTP/1.7 200 OK\r\n\r\n"), "200 OK 1.1 close"},
		{BYTES("HTTP/1.1 099 x\r\n\r\n"), "bad_status"},
		{BYTES("HTTP/1.1 20 x\r\n\r\n"), "bad_status"},
		{BYTES("HTTP/1.1 2000 x\r\n\r\n"), "bad_status"},
		{BYTES("HTTP/1.1 2x0 x\r\n\r\n"), "bad_status"},
		{BYTES("HTTP/1.1 -20 x\r\n\r\n"), "bad_status"},
		{BYTES("HTTP/1.1 200OK\r\n\r\n"), "bad_status"},
		{BYTES("HTTP/1.1 OK\r\n\r\n"), "bad_status"},
		{BYTES("HTTP/1.1\r\n\r\n"), "bad_line"},
		{BYTES("HTTP/1.1 \r\n\r\n"), "bad_line"},
		{BYTES("HTTP/1.1  200 OK\r\n\r\n"), "bad_line"},
		{BYTES("HTTP/1.1\t200 OK\r\n\r\n"), "bad_version"},
		{BYTES("HTTP/1.1 200\tOK\r\n\r\n"), "bad_line"},
		{BYTES("HTTP/1.1 200 O\0K\r\n\r\n"), "bad_line"},
		{BYTES("HTTP/1.1 200 OK\n\n"), "200 OK 1.1 close"},
		{BYTES("HTTP/1.1 200 OK\n\r\n"), "200 OK 1.1 close"},
		{BYTES("HTTP/1.1 200 O\rK\r\n\r\n"), "bare_cr"},
		{BYTES("HTTP/1.1 200\r\r\n\r\n"), "bare_cr"},
		{BYTES("HTTP/1.1 200 OK\r\r\n\r\n"), "bare_cr"},
		{BYTES("HTTP/2.0 200 OK\r\n\r\n"), "bad_version"},
		{BYTES("HTTP/2 200\r\n\r\n"), "bad_version"},
		{BYTES("HTTP/1.1200 OK\r\n\r\n"), "bad_version"},
		{BYTES("HTTP/1. 200 OK\r\n\r\n"), "bad_version"},
		{BYTES("HTTP/\r\n\r\n"), "bad_version"},
		{BYTES("http/1.1 200 OK\r\n\r\n"), "not_http"},
		{BYTES("ICY 200 OK\r\n\r\n"), "not_http"},
		{BYTES("<html>an answer of HTTP/0.9</html>"), "not_http"},
		{BYTES("\r\nHTTP/1.1 200 OK\r\n\r\n"), "not_http"},
		{BYTES("HTT"), "more"},
		{BYTES("HTTP/1.1 200 OK\r\nA: b\r\n\r"), "more"},
	};

	(void)state;
	run(HTTP1_GET, v, COUNT(v));
}

#define OK11 "HTTP/1.1 200 OK\r\n"

static void framing(void **state)
{
	static const struct vector v[] = {
		{BYTES(OK11 "\r\n"), "200 OK 1.1 close"},
		{BYTES(OK11 "Content-Length: 0\r\n\r\n"),
		 "200 OK 1.1 length=0 keep"},
		{BYTES(OK11 "Content-Length: 5\r\nConnection: close\r\n\r\n"),
		 "200 OK 1.1 length=5"},
		{BYTES(OK11 "Connection: keep-alive\r\n\r\n"),
		 "200 OK 1.1 close"},
		{BYTES(OK11 "Transfer-Encoding: chunked\r\n"
			    "Content-Length: 5\r\n\r\n"),
		 "length_and_coding"},
		{BYTES(OK11 "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
		 "several_lengths"},
		{BYTES(OK11 "Content-Length: 5, 6\r\n\r\n"), "several_lengths"},
		{BYTES(OK11 "Content-Length: five\r\n\r\n"), "bad_length"},
		{BYTES(OK11 "Transfer-Encoding: gzip\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
		       "Content-Length: 1\r\n\r\n"),
		 "200 OK 1.0 length=1 keep"},
		{BYTES("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"),
		 "200 OK 1.0 close"},
		{BYTES(OK11 "Content-Encoding: identity,gzip,,deflate\r\n\r\n"),
		 "200 OK 1.1 close gzip deflate"},
		{BYTES(OK11 "Content-Encoding: gzip,gzip,gzip,gzip\r\n\r\n"),
		 "200 OK 1.1 close gzip gzip gzip gzip"},
		{BYTES(OK11 "Content-Encoding: gzip,gzip,gzip,gzip,br\r\n\r\n"),
		 "200 OK 1.1 close gzip gzip gzip gzip unknown"},
		{BYTES(OK11 "A: b\r\n c\r\n\r\n"), "folded"},
		{BYTES(OK11 "A: \x08\r\n\r\n"), "nul"},
	};

	(void)state;
	run(HTTP1_GET, v, COUNT(v));
}

/* What a request may not, since many servers would read it. */
static void lenient_lines(void **state)
{
	static const struct vector v[] = {
		{BYTES("HTTP/1.1 200 OK\nContent-Length: 5\nA:\n\n"),
		 "200 OK 1.1 length=5 keep"},
		{BYTES("HTTP/1.1 200 OK\r\nA: b\nContent-Length: 5\r\n\n"),
		 "200 OK 1.1 length=5 keep"},
		{BYTES(OK11 "Content-Length : 5\r\n\r\n"),
		 "200 OK 1.1 length=5 keep"},
		{BYTES(OK11 "Content-Length \t : 5\n\r\n"),
		 "200 OK 1.1 length=5 keep"},
		{BYTES(OK11 "Transfer-Encoding\t:chunked\r\n\r\n"),
		 "200 OK 1.1 chunked keep"},
		{BYTES(OK11 "A b: c\r\n\r\n"), "bad_field"},
		{BYTES(OK11 "A \r\n\r\n"), "bad_field"},
		{BYTES(OK11 "A \n\r\n"), "bad_field"},
		{BYTES(OK11 " : b\r\n\r\n"), "folded"},
		{BYTES(OK11 "A: b\n c\r\n\r\n"), "folded"},
		{BYTES(OK11 "A: b\r\r\n\r\n"), "bare_cr"},
		{BYTES(OK11 "A: b\r\n\r\r\n"), "bare_cr"},
		{BYTES(OK11 "A"), "more"},
		{BYTES(OK11 "A "), "more"},
		{BYTES(OK11 "A :"), "more"},
		{BYTES(OK11 "A : b\n"), "more"},
	};

	(void)state;
	run(HTTP1_GET, v, COUNT(v));
}

static void said_again(void **state)
{
	static const struct vector v[] = {
		{BYTES(OK11 "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"),
		 "200 OK 1.1 length=5 keep"},
		{BYTES(OK11 "Content-Length: 5 ,05\r\n\r\n"),
		 "200 OK 1.1 length=5 keep"},
		{BYTES(OK11 "Content-Length:\t5\r\n\r\n"), "bad_length"},
		{BYTES(OK11 "Content-Length: 5\t\n\r\n"), "bad_length"},
		{BYTES(OK11 "Transfer-Encoding: chunked \t\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(OK11 "Content-Length: 5,\r\n\r\n"), "bad_length"},
		{BYTES(OK11 "Content-Length: ,5\r\n\r\n"), "bad_length"},
		{BYTES(OK11 "Content-Length: 5,,5\r\n\r\n"), "bad_length"},
		{BYTES(OK11 "Content-Length: 5 5\r\n\r\n"), "bad_length"},
		{BYTES(OK11 "Content-Length:\r\n\r\n"), "bad_length"},
		{BYTES(OK11 "Content-Length: 5\r\nContent-Length:\r\n\r\n"),
		 "bad_length"},
		{BYTES(OK11 "Content-Length: 9223372036854775808\r\n\r\n"),
		 "bad_length"},
		{BYTES(OK11 "Transfer-Encoding:  Chunked  \r\n\r\n"),
		 "200 OK 1.1 chunked keep"},
		{BYTES(OK11 "Transfer-Encoding: identity ,chunked\r\n\r\n"),
		 "200 OK 1.1 chunked keep"},
		{BYTES(OK11 "Transfer-Encoding: chunked\r\n"
			    "Transfer-Encoding: chunked\r\n\r\n"),
		 "200 OK 1.1 chunked keep"},
		{BYTES(OK11 "Transfer-Encoding: identity\r\n"
			    "Content-Length: 5\r\n\r\n"),
		 "200 OK 1.1 length=5 keep"},
		{BYTES(OK11 "Transfer-Encoding: identity\r\n\r\n"),
		 "200 OK 1.1 close"},
		{BYTES(OK11 "Transfer-Encoding: chunked,\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(OK11 "Transfer-Encoding: , chunked\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(OK11 "Transfer-Encoding:\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(OK11 "Transfer-Encoding: chunked, identity\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(OK11 "Transfer-Encoding: chunked\r\n"
			    "Transfer-Encoding: identity\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(OK11 "Transfer-Encoding: chunked;a=b\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(OK11 "Transfer-Encoding: \"chunked\"\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(OK11 "Transfer-Encoding: gzip, chunked\r\n\r\n"),
		 "bad_transfer_coding"},
		{BYTES(OK11 "Transfer-Encoding: identity, chunked\r\n"
			    "Content-Length: 5\r\n\r\n"),
		 "length_and_coding"},
		{BYTES("HTTP/1.0 200 OK\r\n"
		       "Transfer-Encoding: identity\r\n\r\n"),
		 "bad_transfer_coding"},
	};

	(void)state;
	run(HTTP1_GET, v, COUNT(v));
}

/* RFC 9112 6.3, rules 1 and 2: no body, whatever well-formed fields say. */
static void bodyless(void **state)
{
	static const struct vector any[] = {
		{BYTES("HTTP/1.1 100 Continue\r\n\r\n"),
		 "100 Continue 1.1 none keep"},
		{BYTES("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
		 "103 Early Hints 1.1 none keep"},
		{BYTES("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
		 "204 No Content 1.1 none keep"},
		/* It may send that body: nothing more over this connection. */
		{BYTES("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"),
		 "204 No Content 1.1 none"},
		{BYTES("HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n"),
		 "204 x 1.1 none"},
		{BYTES("HTTP/1.1 100 x\r\nContent-Length: 1\r\n\r\n"),
		 "100 x 1.1 none"},
		{BYTES("HTTP/1.1 304 x\r\nContent-Length: 500\r\n\r\n"),
		 "304 x 1.1 none keep"},
		{BYTES("HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n"),
		 "304 x 1.1 none keep"},
		/* What is malformed is refused all the same. */
		{BYTES("HTTP/1.1 304 x\r\nContent-Length: 5, 6\r\n\r\n"),
		 "several_lengths"},
		{BYTES("HTTP/1.1 204 x\r\nContent-Length: x\r\n\r\n"),
		 "bad_length"},
	};
	static const struct vector head[] = {
		{BYTES(OK11 "Content-Length: 5\r\n\r\n"),
		 "200 OK 1.1 none keep"},
		{BYTES(OK11 "Transfer-Encoding: chunked\r\n\r\n"),
		 "200 OK 1.1 none keep"},
		{BYTES(OK11 "\r\n"), "200 OK 1.1 none keep"},
		{BYTES(OK11 "Content-Length: 5\r\n"
			    "Transfer-Encoding: chunked\r\n\r\n"),
		 "length_and_coding"},
	};
	static const struct vector connect[] = {
		{BYTES(OK11 "Content-Length: 5\r\n\r\n"),
		 "200 OK 1.1 none keep"},
		{BYTES("HTTP/1.1 300 x\r\nContent-Length: 5\r\n\r\n"),
		 "300 x 1.1 length=5 keep"},
		{BYTES("HTTP/1.1 407 x\r\nContent-Length: 5\r\n\r\n"),
		 "407 x 1.1 length=5 keep"},
	};

	(void)state;
	run(HTTP1_GET, any, COUNT(any));
	run(HTTP1_HEAD, any, COUNT(any));
	run(HTTP1_HEAD, head, COUNT(head));
	run(HTTP1_CONNECT, connect, COUNT(connect));
}

/* 1xx and then the final head: each call takes one and leaves the rest. */
static void one_head_a_call(void **state)
{
	static const char bytes[] = "HTTP/1.1 100 Continue\r\n\r\n"
				    "HTTP/1.1 200 OK\r\n\r\n";
	static struct http1_response res;
	const uint8_t *p = (const uint8_t *)bytes;

	(void)state;
	assert_int_equal(http1_parse_response(p, sizeof(bytes) - 1, 0,
					      &feed_limits, HTTP1_GET, &res),
			 25);
	assert_int_equal(res.status, 100);
	assert_int_equal(http1_parse_response(p + 25, sizeof(bytes) - 26, 0,
					      &feed_limits, HTTP1_GET, &res),
			 19);
	assert_int_equal(res.status, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers),
		cmocka_unit_test(status_lines),
		cmocka_unit_test(framing),
		cmocka_unit_test(lenient_lines),
		cmocka_unit_test(said_again),
		cmocka_unit_test(bodyless),
		cmocka_unit_test(one_head_a_call),
	};

	return cmocka_run_group_tests_name("http1_response", tests, NULL, NULL);
}
