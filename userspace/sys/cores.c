// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/cores.h"

#include <errno.h>
#include <sched.h>

uint32_t cores_count(void)
{
	cpu_set_t cores;

	if (sched_getaffinity(0, sizeof(cores), &cores) != 0)
		return 1; /* more than a cpu_set_t has room for */
	return (uint32_t)CPU_COUNT(&cores);
}

int cores_keep_to(uint32_t index)
{
	cpu_set_t cores, one;

	if (sched_getaffinity(0, sizeof(cores), &cores) != 0)
		return -errno;
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &cores) || index-- > 0)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		return sched_setaffinity(0, sizeof(one), &one) == 0 ? 0
								    : -errno;
	}
	return -ERANGE;
}
