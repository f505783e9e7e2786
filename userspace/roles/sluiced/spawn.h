/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting the process of a role and reading what it prints. */
#ifndef SLUICE_ROLES_SPAWN_H
#define SLUICE_ROLES_SPAWN_H

#include "roles/sluiced/child.h"

/* Start @c's program with a channel and a log pipe. 0 or -errno, logged. */
int child_spawn(struct child *c, const struct chan_ops *ops, loop_fd_fn on_exit)
	__attribute__((warn_unused_result));
/* Reap it, close what belonged to the process, and fill in last_exit. */
void child_reap(struct child *c);
/* "killed by signal 9", "ended with status 1" from a wait status. */
void child_exit_text(int status, char *dst, size_t size);
/* DIR/../libexec for the directory of the running program. 0 or -errno. */
int spawn_find_libexec(char *dst, size_t size)
	__attribute__((warn_unused_result));
/* Whether @role's program is there. 0 or -errno, logged. */
int spawn_check_program(const char *libexec, enum role_id role)
	__attribute__((warn_unused_result));

#endif
