/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A root directory with nothing in it but some directories of the real one. */
#ifndef SLUICE_SYS_MOUNTS_H
#define SLUICE_SYS_MOUNTS_H

#include <stddef.h>

#include "sys/sandbox.h"

/*
 * Make it this process' root, in a mount namespace of its own, and open each of
 * @dirs in there. Needs CAP_SYS_ADMIN. 0, or -errno with @wrong naming the
 * step; the process is of no use then.
 */
int mounts_only(struct sandbox_dir *dirs, size_t n, char *wrong, size_t size)
	__attribute__((warn_unused_result));

#endif
