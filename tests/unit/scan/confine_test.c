// SPDX-License-Identifier: GPL-2.0-or-later
/* What a worker that was taken over can't do. Each trial is a child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scan/confine.h"
#include "sys/landlock.h"

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static char dir[] = "/tmp/sluice-confine-XXXXXX";

/* What a child does once it is confined; its result is its exit status. */
typedef int (*trial_fn)(void);

static _Noreturn void confined(trial_fn trial, bool clamd)
{
	struct dirs own = {.memory = ""};

	memcpy(own.disk, dir, sizeof(dir));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    confine_worker(&own, clamd) != 0)
		_exit(99);
	_exit(trial());
}

/* Wait status of a worker that tries it. */
static int attempt(trial_fn trial, bool clamd)
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		confined(trial, clamd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void assert_killed(trial_fn trial)
{
	int status = attempt(trial, false);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void assert_result(trial_fn trial, bool clamd, int result)
{
	int status = attempt(trial, clamd);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), result);
}

/* --- trials ------------------------------------------------------------------ */

static int leave_its_directory(void)
{
	return chdir("/") == -1 ? errno : 0;
}

static int make_files(void)
{
	int at = open(dir, O_RDONLY | O_DIRECTORY);
	int fd = openat(at, "file", O_RDWR | O_CREAT | O_EXCL, 0600);

	if (at == -1 || fd == -1 || write(fd, "x", 1) != 1)
		return errno;
	if (unlinkat(at, "file", 0) == -1 || mkdirat(at, "sub", 0700) == -1 ||
	    unlinkat(at, "sub", AT_REMOVEDIR) == -1)
		return errno;
	return 0;
}

static int read_other_files(void)
{
	return open("/etc/passwd", O_RDONLY) == -1 ? errno : 0;
}

static int write_other_files(void)
{
	return open("/tmp/sluice-confine-escape", O_RDWR | O_CREAT, 0600) == -1
		       ? errno
		       : 0;
}

static int read_libraries(void)
{
	return open("/usr/lib", O_RDONLY | O_DIRECTORY) == -1 ? errno : 0;
}

static int open_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) == -1 ? errno : 0;
}

static int open_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) == -1 ? errno : 0;
}

static int start_program(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return errno;
}

static int start_process(void)
{
	return fork() == -1 ? errno : 0;
}

static int kill_parent(void)
{
	return kill(getppid(), 0) == -1 ? errno : 0;
}

/* The parent's number comes from before: getppid() is not allowed either. */
static pid_t test_pid;

static int signal_thread(void)
{
	return syscall(SYS_tgkill, test_pid, test_pid, SIGKILL) == -1 ? errno
								      : 0;
}

static int limit_other(void)
{
	struct rlimit none = {0, 0};

	return prlimit(test_pid, RLIMIT_CPU, &none, NULL) == -1 ? errno : 0;
}

static int trace_parent(void)
{
	return syscall(SYS_ptrace, 16, test_pid, 0, 0) == -1 ? errno : 0;
}

static int abort_itself(void)
{
	abort();
}

/* --- tests ------------------------------------------------------------------- */

static void it_can_work(void **state)
{
	(void)state;
	assert_result(make_files, false, 0);
	assert_result(read_libraries, false, 0);
	assert_result(open_unix_socket, true, 0); /* clamd */
}

static void other_files(void **state)
{
	(void)state;
	if (!landlock_available()) {
		print_message("ok - files # SKIP kernel: no Landlock\n");
		skip();
	}
	assert_result(read_other_files, false, EACCES);
	assert_result(write_other_files, false, EACCES);
	assert_killed(leave_its_directory);
}

static void network_and_programs(void **state)
{
	(void)state;
	assert_killed(open_socket);
	assert_killed(open_unix_socket);
	assert_killed(start_program);
	assert_killed(start_process);
}

static void other_processes(void **state)
{
	(void)state;
	assert_killed(kill_parent);
	assert_killed(signal_thread);
	assert_killed(limit_other);
	assert_killed(trace_parent);
}

/* But it may end itself, and its death says how. */
static void itself(void **state)
{
	int status = attempt(abort_itself, false);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_can_work),
		cmocka_unit_test(other_files),
		cmocka_unit_test(network_and_programs),
		cmocka_unit_test(other_processes),
		cmocka_unit_test(itself),
	};
	/* Sanitizer builds have no sandbox (sandbox_off.c), so no refusals. */
	const struct CMUnitTest plain[] = {cmocka_unit_test(it_can_work)};
	int rc;

	test_pid = getpid();
	if (mkdtemp(dir) == NULL)
		return 1;
	rc = SANITIZED
		     ? cmocka_run_group_tests_name("confine", plain, NULL, NULL)
		     : cmocka_run_group_tests_name("confine", tests, NULL,
						   NULL);
	rmdir(dir);
	return rc;
}
