/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What relays can't make themselves: transparent listeners, marked sockets
 * towards origin servers, and what FTP's data connections need (data.h).
 */
#ifndef SLUICE_ROLES_RELAYS_H
#define SLUICE_ROLES_RELAYS_H

#include "ipc/role.h"
#include "roles/net/data.h"

struct relays_relay {
	struct role *role;
	uint32_t index;
	struct chan chan;
};

struct relays {
	struct data *data;
	struct relays_relay list[CONFIG_RELAYS];
};

void relays_init(struct relays *r, struct role *role, struct data *data);
/* The channel to relay @index; takes over @fd. 0 or -errno. */
int relays_connect(struct relays *r, uint32_t index, int fd)
	__attribute__((warn_unused_result));

#endif
