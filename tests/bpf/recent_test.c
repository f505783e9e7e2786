// SPDX-License-Identifier: GPL-2.0-or-later
/* What a processor remembers of flows: when it holds, and when not. */
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "rig.h"

#define CLIENT "10.1.1.2"
#define SERVER "192.0.2.7"

#define FIRST	    77
#define SECOND	    78
#define LABEL(app)  ((uint32_t)(app) << ACCT_LABEL_SHIFT)
/* Ticks, of which there are 100 to 1000 a second. */
#define FOR_EVER    (UINT64_C(3600) * 1000)
#define A_WHILE	    UINT64_C(5)
#define AFTER_IT_MS 200

static uint64_t frames(struct rig *r, uint16_t app, enum acct_direction d)
{
	return rig_counter(r, CLIENT, app, d).sum.frames;
}

static void open_rig(struct rig *r, uint64_t recent_ticks)
{
	const struct rig_options o = {
		.recent_ticks = recent_ticks, .counters = 16, .pending = 4096};
	cpu_set_t one;

	/* What one processor remembers, another doesn't know. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	rig_open(r, &o);
}

static void as_long_as_it_is_good(void **state)
{
	const struct timespec while_it_ages = {.tv_nsec =
						       AFTER_IT_MS * 1000000L};
	struct acct_flow flow = rig_flow(IPPROTO_UDP, CLIENT, 1, SERVER, 53);
	struct frame up;
	struct rig r;

	(void)state;
	open_rig(&r, FOR_EVER);
	frame_flow(&up, &flow, ACCT_UP, 0, 10);
	ct_put(&flow, NULL, LABEL(FIRST), true);
	rig_run(&r, ACCT_UP, &up);
	ct_put(&flow, NULL, LABEL(SECOND), true);
	rig_run(&r, ACCT_UP, &up);
	assert_int_equal(frames(&r, FIRST, ACCT_UP), 2);
	rig_close(&r);

	ct_put(&flow, NULL, LABEL(FIRST), true);
	open_rig(&r, A_WHILE);
	rig_run(&r, ACCT_UP, &up);
	ct_put(&flow, NULL, LABEL(SECOND), true);
	nanosleep(&while_it_ages, NULL);
	rig_run(&r, ACCT_UP, &up);
	assert_int_equal(frames(&r, FIRST, ACCT_UP), 1);
	assert_int_equal(frames(&r, SECOND, ACCT_UP), 1);
	ct_remove(&flow);
	rig_close(&r);
}

/* Same ends, another connection: it has no label yet. */
static void not_for_a_syn(void **state)
{
	struct acct_flow flow = rig_flow(IPPROTO_TCP, CLIENT, 1, SERVER, 80);
	struct acct_pending p;
	struct frame syn, ack;
	struct rig r;

	(void)state;
	open_rig(&r, FOR_EVER);
	frame_flow(&ack, &flow, ACCT_UP, TCP_ACK, 10);
	frame_flow(&syn, &flow, ACCT_UP, TCP_SYN, 0);
	ct_put(&flow, NULL, LABEL(FIRST), true);
	rig_run(&r, ACCT_UP, &ack);
	rig_run(&r, ACCT_UP, &syn);
	assert_int_equal(frames(&r, FIRST, ACCT_UP), 1);
	assert_true(rig_pending(&r, &flow, &p));
	assert_int_equal(p.sum[ACCT_UP].frames, 1);
	ct_remove(&flow);
	rig_close(&r);
}

/* Nor what is without a label: its first labelled packet must not wait. */
static void not_without_a_label(void **state)
{
	struct acct_flow flow = rig_flow(IPPROTO_UDP, CLIENT, 1, SERVER, 53);
	struct frame up;
	struct rig r;

	(void)state;
	open_rig(&r, FOR_EVER);
	frame_flow(&up, &flow, ACCT_UP, 0, 10);
	ct_put(&flow, NULL, 0, false);
	rig_run(&r, ACCT_UP, &up);
	ct_put(&flow, NULL, LABEL(FIRST), false);
	rig_run(&r, ACCT_UP, &up);
	assert_int_equal(frames(&r, FIRST, ACCT_UP), 2);
	ct_remove(&flow);
	rig_close(&r);
}

/* The answer's first packet ends the entry that says "counted". */
static void one_side_until_the_other_answers(void **state)
{
	struct acct_flow flow = rig_flow(IPPROTO_UDP, CLIENT, 1, SERVER, 53);
	struct acct_pending p;
	struct frame up, down;
	struct rig r;

	(void)state;
	open_rig(&r, FOR_EVER);
	frame_flow(&up, &flow, ACCT_UP, 0, 10);
	frame_flow(&down, &flow, ACCT_DOWN, 0, 20);
	ct_put(&flow, NULL, LABEL(FIRST), false);
	rig_run(&r, ACCT_UP, &up);
	rig_run(&r, ACCT_UP, &up);
	assert_true(rig_pending(&r, &flow, &p));
	ct_put(&flow, NULL, LABEL(FIRST), true);
	rig_run(&r, ACCT_DOWN, &down);
	assert_false(rig_pending(&r, &flow, &p));
	rig_run(&r, ACCT_UP, &up);
	assert_int_equal(frames(&r, FIRST, ACCT_UP), 3);
	assert_int_equal(frames(&r, FIRST, ACCT_DOWN), 1);
	assert_int_equal(rig_counter(&r, CLIENT, FIRST, ACCT_UP).flows, 1);
	ct_remove(&flow);
	rig_close(&r);
}

/* More flows than slots: they take turns, and none gets another's label. */
static void more_flows_than_slots(void **state)
{
	enum { FLOWS = 3 * ACCT_RECENT, ROUNDS = 2 };
	struct frame up;
	struct rig r;

	(void)state;
	open_rig(&r, FOR_EVER);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < FLOWS; i++) {
			struct acct_flow flow = rig_flow(IPPROTO_UDP, CLIENT,
							 (uint16_t)(1000 + i),
							 SERVER, 53);

			if (round == 0)
				ct_put(&flow, NULL, LABEL(FIRST + i % 2), true);
			frame_flow(&up, &flow, ACCT_UP, 0, 10);
			rig_run(&r, ACCT_UP, &up);
			rig_run(&r, ACCT_UP, &up);
		}
	}
	assert_int_equal(frames(&r, FIRST, ACCT_UP), FLOWS * ROUNDS);
	assert_int_equal(frames(&r, SECOND, ACCT_UP), FLOWS * ROUNDS);
	for (int i = 0; i < FLOWS; i++) {
		struct acct_flow flow = rig_flow(
			IPPROTO_UDP, CLIENT, (uint16_t)(1000 + i), SERVER, 53);

		ct_remove(&flow);
	}
	rig_close(&r);
}

/* Nanoseconds a packet, the best of some tries. */
static uint32_t cost(uint8_t protocol, enum acct_direction d,
		     uint64_t recent_ticks)
{
	struct acct_flow flow = rig_flow(protocol, CLIENT, 1, SERVER, 53);
	uint32_t best = UINT32_MAX;
	struct frame f;
	struct rig r;

	open_rig(&r, recent_ticks);
	frame_flow(&f, &flow, d, TCP_ACK, 22);
	ct_put(&flow, NULL, LABEL(FIRST), true);
	for (int i = 0; i < 9; i++) {
		uint32_t ns = rig_repeat(&r, d, &f, 50000);

		best = ns < best ? ns : best;
	}
	ct_remove(&flow);
	rig_close(&r);
	return best;
}

static void it_is_cheaper(void **state)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (int d = 0; d < ACCT_DIRECTIONS; d++) {
			uint32_t looked_up = cost(protocols[i], d, 0);
			uint32_t recent = cost(protocols[i], d, FOR_EVER);

			print_message("# %s %s: %u ns a packet, remembered "
				      "%u ns\n",
				      i == 0 ? "TCP" : "UDP",
				      d == ACCT_UP ? "up" : "down", looked_up,
				      recent);
			assert_true(recent < looked_up);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_long_as_it_is_good),
		cmocka_unit_test(not_for_a_syn),
		cmocka_unit_test(not_without_a_label),
		cmocka_unit_test(one_side_until_the_other_answers),
		cmocka_unit_test(more_flows_than_slots),
		cmocka_unit_test(it_is_cheaper),
	};

	return cmocka_run_group_tests_name("recent", tests, rig_namespace,
					   NULL);
}
