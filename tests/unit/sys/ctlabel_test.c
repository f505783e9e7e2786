// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <netinet/in.h>

#include "render/marks.h"
#include "sys/ctlabel.h"

static struct ctlabel label(const char *src, const char *dst)
{
	struct ctlabel l = {
		.protocol = IPPROTO_TCP,
		.bits = 5U << LABEL_SHIFT | LABEL_HINT,
	};

	assert_true(ip_addr_parse(src, &l.src.addr));
	assert_true(ip_addr_parse(dst, &l.dst.addr));
	l.src.port = 40000;
	l.dst.port = 443;
	return l;
}

static void is_what_the_kernel_reads(void **state)
{
	/* struct nfgenmsg and attributes, as `strace conntrack -U` shows. */
	static const uint8_t body[] = {
		AF_INET, 0, 0,	  0,	0x34, 0,    0x01, 0x80, /* orig */
		0x14,	 0, 0x01, 0x80,				/* ip */
		0x08,	 0, 0x01, 0,	10,   0,    0,	  1,	/* src */
		0x08,	 0, 0x02, 0,	10,   0,    0,	  2,	/* dst */
		0x1c,	 0, 0x02, 0x80,				/* proto */
		0x05,	 0, 0x01, 0,	6,    0,    0,	  0,	/* number */
		0x06,	 0, 0x02, 0,	0x9c, 0x40, 0,	  0,	/* port */
		0x06,	 0, 0x03, 0,	0x01, 0xbb, 0,	  0,
		0x08,	 0, 0x08, 0,	0x08, 0x05, 0,	  0, /* mark */
		0x08,	 0, 0x15, 0,	0x0f, 0xff, 0,	  0, /* mask */
	};
	_Alignas(8) char buf[CTLABEL_MAX];
	struct ctlabel l = label("10.0.0.1", "10.0.0.2");
	size_t n = ctlabel_put(buf, &l);
	const struct nlmsghdr *nlh = (void *)buf;

	(void)state;
	assert_int_equal(n, sizeof(*nlh) + sizeof(body));
	assert_int_equal(nlh->nlmsg_len, n);
	assert_int_equal(nlh->nlmsg_type, 0x100);
	assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST);
	assert_memory_equal(mnl_nlmsg_get_payload(nlh), body, sizeof(body));
}

static void what_is_not_sent(void **state)
{
	_Alignas(8) char buf[CTLABEL_MAX];
	struct ctlabel l = label("10.0.0.1", "2001:db8::1");

	(void)state;
	assert_int_equal(ctlabel_put(buf, &l), 0);
	l = label("10.0.0.1", "10.0.0.2");
	l.bits |= 1; /* somebody else's */
	assert_int_equal(ctlabel_put(buf, &l), 0);
	l.bits = 0x10000000;
	assert_int_equal(ctlabel_put(buf, &l), 0);
	memset(&l.src, 0, sizeof(l.src));
	l.bits = 0;
	assert_int_equal(ctlabel_put(buf, &l), 0);
}

static void turned_round(void **state)
{
	static const char *const ends[][2] = {{"10.0.0.1", "192.0.2.7"},
					      {"2001:db8::1", "2001:db8:9::2"}};
	_Alignas(8) char sent[CTLABEL_MAX], back[CTLABEL_MAX],
		want[CTLABEL_MAX], again[CTLABEL_MAX];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ctlabel l = label(ends[i][0], ends[i][1]);
		struct ctlabel r = label(ends[i][1], ends[i][0]);
		size_t n = ctlabel_put(sent, &l);

		r.src.port = 443;
		r.dst.port = 40000;
		assert_true(n > 0 && n <= CTLABEL_MAX);
		assert_int_equal(ctlabel_put(want, &r), n);
		assert_int_equal(ctlabel_turn(back, (void *)sent, n), n);
		/* Equal but for the number, which says that it is turned. */
		((struct nlmsghdr *)(void *)want)->nlmsg_seq =
			((struct nlmsghdr *)(void *)back)->nlmsg_seq;
		assert_memory_equal(back, want, n);
		assert_int_equal(ctlabel_turn(again, (void *)back, n), 0);
		/* Cut off anywhere. */
		for (size_t cut = 0; cut < n; cut++)
			assert_int_equal(ctlabel_turn(again, (void *)sent, cut),
					 0);
	}
}

/* Whatever comes back instead, no foreign bit and no overrun comes of it. */
static void damaged(void **state)
{
	_Alignas(8) char sent[CTLABEL_MAX], out[CTLABEL_MAX + 64];
	struct ctlabel l = label("2001:db8::1", "2001:db8:9::2");
	size_t n = ctlabel_put(sent, &l);

	(void)state;
	for (size_t at = 0; at < n; at++) {
		for (unsigned int v = 0; v < 256; v++) {
			size_t got;

			(void)!ctlabel_put(sent, &l);
			sent[at] = (char)v;
			memset(out, 0x5a, sizeof(out));
			got = ctlabel_turn(out, (void *)sent, n);
			assert_true(got <= CTLABEL_MAX);
			for (size_t i = CTLABEL_MAX; i < sizeof(out); i++)
				assert_int_equal(out[i], 0x5a);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_what_the_kernel_reads),
		cmocka_unit_test(what_is_not_sent),
		cmocka_unit_test(turned_round),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
