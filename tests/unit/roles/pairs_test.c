// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "roles/net/pairs.h"

static const struct siphash_key secret = {1, 2};

static struct nft_pair pair(const char *client, const char *server)
{
	struct nft_pair p;

	memset(&p, 0, sizeof(p));
	assert_true(ip_addr_parse(client, &p.client));
	assert_true(ip_addr_parse(server, &p.server));
	return p;
}

static int start(void **state)
{
	*state = pairs_new(&secret);
	return *state != NULL ? 0 : -1;
}

static int end(void **state)
{
	pairs_free(*state);
	return 0;
}

static void count_gone(const struct nft_pair *gone, void *arg)
{
	(void)gone;
	++*(unsigned int *)arg;
}

static unsigned int expire(struct pairs *p, uint64_t before_ms)
{
	unsigned int gone = 0;

	pairs_expire(p, before_ms, count_gone, &gone);
	return gone;
}

/* Once is enough, and the last one to drop it decides. */
static void held_by_relays(void **state)
{
	struct pairs *p = *state;
	struct nft_pair a = pair("10.0.0.1", "192.0.2.1");

	assert_false(pairs_known(p, &a));
	assert_int_equal(pairs_hold(p, &a, 0), 1);
	assert_int_equal(pairs_hold(p, &a, 0), 0);
	assert_int_equal(pairs_hold(p, &a, 63), 0);
	assert_int_equal(pairs_count(p), 1);
	assert_true(pairs_held_by(p, &a, 63));
	assert_false(pairs_held_by(p, &a, 62));
	pairs_drop(p, &a, 62, 10);
	pairs_drop(p, &a, 0, 10);
	pairs_drop(p, &a, 0, 10);
	assert_int_equal(pairs_count(p), 1);
	pairs_drop(p, &a, 63, 10);
	assert_int_equal(pairs_count(p), 0);
	assert_false(pairs_held_by(p, &a, 63));
}

/* What nobody holds stays a while, and is taken up again where it is. */
static void lingers(void **state)
{
	struct pairs *p = *state;
	struct nft_pair a = pair("10.0.0.1", "192.0.2.1");
	struct nft_pair b = pair("fd00::1", "fd00::2");

	assert_int_equal(pairs_hold(p, &a, 0), 1);
	assert_int_equal(pairs_hold(p, &b, 0), 1);
	assert_int_equal(expire(p, 1000), 0);
	pairs_drop(p, &a, 0, 20);
	pairs_drop(p, &a, 0, 40);
	pairs_drop_all(p, 0, 30);
	assert_int_equal(pairs_count(p), 0);
	assert_true(pairs_known(p, &a));
	assert_int_equal(expire(p, 19), 0);
	assert_int_equal(expire(p, 20), 1);
	assert_false(pairs_known(p, &a));
	assert_int_equal(pairs_hold(p, &b, 1), 0);
	assert_int_equal(pairs_count(p), 1);
	assert_int_equal(expire(p, 1000), 0);
	assert_int_equal(pairs_hold(p, &a, 1), 1);
}

/* A pair is a direction, and a family. */
static void what_differs(void **state)
{
	struct pairs *p = *state;
	struct nft_pair a = pair("10.0.0.1", "10.0.0.2");
	struct nft_pair b = pair("10.0.0.2", "10.0.0.1");
	struct nft_pair c = pair("fd00::1", "fd00::2");
	struct nft_pairs all;

	assert_int_equal(pairs_hold(p, &a, 1), 1);
	assert_false(pairs_known(p, &b));
	assert_int_equal(pairs_hold(p, &b, 1), 1);
	assert_int_equal(pairs_hold(p, &c, 1), 1);
	pairs_drop(p, &a, 1, 1);
	pairs_all(p, &all);
	assert_int_equal(all.count4, 2);
	assert_int_equal(all.count6, 1);
	assert_memory_equal(&all.list6[0], &c, sizeof(c));
	assert_int_equal(expire(p, 1), 1);
	pairs_all(p, &all);
	assert_int_equal(all.count4, 1);
	assert_memory_equal(&all.list4[0], &b, sizeof(b));
}

static struct nft_pair numbered(uint32_t n)
{
	struct nft_pair p = pair("10.0.0.0", "192.0.2.1");

	p.client.bytes[1] = (uint8_t)(n >> 16);
	p.client.bytes[2] = (uint8_t)(n >> 8);
	p.client.bytes[3] = (uint8_t)n;
	return p;
}

/* Relay 0 has the even ones, 1 the odd ones, 2 every third besides. */
static void fill(struct pairs *p)
{
	for (uint32_t i = 0; i < PAIRS_MAX; i++) {
		struct nft_pair a = numbered(i);

		assert_int_equal(pairs_hold(p, &a, i % 2), 1);
		if (i % 3 == 0)
			assert_int_equal(pairs_hold(p, &a, 2), 0);
	}
}

static void full(void **state)
{
	struct nft_pair more = numbered(PAIRS_MAX), known = numbered(7);
	struct nft_pair other = pair("fd00::1", "fd00::2");
	struct pairs *p = *state;

	fill(p);
	assert_int_equal(pairs_hold(p, &more, 0), -ENOSPC);
	assert_false(pairs_known(p, &more));
	assert_int_equal(pairs_hold(p, &known, 0), 0);
	assert_int_equal(pairs_hold(p, &other, 0), 1);
	pairs_drop(p, &known, 1, 1);
	assert_int_equal(expire(p, 1), 0);
	pairs_drop(p, &known, 0, 1);
	assert_int_equal(pairs_hold(p, &more, 0), -ENOSPC);
	assert_int_equal(expire(p, 1), 1);
	assert_int_equal(pairs_hold(p, &more, 0), 1);
}

/* Whoever goes first, the others are found: a list without gaps. */
static void a_relay_goes(void **state)
{
	struct pairs *p = *state;
	struct nft_pairs all;

	fill(p);
	pairs_drop_all(p, 1, 1);
	assert_int_equal(pairs_count(p), PAIRS_MAX - 5461);
	assert_int_equal(expire(p, 1), 5461);
	for (uint32_t i = 0; i < PAIRS_MAX; i++) {
		struct nft_pair a = numbered(i);

		assert_int_equal(pairs_known(p, &a), i % 2 == 0 || i % 3 == 0);
		pairs_drop(p, &a, 2, i);
		pairs_drop(p, &a, 0, i);
		(void)expire(p, i % 5 == 0 ? i : 0);
	}
	(void)expire(p, PAIRS_MAX);
	pairs_all(p, &all);
	assert_int_equal(all.count4, 0);
	assert_int_equal(pairs_count(p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(held_by_relays, start, end),
		cmocka_unit_test_setup_teardown(lingers, start, end),
		cmocka_unit_test_setup_teardown(what_differs, start, end),
		cmocka_unit_test_setup_teardown(full, start, end),
		cmocka_unit_test_setup_teardown(a_relay_goes, start, end),
	};

	return cmocka_run_group_tests_name("pairs", tests, NULL, NULL);
}
