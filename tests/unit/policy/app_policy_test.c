// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "guard.h"
#include "policy/app.h"
#include "policy/app_policy.h"

static uint16_t subject(const char *text)
{
	uint16_t s = 0;

	assert_true(app_subject_parse(str_of(text), &s));
	return s;
}

static void a_name_stands_above_its_group(void **state)
{
	const struct app_policy p = {
		.count = 3,
		.rules = {{.subject = subject("group:remote-access"),
			   .action = APP_BLOCK},
			  {.subject = subject("ssh"), .action = APP_ALLOW},
			  {.subject = subject("youtube"),
			   .action = APP_QUOTA,
			   .meter = 1}},
	};

	(void)state;
	assert_ptr_equal(app_policy_rule(&p, APP_SSH), &p.rules[1]);
	assert_ptr_equal(app_policy_rule(&p, APP_TELNET), &p.rules[0]);
	assert_ptr_equal(app_policy_rule(&p, APP_YOUTUBE), &p.rules[2]);
	assert_null(app_policy_rule(&p, APP_HTTP));
	assert_null(app_policy_rule(&p, APP_NONE));
	assert_null(app_policy_rule(&p, APP_ID_MAX + 1));
	assert_ptr_equal(app_policy_meter(&p, 1), &p.rules[2]);
	assert_null(app_policy_meter(&p, 0));
	assert_null(app_policy_meter(&p, 2));
	assert_true(app_policy_acts(&p));
}

static void what_only_allows_does_nothing(void **state)
{
	struct app_policy p = {.count = 1, .rules = {{.subject = APP_SSH}}};

	(void)state;
	assert_false(app_policy_acts(&p));
	p.count = 0;
	assert_false(app_policy_acts(&p));
}

static void subjects_read_as_they_are_written(void **state)
{
	char text[APP_SUBJECT_TEXT];
	uint16_t s;

	(void)state;
	for (const struct app *a = app_next(NULL); a != NULL; a = app_next(a)) {
		assert_true(app_subject_parse(str_of(a->name), &s));
		assert_int_equal(s, a->id);
		assert_string_equal(app_subject_text(s, text), a->name);
	}
	for (unsigned int g = 0; g < APP_GROUP_COUNT; g++) {
		app_subject_text((uint16_t)(APP_SUBJECT_GROUP | g), text);
		assert_true(app_subject_parse(str_of(text), &s));
		assert_int_equal(s, APP_SUBJECT_GROUP | g);
	}
}

/* Views that end where nothing may be read. */
static void no_subject(void **state)
{
	static const char *const wrong[] = {
		"",	 "group:", "group", "group:ssh",  "Group:web",
		"utube", "ssh ",   "web",   "group:web ", "group:group:web"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		size_t len = strlen(wrong[i]);
		uint8_t *p = guard_copy(wrong[i], len);
		uint16_t s = 7;

		assert_false(app_subject_parse(
			(struct str){(const char *)p, len}, &s));
		assert_int_equal(s, 7);
		guard_free(p, len);
	}
}

static void words(void **state)
{
	(void)state;
	assert_string_equal(app_action_name(APP_ALLOW), "allow");
	assert_string_equal(app_action_name(APP_QUOTA), "quota");
	assert_string_equal(app_action_name((enum app_action)9), "?");
	assert_string_equal(app_per_name(APP_PER_TOTAL), "total");
	assert_string_equal(app_then_name(APP_THEN_LIMIT), "limit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_stands_above_its_group),
		cmocka_unit_test(what_only_allows_does_nothing),
		cmocka_unit_test(subjects_read_as_they_are_written),
		cmocka_unit_test(no_subject),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
