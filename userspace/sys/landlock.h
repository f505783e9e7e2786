/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Landlock (Documentation/userspace-api/landlock.rst): an unprivileged process
 * gives up all of the file system but some trees.
 */
#ifndef SLUICE_SYS_LANDLOCK_H
#define SLUICE_SYS_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "sys/sandbox.h"

/* Whether this kernel has it, switched on. */
bool landlock_available(void);

/*
 * From now on only sb->paths can be reached. 0 (also where the kernel lacks
 * it), or -errno with @wrong naming the step.
 */
int landlock_enter(const struct sandbox *sb, char *wrong, size_t size)
	__attribute__((warn_unused_result));

#endif
