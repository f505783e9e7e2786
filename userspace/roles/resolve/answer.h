/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What c-ares found, as relays are told it. Pure. */
#ifndef SLUICE_ROLES_ANSWER_H
#define SLUICE_ROLES_ANSWER_H

#include <stdint.h>

#include "ipc/msg.h"

struct ares_addrinfo;

/* -errno, as of struct msg_resolved, for a status of c-ares's; 0 is success. */
int answer_status(int ares_status);

/*
 * Fill @answer (its id is 0) from a status and @info, which may be NULL, and
 * *@ttl_s with how long all of it holds. Of more addresses than there is room
 * for, the first ones, but half the room at least for the other family, should
 * there be that many: who can't reach one may reach the other.
 */
void answer_from(int ares_status, const struct ares_addrinfo *info,
		 struct msg_resolved *answer, uint32_t *ttl_s);

#endif
