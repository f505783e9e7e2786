// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "policy/app.h"

#define WORD "abcdefghijklmnopqrstuvwxyz0123456789-"

static void assert_is_word(const char *name)
{
	assert_in_range(strlen(name), 2, APP_NAME_MAX - 1);
	assert_int_equal(strspn(name, WORD), strlen(name));
	assert_true(name[0] != '-' && name[strlen(name) - 1] != '-');
}

/* The ones that marks, rules and other code rely on. */
static void reserved_ids(void **state)
{
	static const struct {
		unsigned int id;
		const char *name;
	} reserved[] = {
		{1, "unknown"},	   {2, "gateway"},    {3, "http"},
		{4, "tls"},	   {5, "quic"},	      {6, "dns"},
		{32, "other-web"}, {52, "other-p2p"},
	};

	(void)state;
	assert_null(app_by_id(APP_NONE));
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		assert_non_null(app_by_id(reserved[i].id));
		assert_string_equal(app_name(reserved[i].id), reserved[i].name);
	}
}

static void every_app_is_found_by_id_and_name(void **state)
{
	unsigned int last = 0, count = 0;

	(void)state;
	for (const struct app *a = app_next(NULL); a != NULL; a = app_next(a)) {
		assert_in_range(a->id, last + 1, APP_ID_MAX);
		last = a->id;
		count++;
		assert_is_word(a->name);
		assert_in_range(strlen(a->text), 2, 72);
		assert_int_not_equal(a->text[strlen(a->text) - 1], '.');
		assert_ptr_equal(app_by_id(a->id), a);
		/* The first of that name: so names are unique. */
		assert_ptr_equal(app_by_name(str_of(a->name)), a);
		assert_in_range(a->group, 0, APP_GROUP_COUNT - 1);
	}
	assert_true(count > 290);
	assert_int_equal(last + 1, APP_IDS);
}

static void unknown_ids_and_names(void **state)
{
	static const unsigned int bad[] = {0,	    7,	  31,	63,
					   APP_IDS, 2047, 2048, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(app_by_id(bad[i]));
		assert_string_equal(app_name(bad[i]), "?");
	}
	assert_null(app_by_name(STR("")));
	assert_null(app_by_name(STR("HTTP")));
	assert_null(app_by_name(STR("htt")));
	assert_null(app_by_name(STR("https")));
}

static void groups(void **state)
{
	enum app_group g = APP_GROUP_COUNT;

	(void)state;
	for (int i = 0; i < APP_GROUP_COUNT; i++) {
		const char *name = app_group_name((enum app_group)i);

		assert_is_word(name);
		assert_true(strlen(app_group_text((enum app_group)i)) > 3);
		assert_true(app_group_by_name(str_of(name), &g));
		assert_int_equal(g, i);
	}
	assert_false(app_group_by_name(STR("none"), &g));
	assert_int_equal(g, APP_GROUP_COUNT - 1);
	assert_string_equal(app_group_name(APP_GROUP_COUNT), "?");
	assert_string_equal(app_group_text((enum app_group) - 1), "");
}

static void each_group_has_its_other(void **state)
{
	(void)state;
	for (int i = 1; i < APP_GROUP_COUNT; i++) {
		const struct app *a = app_by_id(app_other((enum app_group)i));
		char name[APP_NAME_MAX];
		struct strbuf sb;

		strbuf_init(&sb, name, sizeof(name));
		strbuf_printf(&sb, "other-%s",
			      app_group_name((enum app_group)i));
		assert_non_null(a);
		assert_int_equal(a->group, i);
		assert_string_equal(a->name, name);
	}
	assert_int_equal(app_other(APP_GROUP_UNKNOWN), APP_UNKNOWN);
	assert_int_equal(app_other(APP_GROUP_COUNT), APP_UNKNOWN);
}

static void confidences(void **state)
{
	(void)state;
	assert_string_equal(app_confidence_name(APP_NO_CONFIDENCE), "none");
	assert_string_equal(app_confidence_name(APP_BY_GUESS), "guess");
	assert_string_equal(app_confidence_name(APP_BY_HINT), "hint");
	assert_string_equal(app_confidence_name(APP_BY_DPI), "dpi");
	assert_string_equal(app_confidence_name(APP_BY_OWN), "own");
	assert_string_equal(app_confidence_name(APP_CONFIDENCES), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reserved_ids),
		cmocka_unit_test(every_app_is_found_by_id_and_name),
		cmocka_unit_test(unknown_ids_and_names),
		cmocka_unit_test(groups),
		cmocka_unit_test(each_group_has_its_other),
		cmocka_unit_test(confidences),
	};

	return cmocka_run_group_tests_name("app", tests, NULL, NULL);
}
