/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which changes of a reload have to wait for a restart. */
#ifndef SLUICE_CONF_RELOAD_H
#define SLUICE_CONF_RELOAD_H

#include "conf/config.h"
#include "conf/keys.h"

/*
 * The first key behind @after (NULL: the first of all) that differs between
 * the two and takes effect with a restart only; NULL when there is no more.
 */
const struct config_key *config_restart_key(const struct config *running,
					    const struct config *wanted,
					    const struct config_key *after);

/* Give every such key in @wanted the value that it has in @running. */
void config_keep_restart_keys(struct config *wanted,
			      const struct config *running);

#endif
