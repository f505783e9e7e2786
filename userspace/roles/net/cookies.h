/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the kernel answers connections with SYN cookies. */
#ifndef SLUICE_ROLES_COOKIES_H
#define SLUICE_ROLES_COOKIES_H

#include <stdint.h>

/* Sent so far in this network namespace; 0 where that can't be read. */
uint64_t cookies_sent(void);

#endif
