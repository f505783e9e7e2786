// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "store/event_json.h"
#include "store/event_time.h"
#include "store/utf8.h"

static struct event sample(void)
{
	struct event ev = {
		.time_us = 1732227120123456,
		.session = 7,
		.protocol = EVENT_HTTP,
		.verdict = VERDICT_BLOCKED,
		.reason = REASON_SIGNATURE,
		.status = 403,
		.stopped = true,
		.upload = true,
		.has_sha256 = true,
		.sha256 = {0xe3, 0xb0},
		.bytes_in = 100,
		.bytes_out = UINT64_MAX,
		.duration_ms = 12,
		.first_byte_ms = 3,
		.scan_ms = 5,
		.method = STR("PUT"),
		.url = STR("http://example.test/a?b=c"),
		.host = STR("example.test"),
		.user = STR("ann"),
		.name = STR("Eicar"),
		.rule = STR("scan"),
		.content_type = STR("text/html"),
	};

	assert_true(ip_addr_parse("10.77.1.2", &ev.client.addr));
	ev.client.port = 45678;
	assert_true(ip_addr_parse("fd77:2::2", &ev.server.addr));
	ev.server.port = 80;
	return ev;
}

/* The keys and their order are what others rely on: sluice-events(5). */
static void whole_line(void **state)
{
	static const char wanted[] =
		"{\"time\":\"2024-11-21T22:12:00.123456Z\","
		"\"id\":\"62772a1f-9\",\"session\":\"62772a1f.7\","
		"\"client\":\"10.77.1.2:45678\",\"server\":\"[fd77:2::2]:80\","
		"\"protocol\":\"http\",\"method\":\"PUT\","
		"\"url\":\"http://example.test/a?b=c\","
		"\"host\":\"example.test\",\"user\":\"ann\",\"status\":403,"
		"\"verdict\":\"blocked\",\"reason\":\"signature\","
		"\"name\":\"Eicar\",\"rule\":\"scan\",\"bytes_in\":100,"
		"\"bytes_out\":18446744073709551615,\"sha256\":\"e3b0"
		"000000000000000000000000000000000000000000000000000000000000"
		"\",\"duration_ms\":12,\"action\":\"block\","
		"\"direction\":\"upload\",\"content_type\":\"text/html\","
		"\"first_byte_ms\":3,\"scan_ms\":5}\n";
	static char line[EVENT_JSON_MAX];
	struct event ev = sample();
	size_t n = event_json_write(&ev, 0x62772a1f, 9, line, sizeof(line));

	(void)state;
	assert_int_equal(n, strlen(wanted));
	assert_memory_equal(line, wanted, n);
	/* exactly enough room, and a byte less */
	assert_int_equal(event_json_write(&ev, 0x62772a1f, 9, line, n), n);
	assert_int_equal(event_json_write(&ev, 0x62772a1f, 9, line, n - 1), 0);
}

static void absent_members_are_left_out(void **state)
{
	static const char wanted[] =
		"{\"time\":\"1970-01-01T00:00:00.000000Z\",\"id\":\"1-0\","
		"\"protocol\":\"http\",\"verdict\":\"passed\",\"bytes_in\":0,"
		"\"bytes_out\":0,\"duration_ms\":0,\"action\":\"allow\","
		"\"direction\":\"download\",\"first_byte_ms\":0,"
		"\"scan_ms\":0}\n";
	static char line[EVENT_JSON_MAX];
	struct event ev = {0};
	size_t n = event_json_write(&ev, 1, 0, line, sizeof(line));

	(void)state;
	assert_int_equal(n, strlen(wanted));
	assert_memory_equal(line, wanted, n);
}

/* Any bytes: one line, valid JSON, valid UTF-8, nothing a terminal obeys. */
static void hostile_text(void **state)
{
	static char line[EVENT_JSON_MAX], text[EVENT_TEXT_MAX];
	unsigned int seed = 1;

	(void)state;
	for (unsigned int round = 0; round < 300; round++) {
		struct event ev = sample();
		struct json_object *o, *url;
		size_t n, len = round * 13;

		for (size_t i = 0; i < len; i++) {
			seed = seed * 1103515245 + 12345;
			text[i] = (char)(seed >> 16);
		}
		ev.url = ev.host = (struct str){text, len};
		n = event_json_write(&ev, 1, round, line, sizeof(line) - 1);
		assert_true(n > 0);
		assert_ptr_equal(memchr(line, '\n', n), line + n - 1);
		for (size_t i = 0; i + 1 < n; i++)
			assert_true((uint8_t)line[i] >= 0x20 &&
				    line[i] != 0x7f);
		line[n] = '\0';
		o = json_tokener_parse(line);
		assert_non_null(o);
		if (len > 0) {
			assert_true(json_object_object_get_ex(o, "url", &url));
			assert_true(json_object_get_string_len(url) > 0);
		}
		json_object_put(o);
	}
}

/* Every text as long as can be, each of its bytes escaped: still fits. */
static void largest_line_fits(void **state)
{
	static char line[EVENT_JSON_MAX], text[EVENT_TEXT_MAX];
	struct event ev = sample();
	size_t n;

	(void)state;
	memset(text, 1, sizeof(text));
	ev.url = (struct str){text, sizeof(text)};
	ev.method = ev.host = ev.name = ev.rule = ev.content_type = ev.url;
	ev.time_us = 253402300799999999;
	ev.session = ev.bytes_in = ev.duration_ms = UINT64_MAX;
	ev.first_byte_ms = ev.scan_ms = UINT64_MAX;
	ev.client = ev.server;
	memset(ev.client.addr.bytes, 0xff, 16);
	ev.client.port = 65535;
	n = event_json_write(&ev, UINT64_MAX, UINT64_MAX, line, sizeof(line));
	assert_true(n > (size_t)6 * 6 * EVENT_TEXT_MAX);
}

static void ids(void **state)
{
	static const char *const bad[] = {"",
					  "-",
					  "1-",
					  "-1",
					  "1",
					  "g-1",
					  "A-1",
					  "1-a",
					  "1--1",
					  "11111111111111111-1",
					  "1-1 ",
					  "1-+1",
					  "1-18446744073709551616"};
	uint64_t instance, number;

	(void)state;
	assert_true(
		event_json_id("ff-18446744073709551615", &instance, &number));
	assert_true(instance == 255 && number == UINT64_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(event_json_id(bad[i], &instance, &number));
}

struct clean {
	const char *in, *out;
};

static void utf8(void **state)
{
	static const struct clean cases[] = {
		{"plain\n\x01", "plain\n\x01"},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
		{"\xf0\x9f\x90\x9f\xef\xbf\xbd",
		 "\xf0\x9f\x90\x9f\xef\xbf\xbd"},
		{"a\xff"
		 "b",
		 "a\xef\xbf\xbd"
		 "b"},
		{"\xc3", "\xef\xbf\xbd"}, /* cut off */
		{"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"}, /* overlong / */
		{"\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xf4\x90\x80\x80",
		 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\x7f", "\xef\xbf\xbd"},     /* DEL */
		{"\xc2\x9b", "\xef\xbf\xbd"}, /* CSI */
		{"\xc2\xa0", "\xc2\xa0"},
		{"\xe2\x80\xa8\xe2\x80\xa9", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xe2\x80\xa7", "\xe2\x80\xa7"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = strlen(cases[i].in);
		uint8_t *copy = guard_copy(cases[i].in, n);
		char dst[UTF8_CLEAN_SIZE(32)];
		struct str s = utf8_clean((struct str){(char *)copy, n}, dst);

		assert_true(str_eq(s, str_of(cases[i].out)));
		guard_free(copy, n);
	}
}

static void times(void **state)
{
	static const char *const bad[] = {
		"",
		"2024-11-21",
		"2024-11-21T22:12",
		"2024-11-21T22:12:00",
		"2024-13-21T22:12:00Z",
		"2024-02-30T22:12:00Z",
		"2023-02-29T00:00:00Z",
		"2024-11-21T24:12:00Z",
		"2024-11-21T22:12:00.Z",
		"2024-11-21T22:12:00Zx",
		"2024-11-21T22:12:00+0100",
		"1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00+00:01",
	};
	static const char *const same[] = {
		"2024-11-21T22:12:00.123456Z",
		"2024-11-21 22:12:00.1234567891z",
		"2024-11-22t00:42:00.123456+02:30",
		"2024-11-21T21:12:00.123456-01:00",
	};
	uint64_t us;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(event_time_parse(str_of(bad[i]), &us));
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_true(event_time_parse(str_of(same[i]), &us));
		assert_true(us == 1732227120123456);
	}
	assert_true(event_time_parse(STR("2024-02-29T23:59:60Z"), &us));
	assert_true(us == 1709251200000000);
	for (uint64_t t = 0; t < 253402300799999999; t += 99999999999977) {
		char text[EVENT_TIME_TEXT];

		event_time_format(t, text);
		assert_int_equal(strlen(text), EVENT_TIME_TEXT - 1);
		assert_true(event_time_parse(str_of(text), &us));
		assert_true(us == t);
	}
}

/* What sluice-events(5) says and what the code says, seen from the root. */
static void manual_names_everything(void **state)
{
	static char page[65536], line[EVENT_JSON_MAX];
	FILE *f = fopen("docs/man/sluice-events.5", "r");
	struct event ev = sample();
	char wanted[64];
	size_t n;

	(void)state;
	assert_non_null(f);
	assert_true(fread(page, 1, sizeof(page) - 1, f) > 0);
	fclose(f);
	for (unsigned int r = REASON_NONE + 1; verdict_reason_valid(r); r++) {
		snprintf(wanted, sizeof(wanted), ".Li %s ",
			 verdict_reason_name(r));
		assert_non_null(strstr(page, wanted));
	}
	for (unsigned int v = 0; verdict_valid(v); v++) {
		snprintf(wanted, sizeof(wanted), ".It Li %s\n",
			 verdict_name(v));
		assert_non_null(strstr(page, wanted));
	}
	n = event_json_write(&ev, 1, 1, line, sizeof(line) - 1);
	line[n] = '\0';
	for (const char *at = strstr(line, "\":"); at != NULL;
	     at = strstr(at + 1, "\":")) {
		const char *key = at;

		while (key[-1] != '"')
			key--;
		snprintf(wanted, sizeof(wanted), ".It Cm %.*s\n",
			 (int)(at - key), key);
		assert_non_null(strstr(page, wanted));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_line),
		cmocka_unit_test(absent_members_are_left_out),
		cmocka_unit_test(hostile_text),
		cmocka_unit_test(largest_line_fits),
		cmocka_unit_test(ids),
		cmocka_unit_test(utf8),
		cmocka_unit_test(times),
		cmocka_unit_test(manual_names_everything),
	};

	return cmocka_run_group_tests_name("event json", tests, NULL, NULL);
}
