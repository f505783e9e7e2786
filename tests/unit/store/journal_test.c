// SPDX-License-Identifier: GPL-2.0-or-later
/* The journal's files: what is written, rotated, cut, found again and read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/event_json.h"
#include "store/journal.h"
#include "store/journal_read.h"

#define NOW_US		UINT64_C(1732227120123456) /* 2024-11-21T22:12:00 */
#define S_US		UINT64_C(1000000)
#define RELAY		UINT64_C(0xabc)
#define ROTATE_NEVER	(1u << 30)
#define JOURNAL_CURRENT "events.jsonl"

struct fixture {
	char dir[64];
	int fd;
	struct journal journal;
};

static int unlink_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "%s/sluice-journal.XXXXXX",
		 getenv("TMPDIR") != NULL ? getenv("TMPDIR") : P_tmpdir);
	assert_non_null(mkdtemp(f->dir));
	f->fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd != -1);
	assert_int_equal(
		journal_init(&f->journal, &journal_events, f->fd, ROTATE_NEVER),
		0);
	assert_int_equal(journal_recover(&f->journal), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	journal_close(&f->journal);
	close(f->fd);
	nftw(f->dir, unlink_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

/* As if the process had been killed: nothing is saved, all starts again. */
static void restart(struct fixture *f)
{
	f->journal.len = 1; /* keeps journal_close() from saving numbers */
	journal_close(&f->journal);
	assert_int_equal(
		journal_init(&f->journal, &journal_events, f->fd, ROTATE_NEVER),
		0);
	assert_int_equal(journal_recover(&f->journal), 0);
}

static int append(struct fixture *f, uint64_t instance, uint64_t number)
{
	struct event ev = {.time_us = NOW_US + number * S_US,
			   .status = 200,
			   .url = STR("http://example.test/")};

	return journal_append(&f->journal, &ev, instance, number);
}

static void append_some(struct fixture *f, uint64_t first, uint64_t end)
{
	for (uint64_t n = first; n < end; n++)
		assert_int_equal(append(f, RELAY, n), 1);
}

static void put_file(const struct fixture *f, const char *name,
		     const char *text, int flags)
{
	int fd = openat(f->fd, name, O_WRONLY | O_CREAT | flags, 0640);

	assert_true(fd != -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static off_t size_of(const struct fixture *f, const char *name)
{
	struct stat st;

	return fstatat(f->fd, name, &st, 0) == 0 ? st.st_size : -1;
}

static uint64_t number_in(struct str line)
{
	const char *at = memmem(line.p, line.len, "\"id\":\"", 6);
	uint64_t instance, number;
	char id[48] = {0};

	assert_non_null(at);
	memcpy(id, at + 6, strcspn(at + 6, "\""));
	assert_true(event_json_id(id, &instance, &number));
	return number;
}

/* The journal must hold the numbers from 0 to @end, in order. */
static void expect_numbers(const struct fixture *f, uint64_t end)
{
	struct journal_reader r;
	struct str line;
	uint64_t n = 0;

	assert_int_equal(journal_reader_init(&r, f->fd, JOURNAL_EVENTS), 0);
	assert_int_equal(journal_reader_seek_time(&r, 0), 0);
	for (; journal_reader_next(&r, &line) == 1; n++)
		assert_true(number_in(line) == n);
	assert_true(n == end);
	/* and the same backwards */
	assert_int_equal(journal_reader_seek_end(&r), 0);
	for (; journal_reader_prev(&r, &line) == 1; n--)
		assert_true(number_in(line) == n - 1);
	assert_true(n == 0);
	assert_int_equal(r.bad, 0);
	journal_reader_close(&r);
}

static size_t count_files(const struct fixture *f)
{
	struct journal_files files;
	size_t n;

	assert_int_equal(journal_files_list(f->fd, JOURNAL_EVENTS, &files), 0);
	n = files.count;
	journal_files_free(&files);
	return n;
}

/* --- writing ------------------------------------------------------------------- */

static void acknowledged_after_sync(void **state)
{
	struct fixture *f = *state;

	append_some(f, 0, 10);
	assert_int_equal(journal_stored(&f->journal, RELAY), 0);
	assert_int_equal(journal_write(&f->journal), 0);
	assert_int_equal(journal_stored(&f->journal, RELAY), 0);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	assert_int_equal(journal_stored(&f->journal, RELAY), 10);
	assert_int_equal(append(f, RELAY, 9), 0);
	assert_int_equal(append(f, RELAY + 1, 9), 1);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	assert_int_equal(journal_stored(&f->journal, RELAY + 1), 10);
	assert_int_equal(journal_stored(&f->journal, 5), 0);
}

/* Killed after write(2), before fdatasync(2): there, but not twice. */
static void recovers_what_was_written(void **state)
{
	struct fixture *f = *state;

	append_some(f, 0, 100);
	assert_int_equal(journal_write(&f->journal), 0);
	restart(f);
	for (uint64_t n = 0; n < 100; n++)
		assert_int_equal(append(f, RELAY, n), 0);
	/* said to be on disk only after a sync of its own */
	assert_int_equal(journal_stored(&f->journal, RELAY), 0);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	assert_int_equal(journal_stored(&f->journal, RELAY), 100);
	append_some(f, 100, 110);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	expect_numbers(f, 110);
}

/* Cut within its last line, at every byte: that event alone is taken again. */
static void torn_line_is_cut(void **state)
{
	struct fixture *f = *state;
	off_t whole, two;

	append_some(f, 0, 2);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	two = size_of(f, JOURNAL_CURRENT);
	append_some(f, 2, 3);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	whole = size_of(f, JOURNAL_CURRENT);
	for (off_t at = two + 1; at < whole; at++) {
		assert_int_equal(ftruncate(f->journal.fd, at), 0);
		unlinkat(f->fd, "numbers", 0);
		restart(f);
		assert_int_equal(append(f, RELAY, 1), 0);
		assert_int_equal(append(f, RELAY, 2), 1);
		assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
		assert_int_equal(f->journal.cut_bytes, at - two);
		assert_int_equal(size_of(f, JOURNAL_CURRENT), whole);
	}
	expect_numbers(f, 3);
}

/* Blocks that the file system had allocated, but not written, at a crash. */
static void zeros_at_the_end_are_cut(void **state)
{
	struct fixture *f = *state;

	append_some(f, 0, 5);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	assert_int_equal(
		ftruncate(f->journal.fd, size_of(f, JOURNAL_CURRENT) + 20000),
		0);
	restart(f);
	append_some(f, 5, 6);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	assert_int_equal(f->journal.cut_bytes, 20000);
	assert_int_equal(size_of(f, JOURNAL_CURRENT), f->journal.stored);
	expect_numbers(f, 6);
}

/* The file may grow to @bytes and no further: EFBIG in the middle of a line. */
static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	setrlimit(RLIMIT_FSIZE, &limit);
}

static void failed_write_leaves_no_part(void **state)
{
	struct fixture *f = *state;
	off_t before;

	signal(SIGXFSZ, SIG_IGN);
	append_some(f, 0, 10);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	before = size_of(f, JOURNAL_CURRENT);
	append_some(f, 10, 30);
	limit_file_size((rlim_t)before + 1000);
	assert_int_equal(journal_write(&f->journal), -EFBIG);
	assert_int_equal(size_of(f, JOURNAL_CURRENT), before);
	assert_int_equal(journal_sync(&f->journal, NOW_US), -EFBIG);
	assert_int_equal(size_of(f, JOURNAL_CURRENT), before);
	assert_int_equal(journal_stored(&f->journal, RELAY), 10);
	assert_int_equal(f->journal.waiting, 20);
	limit_file_size(RLIM_INFINITY);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	assert_int_equal(journal_stored(&f->journal, RELAY), 30);
	expect_numbers(f, 30);
}

/* Closed while the disk took nothing: a successor must not think it has them. */
static void unwritten_events_are_not_remembered(void **state)
{
	struct fixture *f = *state;

	append_some(f, 0, 10);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	append_some(f, 10, 20);
	journal_close(&f->journal);
	assert_int_equal(
		journal_init(&f->journal, &journal_events, f->fd, ROTATE_NEVER),
		0);
	assert_int_equal(journal_recover(&f->journal), 0);
	append_some(f, 10, 20);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	expect_numbers(f, 20);
}

/* A full buffer says so before it is full, and what is in it gets out. */
static void full_buffer(void **state)
{
	struct fixture *f = *state;
	uint64_t n = 0;

	while (journal_has_room(&f->journal))
		assert_int_equal(append(f, RELAY, n++), 1);
	assert_true(f->journal.len > JOURNAL_SYNC_BYTES);
	while (append(f, RELAY, n) == 1)
		n++;
	assert_int_equal(append(f, RELAY, n), -ENOBUFS);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	assert_true(journal_has_room(&f->journal));
	expect_numbers(f, n);
}

static void removed_and_moved_files(void **state)
{
	struct fixture *f = *state;

	append_some(f, 0, 5);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	/* as a careless logrotate would do it */
	assert_int_equal(renameat(f->fd, JOURNAL_CURRENT, f->fd,
				  "events-20240101T000000Z-000.jsonl"),
			 0);
	append_some(f, 5, 8);
	assert_int_equal(journal_write(&f->journal), 0);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	expect_numbers(f, 8);
	assert_int_equal(count_files(f), 2);
	assert_int_equal(unlinkat(f->fd, JOURNAL_CURRENT, 0), 0);
	append_some(f, 8, 9);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	assert_true(size_of(f, JOURNAL_CURRENT) > 0);
}

/* Something else has the name: it is moved aside, not written to. */
static void name_taken_by_something_else(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(symlinkat("/etc/passwd", f->fd, JOURNAL_CURRENT), 0);
	append_some(f, 0, 3);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	expect_numbers(f, 3);
	journal_close(&f->journal);
	assert_int_equal(unlinkat(f->fd, JOURNAL_CURRENT, 0), 0);
	assert_int_equal(mkdirat(f->fd, JOURNAL_CURRENT, 0700), 0);
	assert_int_equal(
		journal_init(&f->journal, &journal_events, f->fd, ROTATE_NEVER),
		0);
	assert_int_equal(journal_recover(&f->journal), 0);
	assert_int_equal(append(f, RELAY + 1, 0), 1);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	expect_numbers(f, 1);
}

/* --- rotation, age ---------------------------------------------------------------- */

static void rotates_in_order(void **state)
{
	struct fixture *f = *state;
	uint64_t now = NOW_US;

	f->journal.rotate = 1000;
	for (uint64_t n = 0; n < 60; n++) {
		assert_int_equal(append(f, RELAY, n), 1);
		/* the clock stands, goes, and is put back a day */
		if (n % 5 == 0)
			now += S_US;
		if (n == 30)
			now -= 86400 * S_US;
		assert_int_equal(journal_sync(&f->journal, now), 0);
		if (n == 40)
			restart(f);
		f->journal.rotate = 1000;
	}
	assert_true(count_files(f) > 10);
	expect_numbers(f, 60);
}

static void names(void **state)
{
	char name[JOURNAL_NAME_MAX], next[JOURNAL_NAME_MAX];
	uint64_t s;

	(void)state;
	journal_files_name(name, JOURNAL_EVENTS, 1732227120, "");
	assert_string_equal(name, "events-20241121T221200Z-000.jsonl");
	assert_true(journal_files_time(name, JOURNAL_EVENTS, &s));
	assert_int_equal(s, 1732227120);
	for (int i = 0; i < 2500; i++) {
		journal_files_name(next, JOURNAL_EVENTS, 1732227120 - 3600,
				   name);
		assert_true(strcmp(next, name) > 0);
		assert_true(strcmp(JOURNAL_CURRENT, next) > 0);
		memcpy(name, next, sizeof(name));
	}
	assert_false(journal_files_time(JOURNAL_CURRENT, JOURNAL_EVENTS, &s));
	assert_false(journal_files_time("events-20241121T221200Z-000.jsonl",
					JOURNAL_USAGE, &s));
	assert_true(journal_files_time("usage-20241121T221200Z-000.jsonl",
				       JOURNAL_USAGE, &s));
	assert_false(journal_files_time("events-20241321T221200Z-000.jsonl",
					JOURNAL_EVENTS, &s));
	assert_false(journal_files_time("events-20240231T221200Z-000.jsonl",
					JOURNAL_EVENTS, &s));
	assert_false(journal_files_time("events-20241121T221200Z-00x.jsonl",
					JOURNAL_EVENTS, &s));
	assert_false(journal_files_time("events-20241121T221200Z-000.jsonlx",
					JOURNAL_EVENTS, &s));
}

static void old_files_go(void **state)
{
	static const uint64_t day_ms = 86400000;
	struct fixture *f = *state;
	struct journal *j = &f->journal;
	uint64_t now = NOW_US, ms = 5000000;

	put_file(f, "events-20241101T000000Z-000.jsonl", "{}\n", 0);
	put_file(f, "events-20241120T000000Z-000.jsonl", "{}\n", 0);
	put_file(f, "events-20991231T000000Z-000.jsonl", "{}\n", 0);
	put_file(f, "unrelated", "", 0);
	append_some(f, 0, 1);
	assert_int_equal(journal_sync(j, now), 0);
	/* the first look only learns how the clocks stand */
	assert_int_equal(journal_expire(j, 10 * day_ms, now, ms), 0);
	assert_int_equal(journal_expire(j, 30 * day_ms, now, ms), 0);
	/* a clock that jumps ahead a year removes nothing at once, ... */
	now += 365 * 86400 * S_US;
	assert_int_equal(journal_expire(j, 10 * day_ms, now, ms), 0);
	now -= 365 * 86400 * S_US;
	assert_int_equal(journal_expire(j, 10 * day_ms, now, ms), 0);
	assert_int_equal(count_files(f), 4);
	/* ... one that goes on does what it should */
	now += 60 * S_US;
	ms += 60000;
	assert_int_equal(journal_expire(j, 10 * day_ms, now, ms), 1);
	assert_int_equal(size_of(f, "events-20241101T000000Z-000.jsonl"), -1);
	assert_int_equal(journal_expire(j, day_ms, now, ms), 1);
	assert_int_equal(size_of(f, "unrelated"), 0);
	assert_int_equal(count_files(f), 2);
}

/* The oldest of many instances makes room; the recent ones are known. */
static void many_instances(void **state)
{
	struct fixture *f = *state;
	uint64_t instances = 2 * JOURNAL_SOURCES;

	for (uint64_t i = 1; i <= instances; i++)
		assert_int_equal(append(f, i, 7), 1);
	assert_int_equal(journal_sync(&f->journal, NOW_US), 0);
	for (uint64_t i = instances - 100; i <= instances; i++)
		assert_int_equal(append(f, i, 7), 0);
	restart(f);
	for (uint64_t i = instances - 100; i <= instances; i++)
		assert_int_equal(append(f, i, 7), 0);
}

/* --- reading ------------------------------------------------------------------------ */

static void expect_line(struct journal_reader *r, const char *wanted)
{
	struct str line;

	assert_int_equal(journal_reader_next(r, &line), 1);
	assert_int_equal(line.len, strlen(wanted));
	assert_memory_equal(line.p, wanted, line.len);
}

/* A reader at the end, while its file grows, is cut, and is rotated twice. */
static void follows_rotation(void **state)
{
	struct fixture *f = *state;
	struct journal_reader r;
	struct str line;

	assert_int_equal(journal_reader_init(&r, f->fd, JOURNAL_EVENTS), 0);
	assert_int_equal(journal_reader_seek_end(&r), 0);
	assert_int_equal(journal_reader_next(&r, &line), 0); /* no file yet */
	put_file(f, JOURNAL_CURRENT, "one\ntw", 0);
	expect_line(&r, "one");
	assert_int_equal(journal_reader_next(&r, &line), 0);
	/* the part is cut off and something else written */
	put_file(f, JOURNAL_CURRENT, "one\nTWO\nthree\n", O_TRUNC);
	expect_line(&r, "TWO");
	assert_int_equal(renameat(f->fd, JOURNAL_CURRENT, f->fd,
				  "events-20240101T000000Z-000.jsonl"),
			 0);
	expect_line(&r, "three");
	assert_int_equal(journal_reader_next(&r, &line), 0);
	put_file(f, "events-20240101T000000Z-001.jsonl", "four\nhalf", 0);
	put_file(f, JOURNAL_CURRENT, "five\n", 0);
	expect_line(&r, "four");
	expect_line(&r, "five");
	assert_int_equal(journal_reader_next(&r, &line), 0);
	assert_int_equal(r.bad, 1); /* "half" */
	/* the file that is read is removed: on with what came after it */
	unlinkat(f->fd, JOURNAL_CURRENT, 0);
	unlinkat(f->fd, "events-20240101T000000Z-000.jsonl", 0);
	unlinkat(f->fd, "events-20240101T000000Z-001.jsonl", 0);
	put_file(f, JOURNAL_CURRENT, "six\n", 0);
	expect_line(&r, "six");
	journal_reader_close(&r);
}

/* Lines about as long as the buffer is, and longer: skipped both ways. */
static void long_lines_are_skipped(void **state)
{
	static const size_t lengths[] = {JOURNAL_LINE_MAX - 1,
					 JOURNAL_LINE_MAX,
					 JOURNAL_LINE_MAX + 1,
					 (512u << 10) - 1,
					 512u << 10,
					 (512u << 10) + 1,
					 3u << 20};
	struct fixture *f = *state;
	struct journal_reader r;
	struct str line;
	uint64_t bad = 0, found = 0;
	int fd = openat(f->fd, JOURNAL_CURRENT, O_WRONLY | O_CREAT, 0600);
	char *x = malloc(3u << 20);

	memset(x, 'x', 3u << 20);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		assert_true(write(fd, "short\n", 6) == 6);
		assert_true(write(fd, x, lengths[i]) == (ssize_t)lengths[i]);
		assert_true(write(fd, "\n", 1) == 1);
		bad += lengths[i] >= JOURNAL_LINE_MAX ? 1 : 0;
		found += lengths[i] >= JOURNAL_LINE_MAX ? 1 : 2;
	}
	assert_true(write(fd, "last\n", 5) == 5);
	found++;
	close(fd);
	free(x);
	assert_int_equal(journal_reader_init(&r, f->fd, JOURNAL_EVENTS), 0);
	assert_int_equal(journal_reader_seek_time(&r, 0), 0);
	for (uint64_t n = found; journal_reader_next(&r, &line) == 1; n--)
		assert_true(n > 0 && line.len < JOURNAL_LINE_MAX);
	assert_int_equal(r.bad, bad);
	assert_int_equal(journal_reader_seek_end(&r), 0);
	r.bad = 0;
	for (; journal_reader_prev(&r, &line) == 1; found--)
		assert_true(line.len == 4 || line.len == 5 ||
			    line.len == JOURNAL_LINE_MAX - 1);
	assert_int_equal(found, 0);
	assert_true(r.bad >= 1 && r.bad <= bad);
	journal_reader_close(&r);
}

static void seeks(void **state)
{
	struct fixture *f = *state;
	struct journal_reader r;
	struct str line;

	put_file(f, "events-20240101T000000Z-000.jsonl", "a1\na2\n", 0);
	put_file(f, "events-20240201T000000Z-000.jsonl", "b1\nb2\n", 0);
	put_file(f, JOURNAL_CURRENT, "c1\nc2\n", 0);
	assert_int_equal(journal_reader_init(&r, f->fd, JOURNAL_EVENTS), 0);
	assert_int_equal(journal_reader_seek_time(&r, 0), 0);
	expect_line(&r, "a1");
	/* 2024-01-15 */
	assert_int_equal(journal_reader_seek_time(&r, 1705276800 * S_US), 0);
	expect_line(&r, "b1");
	assert_int_equal(journal_reader_seek_time(&r, NOW_US), 0);
	expect_line(&r, "c1");
	/* the last bytes: whole lines that start in them */
	assert_int_equal(journal_reader_seek_tail(&r, 4), 0);
	expect_line(&r, "c2");
	assert_int_equal(journal_reader_seek_tail(&r, 11), 0);
	expect_line(&r, "b2");
	assert_int_equal(journal_reader_seek_tail(&r, 1000), 0);
	expect_line(&r, "a1");
	assert_int_equal(journal_reader_seek_end(&r), 0);
	assert_int_equal(journal_reader_next(&r, &line), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(journal_reader_prev(&r, &line), 1);
	assert_memory_equal(line.p, "a2", 2);
	expect_line(&r, "a2");
	expect_line(&r, "b1");
	journal_reader_close(&r);
}

#define JOURNAL_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOURNAL_TEST(acknowledged_after_sync),
		JOURNAL_TEST(recovers_what_was_written),
		JOURNAL_TEST(torn_line_is_cut),
		JOURNAL_TEST(zeros_at_the_end_are_cut),
		JOURNAL_TEST(failed_write_leaves_no_part),
		JOURNAL_TEST(unwritten_events_are_not_remembered),
		JOURNAL_TEST(full_buffer),
		JOURNAL_TEST(removed_and_moved_files),
		JOURNAL_TEST(name_taken_by_something_else),
		JOURNAL_TEST(rotates_in_order),
		JOURNAL_TEST(names),
		JOURNAL_TEST(old_files_go),
		JOURNAL_TEST(many_instances),
		JOURNAL_TEST(follows_rotation),
		JOURNAL_TEST(long_lines_are_skipped),
		JOURNAL_TEST(seeks),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
