// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "guard.h"
#include "sys/nfqueue_msg.h"

static _Alignas(8) char buf[4096];

/* A message as the kernel builds one, without attributes. */
static struct nlmsghdr *begin(uint16_t type)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = (NFNL_SUBSYS_QUEUE << 8) | type;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = AF_INET;
	nfg->res_id = htons(700);
	return nlh;
}

static void put_head(struct nlmsghdr *nlh, uint32_t id)
{
	struct nfqnl_msg_packet_hdr head = {.packet_id = htonl(id),
					    .hw_protocol = htons(0x86dd),
					    .hook = 2};

	mnl_attr_put(nlh, NFQA_PACKET_HDR, sizeof(head), &head);
}

static struct nlmsghdr *whole(void)
{
	struct nlmsghdr *nlh = begin(NFQNL_MSG_PACKET);

	put_head(nlh, 0x12345678);
	mnl_attr_put_u32(nlh, NFQA_MARK, htonl(0x40));
	mnl_attr_put_u32(nlh, NFQA_IFINDEX_INDEV, htonl(3));
	mnl_attr_put_u32(nlh, NFQA_IFINDEX_OUTDEV, htonl(4));
	mnl_attr_put_u32(nlh, NFQA_CAP_LEN, htonl(66000));
	mnl_attr_put_u32(nlh, NFQA_SKB_INFO, htonl(NFQA_SKB_GSO));
	mnl_attr_put(nlh, NFQA_PAYLOAD, 5, "hello");
	return nlh;
}

static void a_packet(void **state)
{
	struct nfqueue_packet p;

	(void)state;
	assert_true(nfqueue_packet_read(whole(), &p));
	assert_int_equal(p.queue, 700);
	assert_int_equal(p.id, 0x12345678);
	assert_int_equal(p.ethertype, 0x86dd);
	assert_int_equal(p.hook, 2);
	assert_int_equal(p.mark, 0x40);
	assert_int_equal(p.in, 3);
	assert_int_equal(p.out, 4);
	assert_int_equal(p.len, 5);
	assert_int_equal(p.full_len, 66000);
	assert_memory_equal(p.data, "hello", 5);
}

static void one_that_was_not_cut(void **state)
{
	struct nlmsghdr *nlh = begin(NFQNL_MSG_PACKET);
	struct nfqueue_packet p;

	(void)state;
	put_head(nlh, 1);
	mnl_attr_put(nlh, NFQA_PAYLOAD, 7, "goodbye");
	assert_true(nfqueue_packet_read(nlh, &p));
	assert_int_equal(p.full_len, 7);
	assert_int_equal(p.in, 0);
}

static void what_is_no_packet(void **state)
{
	struct nfqueue_packet p;
	struct nlmsghdr *nlh = begin(NFQNL_MSG_CONFIG);

	(void)state;
	put_head(nlh, 1);
	mnl_attr_put(nlh, NFQA_PAYLOAD, 1, "x");
	assert_false(nfqueue_packet_read(nlh, &p));
	nlh = begin(NFQNL_MSG_PACKET); /* no header */
	mnl_attr_put(nlh, NFQA_PAYLOAD, 1, "x");
	assert_false(nfqueue_packet_read(nlh, &p));
	nlh = begin(NFQNL_MSG_PACKET); /* no payload */
	put_head(nlh, 1);
	assert_false(nfqueue_packet_read(nlh, &p));
	nlh = begin(NFQNL_MSG_PACKET); /* half a header */
	mnl_attr_put(nlh, NFQA_PACKET_HDR, 4, "1234");
	mnl_attr_put(nlh, NFQA_PAYLOAD, 1, "x");
	assert_false(nfqueue_packet_read(nlh, &p));
	nlh = begin(NFQNL_MSG_PACKET); /* not even the family */
	nlh->nlmsg_len = sizeof(*nlh) + 2;
	assert_false(nfqueue_packet_read(nlh, &p));
}

/* At every length, and with every byte changed: nothing outside is read. */
static void damaged(void **state)
{
	struct nlmsghdr *nlh = whole();
	size_t full = nlh->nlmsg_len;
	struct nfqueue_packet p;

	(void)state;
	/* Netlink keeps messages aligned to four bytes. */
	for (size_t n = sizeof(*nlh); n <= full; n += NLMSG_ALIGNTO) {
		uint8_t *cut;

		whole()->nlmsg_len = (uint32_t)n;
		cut = guard_copy(buf, n);
		if (nfqueue_packet_read((void *)cut, &p))
			assert_true(p.data + p.len <= cut + n);
		guard_free(cut, n);
	}
	for (size_t at = sizeof(*nlh); at < full; at++) {
		for (unsigned int v = 0; v < 256; v++) {
			nlh = whole();
			buf[at] = (char)v;
			if (nfqueue_packet_read(nlh, &p))
				assert_true((char *)p.data + p.len <=
					    buf + full);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet),
		cmocka_unit_test(one_that_was_not_cut),
		cmocka_unit_test(what_is_no_packet),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
