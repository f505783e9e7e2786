// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/clock.h"

#include <time.h>

static uint64_t clock_us(clockid_t id)
{
	struct timespec ts;

	/* Can't fail: the clock exists and the pointer is good. */
	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t clock_monotonic_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

static uint64_t system_monotonic_ms(void)
{
	return clock_us(CLOCK_MONOTONIC) / 1000;
}

static uint64_t system_wall_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

const struct clock_ops clock_system = {
	.monotonic_ms = system_monotonic_ms,
	.wall_us = system_wall_us,
};
