/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds however a run went, whatever failed in it. Of memory and
 * descriptors: sim_end(); of sessions: gateway_close().
 *
 * The one that everything else is there for: with scan.not_scanned = block
 * nobody gets a body, whole or in part, that the scan role did not call clean;
 * but for the part that tail delivery lets go early, and what the gateway
 * itself says.
 */
#ifndef SLUICE_TESTS_INVARIANTS_H
#define SLUICE_TESTS_INVARIANTS_H

#include "gateway.h"

/* After gateway_finish(). */
void invariants_check(const struct gateway *g);

#endif
