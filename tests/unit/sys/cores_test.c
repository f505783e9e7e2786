// SPDX-License-Identifier: GPL-2.0-or-later
/* Which cores this process may use, in its own and in a narrower set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sched.h>

#include "sys/cores.h"

static cpu_set_t all; /* as the test was started with */

static int widen(void **state)
{
	(void)state;
	return sched_setaffinity(0, sizeof(all), &all);
}

static int remember(void **state)
{
	(void)state;
	return sched_getaffinity(0, sizeof(all), &all);
}

/* The one core of the process, or -1. */
static int only_core(void)
{
	cpu_set_t now;

	assert_int_equal(sched_getaffinity(0, sizeof(now), &now), 0);
	if (CPU_COUNT(&now) != 1)
		return -1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET((unsigned int)cpu, &now))
			return cpu;
	}
	return -1;
}

static void each_in_turn(void **state)
{
	uint32_t count = cores_count();
	int before = -1;

	assert_int_equal(count, CPU_COUNT(&all));
	for (uint32_t i = 0; i < count; i++) {
		int core;

		assert_int_equal(widen(state), 0);
		assert_int_equal(cores_keep_to(i), 0);
		core = only_core();
		/* Another one than those before it, and one of ours. */
		assert_true(core > before);
		assert_true(CPU_ISSET((unsigned int)core, &all));
		before = core;
	}
}

static void there_is_no_such_core(void **state)
{
	(void)state;
	assert_int_equal(cores_keep_to(cores_count()), -ERANGE);
	assert_int_equal(cores_keep_to(UINT32_MAX), -ERANGE);
	assert_int_equal(cores_count(), CPU_COUNT(&all));
}

static void of_those_that_are_left(void **state)
{
	int last;

	(void)state;
	assert_int_equal(cores_keep_to(cores_count() - 1), 0);
	last = only_core();
	assert_int_equal(cores_count(), 1);
	assert_int_equal(cores_keep_to(0), 0);
	assert_int_equal(only_core(), last);
	assert_int_equal(cores_keep_to(1), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(each_in_turn, widen),
		cmocka_unit_test(there_is_no_such_core),
		cmocka_unit_test_teardown(of_those_that_are_left, widen),
	};

	return cmocka_run_group_tests(tests, remember, NULL);
}
