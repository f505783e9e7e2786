// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "policy/verdict.h"

/* Names are part of the event format: other people's programs read them. */
static void verdicts_have_their_names(void **state)
{
	(void)state;
	assert_int_equal(VERDICT_COUNT, 4);
	assert_string_equal(verdict_name(VERDICT_PASSED), "passed");
	assert_string_equal(verdict_name(VERDICT_CLEAN), "clean");
	assert_string_equal(verdict_name(VERDICT_BLOCKED), "blocked");
	assert_string_equal(verdict_name(VERDICT_NOT_SCANNED), "not_scanned");
}

static void assert_is_word(const char *name)
{
	assert_in_range(strlen(name), 1, 32);
	assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"),
			 strlen(name));
}

static void reasons_have_names(void **state)
{
	(void)state;
	assert_string_equal(verdict_reason_name(REASON_NONE), "");
	for (int r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		const char *name = verdict_reason_name((enum reason)r);

		assert_is_word(name);
		for (int other = REASON_NONE; other < r; other++)
			assert_string_not_equal(
				name, verdict_reason_name((enum reason)other));
	}
}

static void reasons_have_sentences(void **state)
{
	(void)state;
	assert_string_equal(verdict_reason_sentence(REASON_NONE), "");
	for (int r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		const char *s = verdict_reason_sentence((enum reason)r);

		assert_in_range(strlen(s), 10, 160);
		assert_true(s[0] >= 'A' && s[0] <= 'Z');
		assert_int_equal(s[strlen(s) - 1], '.');
		assert_null(strchr(s, '\n'));
		for (int other = REASON_NONE; other < r; other++)
			assert_string_not_equal(
				s, verdict_reason_sentence((enum reason)other));
	}
}

/* Values come from other processes, which may have been taken over. */
static void values_out_of_range(void **state)
{
	static const unsigned int bad[] = {VERDICT_COUNT, REASON_COUNT, 255,
					   UINT32_MAX, 0x80000000};

	(void)state;
	assert_true(verdict_valid(VERDICT_COUNT - 1));
	assert_true(verdict_reason_valid(REASON_COUNT - 1));
	assert_false(verdict_valid(VERDICT_COUNT));
	assert_false(verdict_reason_valid(REASON_COUNT));
	for (size_t i = 1; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(verdict_valid(bad[i]));
		assert_false(verdict_reason_valid(bad[i]));
		assert_string_equal(verdict_name((enum verdict)bad[i]), "?");
		assert_string_equal(verdict_reason_name((enum reason)bad[i]),
				    "?");
		assert_string_equal(
			verdict_reason_sentence((enum reason)bad[i]), "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_have_their_names),
		cmocka_unit_test(reasons_have_names),
		cmocka_unit_test(reasons_have_sentences),
		cmocka_unit_test(values_out_of_range),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
