// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "appctl/hints.h"
#include "policy/app.h"

static const struct siphash_key secret = {3, 4};
static const struct hints_limits limits = {64, 1000, 3};
static const struct ip_endpoint server = {{{192, 0, 2, 1}, 2}, 2222};
static const struct ip_endpoint other = {{{192, 0, 2, 1}, 2}, 2223};

static struct hints *make(void)
{
	struct hints *h = hints_new(&limits, &secret);

	assert_non_null(h);
	return h;
}

static bool learn(struct hints *h, uint16_t app, uint64_t now_ms)
{
	return hints_learn(h, 6, &server, app, false, now_ms);
}

static void flows_in_a_row(void **state)
{
	struct hints *h = make();
	struct hint hint;

	(void)state;
	assert_false(learn(h, APP_SSH, 0));
	assert_false(learn(h, APP_SSH, 1));
	assert_false(hints_find(h, 6, &server, 1, &hint));
	assert_true(learn(h, APP_SSH, 2));
	assert_true(hints_find(h, 6, &server, 502, &hint));
	assert_int_equal(hint.app, APP_SSH);
	assert_int_equal(hint.left_ms, 500);
	/* Another port, another protocol: another server. */
	assert_false(hints_find(h, 6, &other, 3, &hint));
	assert_false(hints_find(h, 17, &server, 3, &hint));
	/* It ends, and one flow more renews it. */
	assert_false(hints_find(h, 6, &server, 1002, &hint));
	assert_true(learn(h, APP_SSH, 1100));
	assert_true(hints_find(h, 6, &server, 1101, &hint));
	hints_free(h);
}

static void one_that_disagrees_bars(void **state)
{
	struct hints *h = make();
	struct hint hint;

	(void)state;
	for (int i = 0; i < 3; i++)
		learn(h, APP_SSH, 0);
	assert_true(hints_find(h, 6, &server, 1, &hint));
	assert_false(learn(h, APP_MYSQL, 10));
	assert_false(hints_find(h, 6, &server, 11, &hint));
	for (int i = 0; i < 10; i++)
		assert_false(learn(h, APP_SSH, 12));
	/* The bar is over. */
	assert_false(learn(h, APP_SSH, 1010));
	assert_false(learn(h, APP_SSH, 1011));
	assert_true(learn(h, APP_SSH, 1012));
	hints_free(h);
}

/* A name, or TLS, where there was a protocol: speaks against it as well. */
static void a_name_disagrees(void **state)
{
	struct hints *h = make();
	struct hint hint;

	(void)state;
	for (int i = 0; i < 3; i++)
		learn(h, APP_IMAPS, 0);
	assert_true(hints_find(h, 6, &server, 1, &hint));
	assert_false(hints_learn(h, 6, &server, APP_IMAPS, true, 2));
	assert_false(hints_find(h, 6, &server, 3, &hint));
	hints_free(h);
}

/* What the client alone may have made up counts against, never for. */
static void doubts(void **state)
{
	struct hints *h = make();
	struct hint hint;

	(void)state;
	for (int i = 0; i < 10; i++)
		hints_doubt(h, 6, &server, APP_SSH, 0);
	assert_false(hints_find(h, 6, &server, 1, &hint));
	for (int i = 0; i < 3; i++)
		learn(h, APP_SSH, 1);
	hints_doubt(h, 6, &server, APP_SSH, 2);
	assert_true(hints_find(h, 6, &server, 2, &hint));
	hints_doubt(h, 6, &server, APP_MYSQL, 3);
	assert_false(hints_find(h, 6, &server, 3, &hint));
	hints_free(h);
}

static void what_is_never_a_hint(void **state)
{
	static const uint16_t never[] = {
		APP_NONE, APP_UNKNOWN,	  APP_GATEWAY,	  APP_HTTP,
		APP_TLS,  APP_QUIC,	  APP_YOUTUBE,	  APP_FACEBOOK,
		APP_TOR,  APP_BITTORRENT, APP_CLOUDFLARE, 2047,
	};
	struct hints *h = make();
	struct hint hint;

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		assert_false(hints_want(never[i], false));
		for (int n = 0; n < 10; n++)
			assert_false(learn(h, never[i], 1));
		assert_false(hints_find(h, 6, &server, 2, &hint));
	}
	assert_true(hints_want(APP_SSH, false));
	assert_true(hints_want(APP_DNS, false));
	assert_false(hints_want(APP_IMAPS, true));
	hints_free(h);
}

/* More servers than fit: the table stays as large as it is. */
static void many_servers(void **state)
{
	struct hints *h = make();
	struct ip_endpoint s = server;
	struct hint hint;

	(void)state;
	for (unsigned int n = 0; n < 10000; n++) {
		s.port = (uint16_t)n;
		for (uint64_t i = 0; i < 3; i++)
			hints_learn(h, 6, &s, APP_SSH, false, n);
		assert_true(hints_find(h, 6, &s, n, &hint));
	}
	assert_true(hints_bytes(h) < 64 * 1024);
	hints_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_in_a_row),
		cmocka_unit_test(one_that_disagrees_bars),
		cmocka_unit_test(a_name_disagrees),
		cmocka_unit_test(doubts),
		cmocka_unit_test(what_is_never_a_hint),
		cmocka_unit_test(many_servers),
	};

	return cmocka_run_group_tests_name("hints", tests, NULL, NULL);
}
