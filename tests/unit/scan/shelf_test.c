// SPDX-License-Identifier: GPL-2.0-or-later
/* What the shelf takes, keeps, gives and lets go of. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "policy/verdict.h"
#include "scan/shelf.h"
#include "sys/memfile.h"

static uint64_t now_ms;

static uint64_t monotonic_ms(void)
{
	return now_ms;
}

static uint64_t wall_us(void)
{
	return now_ms * 1000;
}

static const struct clock_ops test_clock = {monotonic_ms, wall_us};
static struct loop loop;
static struct stats stats;
static struct shelf shelf;

static int start(void **state)
{
	(void)state;
	now_ms = 1000000;
	assert_int_equal(loop_init(&loop, &test_clock), 0);
	shelf_init(&shelf, &loop, &stats);
	return 0;
}

static int end(void **state)
{
	(void)state;
	shelf_close(&shelf);
	loop_close(&loop);
	return 0;
}

static struct msg_shelve message(uint32_t number, uint64_t size)
{
	struct msg_shelve msg = {
		.size = size,
		.verdict = VERDICT_CLEAN,
		.client = {.bytes = {10, 0, 0, 1}, .family = AF_INET},
	};

	memcpy(msg.token, &number, sizeof(number));
	return msg;
}

static int memory_file(size_t size)
{
	char *bytes = calloc(1, size > 0 ? size : 1);
	int fd = memfile_snapshot("test", bytes, size);

	free(bytes);
	assert_true(fd >= 0);
	return fd;
}

static void put(uint32_t number, size_t size)
{
	struct msg_shelve msg = message(number, size);
	int fd = memory_file(size);

	assert_true(shelf_valid(&msg, fd));
	shelf_put(&shelf, &msg, fd);
}

static const struct shelf_item *find(uint32_t number)
{
	struct msg_shelve msg = message(number, 0);
	struct msg_shelf_want want = {.client = msg.client};

	memcpy(want.token, msg.token, sizeof(want.token));
	return shelf_find(&shelf, &want);
}

static void pass(uint64_t ms)
{
	now_ms += ms;
	assert_int_equal(loop_round(&loop, 0), 0);
}

static void kept_for_its_client(void **state)
{
	struct msg_shelf_want want = {
		.client = {.bytes = {10, 0, 0, 2}, .family = AF_INET}};
	uint32_t number = 7;

	(void)state;
	put(7, 100);
	assert_non_null(find(7));
	assert_int_equal(find(7)->about.size, 100);
	assert_null(find(8));
	memcpy(want.token, &number, sizeof(number));
	assert_null(shelf_find(&shelf, &want));
	assert_int_equal(stats_get(&stats, SCAN_SHELF_OBJECTS), 1);
	assert_int_equal(stats_get(&stats, SCAN_SHELF_BYTES), 100);
}

static void for_its_time(void **state)
{
	int fd;

	(void)state;
	put(1, 10);
	pass(SHELF_KEEP_MS / 2);
	put(2, 10);
	fd = find(1)->fd;
	pass(SHELF_KEEP_MS / 2 - 100);
	assert_non_null(find(1));
	pass(200);
	assert_null(find(1));
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_non_null(find(2));
	pass(SHELF_KEEP_MS / 2);
	assert_null(find(2));
	assert_int_equal(stats_get(&stats, SCAN_SHELF_OBJECTS), 0);
	/* And again: the timer wasn't lost. */
	put(3, 10);
	pass(SHELF_KEEP_MS + 100);
	assert_null(find(3));
}

static void the_oldest_goes(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < SHELF_ITEMS; i++) {
		put(i, 10);
		pass(1);
	}
	assert_non_null(find(0));
	put(1000, 10);
	assert_null(find(0));
	assert_non_null(find(1));
	assert_non_null(find(1000));
	assert_int_equal(stats_get(&stats, SCAN_SHELF_OBJECTS), SHELF_ITEMS);
}

/* A file of the spool, not in memory. */
static int disk_file(size_t size)
{
	char name[] = "/tmp/sluice-shelf-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static void memory_is_bounded(void **state)
{
	const size_t half = SHELF_MEMORY / 2 + 1;
	struct msg_shelve msg = message(9, 50);

	(void)state;
	shelf_put(&shelf, &msg, disk_file(50));
	pass(1);
	put(1, half);
	pass(1);
	put(2, half);
	assert_null(find(1));
	assert_non_null(find(2));
	/* What lies on disk doesn't stand in the way. */
	assert_non_null(find(9));
	put(3, (size_t)SHELF_MEMORY + 1);
	assert_null(find(2));
	assert_non_null(find(3));
}

static void refused(struct msg_shelve msg, int fd)
{
	assert_false(shelf_valid(&msg, fd));
}

static void impossible_messages(void **state)
{
	struct msg_shelve msg = message(1, 10);
	int fd = memory_file(10), ends[2];

	(void)state;
	assert_true(shelf_valid(&msg, fd));
	msg.verdict = VERDICT_BLOCKED;
	refused(msg, fd);
	msg.verdict = VERDICT_PASSED;
	refused(msg, fd);
	msg.verdict = VERDICT_NOT_SCANNED;
	assert_true(shelf_valid(&msg, fd));
	msg.reason = REASON_COUNT;
	refused(msg, fd);
	msg = message(1, 11);
	refused(msg, fd);
	msg = message(1, 10);
	memset(msg.fields, 'x', sizeof(msg.fields));
	refused(msg, fd);
	msg = message(1, 0);
	assert_int_equal(pipe(ends), 0);
	refused(msg, ends[0]);
	close(ends[0]);
	close(ends[1]);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kept_for_its_client, start,
						end),
		cmocka_unit_test_setup_teardown(for_its_time, start, end),
		cmocka_unit_test_setup_teardown(the_oldest_goes, start, end),
		cmocka_unit_test_setup_teardown(memory_is_bounded, start, end),
		cmocka_unit_test_setup_teardown(impossible_messages, start,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
