// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a process may still do in a sandbox. Each case is a child of its own,
 * for there is no way back. Sanitizer builds have none (sys/sandbox_off.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/landlock.h"
#include "sys/sandbox.h"

#define NOBODY 65534

enum { DID_WORK, DID_NOT, NO_SANDBOX };

/* How @fn ends in @sb: one of the above, or the signal that killed it. */
static int in_sandbox(struct sandbox *sb, bool (*fn)(const void *arg),
		      const void *arg)
{
	char wrong[128] = "";
	int status;
	pid_t pid;

	sb->uid = NOBODY;
	sb->gid = NOBODY;
	fflush(NULL);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (sandbox_enter(sb, wrong, sizeof(wrong)) != 0) {
			fprintf(stderr, "# %s\n", wrong);
			_exit(NO_SANDBOX);
		}
		_exit(fn(arg) ? DID_WORK : DID_NOT);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

struct kind {
	int family;
	int type;
	int protocol;
};

static bool make_socket(const void *arg)
{
	const struct kind *k = arg;

	return socket(k->family, k->type, k->protocol) != -1;
}

static void inet_sockets(void **state)
{
	static const struct kind may[] = {
		{AF_INET, SOCK_DGRAM, 0},
		{AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		 IPPROTO_UDP},
		{AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0},
		{AF_INET, SOCK_STREAM, IPPROTO_TCP},
	};
	static const struct kind may_not[] = {
		{AF_UNIX, SOCK_STREAM, 0},
		{AF_NETLINK, SOCK_RAW, 0},
		{AF_PACKET, SOCK_DGRAM, 0},
		{AF_INET, SOCK_RAW, IPPROTO_ICMP},
		{AF_INET, SOCK_DGRAM, IPPROTO_ICMP},
		{AF_INET, SOCK_STREAM, IPPROTO_SCTP},
		{AF_INET6, SOCK_RAW, IPPROTO_ICMPV6},
	};
	struct sandbox sb = {.inet_sockets = true};
	struct sandbox none = {.inet_sockets = false};

	(void)state;
	for (size_t i = 0; i < sizeof(may) / sizeof(may[0]); i++) {
		assert_int_equal(in_sandbox(&sb, make_socket, &may[i]),
				 DID_WORK);
		assert_int_equal(in_sandbox(&none, make_socket, &may[i]),
				 SIGSYS);
	}
	for (size_t i = 0; i < sizeof(may_not) / sizeof(may_not[0]); i++)
		assert_int_equal(in_sandbox(&sb, make_socket, &may_not[i]),
				 SIGSYS);
}

static bool read_file(const void *arg)
{
	int fd = openat(AT_FDCWD, arg, O_RDONLY | O_CLOEXEC);
	char byte;

	return fd != -1 && read(fd, &byte, 1) == 1;
}

static bool write_file(const void *arg)
{
	return openat(AT_FDCWD, arg, O_WRONLY | O_CLOEXEC) != -1;
}

/* A single file beside a directory. */
static void places(void **state)
{
	static const struct sandbox_path paths[] = {{"/dev/urandom", false},
						    {"/usr/share", false}};
	static const char *const calls[] = {"openat"};
	struct sandbox sb = {
		.paths = paths, .npaths = 2, .syscalls = calls, .nsyscalls = 1};

	(void)state;
	if (!landlock_available()) {
		print_message("ok - places # SKIP kernel: no Landlock\n");
		return;
	}
	assert_int_equal(in_sandbox(&sb, read_file, "/dev/urandom"), DID_WORK);
	assert_int_equal(in_sandbox(&sb, write_file, "/dev/urandom"), DID_NOT);
	assert_int_equal(in_sandbox(&sb, read_file, "/dev/zero"), DID_NOT);
	assert_int_equal(in_sandbox(&sb, read_file, "/etc/passwd"), DID_NOT);
	sb.nsyscalls = 0;
	assert_int_equal(in_sandbox(&sb, read_file, "/dev/urandom"), SIGSYS);
}

#ifdef __SANITIZE_ADDRESS__
static const char *missing(void)
{
	return "a sanitizer build has none";
}
#else
static const char *missing(void)
{
	return geteuid() != 0 ? "not root" : NULL;
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inet_sockets),
		cmocka_unit_test(places),
	};

	if (missing() != NULL) {
		printf("1..1\nok 1 - sandbox # SKIP %s\n", missing());
		return 0;
	}
	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
