/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving up what a role doesn't need: its root directory, its network, its
 * account, its capabilities, and the system calls it never makes.
 * sandbox_on.c does it; sandbox_off.c, linked only into sanitizer builds
 * (whose runtime needs more system calls), changes the account alone.
 */
#ifndef SLUICE_SYS_SANDBOX_H
#define SLUICE_SYS_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A directory tree, or a file, that stays reachable where Landlock limits it. */
struct sandbox_path {
	const char *path;
	bool writable;
};

/* A directory that stays reachable through its descriptor. */
struct sandbox_dir {
	const char *path;
	const char *name; /* in the new root directory; one component */
	int fd;		  /* opened by sandbox_enter(); then the caller's */
};

struct sandbox {
	uid_t uid; /* never 0 */
	gid_t gid;
	/* Becomes the root directory; NULL: paths limit it (Landlock). */
	const char *root;
	/*
	 * Instead of @root, when it is more than one directory: the new root
	 * holds these and nothing else. See sys/mounts.h.
	 */
	struct sandbox_dir *dirs;
	size_t ndirs;
	/* Working directory when @root is NULL; may be NULL. */
	const char *workdir;
	const struct sandbox_path *paths;
	size_t npaths;
	bool keep_net_admin; /* the capabilities that are kept */
	bool keep_bpf;	     /* CAP_BPF and CAP_PERFMON, where it has them */
	bool keep_ports;     /* CAP_NET_BIND_SERVICE, where it has that */
	bool own_network;    /* an empty network namespace */
	/* socket(2) for UDP and TCP over IPv4 and IPv6, and for nothing else */
	bool inet_sockets;
	/* System calls by name beyond the ones all roles make. */
	const char *const *syscalls;
	size_t nsyscalls;
};

/*
 * Enter it for good: chroot(2) or Landlock, unshare(2), setresuid(2),
 * capabilities, PR_SET_NO_NEW_PRIVS, seccomp(2). A system call outside the
 * list then kills the process (SIGSYS). 0, or -errno with @wrong naming the
 * step. Landlock missing from the kernel is no error (sys/landlock.h).
 */
int sandbox_enter(const struct sandbox *sb, char *wrong, size_t size)
	__attribute__((warn_unused_result));

/*
 * A child of a confined process takes away more: of @sb only paths and system
 * calls count, and only what the parent had can stay. The parent's list needs
 * seccomp, prctl and the landlock calls for it. 0 or -errno as above.
 */
int sandbox_tighten(const struct sandbox *sb, char *wrong, size_t size)
	__attribute__((warn_unused_result));

#endif
