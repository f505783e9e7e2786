// SPDX-License-Identifier: GPL-2.0-or-later
/* What becomes of c-ares's findings on their way to a relay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "roles/resolve/answer.h"

#define NODES 16

struct found {
	struct ares_addrinfo info;
	struct ares_addrinfo_node nodes[NODES];
	struct ares_addrinfo_cname cname;
	struct sockaddr_storage addrs[NODES];
	unsigned int count;
};

static void add(struct found *f, const char *text, int ttl)
{
	struct ares_addrinfo_node *node = &f->nodes[f->count];
	struct sockaddr_storage *ss = &f->addrs[f->count];
	struct ip_endpoint ep = {.port = 0};

	assert_true(f->count < NODES);
	assert_true(ip_addr_parse(text, &ep.addr));
	memset(node, 0, sizeof(*node));
	node->ai_addrlen = ip_endpoint_to_sockaddr(&ep, ss);
	node->ai_family = ss->ss_family;
	node->ai_addr = (struct sockaddr *)ss;
	node->ai_ttl = ttl;
	if (f->count > 0)
		f->nodes[f->count - 1].ai_next = node;
	f->info.nodes = &f->nodes[0];
	f->count++;
}

/* The addresses told, as text with spaces. */
static const char *told(const struct msg_resolved *msg)
{
	static char text[512];
	char one[IP_TEXT_MAX];
	struct strbuf sb;

	strbuf_init(&sb, text, sizeof(text));
	for (uint32_t i = 0; i < msg->count; i++)
		strbuf_printf(&sb, "%s%s", i > 0 ? " " : "",
			      ip_addr_format(&msg->addrs[i], one, sizeof(one)));
	return text;
}

static void order_and_rest(void **state)
{
	static const struct msg_resolved zero;
	struct found f = {.count = 0};
	struct msg_resolved msg;
	uint32_t ttl;

	(void)state;
	memset(&msg, 0xff, sizeof(msg));
	add(&f, "2001:db8::1", 60);
	add(&f, "192.0.2.1", 30);
	add(&f, "2001:db8::2", 90);
	answer_from(ARES_SUCCESS, &f.info, &msg, &ttl);
	assert_int_equal(msg.status, 0);
	assert_int_equal(msg.id, 0);
	assert_string_equal(told(&msg), "2001:db8::1 192.0.2.1 2001:db8::2");
	assert_int_equal(ttl, 30);
	assert_memory_equal(&msg.addrs[3], zero.addrs,
			    (MSG_ADDRS - 3) * sizeof(msg.addrs[0]));
}

/* The alias may change sooner than where it leads. */
static void shortest_life(void **state)
{
	struct found f = {.cname = {.ttl = 5}};
	struct msg_resolved msg;
	uint32_t ttl;

	(void)state;
	add(&f, "192.0.2.1", 30);
	f.info.cnames = &f.cname;
	answer_from(ARES_SUCCESS, &f.info, &msg, &ttl);
	assert_int_equal(ttl, 5);
	f.cname.ttl = -1; /* the highest bit: RFC 2181 8 */
	answer_from(ARES_SUCCESS, &f.info, &msg, &ttl);
	assert_int_equal(ttl, 0);
}

static void fill(struct found *f, const char *format, unsigned int n)
{
	char text[64];

	for (unsigned int i = 1; i <= n; i++) {
		snprintf(text, sizeof(text), "%s%u", format, i);
		add(f, text, 60);
	}
}

static void room_for_both(void **state)
{
	static const struct {
		unsigned int six, four; /* found, in this order */
		unsigned int told6, told4;
	} cases[] = {{8, 0, 8, 0},  {9, 0, 8, 0}, {8, 1, 7, 1},
		     {12, 2, 6, 2}, {8, 8, 4, 4}, {4, 8, 4, 4},
		     {2, 10, 2, 6}, {0, 9, 0, 8}, {1, 1, 1, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct found f = {.count = 0};
		struct msg_resolved msg;
		unsigned int six = 0;
		uint32_t ttl;

		fill(&f, "2001:db8::", cases[i].six);
		fill(&f, "192.0.2.", cases[i].four);
		answer_from(ARES_SUCCESS, &f.info, &msg, &ttl);
		while (six < msg.count && msg.addrs[six].family == AF_INET6)
			six++;
		assert_int_equal(six, cases[i].told6);
		assert_int_equal(msg.count - six, cases[i].told4);
	}
}

static void without_addresses(void **state)
{
	static const struct {
		int ares;
		int status;
	} cases[] = {{ARES_ENOTFOUND, -ENOENT},	   {ARES_ENODATA, -ENOENT},
		     {ARES_ETIMEOUT, -ETIMEDOUT},  {ARES_ESERVFAIL, -EPROTO},
		     {ARES_EREFUSED, -EPROTO},	   {ARES_EBADRESP, -EPROTO},
		     {ARES_ECONNREFUSED, -EPROTO}, {ARES_ENOMEM, -EIO},
		     {ARES_EFILE, -EIO},	   {ARES_SUCCESS, -ENOENT}};
	struct found f = {.count = 0};
	struct msg_resolved msg;
	uint32_t ttl;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		answer_from(cases[i].ares, NULL, &msg, &ttl);
		assert_int_equal(msg.status, cases[i].status);
		assert_int_equal(msg.count, 0);
		answer_from(cases[i].ares, &f.info, &msg, &ttl);
		assert_int_equal(msg.status, cases[i].status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_rest),
		cmocka_unit_test(shortest_life),
		cmocka_unit_test(room_for_both),
		cmocka_unit_test(without_addresses),
	};

	return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
