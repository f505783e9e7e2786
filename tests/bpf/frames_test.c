// SPDX-License-Identifier: GPL-2.0-or-later
/* What the program makes of a frame: lengths, and why there is no flow. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "rig.h"

#define CLIENT	"10.1.1.2"
#define SERVER	"192.0.2.7"
#define CLIENT6 "fd00:1::2"
#define SERVER6 "2001:db8::7"

/* Without conntrack, so that what has a flow is ACCT_NO_CONNTRACK. */
static const struct rig_options without = {.no_conntrack = true};

static void is_sum(struct acct_sum got, uint64_t packets, uint64_t bytes,
		   uint64_t frames, uint64_t frame_len, uint64_t header_bytes)
{
	assert_int_equal(got.packets, packets);
	assert_int_equal(got.bytes, bytes);
	assert_int_equal(got.frames, frames);
	assert_int_equal(got.frame_bytes, frame_len);
	assert_int_equal(got.header_bytes, header_bytes);
}

/* One frame, in both directions, by a program that has seen nothing yet. */
static void is_counted(const struct frame *f, enum acct_reason reason,
		       uint64_t bytes)
{
	for (int d = 0; d < ACCT_DIRECTIONS; d++) {
		struct rig r;

		rig_open(&r, &without);
		rig_run(&r, d, f);
		is_sum(rig_reason(&r, reason, d), 1, bytes, 1, f->len, 0);
		assert_int_equal(rig_total(&r).frames, 1);
		rig_close(&r);
	}
}

static void not_ip(void **state)
{
	struct frame f;

	(void)state;
	frame_start(&f, ETH_P_ARP);
	frame_bytes(&f, 46);
	is_counted(&f, ACCT_NOT_IP, 46);
	frame_start(&f, ETH_P_PPP_SES);
	frame_bytes(&f, 100);
	is_counted(&f, ACCT_NOT_IP, 100);
	/* an old length field */
	frame_start(&f, 100);
	frame_bytes(&f, 100);
	is_counted(&f, ACCT_NOT_IP, 100);
	/* three tags are one too many */
	frame_start(&f, ETH_P_IP);
	frame_tag(&f, ETH_P_8021AD, ETH_P_8021Q);
	frame_tag(&f, ETH_P_8021Q, ETH_P_8021Q);
	frame_tag(&f, ETH_P_8021Q, ETH_P_IP);
	frame_bytes(&f, 46);
	assert_int_equal(f.len, 14 + 4 * 3 + 46);
	is_counted(&f, ACCT_NOT_IP, 4 + 46);
}

static void options4(struct frame *f, size_t ip, size_t tcp)
{
	frame_start(f, ETH_P_IP);
	frame_ipv4(f, CLIENT, SERVER, IPPROTO_TCP, ip);
	frame_tcp(f, 1000, 80, TCP_ACK, tcp);
}

static void ipv4(void **state)
{
	static const size_t options[] = {0, 4, 40};
	struct frame f;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		options4(&f, options[i], 12);
		frame_bytes(&f, 100);
		frame_end(&f);
		is_counted(&f, ACCT_NO_CONNTRACK, 20 + options[i] + 32 + 100);
	}
	/* Ethernet's padding isn't IP's. */
	frame_start(&f, ETH_P_IP);
	frame_ipv4(&f, CLIENT, SERVER, IPPROTO_UDP, 0);
	frame_udp(&f, 1000, 53);
	frame_end(&f);
	frame_bytes(&f, 60 - f.len);
	is_counted(&f, ACCT_NO_CONNTRACK, 28);
}

static void ipv6(void **state)
{
	static const uint8_t types[] = {IPPROTO_HOPOPTS, IPPROTO_ROUTING,
					IPPROTO_DSTOPTS, IPPROTO_MH,
					IPPROTO_AH};
	struct frame f;

	(void)state;
	frame_start(&f, ETH_P_IPV6);
	frame_ipv6(&f, CLIENT6, SERVER6, IPPROTO_TCP);
	frame_tcp(&f, 1000, 80, TCP_ACK, 0);
	frame_end(&f);
	is_counted(&f, ACCT_NO_CONNTRACK, 60);
	for (size_t i = 0; i < sizeof(types); i++) {
		frame_start(&f, ETH_P_IPV6);
		frame_ipv6(&f, CLIENT6, SERVER6, types[i]);
		frame_extension(&f, types[i], IPPROTO_DSTOPTS,
				types[i] == IPPROTO_AH ? 28 : 24);
		frame_extension(&f, IPPROTO_DSTOPTS, IPPROTO_UDP, 8);
		frame_udp(&f, 1000, 53);
		frame_bytes(&f, 10);
		frame_end(&f);
		is_counted(&f, ACCT_NO_CONNTRACK, f.len - 14);
	}
}

static void extensions(struct frame *f, int count)
{
	frame_start(f, ETH_P_IPV6);
	frame_ipv6(f, CLIENT6, SERVER6, IPPROTO_DSTOPTS);
	for (int i = 1; i <= count; i++)
		frame_extension(f, IPPROTO_DSTOPTS,
				i < count ? IPPROTO_DSTOPTS : IPPROTO_UDP, 8);
	frame_udp(f, 1000, 53);
	frame_end(f);
}

static void many_extensions(void **state)
{
	struct frame f;

	(void)state;
	extensions(&f, 8);
	is_counted(&f, ACCT_NO_CONNTRACK, 40 + 8 * 8 + 8);
	extensions(&f, 9);
	is_counted(&f, ACCT_MALFORMED, 40 + 9 * 8 + 8);
	extensions(&f, 20);
	is_counted(&f, ACCT_MALFORMED, 40 + 20 * 8 + 8);
}

static void tags(void **state)
{
	struct frame f;

	(void)state;
	for (int n = 1; n <= 2; n++) {
		frame_start(&f, ETH_P_IP);
		if (n == 2)
			frame_tag(&f, ETH_P_8021AD, ETH_P_8021Q);
		frame_tag(&f, ETH_P_8021Q, ETH_P_IP);
		frame_ipv4(&f, CLIENT, SERVER, IPPROTO_UDP, 0);
		frame_udp(&f, 1000, 53);
		frame_bytes(&f, 50);
		frame_end(&f);
		assert_int_equal(f.len, 14 + 4 * n + 28 + 50);
		is_counted(&f, ACCT_NO_CONNTRACK, 78);
	}
}

static void fragments(void **state)
{
	static const uint8_t bits[][2] = {
		{0x20, 0}, {0x20, 10}, {0, 10}, {0x1f, 0xff}};
	struct frame f;

	(void)state;
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		options4(&f, 0, 0);
		frame_end(&f);
		memcpy(f.data + f.ip + 6, bits[i], 2);
		is_counted(&f, ACCT_FRAGMENT, 40);
	}
	/* "don't fragment" is none */
	options4(&f, 0, 0);
	frame_end(&f);
	f.data[f.ip + 6] = 0x40;
	is_counted(&f, ACCT_NO_CONNTRACK, 40);
	frame_start(&f, ETH_P_IPV6);
	frame_ipv6(&f, CLIENT6, SERVER6, IPPROTO_HOPOPTS);
	frame_extension(&f, IPPROTO_HOPOPTS, IPPROTO_FRAGMENT, 8);
	frame_extension(&f, IPPROTO_FRAGMENT, IPPROTO_UDP, 8);
	frame_bytes(&f, 100);
	frame_end(&f);
	is_counted(&f, ACCT_FRAGMENT, 156);
}

/*
 * Cut before @whole bytes: malformed; from there on: not. Kernels let the
 * program run over no packet that is empty or, where Ethernet's header says
 * IP, has less than its header: with a tag it doesn't say that.
 */
static void cut_everywhere(const struct frame *f, size_t from, size_t whole)
{
	struct rig r;

	rig_open(&r, &without);
	for (size_t len = from; len <= f->len; len++) {
		struct acct_sum before =
			rig_reason(&r, ACCT_MALFORMED, ACCT_UP);
		struct frame cut = *f;
		struct acct_sum after;

		cut.len = len;
		rig_run(&r, ACCT_UP, &cut);
		after = rig_reason(&r, ACCT_MALFORMED, ACCT_UP);
		assert_int_equal(after.frames - before.frames, len < whole);
		assert_int_equal(after.frame_bytes - before.frame_bytes,
				 len < whole ? len : 0);
	}
	assert_int_equal(rig_total(&r).frame_bytes,
			 (from + f->len) * (f->len - from + 1) / 2);
	rig_close(&r);
}

static void cut_short(void **state)
{
	struct frame f;

	(void)state;
	options4(&f, 8, 0);
	frame_bytes(&f, 3);
	frame_end(&f);
	cut_everywhere(&f, 14 + 20, 14 + 28 + 20);
	frame_start(&f, ETH_P_IP);
	frame_tag(&f, ETH_P_8021Q, ETH_P_IP);
	frame_ipv4(&f, CLIENT, SERVER, IPPROTO_UDP, 0);
	frame_udp(&f, 1000, 53);
	frame_end(&f);
	cut_everywhere(&f, 15, 14 + 4 + 20 + 8);
	frame_start(&f, ETH_P_IPV6);
	frame_tag(&f, ETH_P_8021Q, ETH_P_IPV6);
	frame_ipv6(&f, CLIENT6, SERVER6, IPPROTO_HOPOPTS);
	frame_extension(&f, IPPROTO_HOPOPTS, IPPROTO_AH, 16);
	frame_extension(&f, IPPROTO_AH, IPPROTO_TCP, 12);
	frame_tcp(&f, 1000, 80, TCP_ACK, 0);
	frame_end(&f);
	cut_everywhere(&f, 15, 14 + 4 + 40 + 16 + 12 + 20);
}

static void contradictions(void **state)
{
	struct frame f;

	(void)state;
	options4(&f, 0, 0);
	frame_end(&f);
	f.data[f.ip] = 0x44; /* a header of 16 bytes */
	is_counted(&f, ACCT_MALFORMED, 40);
	f.data[f.ip] = 0x65; /* IPv6 in IPv4's place */
	is_counted(&f, ACCT_MALFORMED, 40);
	f.data[f.ip] = 0x4f; /* options up to beyond the end */
	is_counted(&f, ACCT_MALFORMED, 40);
	options4(&f, 0, 0);
	frame_end(&f);
	f.data[f.ip + 32] = 0x40; /* a TCP header of 16 bytes */
	is_counted(&f, ACCT_MALFORMED, 40);
	options4(&f, 0, 0);
	f.data[f.ip + 3] = 19; /* IP: all in all less than its header */
	is_counted(&f, ACCT_MALFORMED, 19);
	f.data[f.ip + 3] = 200; /* more than there is */
	is_counted(&f, ACCT_NO_CONNTRACK, 40);
	f.data[f.ip + 3] = 0; /* as of "BIG TCP" */
	is_counted(&f, ACCT_NO_CONNTRACK, 40);
	frame_start(&f, ETH_P_IPV6);
	frame_ipv6(&f, CLIENT6, SERVER6, IPPROTO_UDP);
	frame_udp(&f, 1, 2);
	is_counted(&f, ACCT_NO_CONNTRACK, 48); /* length 0: a jumbogram */
	f.data[f.ip] = 0x40;
	is_counted(&f, ACCT_MALFORMED, 48);
}

static void other_protocols(void **state)
{
	static const uint8_t protocols[] = {IPPROTO_SCTP, IPPROTO_GRE,
					    IPPROTO_ESP, 255};
	struct frame f;

	(void)state;
	for (size_t i = 0; i < sizeof(protocols); i++) {
		frame_start(&f, ETH_P_IP);
		frame_ipv4(&f, CLIENT, SERVER, protocols[i], 0);
		frame_bytes(&f, 50);
		frame_end(&f);
		is_counted(&f, ACCT_PROTOCOL, 70);
	}
	frame_start(&f, ETH_P_IPV6);
	frame_ipv6(&f, CLIENT6, SERVER6, IPPROTO_NONE);
	frame_end(&f);
	is_counted(&f, ACCT_PROTOCOL, 40);
}

/* Echo requests, or what else has its number. */
static void icmp_frames(struct frame *v4, struct frame *v6)
{
	frame_start(v4, ETH_P_IP);
	frame_ipv4(v4, CLIENT, SERVER, IPPROTO_ICMP, 0);
	frame_bytes(v4, 64);
	frame_end(v4);
	frame_start(v6, ETH_P_IPV6);
	frame_ipv6(v6, CLIENT6, SERVER6, IPPROTO_ICMPV6);
	frame_bytes(v6, 64);
	frame_end(v6);
}

static void icmp(void **state)
{
	const struct rig_options no_ids = {.no_ids = true};
	struct frame v4, v6;
	struct rig r;

	(void)state;
	icmp_frames(&v4, &v6);
	rig_open(&r, NULL);
	rig_run(&r, ACCT_UP, &v4);
	rig_run(&r, ACCT_UP, &v6);
	is_sum(rig_counter(&r, CLIENT, RIG_ICMP, ACCT_UP).sum, 1, 84, 1, 98, 0);
	is_sum(rig_counter(&r, CLIENT6, RIG_ICMPV6, ACCT_UP).sum, 1, 104, 1,
	       118, 0);
	assert_int_equal(rig_counter(&r, CLIENT, RIG_ICMP, ACCT_UP).flows, 0);
	/* towards the client its address is the destination */
	rig_run(&r, ACCT_DOWN, &v4);
	assert_int_equal(
		rig_counter(&r, SERVER, RIG_ICMP, ACCT_DOWN).sum.frames, 1);
	rig_close(&r);
	rig_open(&r, &no_ids);
	rig_run(&r, ACCT_UP, &v4);
	is_sum(rig_reason(&r, ACCT_PROTOCOL, ACCT_UP), 1, 84, 1, 98, 0);
	rig_close(&r);
}

static void segments(void **state)
{
	struct frame f;
	struct rig r;

	(void)state;
	rig_open(&r, &without);
	options4(&f, 0, 12);
	frame_bytes(&f, 1000);
	frame_end(&f);
	f.gso_segs = 3;
	f.gso_size = 400;
	rig_run(&r, ACCT_UP, &f);
	is_sum(rig_reason(&r, ACCT_NO_CONNTRACK, ACCT_UP), 3, 1052, 1, 1066,
	       2 * 66);
	/* without their number: 400 + 400 + 200 */
	f.gso_segs = 0;
	rig_run(&r, ACCT_DOWN, &f);
	is_sum(rig_reason(&r, ACCT_NO_CONNTRACK, ACCT_DOWN), 3, 1052, 1, 1066,
	       2 * 66);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_ip),
		cmocka_unit_test(ipv4),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(many_extensions),
		cmocka_unit_test(tags),
		cmocka_unit_test(fragments),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(contradictions),
		cmocka_unit_test(other_protocols),
		cmocka_unit_test(icmp),
		cmocka_unit_test(segments),
	};

	return cmocka_run_group_tests_name("frames", tests, rig_namespace,
					   NULL);
}
