/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon from its configuration to its end: set-up, signals, reload. */
#ifndef SLUICE_ROLES_DAEMON_H
#define SLUICE_ROLES_DAEMON_H

#include "conf/config.h"

struct detach;

/*
 * Run with @config (heap; taken over) of @file, an absolute path that a reload
 * reads again. Tells @detach when the start has succeeded. 0 or -errno, logged.
 */
int daemon_run(struct config *config, const char *file, struct detach *detach)
	__attribute__((warn_unused_result));

#endif
