// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/sandbox.h"

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/caps.h"
#include "sys/landlock.h"
#include "sys/mounts.h"

/*
 * What every role does: events, messages, memory, time, files that are open
 * already, and ending. Each role adds its own.
 */
static const char *const common_calls[] = {
	/* events and time */
	"epoll_wait",
	"epoll_pwait",
	"epoll_ctl",
	"poll",
	"ppoll",
	"clock_gettime",
	"gettimeofday",
	"clock_nanosleep",
	"restart_syscall",
	/* messages and descriptors */
	"recvmsg",
	"sendmsg",
	"close",
	"fcntl",
	"dup",
	"dup2",
	"dup3",
	"read",
	"write",
	"readv",
	"writev",
	"pread64",
	"pwrite64",
	"lseek",
	"fstat",
	"newfstatat",
	"statx",
	"ftruncate",
	"fallocate",
	"memfd_create",
	/* memory and threads of the C library */
	"mmap",
	"munmap",
	"mremap",
	"mprotect",
	"madvise",
	"brk",
	"futex",
	"set_robust_list",
	"rseq",
	"getrandom",
	"sched_yield",
	/* itself */
	"exit",
	"exit_group",
	"rt_sigreturn",
	"rt_sigaction",
	"rt_sigprocmask",
	"getpid",
	"gettid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"setitimer",
	"alarm",
	"sigaltstack",
	"uname",
	"getrusage",
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* --- root directory, network ------------------------------------------------ */

static int leave_places(const struct sandbox *sb, char *wrong, size_t size)
{
	if (sb->own_network && unshare(CLONE_NEWNET) == -1) {
		snprintf(wrong, size, "own network namespace");
		return -errno;
	}
	if (sb->ndirs > 0)
		return mounts_only(sb->dirs, sb->ndirs, wrong, size);
	if (sb->root != NULL) {
		snprintf(wrong, size, "change of the root directory to %s",
			 sb->root);
		if (chroot(sb->root) == -1 || chdir("/") == -1)
			return -errno;
	} else if (sb->workdir != NULL && chdir(sb->workdir) == -1) {
		snprintf(wrong, size, "change to directory %s", sb->workdir);
		return -errno;
	}
	return 0;
}

/* --- system calls ----------------------------------------------------------- */

static int allow_calls(scmp_filter_ctx ctx, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int nr = seccomp_syscall_resolve_name(names[i]);
		int rc;

		/* A call this architecture or library doesn't know. */
		if (nr == __NR_SCMP_ERROR || nr < 0)
			continue;
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/*
 * All roles are one account, so that one could end another with a signal or
 * starve it with a limit: only itself, for abort(3) and getrlimit(2).
 */
static int allow_on_itself(scmp_filter_ctx ctx)
{
	int rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));

	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64),
				      1, SCMP_A0(SCMP_CMP_EQ, 0));
	return rc;
}

/* No netlink, no raw packets, and no socket of the file system. */
static int allow_inet_sockets(scmp_filter_ctx ctx)
{
	static const struct {
		int type;
		int protocol;
	} kinds[] = {{SOCK_DGRAM, 0},
		     {SOCK_DGRAM, IPPROTO_UDP},
		     {SOCK_STREAM, 0},
		     {SOCK_STREAM, IPPROTO_TCP}};
	static const int families[] = {AF_INET, AF_INET6};
	const scmp_datum_t flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && rc == 0; i++)
		for (size_t f = 0; f < ARRAY_SIZE(families) && rc == 0; f++)
			rc = seccomp_rule_add(
				ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 3,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[f]),
				SCMP_A1(SCMP_CMP_MASKED_EQ, ~flags,
					(scmp_datum_t)kinds[i].type),
				SCMP_A2(SCMP_CMP_EQ,
					(scmp_datum_t)kinds[i].protocol));
	return rc;
}

static int limit_calls(const struct sandbox *sb, char *wrong, size_t size)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = ctx == NULL ? -ENOMEM : 0;

	snprintf(wrong, size, "system call filter");
	if (rc == 0)
		rc = allow_calls(ctx, common_calls, ARRAY_SIZE(common_calls));
	if (rc == 0)
		rc = allow_on_itself(ctx);
	if (rc == 0)
		rc = allow_calls(ctx, sb->syscalls, sb->nsyscalls);
	if (rc == 0 && sb->inet_sockets)
		rc = allow_inet_sockets(ctx);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc;
}

int sandbox_enter(const struct sandbox *sb, char *wrong, size_t size)
{
	int rc = leave_places(sb, wrong, size);

	if (rc == 0)
		rc = caps_drop(sb, wrong, size);
	if (rc == 0 && sb->root == NULL && sb->ndirs == 0)
		rc = landlock_enter(sb, wrong, size);
	if (rc == 0)
		rc = limit_calls(sb, wrong, size);
	return rc;
}

int sandbox_tighten(const struct sandbox *sb, char *wrong, size_t size)
{
	int rc = landlock_enter(sb, wrong, size);

	if (rc == 0)
		rc = limit_calls(sb, wrong, size);
	return rc;
}
