// SPDX-License-Identifier: GPL-2.0-or-later
/* New signature databases and new options while scans go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rig.h"

static struct rig rig;
static char eicar[EICAR_SIZE];
static const char page[] = "<html><body>Nothing here</body></html>";
static const char new_words[] = "words that only a new database knows";

static int set_up_stopped(void **state)
{
	(void)state;
	eicar_fill(eicar);
	rig_init(&rig);
	return 0;
}

static int set_up(void **state)
{
	set_up_stopped(state);
	rig_start(&rig);
	return rig_await(&rig, SCAN_WORKERS, 2) ? 0 : -1;
}

static int tear_down(void **state)
{
	int status = rig_stop(&rig);

	(void)state;
	rig_remove(&rig);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int verdict_of(const void *data, size_t size)
{
	struct msg_scanned a;

	return rig_scan(&rig, data, size, &a);
}

static bool note_has(const char *text)
{
	char note[STATS_NOTE_MAX];

	stats_read_note(rig.stats, note, sizeof(note));
	if (strstr(note, text) == NULL)
		fprintf(stderr, "# note: %s\n", note);
	return strstr(note, text) != NULL;
}

/*
 * Scan all the time until counter @i reaches @value: every answer must be the
 * right one, whatever happens to the engine meanwhile. How many there were.
 */
static unsigned int scan_until(unsigned int i, uint64_t value)
{
	uint64_t end = rig_now_ms() + RIG_WAIT;
	unsigned int n = 0;

	while (stats_get(rig.stats, i) < value) {
		assert_int_equal(verdict_of(eicar, sizeof(eicar)),
				 VERDICT_BLOCKED);
		assert_int_equal(verdict_of(page, sizeof(page)), VERDICT_CLEAN);
		assert_true(vcache_ready(rig.cache));
		assert_true(rig_now_ms() < end);
		n++;
	}
	return n;
}

static void write_new_words(void)
{
	write_signature(rig.config.scan.database, "new.ndb", "Test.New",
			new_words, strlen(new_words));
}

static void a_new_database_is_taken_up(void **state)
{
	(void)state;
	assert_int_equal(stats_get(rig.stats, SCAN_SIGNATURES), 2);
	assert_int_equal(verdict_of(new_words, sizeof(new_words)),
			 VERDICT_CLEAN);
	write_new_words();
	assert_true(scan_until(SCAN_RELOADS, 1) > 10);
	assert_int_equal(stats_get(rig.stats, SCAN_SIGNATURES), 3);
	/* The cache said clean; it is another epoch now. */
	assert_int_equal(verdict_of(new_words, sizeof(new_words)),
			 VERDICT_BLOCKED);
	assert_true(note_has("3 signatures"));
}

static void a_bad_database_is_refused(void **state)
{
	const char *db = rig.config.scan.database;

	(void)state;
	write_file(db, "bad.ndb", "this is no signature\n");
	scan_until(SCAN_RELOADS_FAILED, 1);
	assert_true(note_has("not loaded: "));
	assert_true(note_has("still in service: libclamav: 2 signatures"));
	assert_int_equal(stats_get(rig.stats, SCAN_GENERATION), 1);

	/* Nothing changed, so it isn't tried again. */
	usleep(3500000);
	assert_int_equal(stats_get(rig.stats, SCAN_RELOADS_FAILED), 1);
	assert_int_equal(stats_get(rig.stats, SCAN_RELOADS), 0);

	/* Mended, it is taken up. */
	write_signature(db, "bad.ndb", "Test.New", new_words,
			strlen(new_words));
	scan_until(SCAN_RELOADS, 1);
	assert_true(note_has("libclamav: 3 signatures"));
}

static void an_empty_database_is_refused(void **state)
{
	char path[512];

	(void)state;
	snprintf(path, sizeof(path), "%s/words.ndb", rig.config.scan.database);
	unlink(path);
	snprintf(path, sizeof(path), "%s/eicar.ndb", rig.config.scan.database);
	unlink(path);
	rig_reload(&rig); /* without waiting for the files to settle */
	scan_until(SCAN_RELOADS_FAILED, 1);
	assert_true(note_has("still in service"));
}

/* A database that lost its test file is damaged. */
static void a_database_without_eicar_is_refused(void **state)
{
	char path[512];

	(void)state;
	snprintf(path, sizeof(path), "%s/eicar.ndb", rig.config.scan.database);
	unlink(path);
	rig_reload(&rig); /* without waiting for the files to settle */
	scan_until(SCAN_RELOADS_FAILED, 1);
	assert_true(note_has("EICAR"));
}

/* One that finds something in a harmless page would stop the whole network. */
static void a_database_that_condemns_everything_is_refused(void **state)
{
	(void)state;
	write_signature(rig.config.scan.database, "mad.ndb", "Test.Mad",
			"Timetable", 9);
	rig_reload(&rig); /* without waiting for the files to settle */
	scan_until(SCAN_RELOADS_FAILED, 1);
	assert_true(note_has("its answer for a harmless"));
}

static void a_reload_forces_a_check(void **state)
{
	(void)state;
	write_file(rig.config.scan.database, "bad.ndb", "no signature\n");
	rig_reload(&rig);
	scan_until(SCAN_RELOADS_FAILED, 1);
	write_new_words();
	rig_reload(&rig);
	usleep(300000);
	assert_int_equal(stats_get(rig.stats, SCAN_GENERATION), 1);
	write_signature(rig.config.scan.database, "bad.ndb", "Test.Bad",
			"seventeen", 9);
	rig_reload(&rig);
	assert_true(rig_await(&rig, SCAN_RELOADS, 1));
	assert_int_equal(stats_get(rig.stats, SCAN_SIGNATURES), 4);
}

static void new_options_are_taken_up(void **state)
{
	(void)state;
	assert_int_equal(verdict_of(page, sizeof(page)), VERDICT_CLEAN);
	rig.config.scan.max_object = 1024;
	rig_reload(&rig);
	scan_until(SCAN_RELOADS, 1);
	assert_int_equal(stats_get(rig.stats, SCAN_GENERATION), 2);
	/* The same options: nothing is loaded. */
	rig_reload(&rig);
	usleep(300000);
	assert_int_equal(stats_get(rig.stats, SCAN_GENERATION), 2);
}

static void many_reloads_leave_one_generation(void **state)
{
	pid_t workers[64];

	(void)state;
	for (uint64_t i = 1; i <= 10; i++) {
		rig.config.scan.max_object = 1000000 + i;
		rig_reload(&rig);
		scan_until(SCAN_RELOADS, i);
	}
	/* Faster than they can be loaded: the last one counts. */
	for (uint64_t i = 1; i <= 20; i++) {
		rig.config.scan.max_object = 2000000 + i;
		rig_reload(&rig);
	}
	/* In the end a keeper with two workers, and the hasher. */
	for (int i = 0; i < 300 && (rig_workers(&rig, workers, 64) != 2 ||
				    rig_children(rig.pid, workers, 64) != 2);
	     i++) {
		assert_int_equal(verdict_of(eicar, sizeof(eicar)),
				 VERDICT_BLOCKED);
		usleep(10000);
	}
	assert_int_equal(rig_workers(&rig, workers, 64), 2);
	assert_int_equal(rig_children(rig.pid, workers, 64), 2);
}

/* --- starting without an engine ----------------------------------------------- */

static void it_waits_for_a_database(void **state)
{
	char command[512];
	struct msg_scanned a;

	(void)state;
	snprintf(command, sizeof(command), "%s/eicar.ndb",
		 rig.config.scan.database);
	unlink(command);
	snprintf(command, sizeof(command), "%s/words.ndb",
		 rig.config.scan.database);
	unlink(command);
	rig_start(&rig);
	assert_true(rig_await(&rig, SCAN_RELOADS_FAILED, 1));
	assert_false(vcache_ready(rig.cache));
	assert_int_equal(stats_get(rig.stats, SCAN_READY), 0);
	assert_true(note_has("no engine in service"));
	assert_true(note_has("freshclam"));
	/* Not scanned at once, not after the deadline. */
	assert_int_equal(rig_scan(&rig, page, sizeof(page), &a),
			 VERDICT_NOT_SCANNED);
	assert_int_equal(a.reason, REASON_SCANNER_FAILED);
	assert_true(a.scan_us < 1000000);
	write_database(rig.config.scan.database);
	assert_true(rig_await(&rig, SCAN_READY, 1));
	assert_int_equal(verdict_of(eicar, sizeof(eicar)), VERDICT_BLOCKED);
}

static void it_waits_for_a_directory(void **state)
{
	char db[128];

	(void)state;
	snprintf(db, sizeof(db), "%s/later", rig.dir);
	snprintf(rig.config.scan.database, CONFIG_PATH_MAX, "%s", db);
	rig_start(&rig);
	assert_true(rig_await(&rig, SCAN_RELOADS_FAILED, 1));
	assert_int_equal(mkdir(db, 0755), 0);
	write_database(db);
	assert_true(rig_await(&rig, SCAN_READY, 1));
	/* The whole directory is replaced by another. */
	snprintf(db, sizeof(db), "%s/other", rig.dir);
	assert_int_equal(mkdir(db, 0755), 0);
	write_database(db);
	write_signature(db, "new.ndb", "Test.New", new_words,
			strlen(new_words));
	snprintf(db, sizeof(db), "%s/old", rig.dir);
	assert_int_equal(rename(rig.config.scan.database, db), 0);
	snprintf(db, sizeof(db), "%s/other", rig.dir);
	assert_int_equal(rename(db, rig.config.scan.database), 0);
	scan_until(SCAN_RELOADS, 1);
	assert_int_equal(stats_get(rig.stats, SCAN_SIGNATURES), 3);
}

static void requests_wait_for_the_first_engine(void **state)
{
	struct msg_scanned a;

	(void)state;
	rig_start(&rig);
	/* Loading takes some milliseconds at least. */
	rig_ask_bytes(&rig, 0, 1, eicar, sizeof(eicar));
	assert_true(rig_answer(&rig, 0, &a));
	assert_int_equal(a.verdict, VERDICT_BLOCKED);
}

static void too_little_memory_is_refused(void **state)
{
	size_t room = 16u << 20, n = 0;
	char *text = malloc(room);

	(void)state;
	/* A database that doesn't fit into 16 MiB. */
	assert_non_null(text);
	for (uint32_t i = 0; i < 150000; i++) {
		n += (size_t)snprintf(text + n, room - n,
				      "Test.Many.%u:0:*:%08x%08x%08x%08x\n", i,
				      i * 2654435761u, i, ~i, i * 40503u);
	}
	write_file(rig.config.scan.database, "many.ndb", text);
	free(text);
	rig.config.scan.engine_memory = 16u << 20;
	rig_start(&rig);
	assert_true(rig_await(&rig, SCAN_RELOADS_FAILED, 1));
	assert_false(vcache_ready(rig.cache));
	assert_true(note_has("scan.engine_memory"));
	rig.config.scan.engine_memory = 512u << 20;
	rig_reload(&rig);
	assert_true(rig_await(&rig, SCAN_READY, 1));
	assert_int_equal(verdict_of(eicar, sizeof(eicar)), VERDICT_BLOCKED);
}

static void without_an_engine_it_idles(void **state)
{
	struct msg_scanned a;

	(void)state;
	rig.config.scan.engine = ENGINE_NONE;
	rig_start(&rig);
	assert_int_equal(rig_scan(&rig, page, sizeof(page), &a),
			 VERDICT_NOT_SCANNED);
	assert_int_equal(a.reason, REASON_SCANNER_FAILED);
	assert_true(note_has("engine = none"));
	rig.config.scan.engine = ENGINE_LIBCLAMAV;
	rig_reload(&rig);
	assert_true(rig_await(&rig, SCAN_READY, 1));
	assert_int_equal(verdict_of(eicar, sizeof(eicar)), VERDICT_BLOCKED);
	rig.config.scan.engine = ENGINE_NONE;
	rig_reload(&rig);
	while (stats_get(rig.stats, SCAN_READY) != 0)
		usleep(1000);
	assert_false(vcache_ready(rig.cache));
}

#define TEST(f)	   cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define STOPPED(f) cmocka_unit_test_setup_teardown(f, set_up_stopped, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_database_is_taken_up),
		TEST(a_bad_database_is_refused),
		TEST(an_empty_database_is_refused),
		TEST(a_database_without_eicar_is_refused),
		TEST(a_database_that_condemns_everything_is_refused),
		TEST(a_reload_forces_a_check),
		TEST(new_options_are_taken_up),
		TEST(many_reloads_leave_one_generation),
		STOPPED(it_waits_for_a_database),
		STOPPED(it_waits_for_a_directory),
		STOPPED(requests_wait_for_the_first_engine),
		STOPPED(too_little_memory_is_refused),
		STOPPED(without_an_engine_it_idles),
	};

	if (rig_missing() != NULL) {
		printf("ok 1 - scan renewal # SKIP %s\n", rig_missing());
		return 0;
	}
	return cmocka_run_group_tests_name("scan renewal", tests, NULL, NULL);
}
