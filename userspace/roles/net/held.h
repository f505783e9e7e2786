/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports that were intercepted at some time since sluiced started. A reload that
 * takes one off doesn't end the connections to it, whose packets still have to
 * find their sockets. What the rules in the kernel say is remembered, so the
 * death of this role changes nothing.
 */
#ifndef SLUICE_ROLES_HELD_H
#define SLUICE_ROLES_HELD_H

#include "conf/config.h"
#include "render/ruleset.h"
#include "sys/nft.h"

/* Those of the rules that an earlier process of this role left, if any. */
void held_load(struct ruleset_held *h, struct nft *nft);
/* Those of a configuration, both protocols', before it is replaced. */
void held_add(struct ruleset_held *h, const struct config_intercept *config);

#endif
