/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `sluicectl status` shows, from the roles' counter pages. */
#ifndef SLUICE_ROLES_STATUS_H
#define SLUICE_ROLES_STATUS_H

#include "roles/sluiced/supervise.h"

struct json_object;

/* A new object (caller's), or NULL without memory. */
struct json_object *status_json(const struct supervisor *sup);
/*
 * One session of relay @instance as `sluicectl --json sessions` prints it; the
 * id is the one that its events bear.
 */
struct json_object *status_session_json(uint64_t instance,
					const struct msg_session *row);

#endif
