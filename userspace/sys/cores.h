/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processor cores that this process may use: sched_setaffinity(2). */
#ifndef SLUICE_SYS_CORES_H
#define SLUICE_SYS_CORES_H

#include <stdint.h>

/* How many; at least 1. */
uint32_t cores_count(void);

/*
 * Stay on core @index of those, counted from 0. 0 or -errno; -ERANGE when
 * there are fewer.
 */
int cores_keep_to(uint32_t index) __attribute__((warn_unused_result));

#endif
