// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/caps.h"

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
	"sigaltstack",
	"tgkill",
	"uname",
	"prlimit64",
	"getrusage",
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* --- Landlock (no wrapper in glibc 2.36) ----------------------------------- */

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_WRITE                                                    \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |  \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR)
/* Everything that version 1 (Linux 5.13) can deny. */
#define ACCESS_ALL ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

bool sandbox_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0,
		       LANDLOCK_CREATE_RULESET_VERSION) >= 1;
}

static int allow_path(int ruleset, const struct sandbox_path *p)
{
	struct landlock_path_beneath_attr attr = {
		.allowed_access = p->writable ? ACCESS_READ | ACCESS_WRITE
					      : ACCESS_READ,
	};
	int rc = 0;

	attr.parent_fd = open(p->path, O_PATH | O_CLOEXEC);
	if (attr.parent_fd == -1)
		return -errno;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		    &attr, 0) == -1)
		rc = -errno;
	close(attr.parent_fd);
	return rc;
}

static int limit_paths(const struct sandbox *sb, char *wrong, size_t size)
{
	struct landlock_ruleset_attr attr = {.handled_access_fs = ACCESS_ALL};
	int ruleset, rc = 0;

	if (!sandbox_landlock())
		return 0;
	snprintf(wrong, size, "Landlock");
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr),
			       0);
	if (ruleset == -1)
		return -errno;
	for (size_t i = 0; i < sb->npaths && rc == 0; i++) {
		rc = allow_path(ruleset, &sb->paths[i]);
		if (rc != 0)
			snprintf(wrong, size, "Landlock: %s",
				 sb->paths[i].path);
	}
	if (rc == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) == -1)
		rc = -errno;
	close(ruleset);
	return rc;
}

/* --- root directory, network ------------------------------------------------ */

static int leave_places(const struct sandbox *sb, char *wrong, size_t size)
{
	if (sb->own_network && unshare(CLONE_NEWNET) == -1) {
		snprintf(wrong, size, "own network namespace");
		return -errno;
	}
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

static int limit_calls(const struct sandbox *sb, char *wrong, size_t size)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = ctx == NULL ? -ENOMEM : 0;

	snprintf(wrong, size, "system call filter");
	if (rc == 0)
		rc = allow_calls(ctx, common_calls, ARRAY_SIZE(common_calls));
	if (rc == 0)
		rc = allow_calls(ctx, sb->syscalls, sb->nsyscalls);
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
	if (rc == 0 && sb->root == NULL)
		rc = limit_paths(sb, wrong, size);
	if (rc == 0)
		rc = limit_calls(sb, wrong, size);
	return rc;
}

int sandbox_tighten(const struct sandbox *sb, char *wrong, size_t size)
{
	int rc = limit_paths(sb, wrong, size);

	if (rc == 0)
		rc = limit_calls(sb, wrong, size);
	return rc;
}
