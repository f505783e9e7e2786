// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "base/ip.h"

static const struct ip_addr none;

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

static struct ip_net net(const char *text)
{
	struct ip_net n;

	assert_true(ip_net_parse(text, &n));
	return n;
}

static void addresses(void **state)
{
	static const char *const good[][2] = {
		{"192.0.2.1", "192.0.2.1"},
		{"0.0.0.0", "0.0.0.0"},
		{"2001:DB8::1", "2001:db8::1"},
		{"::", "::"},
		{"2001:db8:0:0:0:0:0:1", "2001:db8::1"},
		/* The kernel gives mapped addresses; rules must match them. */
		{"::ffff:192.0.2.1", "192.0.2.1"},
	};
	static const char *const bad[] = {
		"",	    "192.0.2",	  "192.0.2.256", "192.0.2.1 ",
		"01.2.3.4", "1.2.3.4/24", "[::1]",	 "fe80::1%eth0",
		":::",	    "host",	  "1.2.3.4\n"};
	char text[IP_TEXT_MAX];
	struct ip_addr a;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		a = addr(good[i][0]);
		assert_string_equal(ip_addr_format(&a, text, sizeof(text)),
				    good[i][1]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&a, 0xff, sizeof(a));
		assert_false(ip_addr_parse(bad[i], &a));
		assert_memory_equal(&a, &none, sizeof(a));
	}
	assert_string_equal(ip_addr_format(&none, text, sizeof(text)), "-");
	assert_int_equal(ip_addr_len(&none), 0);
}

static void address_equality_is_memory(void **state)
{
	struct ip_addr a = addr("192.0.2.1");
	struct ip_addr b;

	(void)state;
	memset(&b, 0xff, sizeof(b));
	assert_true(ip_addr_parse("192.0.2.1", &b));
	assert_memory_equal(&a, &b, sizeof(a));
	assert_true(ip_addr_equal(&a, &b));
	b = addr("c000:201::");
	assert_memory_equal(a.bytes, b.bytes, sizeof(a.bytes));
	assert_false(ip_addr_equal(&a, &b));
}

static void networks(void **state)
{
	static const char *const good[][2] = {
		{"192.0.2.0/24", "192.0.2.0/24"},
		{"192.0.2.7", "192.0.2.7"},
		{"192.0.2.7/32", "192.0.2.7"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"10.128.0.0/9", "10.128.0.0/9"},
		{"2001:db8::/32", "2001:db8::/32"},
		{"fd00::9/128", "fd00::9"},
		{"::/0", "::/0"},
		{"::ffff:192.0.2.7", "192.0.2.7"},
	};
	static const char *const bad[] = {
		"",
		"/24",
		"192.0.2.0/",
		"192.0.2.0/33",
		"192.0.2.1/24",
		"10.0.0.0/-8",
		"10.0.0.0/ 8",
		"10.0.0.0/8/8",
		"2001:db8::1/64",
		"2001:db8::/129",
		"::/999999999999999999999",
		"::ffff:10.0.0.0/104",
		"::ffff:10.0.0.0/8",
		"128.0.0.0/0",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/8"};
	char text[IP_TEXT_MAX];
	struct ip_net n;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		n = net(good[i][0]);
		assert_string_equal(ip_net_format(&n, text, sizeof(text)),
				    good[i][1]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ip_net_parse(bad[i], &n));
}

static void containment(void **state)
{
	static const struct {
		const char *net;
		const char *addr;
		bool in;
	} rows[] = {
		{"192.0.2.0/24", "192.0.2.0", true},
		{"192.0.2.0/24", "192.0.2.255", true},
		{"192.0.2.0/24", "192.0.3.0", false},
		{"10.128.0.0/9", "10.255.1.1", true},
		{"10.128.0.0/9", "10.127.255.255", false},
		{"192.0.2.7", "192.0.2.7", true},
		{"192.0.2.7", "192.0.2.6", false},
		{"0.0.0.0/0", "203.0.113.1", true},
		{"0.0.0.0/0", "::1", false},
		{"::/0", "1.2.3.4", false},
		{"::/0", "2001:db8::1", true},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		{"2001:db8::1", "2001:db8::1", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip_net n = net(rows[i].net);
		struct ip_addr a = addr(rows[i].addr);

		assert_int_equal(ip_net_contains(&n, &a), rows[i].in);
	}
}

/* A slot of a list that nobody filled must not match a client without address. */
static void nothing_contains_nothing(void **state)
{
	struct ip_net empty = {.prefix = 0};

	(void)state;
	assert_false(ip_net_contains(&empty, &none));
}

static void sockaddrs_and_back(void **state)
{
	static const char *const texts[] = {"192.0.2.1", "2001:db8::1"};
	struct sockaddr_storage ss;
	struct ip_endpoint ep, back;
	char text[IP_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		ep = (struct ip_endpoint){.addr = addr(texts[i]), .port = 8080};
		assert_int_equal(ip_endpoint_to_sockaddr(&ep, &ss),
				 i == 0 ? sizeof(struct sockaddr_in)
					: sizeof(struct sockaddr_in6));
		assert_true(ip_endpoint_from_sockaddr(&back, &ss));
		assert_true(ip_addr_equal(&back.addr, &ep.addr));
		assert_int_equal(back.port, 8080);
	}
	ip_endpoint_format(&back, text, sizeof(text));
	assert_string_equal(text, "[2001:db8::1]:8080");
	back.addr = addr("192.0.2.1");
	ip_endpoint_format(&back, text, sizeof(text));
	assert_string_equal(text, "192.0.2.1:8080");
}

static void mapped_sockaddr_is_ipv4(void **state)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
				   .sin6_port = htons(80)};
	struct sockaddr_storage ss;
	struct ip_endpoint ep;
	struct ip_addr want = addr("192.0.2.1");

	(void)state;
	in6.sin6_addr.s6_addr[10] = 0xff;
	in6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(&in6.sin6_addr.s6_addr[12], want.bytes, 4);
	memset(&ss, 0, sizeof(ss));
	memcpy(&ss, &in6, sizeof(in6));
	assert_true(ip_endpoint_from_sockaddr(&ep, &ss));
	assert_true(ip_addr_equal(&ep.addr, &want));
	assert_int_equal(ep.port, 80);
}

/* An address of zeros would be this machine; connect(2) must refuse instead. */
static void no_address_is_no_sockaddr(void **state)
{
	struct ip_endpoint ep = {.addr = {.family = 0}, .port = 80};
	struct sockaddr_storage ss = {.ss_family = AF_UNIX};

	(void)state;
	assert_int_equal(ip_endpoint_to_sockaddr(&ep, &ss), 0);
	assert_int_equal(ss.ss_family, AF_UNSPEC);
	ss.ss_family = AF_UNIX;
	assert_false(ip_endpoint_from_sockaddr(&ep, &ss));
	assert_int_equal(ep.addr.family, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(address_equality_is_memory),
		cmocka_unit_test(networks),
		cmocka_unit_test(containment),
		cmocka_unit_test(nothing_contains_nothing),
		cmocka_unit_test(sockaddrs_and_back),
		cmocka_unit_test(mapped_sockaddr_is_ipv4),
		cmocka_unit_test(no_address_is_no_sockaddr),
	};

	return cmocka_run_group_tests_name("ip", tests, NULL, NULL);
}
