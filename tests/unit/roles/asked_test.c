// SPDX-License-Identifier: GPL-2.0-or-later
/* What was asked for at run time: as text, in a file, in a ruleset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "roles/net/asked.h"
#include "sys/log.h"

static struct ip_net net(const char *text)
{
	struct ip_net n;

	assert_true(ip_net_parse(text, &n));
	return n;
}

static int add(struct asked *a, enum ruleset_bypass list, const char *text)
{
	struct ip_net n = net(text);

	return asked_add(a, list, &n);
}

static int delete (struct asked *a, enum ruleset_bypass list, const char *text)
{
	struct ip_net n = net(text);

	return asked_delete(a, list, &n);
}

static const char *text_of(const struct asked *a)
{
	static char text[65536];
	struct strbuf sb;

	strbuf_init(&sb, text, sizeof(text));
	asked_format(a, &sb);
	assert_false(sb.cut);
	return text;
}

static void text_comes_back(void **state)
{
	static const char text[] = "rules remove\n"
				   "bypass client 10.0.0.9\n"
				   "bypass server 192.0.2.0/24\n"
				   "bypass client 2001:db8::/32\n";
	struct asked *a = calloc(1, sizeof(*a));

	(void)state;
	assert_int_equal(asked_parse(a, text), 0);
	assert_int_equal(a->rules, ASKED_REMOVE);
	assert_int_equal(a->count, 3);
	assert_string_equal(text_of(a), text);
	assert_int_equal(asked_parse(a, ""), 0);
	assert_string_equal(text_of(a), "");
	assert_int_equal(asked_parse(a, "rules install"), 0); /* no line end */
	assert_string_equal(text_of(a), "rules install\n");
	free(a);
}

static void damage_is_left_out(void **state)
{
	struct asked *a = calloc(1, sizeof(*a));

	(void)state;
	assert_int_equal(asked_parse(a, "rules\nbypass client\n\n"
					"bypass client 10.0.0.1/8\n"
					"bypass client 10.0.0.1 \n"
					"bypass clients 10.0.0.1\n"
					"BYPASS client 10.0.0.1\n"
					"bypass server 10.0.0.2\n"),
			 7);
	assert_string_equal(text_of(a), "bypass server 10.0.0.2\n");
	free(a);
}

static void a_line_that_is_too_long_is_damage(void **state)
{
	struct asked *a = calloc(1, sizeof(*a));
	char text[400];

	(void)state;
	snprintf(text, sizeof(text), "bypass client %0300d\nbypass client ::1",
		 0);
	assert_int_equal(asked_parse(a, text), 1);
	assert_string_equal(text_of(a), "bypass client ::1\n");
	free(a);
}

static void entries_go_as_they_came(void **state)
{
	struct asked *a = calloc(1, sizeof(*a));

	(void)state;
	assert_int_equal(add(a, BYPASS_CLIENTS, "10.0.0.0/24"), 0);
	assert_int_equal(add(a, BYPASS_SERVERS, "10.0.0.0/24"), 0);
	assert_int_equal(delete (a, BYPASS_CLIENTS, "10.0.0.0/25"), -ENOENT);
	assert_int_equal(delete (a, BYPASS_CLIENTS, "10.0.0.0"), -ENOENT);
	assert_int_equal(delete (a, BYPASS_CLIENTS, "10.0.0.0/24"), 0);
	assert_int_equal(delete (a, BYPASS_CLIENTS, "10.0.0.0/24"), -ENOENT);
	assert_string_equal(text_of(a), "bypass server 10.0.0.0/24\n");
	free(a);
}

static void the_list_has_a_bound(void **state)
{
	struct asked *a = calloc(1, sizeof(*a));
	char text[32];

	(void)state;
	for (unsigned int i = 0; i < ASKED_BYPASSES; i++) {
		snprintf(text, sizeof(text), "10.0.%u.%u", i / 256, i % 256);
		assert_int_equal(add(a, BYPASS_CLIENTS, text), 0);
	}
	assert_int_equal(add(a, BYPASS_CLIENTS, "10.1.0.0"), -ENOSPC);
	assert_int_equal(delete (a, BYPASS_CLIENTS, "10.0.0.0"), 0);
	assert_int_equal(add(a, BYPASS_CLIENTS, "10.1.0.0"), 0);
	free(a);
}

/* Whatever a configuration has besides, every address that was asked for is in. */
static void a_ruleset_gets_them_all(void **state)
{
	struct asked *a = calloc(1, sizeof(*a));
	struct ruleset *rs = calloc(1, sizeof(*rs));
	union ruleset_elem wide = {.net = net("10.0.0.0/16")};
	union ruleset_elem part = {.net = net("10.1.0.9")};

	(void)state;
	for (unsigned int i = 0; i < SET_FIXED; i++)
		ruleset_set_init(&rs->sets[i], i);
	assert_int_equal(ruleset_set_add(&rs->sets[SET_BYPASS_CLIENTS4], &wide),
			 0);
	assert_int_equal(ruleset_set_add(&rs->sets[SET_BYPASS_CLIENTS4], &part),
			 0);
	assert_int_equal(add(a, BYPASS_CLIENTS, "10.0.7.0/24"), 0); /* within */
	assert_int_equal(add(a, BYPASS_CLIENTS, "10.1.0.0/16"), 0); /* around */
	assert_int_equal(add(a, BYPASS_SERVERS, "::1"), 0);
	asked_apply(a, rs);
	assert_int_equal(rs->sets[SET_BYPASS_CLIENTS4].count, 2);
	assert_int_equal(rs->sets[SET_BYPASS_CLIENTS4].elems[1].net.prefix, 16);
	assert_int_equal(rs->sets[SET_BYPASS_SERVERS6].count, 1);
	free(rs);
	free(a);
}

/* --- the file -------------------------------------------------------------------- */

static char dir[] = "/tmp/sluice-asked.XXXXXX";
static unsigned int lines_logged;

static void count_line(const char *line)
{
	(void)line;
	lines_logged++;
}

static int set_up(void **state)
{
	char path[64];

	(void)state;
	log_open("test", LEVEL_INFO);
	log_set_sink(count_line);
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/net", dir);
	return mkdir(path, 0755);
}

static int tear_down(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/net", dir);
	return rmdir(path) == -1 || rmdir(dir) == -1 ? -1 : 0;
}

static struct asked *loaded(void)
{
	struct asked *a = malloc(sizeof(*a));

	asked_load(a, dir);
	return a;
}

static void it_is_kept_in_a_file(void **state)
{
	struct asked *a, *b;

	(void)state;
	lines_logged = 0;
	a = loaded();
	assert_int_equal(lines_logged, 0); /* no file is nothing to mention */
	assert_int_equal(add(a, BYPASS_CLIENTS, "10.0.0.9"), 0);
	a->rules = ASKED_INSTALL;
	asked_save(a);
	b = loaded();
	assert_int_equal(lines_logged, 1);
	assert_string_equal(text_of(b),
			    "rules install\nbypass client 10.0.0.9\n");
	/* Nothing asked for is no file. */
	b->rules = ASKED_NOTHING;
	b->count = 0;
	asked_save(b);
	assert_int_equal(access(b->path, F_OK), -1);
	asked_save(a);
	asked_forget(a);
	assert_int_equal(access(a->path, F_OK), -1);
	free(a);
	free(b);
}

static void a_file_that_is_none_is_no_harm(void **state)
{
	struct asked *a = loaded();

	(void)state;
	assert_int_equal(symlink("/etc/passwd", a->path), 0);
	lines_logged = 0;
	free(a);
	a = loaded();
	assert_int_equal(lines_logged, 1);
	assert_int_equal(a->count, 0);
	/* It is replaced, not written through. */
	assert_int_equal(add(a, BYPASS_CLIENTS, "10.0.0.9"), 0);
	asked_save(a);
	free(a);
	a = loaded();
	assert_int_equal(a->count, 1);
	asked_forget(a);
	free(a);
}

static void without_its_directory_it_goes_on(void **state)
{
	struct asked *a = malloc(sizeof(*a));

	(void)state;
	asked_load(a, "/nonexistent");
	assert_int_equal(add(a, BYPASS_CLIENTS, "10.0.0.9"), 0);
	lines_logged = 0;
	asked_save(a);
	assert_int_equal(lines_logged, 1);
	assert_int_equal(a->count, 1);
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_comes_back),
		cmocka_unit_test(damage_is_left_out),
		cmocka_unit_test(a_line_that_is_too_long_is_damage),
		cmocka_unit_test(entries_go_as_they_came),
		cmocka_unit_test(the_list_has_a_bound),
		cmocka_unit_test(a_ruleset_gets_them_all),
		cmocka_unit_test(it_is_kept_in_a_file),
		cmocka_unit_test(a_file_that_is_none_is_no_harm),
		cmocka_unit_test(without_its_directory_it_goes_on),
	};

	return cmocka_run_group_tests_name("asked", tests, set_up, tear_down);
}
