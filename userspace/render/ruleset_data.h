/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules for data connections of FTP, which are there while it is intercepted
 * or may still have connections (ruleset.data). Pure.
 */
#ifndef SLUICE_RENDER_RULESET_DATA_H
#define SLUICE_RENDER_RULESET_DATA_H

#include "render/ruleset.h"

/* The way there from chain "prerouting", behind the ports that are known. */
void ruleset_data_add_prerouting(struct ruleset_chain *prerouting);
/* In chain "clients": data connections whose port is an intercepted one. */
void ruleset_data_add_clients(const struct ruleset *rs,
			      struct ruleset_chain *clients);
/* Rule @name: the packet isn't for the listener of a data connection. */
void ruleset_data_leave_out(struct ruleset_chain *chain, const char *name);
/* Their own chains. */
void ruleset_data_add(struct ruleset *rs);

#endif
