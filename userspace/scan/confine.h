/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the processes of the scan role may still do. The dispatcher can't have
 * less than the keepers that it forks (filters are inherited), so its own list
 * is the widest; workers and the hasher take away most of it again.
 */
#ifndef SLUICE_SCAN_CONFINE_H
#define SLUICE_SCAN_CONFINE_H

#include "ipc/role.h"
#include "scan/dirs.h"

/* The dispatcher, and the keepers after it. 0 or -errno, logged. */
int confine_dispatcher(struct role *role, const struct dirs *dirs)
	__attribute__((warn_unused_result));
/*
 * A worker with its own directories: no other file can be opened but what the
 * C library may load. @clamd: it may connect to a socket. 0 or -errno, logged.
 */
int confine_worker(const struct dirs *own, bool clamd)
	__attribute__((warn_unused_result));
/* The hasher opens nothing at all. */
int confine_hasher(void) __attribute__((warn_unused_result));

#endif
