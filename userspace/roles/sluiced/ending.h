/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The orderly end: which role ends when. */
#ifndef SLUICE_ROLES_ENDING_H
#define SLUICE_ROLES_ENDING_H

#include "roles/sluiced/supervise.h"

/* Whoever got its configuration last (scan and log) has so long to end. */
#define ENDING_MS 5000

/* From now on the end goes its way; again: at once. */
void ending_begin(struct supervisor *sup);
/* Look whether the next phase can begin. Not while the phase is running. */
void ending_advance(struct supervisor *sup);

#endif
