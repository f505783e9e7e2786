/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two clocks, behind one table so that a test can put its own in place.
 * Everything above sys/ takes the time as an argument or from the loop.
 */
#ifndef SLUICE_SYS_CLOCK_H
#define SLUICE_SYS_CLOCK_H

#include <stdint.h>

struct clock_ops {
	/*
	 * Never goes back, the same in every process, and stands still while
	 * the machine is suspended (CLOCK_MONOTONIC): nobody looks hung then.
	 */
	uint64_t (*monotonic_ms)(void);
	/* Since 1970 UTC; may jump. */
	uint64_t (*wall_us)(void);
};

extern const struct clock_ops clock_system;

/* The monotonic clock in microseconds, for measuring durations. */
uint64_t clock_monotonic_us(void);

#endif
