// SPDX-License-Identifier: GPL-2.0-or-later
/* What conntrack says of a connection, as it says it, cut short, and wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#include "guard.h"
#include "sys/ctflow.h"

#define TYPE(message) ((NFNL_SUBSYS_CTNETLINK << 8) | (message))

#define MESSAGE 1024

/* What stands in a message; what is false is left out. */
struct parts {
	uint8_t family;
	const char *client, *server, *back; /* where answers go: behind NAT */
	bool ended, sums, zone, mark, reply, id;
};

static const struct parts whole = {
	.family = AF_INET,
	.client = "10.1.2.3",
	.server = "192.0.2.1",
	.back = "198.51.100.9",
	.ended = true,
	.sums = true,
	.zone = true,
	.mark = true,
	.reply = true,
	.id = true,
};

static void put_tuple(struct nlmsghdr *nlh, uint16_t type, uint8_t family,
		      const char *src, const char *dst)
{
	bool v6 = family == AF_INET6;
	struct nlattr *tuple = mnl_attr_nest_start(nlh, type);
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	uint8_t addr[16];
	size_t n = v6 ? 16 : 4;

	assert_int_equal(inet_pton(family, src, addr), 1);
	mnl_attr_put(nlh, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, n, addr);
	assert_int_equal(inet_pton(family, dst, addr), 1);
	mnl_attr_put(nlh, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, n, addr);
	mnl_attr_nest_end(nlh, nest);
	nest = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, IPPROTO_TCP);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(4711));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(80));
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_nest_end(nlh, tuple);
}

static void put_sum(struct nlmsghdr *nlh, uint16_t type, uint64_t bytes,
		    uint64_t packets)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	mnl_attr_put_u64(nlh, CTA_COUNTERS_PACKETS, htobe64(packets));
	mnl_attr_put_u64(nlh, CTA_COUNTERS_BYTES, htobe64(bytes));
	mnl_attr_nest_end(nlh, nest);
}

static struct nlmsghdr *message(char *buf, const struct parts *p)
{
	struct nlmsghdr *nlh;
	struct nfgenmsg *nfg;

	/* The kernel's padding is zeros, libmnl leaves it as it was. */
	memset(buf, 0, MESSAGE);
	nlh = mnl_nlmsg_put_header(buf);
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nlh->nlmsg_type =
		TYPE(p->ended ? IPCTNL_MSG_CT_DELETE : IPCTNL_MSG_CT_NEW);
	nfg->nfgen_family = p->family;
	put_tuple(nlh, CTA_TUPLE_ORIG, p->family, p->client, p->server);
	if (p->reply)
		put_tuple(nlh, CTA_TUPLE_REPLY, p->family, p->server, p->back);
	if (p->id)
		mnl_attr_put_u32(nlh, CTA_ID, htonl(0x12345678));
	if (p->zone)
		mnl_attr_put_u16(nlh, CTA_ZONE, htons(1));
	if (p->mark)
		mnl_attr_put_u32(nlh, CTA_MARK, htonl(0x08030001));
	if (p->sums) {
		put_sum(nlh, CTA_COUNTERS_ORIG, UINT64_C(0x123456789a), 7);
		put_sum(nlh, CTA_COUNTERS_REPLY, 99, 2);
	}
	return nlh;
}

static void assert_addr(const struct ip_addr *addr, const char *text)
{
	char said[IP_TEXT_MAX];

	ip_addr_format(addr, said, sizeof(said));
	assert_string_equal(said, text);
}

static void test_all_of_it(void **state)
{
	char buf[MESSAGE];
	struct ctflow f;

	(void)state;
	assert_int_equal(ctflow_parse(message(buf, &whole), &f), 0);
	assert_true(f.ended);
	assert_addr(&f.from, "10.1.2.3");
	/* Who answers, and not where answers go. */
	assert_addr(&f.to, "192.0.2.1");
	assert_int_equal(f.protocol, IPPROTO_TCP);
	assert_int_equal(f.zone, 1);
	assert_int_equal(f.mark, 0x08030001);
	assert_true(f.has_sums);
	assert_int_equal(f.sum[CTFLOW_ORIGINAL].bytes, 0x123456789a);
	assert_int_equal(f.sum[CTFLOW_ORIGINAL].packets, 7);
	assert_int_equal(f.sum[CTFLOW_REPLY].bytes, 99);
	assert_int_equal(f.sum[CTFLOW_REPLY].packets, 2);
	assert_true(f.name_len > 0);
}

static void test_what_is_left_out(void **state)
{
	struct parts p = {.family = AF_INET6,
			  .client = "fd00::1",
			  .server = "2001:db8::2",
			  .back = "fd00::1",
			  .reply = true,
			  .id = true};
	char buf[MESSAGE];
	struct ctflow f;

	(void)state;
	assert_int_equal(ctflow_parse(message(buf, &p), &f), 0);
	assert_false(f.ended);
	assert_addr(&f.from, "fd00::1");
	assert_addr(&f.to, "2001:db8::2");
	assert_int_equal(f.zone, 0);
	assert_int_equal(f.mark, 0);
	assert_false(f.has_sums);
	assert_int_equal(f.sum[CTFLOW_REPLY].bytes, 0);
}

/* The list and the last word have the same name for one connection. */
static void test_name(void **state)
{
	struct parts listed = whole, other = whole;
	char buf[3][MESSAGE];
	struct ctflow a, b, c;

	(void)state;
	listed.ended = false;
	other.client = "10.1.2.4";
	assert_int_equal(ctflow_parse(message(buf[0], &whole), &a), 0);
	assert_int_equal(ctflow_parse(message(buf[1], &listed), &b), 0);
	assert_int_equal(ctflow_parse(message(buf[2], &other), &c), 0);
	assert_int_equal(a.name_len, b.name_len);
	assert_memory_equal(a.name, b.name, a.name_len);
	assert_int_equal(a.name_len, c.name_len);
	assert_memory_not_equal(a.name, c.name, a.name_len);
}

static void test_what_must_be_there(void **state)
{
	struct parts p = whole;
	char buf[MESSAGE];
	struct nlmsghdr *nlh;
	struct ctflow f;

	(void)state;
	p.reply = false;
	assert_int_equal(ctflow_parse(message(buf, &p), &f), -EBADMSG);
	p.reply = true;
	p.id = false;
	assert_int_equal(ctflow_parse(message(buf, &p), &f), -EBADMSG);
	nlh = message(buf, &whole);
	nlh->nlmsg_type = TYPE(IPCTNL_MSG_CT_GET);
	assert_int_equal(ctflow_parse(nlh, &f), -EBADMSG);
	nlh = message(buf, &whole);
	((struct nfgenmsg *)mnl_nlmsg_get_payload(nlh))->nfgen_family =
		AF_INET6;
	assert_int_equal(ctflow_parse(nlh, &f), -EBADMSG);
	((struct nfgenmsg *)mnl_nlmsg_get_payload(nlh))->nfgen_family =
		AF_BRIDGE;
	assert_int_equal(ctflow_parse(nlh, &f), -EBADMSG);
}

/* Cut at each length, against the end of a page: no byte behind it is read. */
static void test_cut_short(void **state)
{
	char buf[MESSAGE];
	struct nlmsghdr *nlh = message(buf, &whole);
	uint32_t len = nlh->nlmsg_len;
	struct ctflow f;

	(void)state;
	for (uint32_t n = NLMSG_HDRLEN; n < len; n += 4) {
		uint8_t *copy;

		nlh->nlmsg_len = n;
		copy = guard_copy(buf, n);
		/* Without its sums a message is whole, so this may be 0. */
		if (ctflow_parse((struct nlmsghdr *)copy, &f) == 0)
			assert_false(f.has_sums);
		guard_free(copy, n);
	}
}

/* Bytes changed at random: any answer will do that reads nothing else. */
static void test_nonsense(void **state)
{
	char buf[MESSAGE];
	uint32_t seed = 7;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct nlmsghdr *nlh = message(buf, &whole);
		uint32_t len = nlh->nlmsg_len;
		struct ctflow f;
		uint8_t *copy;

		for (int c = 0; c < 3; c++) {
			seed = seed * 1664525 + 1013904223;
			buf[NLMSG_HDRLEN + (seed >> 8) % (len - NLMSG_HDRLEN)] =
				(char)(seed >> 4);
		}
		copy = guard_copy(buf, len);
		if (ctflow_parse((struct nlmsghdr *)copy, &f) == 0)
			assert_true((const uint8_t *)f.name + f.name_len <=
				    copy + len);
		guard_free(copy, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_it),
		cmocka_unit_test(test_what_is_left_out),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_what_must_be_there),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
