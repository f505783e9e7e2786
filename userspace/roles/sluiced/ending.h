/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The orderly end: which role ends when.
 *
 * First the switch goes off, so that no new connection is sent to a relay that
 * won't take it. Then the relays finish what they carry, which still needs net
 * (the rules that divert it), scan, log and resolve: those are started again
 * even now. Then these end (log takes the relays' last events), and net, which
 * removes rules and routes when nothing needs them any more; it is started for
 * that alone if it has to be. Each step has its time; who is late is killed.
 */
#ifndef SLUICE_ROLES_ENDING_H
#define SLUICE_ROLES_ENDING_H

#include "roles/sluiced/supervise.h"

void ending_init(struct supervisor *sup);
/* From now on the end goes its way; again: without patience. */
void ending_begin(struct supervisor *sup);
/* A child ended meanwhile. */
void ending_child_gone(struct supervisor *sup, struct child *c);

#endif
