// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who is asked for what, and who is told; the name servers (dns.c) are this
 * file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "roles/resolve/questions.h"

#define ASKED_MAX 2000

/* --- name servers ----------------------------------------------------------- */

static struct {
	char name[MSG_HOST_MAX];
	dns_fn fn;
	void *user;
} asked[ASKED_MAX];
static unsigned int nasked;
static int dns_says; /* what dns_ask() returns */

int dns_ask(struct dns *d, const char *name, dns_fn fn, void *user)
{
	(void)d;
	if (dns_says != 0)
		return dns_says;
	assert_true(nasked < ASKED_MAX);
	snprintf(asked[nasked].name, sizeof(asked[nasked].name), "%s", name);
	asked[nasked].fn = fn;
	asked[nasked++].user = user;
	return 0;
}

static void servers_answer(unsigned int i, int status)
{
	struct msg_resolved msg = {.status = status, .count = status == 0};

	msg.addrs[0].family = status == 0 ? AF_INET : 0;
	asked[i].fn(asked[i].user, &msg, 60);
}

/* --- askers ------------------------------------------------------------------ */

struct relay {
	struct asker asker;
	unsigned int told;
	uint64_t last_id;
	int last_status;
	bool forgets; /* when it is told: its channel broke */
};

static void on_told(struct asker *a, const struct msg_resolved *answer)
{
	struct relay *r = list_entry(a, struct relay, asker);

	r->told++;
	r->last_id = answer->id;
	r->last_status = answer->status;
	if (r->forgets)
		asker_forget(a);
}

struct fixture {
	struct dns dns;
	struct loop loop;
	struct stats stats;
	struct questions q;
	struct relay a, b;
};

static int set_up(void **state)
{
	static const struct siphash_key key = {1, 2};
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	nasked = 0;
	dns_says = 0;
	f->dns.max = DNS_LOOKUPS;
	questions_init(&f->q, &f->dns, &f->loop, &f->stats, 2, &key);
	asker_init(&f->a.asker, on_told);
	asker_init(&f->b.asker, on_told);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	asker_forget(&f->a.asker);
	asker_forget(&f->b.asker);
	questions_close(&f->q);
	assert_int_equal(stats_get(&f->stats, RESOLVE_UNDER_WAY), 0);
	assert_int_equal(f->a.asker.under_way + f->b.asker.under_way, 0);
	free(f);
	return 0;
}

static void is_told(const struct relay *r, unsigned int times, uint64_t id,
		    int status)
{
	assert_int_equal(r->told, times);
	assert_int_equal(r->last_id, id);
	assert_int_equal(r->last_status, status);
}

static void one_question(void **state)
{
	struct fixture *f = *state;

	questions_ask(&f->q, &f->a.asker, 7, "a.test");
	assert_int_equal(f->a.told, 0);
	assert_int_equal(nasked, 1);
	assert_string_equal(asked[0].name, "a.test");
	assert_int_equal(stats_get(&f->stats, RESOLVE_UNDER_WAY), 1);
	servers_answer(0, 0);
	is_told(&f->a, 1, 7, 0);
	assert_int_equal(stats_get(&f->stats, RESOLVE_UNDER_WAY), 0);
	assert_int_equal(stats_get(&f->stats, RESOLVE_CACHED), 1);
	/* From now on it is known, to the other one as well. */
	questions_ask(&f->q, &f->b.asker, 8, "a.test");
	is_told(&f->b, 1, 8, 0);
	assert_int_equal(nasked, 1);
	assert_int_equal(stats_get(&f->stats, RESOLVE_CACHE_HITS), 1);
	questions_forget_answers(&f->q);
	questions_ask(&f->q, &f->b.asker, 9, "a.test");
	assert_int_equal(nasked, 2);
}

static void a_query_is_shared(void **state)
{
	struct fixture *f = *state;

	questions_ask(&f->q, &f->a.asker, 1, "a.test");
	questions_ask(&f->q, &f->a.asker, 2, "a.test");
	questions_ask(&f->q, &f->b.asker, 1, "a.test");
	questions_ask(&f->q, &f->b.asker, 2, "b.test");
	assert_int_equal(nasked, 2);
	assert_int_equal(stats_get(&f->stats, RESOLVE_SHARED), 2);
	servers_answer(0, -ENOENT);
	is_told(&f->a, 2, 2, -ENOENT);
	is_told(&f->b, 1, 1, -ENOENT);
	assert_int_equal(stats_get(&f->stats, RESOLVE_NOT_FOUND), 3);
	servers_answer(1, -ETIMEDOUT);
	is_told(&f->b, 2, 2, -ETIMEDOUT);
	assert_int_equal(stats_get(&f->stats, RESOLVE_FAILURES), 1);
	/* A failure is not remembered. */
	questions_ask(&f->q, &f->b.asker, 3, "b.test");
	assert_int_equal(nasked, 3);
}

static void who_went_is_not_told(void **state)
{
	struct fixture *f = *state;

	questions_ask(&f->q, &f->a.asker, 1, "a.test");
	questions_ask(&f->q, &f->b.asker, 1, "a.test");
	asker_forget(&f->a.asker);
	servers_answer(0, 0);
	assert_int_equal(f->a.told, 0);
	is_told(&f->b, 1, 1, 0);
	/* Nobody waits any more: remembered all the same. */
	questions_ask(&f->q, &f->a.asker, 2, "b.test");
	asker_forget(&f->a.asker);
	assert_int_equal(stats_get(&f->stats, RESOLVE_UNDER_WAY), 1);
	servers_answer(1, 0);
	assert_int_equal(stats_get(&f->stats, RESOLVE_CACHED), 2);
}

static void one_that_goes_while_it_is_told(void **state)
{
	struct fixture *f = *state;

	f->a.forgets = true;
	for (uint64_t id = 1; id < 6; id++)
		questions_ask(&f->q, &f->a.asker, id, "a.test");
	questions_ask(&f->q, &f->b.asker, 1, "a.test");
	servers_answer(0, 0);
	assert_int_equal(f->a.told, 1);
	assert_int_equal(f->b.told, 1);
}

/* What one can't have is left to the others. */
static void a_share_each(void **state)
{
	struct fixture *f = *state;
	char name[32];

	for (unsigned int i = 0; i < DNS_LOOKUPS; i++) {
		snprintf(name, sizeof(name), "n%u.test", i);
		questions_ask(&f->q, &f->a.asker, i, name);
	}
	assert_int_equal(nasked, DNS_LOOKUPS / 2);
	assert_int_equal(f->a.told, DNS_LOOKUPS / 2);
	assert_int_equal(f->a.last_status, -EAGAIN);
	assert_int_equal(stats_get(&f->stats, RESOLVE_BUSY), DNS_LOOKUPS / 2);
	questions_ask(&f->q, &f->b.asker, 1, "b.test");
	assert_int_equal(nasked, DNS_LOOKUPS / 2 + 1);
	/* Names that are under way may still be waited for. */
	questions_ask(&f->q, &f->a.asker, 1, "b.test");
	assert_int_equal(f->a.told, DNS_LOOKUPS / 2);
	/* A new channel doesn't begin with a new share. */
	asker_forget(&f->a.asker);
	questions_ask(&f->q, &f->a.asker, 2, "c.test");
	is_told(&f->a, DNS_LOOKUPS / 2 + 1, 2, -EAGAIN);
	servers_answer(0, 0);
	questions_ask(&f->q, &f->a.asker, 3, "c.test");
	assert_int_equal(nasked, DNS_LOOKUPS / 2 + 2);
}

static void waiting_is_bounded(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < QUESTIONS_ASKS + 5; i++)
		questions_ask(&f->q, &f->a.asker, i, "a.test");
	is_told(&f->a, 5, QUESTIONS_ASKS + 4, -EAGAIN);
	assert_int_equal(nasked, 1);
	questions_ask(&f->q, &f->b.asker, 1, "a.test");
	servers_answer(0, 0);
	assert_int_equal(f->a.told, QUESTIONS_ASKS + 5);
	assert_int_equal(f->a.last_status, 0);
	assert_int_equal(f->b.told, 1);
}

static void nobody_to_ask(void **state)
{
	struct fixture *f = *state;

	dns_says = -EIO;
	questions_ask(&f->q, &f->a.asker, 4, "a.test");
	is_told(&f->a, 1, 4, -EIO);
	assert_int_equal(stats_get(&f->stats, RESOLVE_FAILURES), 1);
	assert_int_equal(stats_get(&f->stats, RESOLVE_UNDER_WAY), 0);
	dns_says = 0;
	questions_ask(&f->q, &f->a.asker, 5, "a.test");
	assert_int_equal(nasked, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_question),
		TEST(a_query_is_shared),
		TEST(who_went_is_not_told),
		TEST(one_that_goes_while_it_is_told),
		TEST(a_share_each),
		TEST(waiting_is_bounded),
		TEST(nobody_to_ask),
	};

	return cmocka_run_group_tests_name("questions", tests, NULL, NULL);
}
