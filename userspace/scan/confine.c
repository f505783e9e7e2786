// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/confine.h"

#include <string.h>

#include "sys/log.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Temporary files as libclamav uses them; those below its own directory. */
#define CALLS_FILES                                                            \
	"open", "openat", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat",   \
		"rename", "renameat", "renameat2", "chmod", "fchmod",          \
		"fchmodat", "getdents64", "access", "faccessat", "faccessat2", \
		"readlink", "readlinkat", "stat", "lstat", "umask", "getcwd",  \
		"fsync", "times", "sysinfo", "ioctl", "time"
/* A connection to clamd. */
#define CALLS_CLAMD \
	"socket", "connect", "sendto", "recvfrom", "getsockopt", "shutdown"

static const char *const dispatcher_calls[] = {
	CALLS_FILES,
	CALLS_CLAMD,
	/* children */
	"clone",
	"clone3",
	"fork",
	"vfork",
	"wait4",
	"waitid",
	"pidfd_open",
	"pidfd_send_signal",
	"kill",
	"tgkill", /* a child's own, by its own number */
	"getppid",
	"close_range",
	"set_tid_address",
	/* channels to them */
	"socketpair",
	"epoll_create1",
	"alarm",
	"setitimer",
	/* their confinement */
	"prctl",
	"seccomp",
	"setrlimit",
	"getrlimit",
	"landlock_create_ruleset",
	"landlock_add_rule",
	"landlock_restrict_self",
	/* what a database's size in memory and the cores are read from */
	"sched_getaffinity",
	"statfs",
	"fstatfs",
	"flock",
};

static const char *const worker_calls[] = {CALLS_FILES};
static const char *const clamd_worker_calls[] = {CALLS_FILES, CALLS_CLAMD};

int confine_dispatcher(struct role *role, const struct dirs *dirs)
{
	/*
	 * Reading isn't limited here: the database may be a symbolic link or
	 * be replaced as a whole, and none of these processes looks into an
	 * object. Writing is.
	 */
	const struct sandbox_path paths[] = {
		{"/", false},
		{dirs->disk, true},
		{dirs->memory, true},
	};
	struct sandbox sb = {
		.paths = paths,
		.npaths = dirs->memory[0] != '\0' ? 3 : 2,
		.workdir = dirs->disk,
		.own_network = true,
		.syscalls = dispatcher_calls,
		.nsyscalls = ARRAY_SIZE(dispatcher_calls),
	};

	return role_confine(role, &sb);
}

static int tighten(const struct sandbox *sb)
{
	char wrong[128] = "";
	int rc = sandbox_tighten(sb, wrong, sizeof(wrong));

	if (rc != 0)
		log_error("can't confine itself: %s: %s", wrong, strerror(-rc));
	return rc;
}

int confine_worker(const struct dirs *own, bool clamd)
{
	/* iconv(3) loads its modules from /usr/lib when a document needs it. */
	const struct sandbox_path paths[] = {
		{"/usr/lib", false},
		{own->disk, true},
		{own->memory, true},
	};
	struct sandbox sb = {
		.paths = paths,
		.npaths = own->memory[0] != '\0' ? 3 : 2,
		.syscalls = clamd ? clamd_worker_calls : worker_calls,
		.nsyscalls = clamd ? ARRAY_SIZE(clamd_worker_calls)
				   : ARRAY_SIZE(worker_calls),
	};

	return tighten(&sb);
}

int confine_hasher(void)
{
	struct sandbox sb = {.npaths = 0};

	return tighten(&sb);
}
