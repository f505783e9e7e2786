// SPDX-License-Identifier: GPL-2.0-or-later
/* What the accounting module says, as it says it, cut short, and wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <string.h>

#include "guard.h"
#include "sys/acctnl.h"

static struct nlmsghdr *message(char *buf, uint8_t cmd)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *head =
		mnl_nlmsg_put_extra_header(nlh, sizeof(*head));

	nlh->nlmsg_type = 0x1c;
	head->cmd = cmd;
	return nlh;
}

static void put_value(struct nlmsghdr *nlh, uint8_t direction)
{
	mnl_attr_put_u8(nlh, SLUICE_ACCT_A_DIRECTION, direction);
	mnl_attr_put(nlh, SLUICE_ACCT_A_PAD, 0, NULL);
	mnl_attr_put_u64(nlh, SLUICE_ACCT_A_BYTES, UINT64_C(0x123456789a));
	mnl_attr_put_u64(nlh, SLUICE_ACCT_A_PACKETS, 77);
	mnl_attr_put_u64(nlh, SLUICE_ACCT_A_FLOWS, 3);
}

static struct in6_addr client(void)
{
	struct in6_addr addr;

	assert_int_equal(inet_pton(AF_INET6, "::ffff:10.1.2.3", &addr), 1);
	return addr;
}

static struct nlmsghdr *app_record(char *buf, uint16_t app)
{
	struct nlmsghdr *nlh = message(buf, SLUICE_ACCT_CMD_GET);
	struct in6_addr addr = client();

	mnl_attr_put(nlh, SLUICE_ACCT_A_CLIENT, sizeof(addr), &addr);
	mnl_attr_put_u16(nlh, SLUICE_ACCT_A_APP, app);
	put_value(nlh, SLUICE_ACCT_DOWN);
	return nlh;
}

static struct nlmsghdr *reason_record(char *buf, uint8_t reason)
{
	struct nlmsghdr *nlh = message(buf, SLUICE_ACCT_CMD_GET);

	mnl_attr_put_u8(nlh, SLUICE_ACCT_A_REASON, reason);
	put_value(nlh, SLUICE_ACCT_UP);
	return nlh;
}

static struct nlmsghdr *status(char *buf, size_t lan)
{
	struct nlmsghdr *nlh = message(buf, SLUICE_ACCT_CMD_STATUS);
	struct nlattr *nest = mnl_attr_nest_start(nlh, SLUICE_ACCT_A_LAN);

	for (uint32_t i = 0; i < lan; i++)
		mnl_attr_put_u32(nlh, SLUICE_ACCT_LAN_A_IFINDEX, 100 + i);
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_put_u16(nlh, SLUICE_ACCT_A_INTERCEPTED, 3);
	mnl_attr_put_u16(nlh, SLUICE_ACCT_A_GATEWAY, 2);
	mnl_attr_put_u32(nlh, SLUICE_ACCT_A_ENTRIES, 5);
	mnl_attr_put_u32(nlh, SLUICE_ACCT_A_ENTRIES_MAX, 6);
	mnl_attr_put_u32(nlh, SLUICE_ACCT_A_PENDING, 7);
	mnl_attr_put_u32(nlh, SLUICE_ACCT_A_PENDING_MAX, 8);
	mnl_attr_put_u64(nlh, SLUICE_ACCT_A_PENDING_LOST, 9);
	return nlh;
}

static void test_record_of_an_application(void **state)
{
	char buf[1024];
	struct acctnl_record r;
	struct in6_addr addr = client();

	(void)state;
	assert_int_equal(acctnl_parse_record(app_record(buf, 2047), &r), 0);
	assert_int_equal(r.app, 2047);
	assert_memory_equal(&r.client, &addr, sizeof(addr));
	assert_int_equal(r.direction, SLUICE_ACCT_DOWN);
	assert_int_equal(r.bytes, UINT64_C(0x123456789a));
	assert_int_equal(r.packets, 77);
	assert_int_equal(r.flows, 3);
}

static void test_record_of_a_reason(void **state)
{
	char buf[1024];
	struct acctnl_record r;

	(void)state;
	assert_int_equal(acctnl_parse_record(
				 reason_record(buf, SLUICE_ACCT_PENDING), &r),
			 0);
	assert_int_equal(r.app, 0);
	assert_int_equal(r.reason, SLUICE_ACCT_PENDING);
	assert_int_equal(r.direction, SLUICE_ACCT_UP);
	assert_int_equal(r.flows, 3);
	/* A newer module's: its bytes still belong into the sum. */
	assert_int_equal(acctnl_parse_record(reason_record(buf, 200), &r), 0);
	assert_int_equal(r.reason, 200);
}

static void test_status(void **state)
{
	char buf[2048];
	struct acctnl_status s;

	(void)state;
	assert_int_equal(acctnl_parse_status(status(buf, 2), &s), 0);
	assert_int_equal(s.lan_count, 2);
	assert_int_equal(s.lan[0], 100);
	assert_int_equal(s.lan[1], 101);
	assert_int_equal(s.intercepted, 3);
	assert_int_equal(s.gateway, 2);
	assert_int_equal(s.entries, 5);
	assert_int_equal(s.entries_max, 6);
	assert_int_equal(s.pending, 7);
	assert_int_equal(s.pending_max, 8);
	assert_int_equal(s.pending_lost, 9);
	assert_int_equal(acctnl_parse_status(status(buf, 0), &s), 0);
	assert_int_equal(s.lan_count, 0);
	assert_int_equal(
		acctnl_parse_status(status(buf, SLUICE_ACCT_LAN_MAX), &s), 0);
	assert_int_equal(s.lan_count, SLUICE_ACCT_LAN_MAX);
}

/* More interfaces than there can be must not run over the end of the list. */
static void test_status_with_too_many_interfaces(void **state)
{
	char buf[2048];
	struct acctnl_status s;

	(void)state;
	assert_int_equal(
		acctnl_parse_status(status(buf, SLUICE_ACCT_LAN_MAX + 1), &s),
		-EBADMSG);
}

static void test_family(void **state)
{
	char buf[256];
	struct nlmsghdr *nlh = message(buf, CTRL_CMD_NEWFAMILY);
	uint16_t family;

	(void)state;
	assert_int_equal(acctnl_parse_family(nlh, &family), -EBADMSG);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, SLUICE_ACCT_FAMILY);
	mnl_attr_put_u16(nlh, CTRL_ATTR_FAMILY_ID, 0x21);
	assert_int_equal(acctnl_parse_family(nlh, &family), 0);
	assert_int_equal(family, 0x21);
	mnl_attr_put_u16(nlh, CTRL_ATTR_FAMILY_ID, 0);
	assert_int_equal(acctnl_parse_family(nlh, &family), -EBADMSG);
}

/* What each parser makes of a message. */
static int parse_record(const struct nlmsghdr *nlh)
{
	struct acctnl_record r;

	return acctnl_parse_record(nlh, &r);
}

static int parse_status(const struct nlmsghdr *nlh)
{
	struct acctnl_status s;

	return acctnl_parse_status(nlh, &s);
}

static int parse_family(const struct nlmsghdr *nlh)
{
	uint16_t family;

	return acctnl_parse_family(nlh, &family);
}

typedef int (*parse_fn)(const struct nlmsghdr *nlh);

/*
 * @nlh cut off at each length, at the end of a page that nothing may be read
 * behind, and saying so itself (a receiver never passes on one that says more).
 */
static void cut_everywhere(const struct nlmsghdr *nlh, parse_fn parse)
{
	for (uint32_t len = sizeof(*nlh); len < nlh->nlmsg_len; len += 4) {
		uint8_t *copy = guard_copy(nlh, len);
		struct nlmsghdr *cut = (struct nlmsghdr *)(void *)copy;

		cut->nlmsg_len = len;
		assert_int_equal(parse(cut), -EBADMSG);
		guard_free(copy, len);
	}
}

static void test_cut_short(void **state)
{
	char buf[2048];
	struct nlmsghdr *nlh;

	(void)state;
	cut_everywhere(app_record(buf, 1), parse_record);
	cut_everywhere(reason_record(buf, 1), parse_record);
	cut_everywhere(status(buf, 3), parse_status);
	nlh = message(buf, CTRL_CMD_NEWFAMILY);
	mnl_attr_put_u16(nlh, CTRL_ATTR_FAMILY_ID, 0x21);
	cut_everywhere(nlh, parse_family);
}

/* An attribute of each type with each wrong length is refused, not misread. */
static void test_lengths(void **state)
{
	static const char zeros[32];

	(void)state;
	for (int type = SLUICE_ACCT_A_CLIENT; type <= SLUICE_ACCT_A_FLOWS;
	     type++) {
		for (size_t len = 0; len < sizeof(zeros); len++) {
			char buf[1024];
			struct nlmsghdr *nlh = app_record(buf, 1);

			mnl_attr_put(nlh, (uint16_t)type, len, zeros);
			if (type == SLUICE_ACCT_A_CLIENT && len == 16)
				continue;
			if (type == SLUICE_ACCT_A_APP && len == 2)
				continue;
			if (type <= SLUICE_ACCT_A_DIRECTION && len == 1 &&
			    type >= SLUICE_ACCT_A_REASON)
				continue;
			if (type >= SLUICE_ACCT_A_BYTES && len == 8)
				continue;
			assert_int_equal(parse_record(nlh), -EBADMSG);
		}
	}
}

static void test_values(void **state)
{
	char buf[1024];
	struct nlmsghdr *nlh;

	(void)state;
	assert_int_equal(parse_record(app_record(buf, 0)), -EBADMSG);
	assert_int_equal(parse_record(app_record(buf, 2048)), -EBADMSG);
	nlh = app_record(buf, 1);
	mnl_attr_put_u8(nlh, SLUICE_ACCT_A_DIRECTION, 2);
	assert_int_equal(parse_record(nlh), -EBADMSG);
}

/* Attributes of a newer module are none of our business. */
static void test_unknown_attributes(void **state)
{
	char buf[1024];
	struct nlmsghdr *nlh = app_record(buf, 1);

	(void)state;
	mnl_attr_put_u64(nlh, SLUICE_ACCT_A_MAX + 1, 1);
	mnl_attr_put_u64(nlh, 0x3fff, 1);
	assert_int_equal(parse_record(nlh), 0);
	nlh = status(buf, 1);
	mnl_attr_put_u64(nlh, SLUICE_ACCT_A_MAX + 1, 1);
	assert_int_equal(parse_status(nlh), 0);
}

/* Bytes of no meaning, from a fixed seed: no crash, no reading beyond. */
static void test_noise(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char buf[2048];
		struct nlmsghdr *nlh = status(buf, 2);
		const struct nlmsghdr *placed;
		uint8_t *copy;

		for (int i = 0; i < 4; i++) {
			uint32_t at;

			seed = seed * 1664525 + 1013904223;
			at = sizeof(*nlh) +
			     (seed >> 8) % (nlh->nlmsg_len - sizeof(*nlh));
			buf[at] = (char)(seed >> 24);
		}
		copy = guard_copy(nlh, nlh->nlmsg_len);
		placed = (const struct nlmsghdr *)(const void *)copy;
		(void)parse_record(placed);
		(void)parse_status(placed);
		(void)parse_family(placed);
		guard_free(copy, nlh->nlmsg_len);
	}
}

/* Each errno that acctnl.h names has words of its own. */
static void test_errors_in_words(void **state)
{
	static const int errors[] = {ENOENT, EPERM,  ENODEV,
				     E2BIG,  EINVAL, EBADMSG};

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		assert_string_not_equal(acctnl_error(-errors[i]),
					strerror(errors[i]));
	assert_string_equal(acctnl_error(-ENOBUFS), strerror(ENOBUFS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_of_an_application),
		cmocka_unit_test(test_record_of_a_reason),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_status_with_too_many_interfaces),
		cmocka_unit_test(test_family),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_unknown_attributes),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_errors_in_words),
	};

	return cmocka_run_group_tests_name("acctnl", tests, NULL, NULL);
}
