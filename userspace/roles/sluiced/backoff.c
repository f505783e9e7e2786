// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/backoff.h"

uint64_t backoff_ms(unsigned int failures)
{
	uint64_t wait = BACKOFF_FIRST_MS;

	while (failures-- > 0 && wait < BACKOFF_LAST_MS)
		wait *= 2;
	return wait < BACKOFF_LAST_MS ? wait : BACKOFF_LAST_MS;
}
