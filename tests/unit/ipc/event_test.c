// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "ipc/event.h"

static struct event sample(void)
{
	struct event ev = {
		.time_us = 1732226400123456,
		.session = 42,
		.protocol = EVENT_HTTP,
		.verdict = VERDICT_BLOCKED,
		.reason = REASON_SIGNATURE,
		.status = 403,
		.stopped = true,
		.upload = true,
		.has_sha256 = true,
		.bytes_in = 1,
		.bytes_out = UINT64_MAX,
		.duration_ms = 3,
		.first_byte_ms = 4,
		.scan_ms = 5,
		.method = STR("POST"),
		.url = STR("http://example.test/\xff\x01?a=b"),
		.host = STR("example.test"),
		.user = STR("ann"),
		.name = STR("Eicar"),
		.rule = STR("scan"),
		.content_type = STR("text/html"),
	};

	memset(ev.sha256, 0xab, sizeof(ev.sha256));
	assert_true(ip_addr_parse("192.0.2.1", &ev.client.addr));
	ev.client.port = 12345;
	assert_true(ip_addr_parse("2001:db8::1", &ev.server.addr));
	ev.server.port = 80;
	return ev;
}

static void assert_text(struct str a, struct str b)
{
	assert_true(str_eq(a, b));
}

static void assert_same(const struct event *a, const struct event *b)
{
	assert_true(a->time_us == b->time_us && a->session == b->session);
	assert_int_equal(a->protocol, b->protocol);
	assert_int_equal(a->verdict, b->verdict);
	assert_int_equal(a->reason, b->reason);
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->stopped, b->stopped);
	assert_int_equal(a->upload, b->upload);
	assert_int_equal(a->has_sha256, b->has_sha256);
	assert_memory_equal(a->sha256, b->sha256, sizeof(a->sha256));
	assert_true(a->bytes_in == b->bytes_in && a->bytes_out == b->bytes_out);
	assert_true(a->duration_ms == b->duration_ms);
	assert_true(a->first_byte_ms == b->first_byte_ms);
	assert_true(a->scan_ms == b->scan_ms);
	assert_true(ip_addr_equal(&a->client.addr, &b->client.addr));
	assert_true(ip_addr_equal(&a->server.addr, &b->server.addr));
	assert_int_equal(a->client.port, b->client.port);
	assert_int_equal(a->server.port, b->server.port);
	assert_text(a->method, b->method);
	assert_text(a->url, b->url);
	assert_text(a->host, b->host);
	assert_text(a->user, b->user);
	assert_text(a->name, b->name);
	assert_text(a->rule, b->rule);
	assert_text(a->content_type, b->content_type);
}

static void comes_back_as_it_was(void **state)
{
	uint8_t packed[EVENT_PACKED_MAX];
	struct event ev = sample(), none = {0}, back;
	size_t n, m;

	(void)state;
	n = event_pack(&ev, packed, sizeof(packed));
	assert_true(n > 0);
	m = event_pack(&none, packed + n, sizeof(packed) - n);
	assert_true(m > 0);
	assert_int_equal(event_unpack(packed, n + m, &back), n);
	assert_same(&back, &ev);
	assert_int_equal(event_unpack(packed + n, m, &back), m);
	assert_same(&back, &none);
	assert_null(back.url.p);
}

static void long_text_is_cut(void **state)
{
	static char text[3 * EVENT_TEXT_MAX];
	static uint8_t packed[EVENT_PACKED_MAX];
	struct event back, ev = sample();
	struct str all = {text, sizeof(text)};
	size_t n;

	(void)state;
	memset(text, 'x', sizeof(text));
	ev.method = ev.url = ev.host = ev.user = ev.name = ev.rule = all;
	ev.content_type = all;
	n = event_pack(&ev, packed, sizeof(packed));
	assert_true(n > 0);
	assert_int_equal(event_unpack(packed, n, &back), n);
	assert_int_equal(back.url.len, EVENT_TEXT_MAX);
	assert_int_equal(back.content_type.len, EVENT_TEXT_MAX);
	assert_int_equal(event_pack(&ev, packed, n), n);
	assert_int_equal(event_pack(&ev, packed, n - 1), 0);
}

/* Cut at every length, flush against a page that nobody may read. */
static void every_part_is_refused(void **state)
{
	uint8_t packed[EVENT_PACKED_MAX];
	struct event ev = sample(), back;
	size_t n = event_pack(&ev, packed, sizeof(packed));

	(void)state;
	for (size_t len = 0; len < n; len++) {
		uint8_t *copy = guard_copy(packed, len);

		assert_int_equal(event_unpack(copy, len, &back), 0);
		guard_free(copy, len);
	}
}

/* Whatever byte is changed: refused, or an event that packs to those bytes. */
static void no_other_form_is_taken(void **state)
{
	uint8_t packed[EVENT_PACKED_MAX], again[EVENT_PACKED_MAX];
	struct event ev = sample(), back;
	size_t n = event_pack(&ev, packed, sizeof(packed));
	unsigned int refused = 0;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			uint8_t *copy;
			size_t len;

			packed[i] ^= (uint8_t)(1u << bit);
			copy = guard_copy(packed, n);
			len = event_unpack(copy, n, &back);
			if (len == 0) {
				refused++;
			} else {
				assert_int_equal(
					event_pack(&back, again, sizeof(again)),
					len);
				assert_memory_equal(again, packed, len);
			}
			guard_free(copy, n);
			packed[i] ^= (uint8_t)(1u << bit);
		}
	}
	assert_true(refused > 100);
}

static void impossible_values_are_refused(void **state)
{
	uint8_t packed[EVENT_PACKED_MAX];
	struct event bad[8], back;
	size_t count = sizeof(bad) / sizeof(bad[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		bad[i] = sample();
	bad[0].protocol = EVENT_PROTOCOL_COUNT;
	bad[1].verdict = VERDICT_COUNT;
	bad[2].reason = REASON_COUNT;
	bad[3].status = 1000;
	bad[4].time_us = 253402300800000000;
	bad[5].client.addr.family = 77;
	bad[6].client.addr.bytes[4] = 1; /* behind an IPv4 address */
	bad[7].client = (struct ip_endpoint){.port = 1};
	for (size_t i = 0; i < count; i++) {
		size_t n = event_pack(&bad[i], packed, sizeof(packed));

		assert_true(n > 0);
		assert_int_equal(event_unpack(packed, n, &back), 0);
	}
}

static void ids_fit_whatever_the_numbers(void **state)
{
	char text[EVENT_ID_MAX];

	(void)state;
	event_format_id(text, sizeof(text), 255, 7);
	assert_string_equal(text, "ff-7");
	event_format_session(text, sizeof(text), 255, 7);
	assert_string_equal(text, "ff.7");
	event_format_id(text, sizeof(text), UINT64_MAX, UINT64_MAX);
	assert_string_equal(text, "ffffffffffffffff-18446744073709551615");
	event_format_session(text, sizeof(text), UINT64_MAX, UINT64_MAX);
	assert_string_equal(text, "ffffffffffffffff.18446744073709551615");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_fit_whatever_the_numbers),
		cmocka_unit_test(comes_back_as_it_was),
		cmocka_unit_test(long_text_is_cut),
		cmocka_unit_test(every_part_is_refused),
		cmocka_unit_test(no_other_form_is_taken),
		cmocka_unit_test(impossible_values_are_refused),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
