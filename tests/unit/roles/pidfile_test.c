// SPDX-License-Identifier: GPL-2.0-or-later
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
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "roles/sluiced/pidfile.h"
#include "sys/log.h"

static char dir[] = "/tmp/sluice-pidfile.XXXXXX";
static char said[512];

static void keep_line(const char *line)
{
	snprintf(said, sizeof(said), "%s", line);
}

static int set_up(void **state)
{
	(void)state;
	log_open("test", LEVEL_INFO);
	log_set_sink(keep_line);
	return mkdtemp(dir) == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(dir);
}

static int take(struct pidfile *pf)
{
	said[0] = '\0';
	return pidfile_take(pf, dir, "/etc/x.conf");
}

static void it_has_the_number_and_goes(void **state)
{
	struct pidfile pf = {.fd = -1};
	char text[32] = "";
	int fd;

	(void)state;
	assert_int_equal(take(&pf), 0);
	fd = open(pf.path, O_RDONLY);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	assert_int_equal(strtol(text, NULL, 10), getpid());
	pidfile_release(&pf);
	assert_int_equal(access(pf.path, F_OK), -1);
	pidfile_release(&pf); /* twice is harmless */
}

static void there_is_one_at_a_time(void **state)
{
	struct pidfile first = {.fd = -1}, second = {.fd = -1};

	(void)state;
	assert_int_equal(take(&first), 0);
	assert_int_equal(take(&second), -EBUSY);
	assert_non_null(strstr(said, "another sluiced runs with run_dir"));
	assert_non_null(strstr(said, "/etc/x.conf"));
	pidfile_release(&second); /* never had it */
	assert_int_equal(access(first.path, F_OK), 0);
	pidfile_release(&first);
	assert_int_equal(take(&second), 0);
	pidfile_release(&second);
}

/* What a daemon left that was killed is taken over: its lock is gone. */
static void a_stale_file_is_taken(void **state)
{
	struct pidfile pf = {.fd = -1};
	char path[64], text[32] = "";
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/sluiced.pid", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	assert_int_equal(write(fd, "4194304999\n", 11), 11);
	close(fd);
	assert_int_equal(take(&pf), 0);
	fd = open(path, O_RDONLY);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	assert_int_equal(strtol(text, NULL, 10), getpid());
	pidfile_release(&pf);
}

/* A lock on a file that has another one's name by now keeps nobody out. */
static void a_lock_on_what_was_removed_does_not_count(void **state)
{
	struct pidfile pf = {.fd = -1};
	char path[64];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/sluiced.pid", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(take(&pf), 0);
	close(fd);
	pidfile_release(&pf);
}

static void what_is_no_file_is_refused(void **state)
{
	struct pidfile pf = {.fd = -1};
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/sluiced.pid", dir);
	assert_int_equal(symlink("/tmp/elsewhere", path), 0);
	assert_int_equal(take(&pf), -ELOOP);
	assert_non_null(strstr(said, "sluiced.pid: "));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(take(&pf), -EISDIR);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_has_the_number_and_goes),
		cmocka_unit_test(there_is_one_at_a_time),
		cmocka_unit_test(a_stale_file_is_taken),
		cmocka_unit_test(a_lock_on_what_was_removed_does_not_count),
		cmocka_unit_test(what_is_no_file_is_refused),
	};

	return cmocka_run_group_tests_name("pidfile", tests, set_up, tear_down);
}
