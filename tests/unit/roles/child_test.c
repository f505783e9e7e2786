// SPDX-License-Identifier: GPL-2.0-or-later
/* What is said of a role that ended, and when it comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "roles/sluiced/backoff.h"
#include "roles/sluiced/spawn.h"

/* The wait status of a process that does @act. */
static int status_of(void (*act)(void))
{
	int status = 0;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		act();
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void end_with_7(void)
{
	_exit(7);
}

static void be_killed(void)
{
	raise(SIGKILL);
}

static void be_filtered(void)
{
	signal(SIGSYS, SIG_DFL);
	raise(SIGSYS);
}

static void assert_said(void (*act)(void), const char *text)
{
	char said[96];

	child_exit_text(status_of(act), said, sizeof(said));
	assert_string_equal(said, text);
}

static void each_end_has_its_text(void **state)
{
	char cut[8];

	(void)state;
	assert_said(end_with_7, "ended with status 7");
	assert_said(be_killed, "killed by signal 9 (Killed)");
	assert_said(be_filtered,
		    "killed: it made a system call outside its list");
	child_exit_text(status_of(end_with_7), cut, sizeof(cut));
	assert_string_equal(cut, "ended w");
}

static void the_wait_doubles_up_to_a_bound(void **state)
{
	(void)state;
	assert_int_equal(backoff_ms(0), BACKOFF_FIRST_MS);
	assert_int_equal(backoff_ms(1), 2 * BACKOFF_FIRST_MS);
	assert_int_equal(backoff_ms(3), 8 * BACKOFF_FIRST_MS);
	for (unsigned int n = 1; n < 100; n++) {
		assert_true(backoff_ms(n) >= backoff_ms(n - 1));
		assert_true(backoff_ms(n) <= BACKOFF_LAST_MS);
	}
	assert_int_equal(backoff_ms(10), BACKOFF_LAST_MS);
	assert_int_equal(backoff_ms(UINT32_MAX), BACKOFF_LAST_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_end_has_its_text),
		cmocka_unit_test(the_wait_doubles_up_to_a_bound),
	};

	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
