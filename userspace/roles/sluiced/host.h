/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon needs of the host before it starts: account, directories. */
#ifndef SLUICE_ROLES_HOST_H
#define SLUICE_ROLES_HOST_H

#include <sys/types.h>

#include "conf/config.h"

/* The account of the unprivileged roles. */
struct account {
	const char *name;
	uid_t uid; /* neither is ever 0 */
	gid_t gid;
};

/* 0 or -errno, logged with what to do. @name stays the caller's. */
int host_account(const char *name, struct account *account)
	__attribute__((warn_unused_result));
/*
 * state_dir, run_dir and what is in them, with owner and mode; made if they
 * are not there. Of a state_dir or run_dir that is there owner and mode are
 * checked, not changed: it may be one of others. 0 or -errno, logged.
 */
int host_directories(const struct config *config, const struct account *account)
	__attribute__((warn_unused_result));

/* Each session needs two descriptors: take what the system allows. */
void host_raise_limits(void);
/* Warn when that is little. */
void host_note_limits(void);

#endif
