/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the descriptor limit leaves for the work. All roles have the limit that
 * they inherited from the parent, so each can tell what another may do.
 */
#ifndef SLUICE_IPC_LIMITS_H
#define SLUICE_IPC_LIMITS_H

#include <stdint.h>

/* Sessions, of two sockets each, that a relay has room for. */
uint64_t limits_sessions(void);
/*
 * Scans that one of @relays may have asked for without an answer yet: each of
 * them takes a descriptor of the scan role, and all relays together must not
 * take its last. A relay that asks for more breaks the protocol.
 */
uint32_t limits_scans(uint32_t relays);

#endif
