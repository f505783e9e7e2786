/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Channels between two roles: made by the parent, one end for each. */
#ifndef SLUICE_ROLES_PEERS_H
#define SLUICE_ROLES_PEERS_H

#include <stdbool.h>

#include "roles/sluiced/child.h"

/*
 * Relays talk with net, scan, log and resolve; app talks with log; nobody else
 * talks.
 */
bool peers_talk(enum role_id a, enum role_id b);
/* A new channel between two running children; an earlier one is replaced. */
void peers_connect_pair(struct child *a, struct child *b);
/* @c with all that it talks with. */
void peers_connect(struct child *c);

#endif
