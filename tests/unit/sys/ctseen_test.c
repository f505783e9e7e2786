// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of connections against a plain list, by many random steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sys/ctseen.h"

#define KEYS  600
#define STEPS 200000

static uint32_t seed = 1;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* All begin their search in few places, many of them at the table's end. */
static uint64_t key_of(uint32_t i)
{
	return (uint64_t)(i + 1) << 32 | (UINT32_MAX - i % 7);
}

struct model {
	bool there[KEYS];
	uint64_t bytes[KEYS];
	uint32_t count;
};

static void check(const struct ctseen *s, const struct model *m)
{
	assert_int_equal(ctseen_count(s), m->count);
	for (uint32_t i = 0; i < KEYS; i++) {
		const struct ctseen_entry *e = ctseen_find(s, key_of(i));

		assert_int_equal(e != NULL, m->there[i]);
		if (e == NULL)
			continue;
		assert_int_equal(e->key, key_of(i));
		assert_int_equal(e->passed[0].bytes, m->bytes[i]);
	}
}

static void step(struct ctseen *s, struct model *m, uint32_t max)
{
	uint32_t i = any(KEYS);
	struct ctseen_entry *e = ctseen_find(s, key_of(i));

	if (e != NULL) {
		ctseen_remove(s, e);
		m->there[i] = false;
		m->count--;
		return;
	}
	e = ctseen_add(s, key_of(i));
	assert_int_equal(e != NULL, m->count < max);
	if (e == NULL)
		return;
	assert_int_equal(e->passed[0].bytes, 0);
	assert_false(e->ended);
	m->bytes[i] = any(1 << 20);
	e->passed[0].bytes = m->bytes[i];
	m->there[i] = true;
	m->count++;
}

static void test_random_steps(void **state)
{
	static const uint32_t limits[] = {1, 5, 48, 300, KEYS};

	(void)state;
	for (size_t l = 0; l < sizeof(limits) / sizeof(limits[0]); l++) {
		struct ctseen *s = ctseen_new(limits[l]);
		struct model m = {.count = 0};

		assert_non_null(s);
		for (uint32_t i = 0; i < STEPS / 10; i++) {
			step(s, &m, limits[l]);
			if (i % 500 == 0)
				check(s, &m);
		}
		check(s, &m);
		ctseen_free(s);
	}
}

static bool is_odd(const struct ctseen_entry *e, void *arg)
{
	(*(uint32_t *)arg)++;
	return (e->key >> 32) % 2 == 1;
}

/* None is left out, though what is behind a gap moves while it goes on. */
static void test_sweep(void **state)
{
	struct ctseen *s = ctseen_new(KEYS);
	uint32_t asked = 0;

	(void)state;
	assert_non_null(s);
	for (uint32_t i = 0; i < KEYS; i++)
		assert_non_null(ctseen_add(s, key_of(i)));
	assert_int_equal(ctseen_sweep(s, is_odd, &asked), KEYS / 2);
	assert_true(asked >= KEYS);
	assert_int_equal(ctseen_count(s), KEYS / 2);
	for (uint32_t i = 0; i < KEYS; i++)
		assert_int_equal(ctseen_find(s, key_of(i)) != NULL,
				 (i + 1) % 2 == 0);
	ctseen_free(s);
	ctseen_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_steps),
		cmocka_unit_test(test_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
