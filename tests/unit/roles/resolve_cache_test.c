// SPDX-License-Identifier: GPL-2.0-or-later
/* What the resolve role remembers, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "roles/resolve/cache.h"

static const struct siphash_key key = {1, 2};
static const struct msg_resolved absent = {.id = 9, .status = -ENOENT};

static int set_up(void **state)
{
	struct name_cache *cache = malloc(sizeof(*cache));

	assert_non_null(cache);
	name_cache_init(cache, &key);
	*state = cache;
	return 0;
}

static int tear_down(void **state)
{
	name_cache_clear(*state);
	free(*state);
	return 0;
}

static struct msg_resolved found(const char *addr)
{
	struct msg_resolved msg = {.id = 9, .count = 1};

	assert_true(ip_addr_parse(addr, &msg.addrs[0]));
	return msg;
}

static bool known(struct name_cache *cache, const char *name, uint64_t now_ms)
{
	struct msg_resolved answer;

	return name_cache_find(cache, name, now_ms, &answer);
}

static void what_was_found(void **state)
{
	struct msg_resolved in = found("2001:db8::1"), out;
	struct name_cache *cache = *state;

	assert_false(known(cache, "a.test", 0));
	name_cache_keep(cache, "a.test", &in, 60, 5000);
	assert_true(name_cache_find(cache, "a.test", 5000, &out));
	assert_int_equal(out.id, 0); /* of no question in particular */
	in.id = 0;
	assert_memory_equal(&in, &out, sizeof(in));
	assert_false(known(cache, "a.tes", 5000));
	assert_false(known(cache, "a.test.", 5000));
	name_cache_keep(cache, "a.test", &absent, 60, 6000);
	assert_true(name_cache_find(cache, "a.test", 6000, &out));
	assert_int_equal(out.status, -ENOENT);
	assert_int_equal(cache->count, 1);
}

static void times(void **state)
{
	static const struct {
		uint32_t ttl_s;
		uint64_t kept_ms;
	} cases[] = {{0, 1000},	      {1, 1000},	   {2, 2000},
		     {299, 299000},   {300, 300000},	   {301, 300000},
		     {86400, 300000}, {UINT32_MAX, 300000}};
	struct msg_resolved in = found("192.0.2.1");
	struct name_cache *cache = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t now = 1000000 * i;

		name_cache_keep(cache, "a.test", &in, cases[i].ttl_s, now);
		assert_true(known(cache, "a.test", now + cases[i].kept_ms - 1));
		assert_false(known(cache, "a.test", now + cases[i].kept_ms));
		assert_int_equal(cache->count, 0);
	}
	name_cache_keep(cache, "a.test", &absent, 3600, 0);
	assert_true(known(cache, "a.test", 4999));
	assert_false(known(cache, "a.test", 5000));
}

/* It may work a moment later. */
static void failures_are_not_kept(void **state)
{
	static const int statuses[] = {-ETIMEDOUT, -EPROTO, -EAGAIN, -EIO};
	struct msg_resolved in = found("192.0.2.1");
	struct name_cache *cache = *state;

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct msg_resolved msg = {.status = statuses[i]};

		name_cache_keep(cache, "a.test", &msg, 60, 0);
		assert_int_equal(cache->count, 0);
	}
	/* ... and take nothing away. */
	name_cache_keep(cache, "a.test", &in, 60, 0);
	in.status = -ETIMEDOUT;
	name_cache_keep(cache, "a.test", &in, 60, 0);
	assert_true(known(cache, "a.test", 0));
}

static void the_longest_unused_give_way(void **state)
{
	struct msg_resolved in = found("192.0.2.1");
	struct name_cache *cache = *state;
	char name[32];

	for (unsigned int i = 0; i < CACHE_NAMES; i++) {
		snprintf(name, sizeof(name), "n%u.test", i);
		name_cache_keep(cache, name, &in, 60, 0);
	}
	assert_int_equal(cache->count, CACHE_NAMES);
	assert_true(known(cache, "n0.test", 0)); /* used again */
	name_cache_keep(cache, "more.test", &in, 60, 0);
	name_cache_keep(cache, "evenmore.test", &in, 60, 0);
	assert_int_equal(cache->count, CACHE_NAMES);
	assert_true(known(cache, "n0.test", 0));
	assert_false(known(cache, "n1.test", 0));
	assert_false(known(cache, "n2.test", 0));
	assert_true(known(cache, "n3.test", 0));
	assert_true(known(cache, "more.test", 0));
	name_cache_clear(cache);
	assert_int_equal(cache->count, 0);
	assert_false(known(cache, "more.test", 0));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_found),
		TEST(times),
		TEST(failures_are_not_kept),
		TEST(the_longest_unused_give_way),
	};

	return cmocka_run_group_tests_name("cache of names", tests, NULL, NULL);
}
