// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "policy/app.h"
#include "store/usage_json.h"

/* The keys and their order are what others rely on: sluice-usage(5). */
static const char whole[] =
	"{\"time\":\"2024-11-21T22:10:00Z\",\"id\":\"62772a1f-9\",\"span\":300,"
	"\"app\":\"dns\",\"group\":\"name-service\",\"client\":\"10.77.1.2\","
	"\"direction\":\"down\",\"bytes\":123456789012,\"packets\":345,"
	"\"flows\":6}";

static struct usage sample(void)
{
	struct usage u = {.time_s = 1732227000,
			  .app = APP_DNS,
			  .direction = USAGE_DOWN,
			  .bytes = 123456789012,
			  .packets = 345,
			  .flows = 6};

	assert_true(ip_addr_parse("10.77.1.2", &u.client));
	return u;
}

static bool is(struct str s, const char *text)
{
	return str_eq(s, str_of(text));
}

static void written(void **state)
{
	struct usage u = sample();
	char line[USAGE_JSON_MAX];
	size_t n = usage_json_write(&u, 0x62772a1f, 9, line, sizeof(line));

	(void)state;
	assert_int_equal(n, sizeof(whole));
	assert_memory_equal(line, whole, n - 1);
	assert_int_equal(line[n - 1], '\n');
	for (size_t size = 0; size <= n; size++)
		assert_int_equal(
			usage_json_write(&u, 0x62772a1f, 9, line, size), 0);
}

/* Whatever a record may hold fits, is JSON, and is read back. */
static void extremes(void **state)
{
	struct usage u = {.time_s = 253402300500,
			  .bytes = UINT64_MAX,
			  .packets = UINT64_MAX,
			  .flows = UINT64_MAX};
	char line[USAGE_JSON_MAX], text[IP_TEXT_MAX];
	struct usage_line read = {0};

	(void)state;
	assert_true(ip_addr_parse("2001:db8:1111:2222:3333:4444:5555:6666",
				  &u.client));
	for (unsigned int app = 0; app <= APP_ID_MAX; app++) {
		struct json_object *o;
		size_t n;

		u.app = (uint16_t)app;
		n = usage_json_write(&u, UINT64_MAX, UINT64_MAX, line,
				     sizeof(line));
		assert_true(n > 0);
		line[n - 1] = '\0';
		o = json_tokener_parse(line);
		assert_non_null(o);
		json_object_put(o);
		assert_true(usage_json_read((struct str){line, n - 1}, &read));
		assert_true(is(read.app, usage_app_text(u.app)));
		assert_true(is(read.group, usage_group_text(u.app)));
		assert_true(is(read.client, usage_client_text(&u, text)));
		assert_true(read.time_s == u.time_s);
		assert_true(read.bytes == UINT64_MAX);
		assert_true(read.packets == UINT64_MAX);
		assert_true(read.flows == UINT64_MAX);
		assert_int_equal(read.direction, USAGE_UP);
	}
}

static void read_back(void **state)
{
	struct usage_line u = {0};
	char later[sizeof(whole)], *minute;

	(void)state;
	assert_true(usage_json_read(STR(whole), &u));
	assert_int_equal(u.time_s, 1732227000);
	assert_int_equal(u.span_s, 300);
	assert_true(is(u.id, "62772a1f-9"));
	assert_true(is(u.app, "dns"));
	assert_true(is(u.client, "10.77.1.2"));
	assert_int_equal(u.direction, USAGE_DOWN);
	assert_true(u.bytes == 123456789012);
	assert_int_equal(u.packets, 345);
	assert_int_equal(u.flows, 6);
	/* another time than the line before */
	memcpy(later, whole, sizeof(whole));
	minute = strstr(later, ":10:");
	assert_non_null(minute);
	minute[2] = '5';
	assert_true(usage_json_read(str_of(later), &u));
	assert_int_equal(u.time_s, 1732227300);
	/* a newer version's members */
	assert_true(usage_json_read(
		STR("{\"time\":\"2024-11-21T22:10:00Z\",\"id\":\"1-9\","
		    "\"span\":60,\"app\":\"x\",\"group\":\"y\",\"client\":\"-\","
		    "\"direction\":\"up\",\"bytes\":1,\"packets\":1,\"flows\":0,"
		    "\"host\":{}}"),
		&u));
	assert_int_equal(u.time_s, 1732227000);
	assert_int_equal(u.span_s, 60);
}

/* Cut anywhere, or with any byte changed to a quote: never read past its end. */
static void damaged(void **state)
{
	struct usage_line u = {0};
	size_t len = strlen(whole);

	(void)state;
	for (size_t n = 0; n < len; n++) {
		uint8_t *at = guard_copy(whole, n);

		assert_false(usage_json_read((struct str){(char *)at, n}, &u));
		guard_free(at, n);
	}
	for (size_t i = 0; i < len; i++) {
		char line[sizeof(whole)];

		memcpy(line, whole, sizeof(whole));
		line[i] = whole[i] == '"' ? '#' : '"';
		assert_false(usage_json_read(str_of(line), &u));
	}
	assert_false(usage_json_read(STR("no record"), &u));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written),
		cmocka_unit_test(extremes),
		cmocka_unit_test(read_back),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests_name("usage_json", tests, NULL, NULL);
}
