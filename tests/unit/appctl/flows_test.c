// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "appctl/flows.h"
#include "policy/app.h"

static const struct siphash_key secret = {1, 2};
static const struct flows_limits limits = {4, 1000, 100};
static unsigned int gone;

static void count_gone(void *arg, struct flow *flow)
{
	assert_ptr_equal(arg, &gone);
	assert_non_null(flow);
	gone++;
}

static struct flows *make(const struct flows_limits *l)
{
	struct flows *f = flows_new(l, &secret, count_gone, &gone);

	gone = 0;
	assert_non_null(f);
	return f;
}

static struct ip_endpoint endpoint(uint32_t addr, uint16_t port)
{
	struct ip_endpoint ep = {{{0}, 2}, port};

	memcpy(ep.addr.bytes, &addr, sizeof(addr));
	return ep;
}

static struct flow_key key_of(uint32_t n)
{
	struct ip_endpoint a = endpoint(n, 1000), b = endpoint(7, 80);
	struct flow_key key;

	flow_key_make(&key, 6, &a, &b);
	return key;
}

static struct flow *get(struct flows *f, uint32_t n, uint64_t now_ms)
{
	struct flow_key key = key_of(n);

	return flows_get(f, &key, now_ms);
}

static struct flow *find(struct flows *f, uint32_t n, uint64_t now_ms)
{
	struct flow_key key = key_of(n);

	return flows_find(f, &key, now_ms);
}

static void both_directions_are_one_flow(void **state)
{
	struct ip_endpoint a = endpoint(1, 5000), b = endpoint(2, 80);
	struct flow_key there, back, other;
	unsigned int end;

	(void)state;
	end = flow_key_make(&there, 6, &a, &b);
	assert_int_equal(flow_key_make(&back, 6, &b, &a), !end);
	assert_memory_equal(&there, &back, sizeof(there));
	flow_key_make(&other, 17, &a, &b);
	assert_memory_not_equal(&there, &other, sizeof(there));
	/* The same machine with itself: ports tell the ends apart. */
	b = endpoint(1, 80);
	end = flow_key_make(&there, 6, &a, &b);
	assert_int_equal(flow_key_make(&back, 6, &b, &a), !end);
	assert_memory_equal(&there, &back, sizeof(there));
	/* Ports belong to their addresses. */
	a = endpoint(1, 80);
	b = endpoint(2, 5000);
	flow_key_make(&other, 6, &a, &b);
	assert_memory_not_equal(&there, &other, sizeof(there));
}

static void found_again(void **state)
{
	struct flows *f = make(&limits);
	struct flow *a = get(f, 1, 0), *b = get(f, 2, 0);

	(void)state;
	assert_ptr_not_equal(a, b);
	a->packets = 3;
	assert_ptr_equal(get(f, 1, 10), a);
	assert_int_equal(find(f, 1, 20)->packets, 3);
	assert_null(find(f, 3, 0));
	assert_int_equal(flows_stats(f)->live, 2);
	assert_int_equal(flows_stats(f)->added, 2);
	flows_remove(f, a);
	assert_int_equal(gone, 1);
	assert_null(find(f, 1, 20));
	flows_free(f);
	assert_int_equal(gone, 2);
}

/* Full: who was silent for longest goes, and who has a label stays. */
static void the_oldest_without_a_label_gives_way(void **state)
{
	struct flows *f = make(&limits);

	(void)state;
	flows_label(f, get(f, 1, 0), APP_HTTP, APP_BY_DPI, 0);
	get(f, 2, 1);
	get(f, 3, 2);
	get(f, 4, 3);
	get(f, 2, 4); /* it spoke again */
	get(f, 5, 5);
	assert_null(find(f, 3, 6));
	assert_non_null(find(f, 1, 6));
	assert_non_null(find(f, 2, 6));
	assert_non_null(find(f, 4, 6));
	assert_int_equal(flows_stats(f)->displaced, 1);
	assert_int_equal(flows_stats(f)->displaced_labelled, 0);
	assert_int_equal(flows_stats(f)->live, 4);
	assert_int_equal(gone, 1);
	flows_free(f);
}

/* Only labels left: the oldest of them. */
static void a_full_table_of_labels(void **state)
{
	struct flows *f = make(&limits);

	(void)state;
	for (uint32_t n = 1; n <= 4; n++)
		flows_label(f, get(f, n, 0), APP_HTTP, APP_BY_DPI, n);
	get(f, 5, 5);
	assert_null(find(f, 1, 5));
	assert_non_null(find(f, 2, 5));
	assert_int_equal(flows_stats(f)->displaced_labelled, 1);
	assert_int_equal(flows_stats(f)->labelled, 3);
	flows_free(f);
}

/* A label counts from when it was given, packets or not. */
static void labels_end(void **state)
{
	struct flows *f = make(&limits);

	(void)state;
	flows_label(f, get(f, 1, 0), APP_SSH, APP_BY_DPI, 50);
	assert_int_equal(find(f, 1, 149)->app, APP_SSH);
	assert_null(find(f, 1, 150));
	assert_int_equal(get(f, 1, 150)->app, APP_NONE);
	assert_int_equal(flows_stats(f)->labelled, 0);
	flows_free(f);
}

static void ages(void **state)
{
	struct flows *f = make(&limits);

	(void)state;
	get(f, 1, 0);
	get(f, 2, 500);
	flows_label(f, get(f, 3, 500), APP_SSH, APP_BY_DPI, 500);
	assert_int_equal(flows_expire(f, 599, 10), 0);
	assert_int_equal(flows_expire(f, 600, 10), 1);
	assert_int_equal(flows_stats(f)->expired, 0);
	assert_int_equal(flows_expire(f, 999, 10), 0);
	assert_int_equal(flows_expire(f, 1000, 10), 1);
	assert_int_equal(flows_stats(f)->expired, 1);
	assert_null(find(f, 1, 1000));
	get(f, 4, 600);
	assert_int_equal(flows_expire(f, 5000, 1), 1);
	assert_int_equal(flows_expire(f, 5000, 1), 1);
	assert_int_equal(flows_expire(f, 5000, 1), 0);
	assert_int_equal(flows_stats(f)->live, 0);
	flows_free(f);
}

static uint64_t nanoseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/*
 * A million flows of garbage, ten seconds of 100,000 a second, into a table of
 * 65,536: it stays full and no larger, what had a label is still there, and
 * every flow is accounted for.
 */
static void a_flood(void **state)
{
	enum { FLOWS = 1000000, MAX = 65536, KEPT = 1000 };
	static const struct flows_limits l = {MAX, 60000, 60000};
	struct flows *f = make(&l);
	uint64_t start;

	(void)state;
	for (uint32_t n = 0; n < KEPT; n++)
		flows_label(f, get(f, n, 0), APP_TLS, APP_BY_OWN, 0);
	start = nanoseconds();
	for (uint32_t n = KEPT; n < FLOWS; n++)
		get(f, n, n / 100);
	print_message("# %u ns a new flow, %zu bytes a flow\n",
		      (unsigned int)((nanoseconds() - start) / FLOWS),
		      flows_bytes(f) / MAX);
	assert_int_equal(flows_stats(f)->live, MAX);
	assert_int_equal(flows_stats(f)->labelled, KEPT);
	assert_int_equal(flows_stats(f)->added, FLOWS);
	assert_int_equal(flows_stats(f)->displaced, FLOWS - MAX);
	assert_int_equal(flows_stats(f)->displaced_labelled, 0);
	assert_true(flows_bytes(f) <= (size_t)MAX * 112 + 4096);
	for (uint32_t n = 0; n < KEPT; n++)
		assert_int_equal(find(f, n, 10000)->app, APP_TLS);
	flows_free(f);
	assert_int_equal(gone, FLOWS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_directions_are_one_flow),
		cmocka_unit_test(found_again),
		cmocka_unit_test(the_oldest_without_a_label_gives_way),
		cmocka_unit_test(a_full_table_of_labels),
		cmocka_unit_test(labels_end),
		cmocka_unit_test(ages),
		cmocka_unit_test(a_flood),
	};

	return cmocka_run_group_tests_name("flows", tests, NULL, NULL);
}
