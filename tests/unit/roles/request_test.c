// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <string.h>

#include "base/str.h"
#include "guard.h"
#include "roles/sluiced/request.h"

/* The text of "command" in @line, flush against a guard page; NULL: refused. */
static const char *command_of(const char *line, size_t len)
{
	static char text[64];
	uint8_t *copy = guard_copy(line, len);
	const char *wrong = NULL;
	struct json_object *o = request_parse((const char *)copy, len, &wrong);

	if (o == NULL) {
		assert_non_null(wrong);
		guard_free(copy, len);
		return NULL;
	}
	str_copy(text, sizeof(text), request_text(o, "command"));
	json_object_put(o);
	guard_free(copy, len);
	return text;
}

static void takes(const char *line, const char *command)
{
	const char *got = command_of(line, strlen(line));

	assert_non_null(got);
	assert_string_equal(got, command);
}

static void refuses(const char *line, size_t len)
{
	assert_null(command_of(line, len));
}

static void objects_are_requests(void **state)
{
	(void)state;
	takes("{\"command\":\"status\"}", "status");
	takes(" { \"command\" : \"status\" } ", "status");
	takes("{\"command\":\"a\",\"command\":\"b\"}", "b");
	takes("{}", "");
	takes("{\"command\":7}", "");
	takes("{\"command\":null}", "");
	takes("{\"command\":[\"status\"]}", "");
	takes("{\"Command\":\"status\"}", "");
}

static void nothing_else_is(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"status",
		"\"status\"",
		"7",
		"null",
		"true",
		"[]",
		"[{\"command\":\"status\"}]",
		"{\"command\":\"status\"",
		"{\"command\":\"status}",
		"{\"command\":\"status\"}}",
		"{\"command\":\"status\"} {}",
		"{\"command\":\"status\"};",
		"{'command':'status'}",
		"{command:\"status\"}",
		"{\"command\":\"status\",}",
		"{/* */\"command\":\"status\"}",
		"{\"command\":\"\xff\"}",
		"{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuses(bad[i], strlen(bad[i]));
	refuses("{\"command\":\"status\"}\0", 21);
	refuses("{\"command\":\"sta\0tus\"}", 21);
	refuses("\0", 1);
}

static void parts_are_refused(void **state)
{
	static const char line[] = "{\"command\":\"rules\",\"op\":\"show\"}";

	(void)state;
	for (size_t n = 0; n < sizeof(line) - 1; n++)
		refuses(line, n);
}

static void texts_of_other_names_are_absent(void **state)
{
	const char *wrong;
	struct json_object *o =
		request_parse("{\"op\":\"show\",\"n\":1}", 19, &wrong);

	(void)state;
	assert_non_null(o);
	assert_string_equal(request_text(o, "op"), "show");
	assert_string_equal(request_text(o, "n"), "");
	assert_string_equal(request_text(o, "net"), "");
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_requests),
		cmocka_unit_test(nothing_else_is),
		cmocka_unit_test(parts_are_refused),
		cmocka_unit_test(texts_of_other_names_are_absent),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
