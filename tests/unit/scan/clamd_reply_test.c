// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "guard.h"
#include "scan/clamd_reply.h"

static enum clamd_result parse(const void *data, size_t len, char text[256])
{
	uint8_t *copy = guard_copy(data, len);
	struct str s;
	enum clamd_result r = clamd_reply_parse(copy, len, &s);

	text[0] = '\0';
	if (s.len > 0) {
		assert_true((const uint8_t *)s.p >= copy);
		assert_true((const uint8_t *)s.p + s.len <= copy + len);
		memcpy(text, s.p, s.len < 255 ? s.len : 255);
		text[s.len < 255 ? s.len : 255] = '\0';
	}
	guard_free(copy, len);
	return r;
}

static void answers(void **state)
{
	static const struct {
		const char *reply;
		enum clamd_result result;
		const char *text;
	} table[] = {
		{"fd[10]: OK", CLAMD_CLEAN, ""},
		{"stream: OK", CLAMD_CLEAN, ""},
		{"fd[10]: Eicar-Test FOUND", CLAMD_FOUND, "Eicar-Test"},
		{"fd[10]: Name: with colon FOUND", CLAMD_FOUND,
		 "Name: with colon"},
		{"fd[10]: Heuristics.Limits.Exceeded.MaxFiles FOUND",
		 CLAMD_FOUND, "Heuristics.Limits.Exceeded.MaxFiles"},
		{"fd[10]: Can't allocate memory ERROR", CLAMD_ERROR,
		 "Can't allocate memory"},
		{"No file descriptor received. ERROR", CLAMD_ERROR,
		 "No file descriptor received."},
		{"fd[10]: lstat() failed: No such file. ERROR", CLAMD_ERROR,
		 "lstat() failed: No such file."},
		{"UNKNOWN COMMAND", CLAMD_BAD, ""},
		{"", CLAMD_BAD, ""},
		{"OK", CLAMD_BAD, ""},
		{"FOUND", CLAMD_BAD, ""},
		{" FOUND", CLAMD_BAD, ""},
		{"1: FOUND", CLAMD_BAD, ""},
		{"1: ERROR", CLAMD_ERROR, "1:"},
		{"no label FOUND", CLAMD_BAD, ""},
		{"fd[10]:  FOUND", CLAMD_BAD, ""},
		{"fd[10]: NOT OK", CLAMD_BAD, ""},
		{"PONG", CLAMD_BAD, ""},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t len = strlen(table[i].reply) + 1;

		assert_int_equal(parse(table[i].reply, len, text),
				 table[i].result);
		assert_string_equal(text, table[i].text);
		/* Without its end it isn't an answer yet. */
		for (size_t n = 0; n < len - 1; n++)
			assert_int_equal(parse(table[i].reply, n, text),
					 CLAMD_PARTIAL);
	}
}

static void too_long(void **state)
{
	char reply[CLAMD_REPLY_MAX], text[256];

	(void)state;
	memset(reply, 'x', sizeof(reply));
	assert_int_equal(parse(reply, sizeof(reply) - 1, text), CLAMD_PARTIAL);
	assert_int_equal(parse(reply, sizeof(reply), text), CLAMD_BAD);
	reply[1] = ':';
	reply[2] = ' ';
	snprintf(reply + sizeof(reply) - 7, 7, " FOUND");
	assert_int_equal(parse(reply, sizeof(reply), text), CLAMD_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(too_long),
	};

	return cmocka_run_group_tests_name("clamd_reply", tests, NULL, NULL);
}
