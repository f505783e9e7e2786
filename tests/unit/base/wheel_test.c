// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/wheel.h"

struct probe {
	struct timer timer;
	uint64_t asked;
	uint64_t fired_at;
	unsigned int fired;
};

static struct wheel wheel;

static void probe_fire(struct timer *t, uint64_t now_ms)
{
	struct probe *p = list_entry(&t->node, struct probe, timer.node);

	p->fired++;
	p->fired_at = now_ms;
}

static void probe_arm(struct probe *p, uint64_t at)
{
	timer_init(&p->timer, probe_fire);
	p->asked = at;
	p->fired = 0;
	timer_arm(&wheel, &p->timer, at);
}

/* Every distance, from many starting points: never early, at most a tick late. */
static void fires_on_time(void **state)
{
	static const uint64_t starts[] = {0, 7, 8, 500, 4095 * 8, 1u << 30};
	static const uint64_t waits[] = {
		1,     8,     9,      511,     512,	513,	 4000,	  32767,
		32768, 32769, 262144, 2097151, 2097152, 3600000, 86400000};

	(void)state;
	for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
		for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
			uint64_t now = starts[s];
			struct probe p;

			wheel_init(&wheel, now);
			probe_arm(&p, now + waits[i]);
			while (!p.fired) {
				uint64_t w = wheel_wait_ms(&wheel, now, 60000);

				now += w > 0 ? w : 1;
				wheel_advance(&wheel, now);
				assert_true(now < starts[s] + waits[i] + 100);
			}
			assert_int_equal(p.fired, 1);
			assert_true(p.fired_at >= p.asked);
			assert_true(p.fired_at < p.asked + 2 * WHEEL_TICK_MS);
		}
	}
}

static void cancel_and_rearm(void **state)
{
	struct probe a, b;

	(void)state;
	wheel_init(&wheel, 1000);
	probe_arm(&a, 1100);
	probe_arm(&b, 1100);
	timer_cancel(&wheel, &a.timer);
	timer_cancel(&wheel, &a.timer);
	assert_int_equal(wheel.armed, 1);
	timer_arm(&wheel, &b.timer, 1200);
	assert_int_equal(wheel_advance(&wheel, 1150), 0);
	assert_int_equal(wheel_advance(&wheel, 1208), 1);
	assert_int_equal(a.fired, 0);
	assert_int_equal(b.fired, 1);
	assert_int_equal(wheel.armed, 0);
	assert_int_equal(wheel_wait_ms(&wheel, 1208, 777), 777);
}

static struct probe victim;

static void fire_and_cancel_other(struct timer *t, uint64_t now_ms)
{
	probe_fire(t, now_ms);
	timer_cancel(&wheel, &victim.timer);
	timer_arm(&wheel, t, now_ms);
}

/* A callback cancels a timer due in the same tick and re-arms itself in the past. */
static void callback_changes_the_wheel(void **state)
{
	struct probe a;

	(void)state;
	wheel_init(&wheel, 0);
	probe_arm(&a, 100);
	a.timer.fn = fire_and_cancel_other;
	probe_arm(&victim, 100);
	wheel_advance(&wheel, 104);
	assert_int_equal(a.fired, 1);
	assert_int_equal(victim.fired, 0);
	wheel_advance(&wheel, 112);
	assert_int_equal(a.fired, 2);
}

static void many_timers_keep_their_time(void **state)
{
	static struct probe p[5000];
	uint64_t now = 12345, x = 88172645463325252ULL;

	(void)state;
	wheel_init(&wheel, now);
	for (size_t i = 0; i < 5000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		probe_arm(&p[i], now + x % 600000);
	}
	for (; now < 12345 + 600100; now += 5)
		wheel_advance(&wheel, now);
	for (size_t i = 0; i < 5000; i++) {
		assert_int_equal(p[i].fired, 1);
		assert_true(p[i].fired_at >= p[i].asked);
		assert_true(p[i].fired_at <= p[i].asked + 2 * WHEEL_TICK_MS);
	}
}

/* 64^4 ticks are 37 hours; a timer of a week may not fire after those. */
static void beyond_the_horizon(void **state)
{
	static const uint64_t starts[] = {0, 8 * 262143, 8 * 16777215ULL};
	static const uint64_t waits[] = {134217727, 134217728, 134217736,
					 300000000, 604800000};

	(void)state;
	for (size_t i = 0; i < 15; i++) {
		uint64_t now = starts[i / 5];
		uint64_t due = now + waits[i % 5];
		struct probe p;

		wheel_init(&wheel, now);
		probe_arm(&p, due);
		wheel_advance(&wheel, due - 1);
		assert_int_equal(p.fired, 0);
		wheel_advance(&wheel, due + WHEEL_TICK_MS);
		assert_int_equal(p.fired, 1);
	}
}

/* "Never", as callers write it, is not "at once". */
static void end_of_time(void **state)
{
	struct probe p;

	(void)state;
	wheel_init(&wheel, 1000);
	probe_arm(&p, UINT64_MAX);
	assert_int_equal(wheel_advance(&wheel, 200000000), 0);
	assert_true(timer_armed(&p.timer));
	timer_cancel(&wheel, &p.timer);
	assert_int_equal(wheel.armed, 0);
}

static void fire_and_rearm(struct timer *t, uint64_t now_ms)
{
	probe_fire(t, now_ms);
	timer_arm(&wheel, t, 0);
}

/* It fires once a tick, and the advance comes to its end. */
static void callback_that_arms_in_the_past(void **state)
{
	struct probe a;

	(void)state;
	wheel_init(&wheel, 0);
	probe_arm(&a, 8);
	a.timer.fn = fire_and_rearm;
	assert_int_equal(wheel_advance(&wheel, 800), 100);
	assert_int_equal(wheel_wait_ms(&wheel, 800, 60000), WHEEL_TICK_MS);
	timer_cancel(&wheel, &a.timer);
}

/* After a pause with nothing armed, arming counts from the present. */
static void idle_wheel_jumps(void **state)
{
	struct probe p;

	(void)state;
	wheel_init(&wheel, 0);
	assert_int_equal(wheel_advance(&wheel, 1ULL << 40), 0);
	probe_arm(&p, (1ULL << 40) + 100);
	assert_int_equal(wheel_advance(&wheel, (1ULL << 40) + 99), 0);
	assert_int_equal(wheel_advance(&wheel, (1ULL << 40) + 104), 1);
	/* A clock that went back changes nothing. */
	assert_int_equal(wheel_advance(&wheel, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beyond_the_horizon),
		cmocka_unit_test(end_of_time),
		cmocka_unit_test(callback_that_arms_in_the_past),
		cmocka_unit_test(idle_wheel_jumps),
		cmocka_unit_test(fires_on_time),
		cmocka_unit_test(cancel_and_rearm),
		cmocka_unit_test(callback_changes_the_wheel),
		cmocka_unit_test(many_timers_keep_their_time),
	};

	return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
