/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a role that failed waits before it is started again. Pure. */
#ifndef SLUICE_ROLES_BACKOFF_H
#define SLUICE_ROLES_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS 100
#define BACKOFF_LAST_MS	 10000

/* After @failures in a row before this one: doubled each time, to a bound. */
uint64_t backoff_ms(unsigned int failures);

#endif
