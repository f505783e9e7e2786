// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipc/limits.h"

#include <sys/resource.h>

/* Descriptors of the scan role for everything but objects to scan. */
#define SCAN_RESERVED  256
/* Of a relay, for everything that is not a session's socket. */
#define RELAY_RESERVED 512
#define SCANS_MAX      1024

/* How many are left when @reserved are in use, and at least @least. */
static uint64_t files_beside(uint64_t reserved, uint64_t least)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == -1 ||
	    files.rlim_cur < reserved + least)
		return least;
	return files.rlim_cur - reserved;
}

uint64_t limits_sessions(void)
{
	return files_beside(RELAY_RESERVED, RELAY_RESERVED) / 2;
}

uint32_t limits_scans(uint32_t relays)
{
	uint64_t max;

	if (relays == 0)
		relays = 1;
	max = files_beside(SCAN_RESERVED, relays) / relays;
	return max < SCANS_MAX ? (uint32_t)max : SCANS_MAX;
}
