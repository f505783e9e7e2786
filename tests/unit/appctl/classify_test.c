// SPDX-License-Identifier: GPL-2.0-or-later
/* Flows made here, one packet at a time; captures_test.c replays real ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "appctl/classify.h"
#include "guard.h"
#include "hello.h"

#define HTTP_REQUEST "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"

static struct classify *c;
static struct classify_config config;
static uint64_t now;

static void start(uint32_t inspected, uint32_t quic)
{
	config = classify_defaults;
	config.secret = (struct siphash_key){5, 6};
	config.max_flows = 1000;
	config.max_inspected = inspected;
	config.max_quic = quic;
	config.first_packets = 6;
	c = classify_new(&config);
	assert_non_null(c);
	now = 1000;
}

static int set_up(void **state)
{
	(void)state;
	start(100, 10);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	classify_free(c);
	return 0;
}

/* --- packets ------------------------------------------------------------------- */

struct talk {
	uint8_t proto;
	uint16_t client_port, server_port;
	uint32_t seq[2]; /* of the client, of the server */
};

static struct talk talk_of(uint8_t proto, uint16_t client, uint16_t server)
{
	return (struct talk){proto, client, server, {1000, 5000}};
}

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

/* 10.0.0.1 is the client, 10.0.0.2 the server. */
static size_t build(const struct talk *t, bool up, const void *payload,
		    size_t len, uint8_t *p)
{
	size_t head = t->proto == 6 ? 40 : 28;

	memset(p, 0, head);
	p[0] = 0x45;
	put16(p + 2, head + len);
	p[8] = 64;
	p[9] = t->proto;
	p[12] = p[16] = 10;
	p[15] = up ? 1 : 2;
	p[19] = up ? 2 : 1;
	put16(p + 20, up ? t->client_port : t->server_port);
	put16(p + 22, up ? t->server_port : t->client_port);
	if (t->proto == 6) {
		put32(p + 24, t->seq[!up]);
		put32(p + 28, t->seq[up]);
		p[32] = 0x50;
		p[33] = 0x18;
	} else {
		put16(p + 24, 8 + len);
	}
	if (len > 0)
		memcpy(p + head, payload, len);
	return head + len;
}

static struct classify_result give(struct talk *t, bool up, const void *payload,
				   size_t len)
{
	static uint8_t packet[70000];
	size_t n = build(t, up, payload, len, packet);
	uint8_t *copy = guard_copy(packet, n);
	struct classify_result r;

	classify_packet(c, copy, n, up ? CLASSIFY_UP : CLASSIFY_DOWN, now, &r);
	guard_free(copy, n);
	t->seq[!up] += (uint32_t)len;
	return r;
}

static struct classify_result say(struct talk *t, bool up, const char *z)
{
	return give(t, up, z, strlen(z));
}

static void assert_host(const struct classify_result *r, const char *host)
{
	assert_int_equal(r->host.len, strlen(host));
	assert_memory_equal(r->host.p, host, r->host.len);
}

/* --- TLS ----------------------------------------------------------------------- */

static struct hello message, records;

static void make_hello(const char *host, size_t share)
{
	hello_usual(&message, host, share);
	hello_records(&records, &message, 16384);
}

static void a_hello_in_two_segments(void **state)
{
	struct talk t = talk_of(6, 40000, 443);
	struct classify_result r;

	(void)state;
	make_hello("www.youtube.com", 1216);
	r = give(&t, true, records.data, 1000);
	assert_int_equal(r.verdict, CLASSIFY_MORE);
	assert_int_equal(r.app, APP_TLS);
	t.seq[0] -= 500; /* some of it again */
	r = give(&t, true, records.data + 500, records.len - 500);
	assert_int_equal(r.verdict, CLASSIFY_LABEL);
	assert_int_equal(r.app, APP_YOUTUBE);
	assert_int_equal(r.confidence, APP_BY_OWN);
	assert_int_equal(r.packets, 2);
	assert_int_equal(r.server.port, 443);
	assert_false(r.repeated);
	assert_host(&r, "www.youtube.com");
	r = say(&t, false, "x");
	assert_true(r.repeated);
	assert_int_equal(r.app, APP_YOUTUBE);
	/* A moment later the same ends are another connection. */
	now += config.labelled_ms;
	t = talk_of(6, 40000, 443);
	r = say(&t, true, HTTP_REQUEST);
	assert_int_equal(r.app, APP_HTTP);
	assert_false(r.repeated);
}

static void a_missing_segment(void **state)
{
	struct talk t = talk_of(6, 40001, 443);
	struct classify_result r;

	(void)state;
	make_hello("www.example.com", 1216);
	give(&t, true, records.data, 600);
	t.seq[0] += 100;
	r = give(&t, true, records.data + 700, 500);
	assert_int_equal(r.verdict, CLASSIFY_LABEL);
	assert_int_equal(r.app, APP_TLS);
	assert_int_equal(r.host.len, 0);
	assert_int_equal(classify_stats(c)->no_order, 1);
}

/* One packet of 64 KiB, as GSO makes them. */
static void a_large_packet(void **state)
{
	static uint8_t data[65000];
	struct talk t = talk_of(6, 40002, 443);
	struct classify_result r;

	(void)state;
	make_hello("large.example", 1216);
	memcpy(data, records.data, records.len);
	r = give(&t, true, data, sizeof(data));
	assert_int_equal(r.verdict, CLASSIFY_LABEL);
	assert_host(&r, "large.example");
	t = talk_of(6, 40003, 80);
	memset(data, 'x', sizeof(data));
	memcpy(data, HTTP_REQUEST, sizeof(HTTP_REQUEST) - 1);
	r = give(&t, true, data, sizeof(data));
	assert_int_equal(r.app, APP_HTTP);
	assert_host(&r, "www.example.com");
}

static void ech(void **state)
{
	size_t open = hello_begin(&message), exts = hello_open(&message, 2);
	struct talk t = talk_of(6, 40004, 443);
	struct classify_result r;

	(void)state;
	hello_sni(&message, "outer.example", 13);
	hello_ext_of(&message, 0xfe0d, "\0abc", 4);
	hello_close(&message, exts, 2);
	hello_close(&message, open, 3);
	hello_records(&records, &message, 16384);
	r = give(&t, true, records.data, records.len);
	assert_int_equal(r.verdict, CLASSIFY_LABEL);
	assert_true(r.ech);
	assert_host(&r, "outer.example");
}

/* --- given up ------------------------------------------------------------------ */

static void noise(void **state)
{
	struct talk t = talk_of(6, 40005, 7777);
	struct classify_result r = {0};

	(void)state;
	for (unsigned int i = 1; i <= config.first_packets; i++) {
		r = say(&t, i % 2, "\x91\x82\xaa\x10\x55\x03\x99\x31?");
		assert_int_equal(r.packets, i);
		if (i < config.first_packets)
			assert_int_equal(r.verdict, CLASSIFY_MORE);
	}
	assert_int_equal(r.verdict, CLASSIFY_GIVEN_UP);
	assert_int_equal(r.app, APP_UNKNOWN);
	assert_int_equal(classify_stats(c)->unknown, 1);
	r = say(&t, true, "more");
	assert_true(r.repeated);
	assert_int_equal(r.verdict, CLASSIFY_GIVEN_UP);
}

/* Nothing to go by but the port, and it says so. */
static void guess(void **state)
{
	struct talk t = talk_of(6, 40006, 3306);
	struct classify_result r;

	(void)state;
	r = say(&t, true, "\x91\x82\xaa\x10\x55\x03\x99\x31?");
	assert_int_equal(r.verdict, CLASSIFY_MORE);
	assert_int_equal(r.app, APP_MYSQL);
	assert_int_equal(r.confidence, APP_BY_GUESS);
	while (r.verdict == CLASSIFY_MORE)
		r = say(&t, true, "\x91\x82\xaa\x10\x55\x03\x99\x31?");
	assert_int_equal(r.verdict, CLASSIFY_GIVEN_UP);
	assert_int_equal(r.app, APP_MYSQL);
	assert_int_equal(r.confidence, APP_BY_GUESS);
}

/*
 * Clients come back to a port before what is known of its last connection has
 * aged. That one's answer was seen without its request, so it has no name.
 */
static void a_port_used_again(void **state)
{
	struct talk t = talk_of(6, 40007, 80);
	struct classify_result r;

	(void)state;
	r = say(&t, false, "\x91\x82\xaa\x10\x55\x03\x99\x31?");
	assert_int_equal(r.verdict, CLASSIFY_MORE);
	/* By the acknowledgement alone, then by its own number as well. */
	for (uint32_t i = 1; i <= 2; i++) {
		t.seq[0] += 1000000;
		t.seq[1] += 1000000;
		r = say(&t, true, i == 1 ? "abcdefgh" : HTTP_REQUEST);
		assert_int_equal(r.packets, 1 + i);
		assert_int_equal(classify_stats(c)->reused, i);
	}
	assert_int_equal(r.verdict, CLASSIFY_LABEL);
	assert_int_equal(r.app, APP_HTTP);
}

static void the_same_connection(void **state)
{
	struct talk t = talk_of(6, 40008, 7777);

	(void)state;
	/* Numbers begin again at 0; a large segment is missing. */
	t.seq[0] = UINT32_MAX - 3;
	assert_int_equal(say(&t, true, "abcdefgh").packets, 1);
	t.seq[0] += 65536;
	assert_int_equal(say(&t, true, "abcdefgh").packets, 2);
	/* Sent again; and one whose number is wide of it is of another. */
	t.seq[0] -= 65536;
	assert_int_equal(say(&t, true, "abcdefgh").packets, 3);
	t.seq[0] -= 65537 + 8;
	assert_int_equal(classify_stats(c)->reused, 0);
	say(&t, true, "abcdefgh");
	assert_int_equal(classify_stats(c)->reused, 1);
}

/* Each segment looks like another connection's: it is given up all the same. */
static void gaps_on_purpose(void **state)
{
	struct talk t = talk_of(6, 40009, 7777);
	struct classify_result r;
	unsigned int packets = 0;

	(void)state;
	do {
		t.seq[0] += 100000;
		r = say(&t, true, "abcdefgh");
		packets++;
	} while (r.verdict == CLASSIFY_MORE && packets < 100);
	assert_int_equal(r.verdict, CLASSIFY_GIVEN_UP);
	assert_int_equal(packets, config.first_packets);
	assert_int_equal(classify_stats(c)->reused, packets - 1);
}

/* A hello that never ends is TLS all the same. */
static void an_endless_hello(void **state)
{
	struct talk t = talk_of(6, 40007, 8443);
	struct classify_result r = {0};

	(void)state;
	make_hello("www.example.com", 20000);
	for (size_t i = 0; i < config.first_packets; i++)
		r = give(&t, true, records.data + 1000 * i, 1000);
	assert_int_equal(r.verdict, CLASSIFY_LABEL);
	assert_int_equal(r.app, APP_TLS);
	assert_int_equal(r.packets, config.first_packets);
}

/* --- what is no flow's payload -------------------------------------------------- */

static void nothing(void **state)
{
	struct talk t = talk_of(6, 40008, 80);
	uint8_t packet[100];
	struct classify_result r;
	size_t n;

	(void)state;
	r = give(&t, true, NULL, 0);
	assert_int_equal(r.verdict, CLASSIFY_NOTHING);
	n = build(&t, true, "abc", 3, packet);
	packet[6] = 0x20;
	classify_packet(c, packet, n, CLASSIFY_UP, now, &r);
	assert_int_equal(r.verdict, CLASSIFY_NOTHING);
	classify_packet(c, packet, 30, CLASSIFY_UP, now, &r);
	classify_packet(c, packet, 0, CLASSIFY_UP, now, &r);
	assert_int_equal(r.verdict, CLASSIFY_NOTHING);
	assert_int_equal(classify_stats(c)->empty, 1);
	assert_int_equal(classify_stats(c)->fragments, 2);
	assert_int_equal(classify_stats(c)->malformed, 1);
	assert_int_equal(classify_stats(c)->packets, 4);
	assert_int_equal(classify_flows(c)->added, 0);
}

static void protocols_without_ports(void **state)
{
	struct talk t = talk_of(1, 0, 0);
	struct classify_result r = say(&t, true, "ping");

	(void)state;
	assert_int_equal(r.verdict, CLASSIFY_LABEL);
	assert_int_equal(r.app, APP_ICMP);
	assert_int_equal(classify_proto(50), APP_IPSEC);
	assert_int_equal(classify_proto(47), APP_GRE);
	assert_int_equal(classify_proto(6), APP_UNKNOWN);
	assert_int_equal(classify_proto(17), APP_UNKNOWN);
	t = talk_of(200, 0, 0);
	r = say(&t, true, "what");
	assert_int_equal(r.verdict, CLASSIFY_GIVEN_UP);
	assert_int_equal(r.app, APP_UNKNOWN);
}

/* --- hints --------------------------------------------------------------------- */

/* SSH on an odd port, with both banners. */
static struct classify_result ssh(uint16_t client_port)
{
	struct talk t = talk_of(6, client_port, 2222);

	say(&t, false, "SSH-2.0-OpenSSH_9.2p1\r\n");
	return say(&t, true, "SSH-2.0-OpenSSH_9.2p1\r\n");
}

static void hints(void **state)
{
	struct ip_endpoint server = {{{10, 0, 0, 2}, 2}, 2222};
	struct classify_result r = {0};
	struct talk t;
	struct hint hint;

	(void)state;
	for (uint16_t i = 0; i < 8; i++) {
		t = talk_of(6, (uint16_t)(41000 + i), 443);
		r = say(&t, true, HTTP_REQUEST);
		assert_false(r.hint_ready);
	}
	for (uint32_t i = 0; i < config.hints.flows; i++) {
		t = talk_of(6, (uint16_t)(42000 + i), 2222);
		/* The server speaks first, then its label is no client's doing. */
		say(&t, false, "220 mail ESMTP\r\n");
		r = say(&t, true, "EHLO client\r\n");
		if (r.verdict == CLASSIFY_MORE)
			r = say(&t, false, "250 mail\r\n");
		assert_int_equal(r.app, APP_SMTP);
	}
	assert_true(r.hint_ready);
	assert_true(classify_hint_of(c, 6, &server, now, &hint));
	assert_int_equal(hint.app, APP_SMTP);
	/* What can't be recognised there has the hint for a label. */
	t = talk_of(6, 43000, 2222);
	do
		r = say(&t, true, "\x91\x82\xaa\x10\x55\x03\x99\x31?");
	while (r.verdict == CLASSIFY_MORE);
	assert_int_equal(r.verdict, CLASSIFY_GIVEN_UP);
	assert_int_equal(r.app, APP_SMTP);
	assert_int_equal(r.confidence, APP_BY_HINT);
	/* Something else there: no hint any more. */
	ssh(44000);
	assert_false(classify_hint_of(c, 6, &server, now, &hint));
}

/* The client alone makes nothing of a server, however often it tries. */
static void a_client_can_not_make_hints(void **state)
{
	struct ip_endpoint server = {{{10, 0, 0, 2}, 2}, 7000};
	struct classify_result r;
	struct hint hint;

	(void)state;
	for (uint16_t i = 0; i < 20; i++) {
		struct talk t = talk_of(17, (uint16_t)(45000 + i), 7000);

		r = give(&t, true, "\x12\x34\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1",
			 19);
		assert_int_equal(r.app, APP_DNS);
		assert_false(r.hint_ready);
	}
	assert_false(classify_hint_of(c, 17, &server, now, &hint));
}

/* --- bounds -------------------------------------------------------------------- */

/* No room for one more: who was silent for longest goes, and is counted. */
static void no_room(void **state)
{
	struct talk first = talk_of(6, 46000, 7777);
	struct talk second = talk_of(6, 46001, 7777);
	struct talk third = talk_of(6, 46002, 80);
	struct classify_result r;

	(void)state;
	classify_free(c);
	start(2, 1);
	say(&first, true, "abcdefgh");
	say(&second, true, "abcdefgh");
	assert_int_equal(say(&first, false, "abcdefgh").packets, 2);
	r = say(&third, true, HTTP_REQUEST);
	assert_int_equal(r.verdict, CLASSIFY_LABEL);
	assert_int_equal(r.app, APP_HTTP);
	assert_int_equal(classify_stats(c)->no_room, 1);
	/* The first is still known, the second begins anew. */
	assert_int_equal(say(&first, true, "abcdefgh").packets, 3);
	assert_int_equal(say(&second, true, "abcdefgh").packets, 1);
	now += config.idle_ms;
	classify_tick(c, now);
	assert_int_equal(classify_flows(c)->live, 0);
}

/* QUIC without room for its hello is QUIC without a host. */
static void no_room_for_quic(void **state)
{
	static uint8_t data[1200] = {0xc0, 0, 0, 0, 1, 0, 0, 0, 0x44, 0x9e};
	struct talk t = talk_of(17, 46100, 443);
	struct classify_result r;

	(void)state;
	classify_free(c);
	start(10, 1);
	r = give(&t, true, data, sizeof(data));
	assert_int_equal(r.verdict, CLASSIFY_MORE);
	assert_int_equal(r.app, APP_QUIC);
	t.client_port++;
	r = give(&t, true, data, sizeof(data));
	assert_int_equal(r.verdict, CLASSIFY_LABEL);
	assert_int_equal(r.app, APP_QUIC);
	assert_int_equal(classify_stats(c)->no_quic, 1);
}

static uint64_t nanoseconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/*
 * 100,000 flows of garbage, one packet each, within a second, through a table
 * of 1,000 with 100 to be looked into: bounded, counted, and a real flow in
 * the midst of it is still named.
 */
static void a_flood(void **state)
{
	enum { FLOWS = 100000 };
	static const uint8_t garbage[] = "\x91\x82\xaa\x10\x55\x03\x99\x31?";
	const struct flows_stats *flows;
	struct classify_result r;
	uint64_t start_ns, spent;
	uint8_t packet[100];

	(void)state;
	start_ns = nanoseconds();
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct talk t = talk_of(17, (uint16_t)i, 7777);
		size_t n = build(&t, true, garbage, sizeof(garbage), packet);

		packet[13] = (uint8_t)(i >> 16);
		packet[14] = (uint8_t)(i >> 8);
		now += i % 100 == 0;
		classify_packet(c, packet, n, CLASSIFY_UP, now, &r);
	}
	spent = nanoseconds() - start_ns;
	print_message("# %u ns a flow, %zu bytes in all\n",
		      (unsigned int)(spent / FLOWS), classify_bytes(c));
	flows = classify_flows(c);
	assert_int_equal(flows->live, config.max_inspected);
	assert_int_equal(flows->added, FLOWS);
	assert_int_equal(classify_stats(c)->packets, FLOWS);
	assert_int_equal(classify_stats(c)->no_room,
			 FLOWS - config.max_inspected);
	make_hello("calm.example", 32);
	r = give(&(struct talk){6, 47000, 443, {1, 1}}, true, records.data,
		 records.len);
	assert_host(&r, "calm.example");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_hello_in_two_segments),
		TEST(a_missing_segment),
		TEST(a_large_packet),
		TEST(ech),
		TEST(noise),
		TEST(guess),
		TEST(a_port_used_again),
		TEST(the_same_connection),
		TEST(gaps_on_purpose),
		TEST(an_endless_hello),
		TEST(nothing),
		TEST(protocols_without_ports),
		TEST(hints),
		TEST(a_client_can_not_make_hints),
		TEST(no_room),
		TEST(no_room_for_quic),
		TEST(a_flood),
	};

	return cmocka_run_group_tests_name("classify", tests, NULL, NULL);
}
