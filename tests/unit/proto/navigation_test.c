// SPDX-License-Identifier: GPL-2.0-or-later
/* Who is a browser's window, and what it saves. */
#include <stdio.h>

#include "feed.h"

#include "proto/navigation.h"

#define CHROMIUM                                                       \
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/131.0\r\n" \
	"Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"

static const struct http1_limits limits = {1000, 4000, 32};

static bool navigates(const char *line, const char *fields)
{
	static struct http1_request req;
	char head[1000];
	int n = snprintf(head, sizeof(head), "%s\r\nHost: h\r\n%s\r\n", line,
			 fields);
	uint8_t *copy = guard_copy(head, (size_t)n);
	bool is;

	assert_int_equal(http1_parse_request(copy, (size_t)n, 0, &limits, &req),
			 n);
	is = navigation_of(&req);
	guard_free(copy, (size_t)n);
	return is;
}

static void windows(void **state)
{
	(void)state;
	assert_true(navigates("GET / HTTP/1.1", CHROMIUM));
	assert_true(navigates("GET / HTTP/1.1",
			      CHROMIUM "Sec-Fetch-Mode: navigate\r\n"));
	assert_true(navigates("GET / HTTP/1.1",
			      CHROMIUM "SEC-FETCH-MODE: Navigate\r\n"));
	assert_true(
		navigates("GET / HTTP/1.1",
			  "accept: text/html\r\nuser-agent: Mozilla/4.0\r\n"));
}

static void others(void **state)
{
	(void)state;
	assert_false(navigates("GET / HTTP/1.1", ""));
	assert_false(
		navigates("POST / HTTP/1.1", CHROMIUM "Content-Length: 0\r\n"));
	assert_false(navigates("HEAD / HTTP/1.1", CHROMIUM));
	assert_false(
		navigates("GET / HTTP/1.1", CHROMIUM "Range: bytes=5-\r\n"));
	assert_false(navigates("GET / HTTP/1.1",
			       CHROMIUM "Sec-Fetch-Mode: no-cors\r\n"));
	assert_false(navigates("GET / HTTP/1.1",
			       "User-Agent: curl/7.88\r\nAccept: */*\r\n"));
	assert_false(navigates("GET / HTTP/1.1",
			       "User-Agent: w3m\r\nAccept: text/html\r\n"));
	/* What the parts of a page, and its scripts, are asked for with */
	assert_false(navigates("GET / HTTP/1.1",
			       "User-Agent: Mozilla/5.0\r\nAccept: */*\r\n"));
	assert_false(navigates("GET / HTTP/1.1",
			       "User-Agent: Mozilla/5.0\r\nAccept:\r\n"));
	assert_false(navigates("GET / HTTP/1.1",
			       "User-Agent:\r\nAccept: text/html\r\n"));
}

static bool is_saved(const char *fields)
{
	static struct http1_response res;
	char head[1000];
	int n = snprintf(head, sizeof(head),
			 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n%s\r\n",
			 fields);
	uint8_t *copy = guard_copy(head, (size_t)n);
	bool is;

	assert_int_equal(http1_parse_response(copy, (size_t)n, 0, &limits,
					      HTTP1_GET, &res),
			 n);
	is = navigation_is_download(&res);
	guard_free(copy, (size_t)n);
	return is;
}

static void downloads(void **state)
{
	(void)state;
	assert_true(is_saved(""));
	assert_true(is_saved("Content-Type: application/zip\r\n"));
	assert_true(is_saved("Content-Type: application/octet-stream\r\n"));
	assert_true(is_saved("Content-Type: video/mp4\r\n"));
	assert_true(is_saved("Content-Type: text/html\r\n"
			     "Content-Disposition: attachment\r\n"));
	assert_true(
		is_saved("content-type: image/png\r\n"
			 "CONTENT-DISPOSITION: Attachment; filename=a\r\n"));
}

static void shown(void **state)
{
	(void)state;
	assert_false(is_saved("Content-Type: text/html; charset=x\r\n"));
	assert_false(is_saved("Content-Type: TEXT/plain\r\n"));
	assert_false(is_saved("Content-Type: image/svg+xml\r\n"));
	assert_false(is_saved("Content-Type: multipart/x-mixed-replace\r\n"));
	assert_false(is_saved("Content-Type: application/xhtml+xml\r\n"));
	assert_false(is_saved("Content-Type: application/json\r\n"));
	assert_false(is_saved("Content-Type: text/html\r\n"
			      "Content-Disposition: inline\r\n"));
	assert_false(is_saved("Content-Type: text/html\r\n"
			      "Content-Disposition: attach\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows),
		cmocka_unit_test(others),
		cmocka_unit_test(downloads),
		cmocka_unit_test(shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
