// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "eicar.h"
#include "scan/dbwatch.h"

static char dir[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/sluice-dbwatch-XXXXXX");
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"a.ndb", "b.hdb", "freshclam.dat",
					    "main.cvd", "tmp.abc"};
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		remove(path);
	}
	return rmdir(dir);
}

static void only_database_files_count(void **state)
{
	uint64_t before;
	char path[128];

	(void)state;
	assert_int_equal(dbwatch_fingerprint("/nonexistent"), 0);
	assert_int_equal(dbwatch_fingerprint(dir), 0);
	write_file(dir, "a.ndb", "one");
	before = dbwatch_fingerprint(dir);
	assert_int_not_equal(before, 0);
	write_file(dir, "freshclam.dat", "notes of freshclam");
	snprintf(path, sizeof(path), "%s/tmp.abc", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(dbwatch_fingerprint(dir) == before);

	write_file(dir, "b.hdb", "two");
	assert_false(dbwatch_fingerprint(dir) == before);
	before = dbwatch_fingerprint(dir);
	write_file(dir, "a.ndb", "one"); /* the same bytes, another file */
	assert_false(dbwatch_fingerprint(dir) == before);
}

static bool wants(struct dbwatch *w, uint64_t now, uint64_t now_ms,
		  bool in_service, uint64_t loaded)
{
	return dbwatch_wants_load(w, now, now_ms, in_service, loaded);
}

static void a_change_settles_first(void **state)
{
	struct dbwatch w;

	(void)state;
	dbwatch_init(&w);
	assert_true(wants(&w, 7, 10000, false, 0)); /* anything, at once */
	assert_false(wants(&w, 7, 11000, true, 7));
	assert_false(wants(&w, 8, 20000, true, 7));
	assert_false(wants(&w, 8, 21999, true, 7));
	assert_false(wants(&w, 9, 22000, true, 7)); /* still changing */
	assert_false(wants(&w, 9, 23999, true, 7));
	assert_true(wants(&w, 9, 24000, true, 7));
	/* And back again before it was loaded: nothing to do. */
	assert_false(wants(&w, 7, 40000, true, 7));
	assert_false(wants(&w, 7, 50000, true, 7));
}

static void what_was_refused_is_not_tried_again(void **state)
{
	struct dbwatch w;

	(void)state;
	dbwatch_init(&w);
	assert_true(wants(&w, 7, 1000, false, 0));
	dbwatch_refuse(&w, 7);
	assert_false(wants(&w, 7, 100000, false, 0));
	/* Even without an engine a change is left to settle. */
	assert_false(wants(&w, 8, 200000, false, 0));
	assert_true(wants(&w, 8, 202000, false, 0));
	dbwatch_refuse(&w, 8);
	assert_false(wants(&w, 8, 300000, false, 0));
	dbwatch_force(&w);
	assert_true(wants(&w, 8, 300001, false, 0));
	dbwatch_refuse(&w, 8);
	/* An engine that was lost is loaded again in spite of it. */
	assert_false(wants(&w, 7, 400000, false, 7));
	assert_true(wants(&w, 7, 402000, false, 7));
}

static void a_forced_check_does_not_wait(void **state)
{
	struct dbwatch w;

	(void)state;
	dbwatch_init(&w);
	assert_true(wants(&w, 7, 1000, false, 0));
	dbwatch_force(&w);
	assert_false(wants(&w, 7, 1001, true, 7)); /* the same files */
	dbwatch_force(&w);
	assert_true(wants(&w, 8, 1002, true, 7));
	assert_false(wants(&w, 9, 1003, true, 8)); /* once */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_database_files_count,
						set_up, tear_down),
		cmocka_unit_test(a_change_settles_first),
		cmocka_unit_test(what_was_refused_is_not_tried_again),
		cmocka_unit_test(a_forced_check_does_not_wait),
	};

	return cmocka_run_group_tests_name("dbwatch", tests, NULL, NULL);
}
