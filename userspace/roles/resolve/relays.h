/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Channels to the relays, who ask. */
#ifndef SLUICE_ROLES_RELAYS_H
#define SLUICE_ROLES_RELAYS_H

#include "ipc/role.h"
#include "roles/resolve/questions.h"

struct relays_relay {
	struct role *role;
	uint32_t index;
	struct chan chan;
	struct asker asker;
};

struct relays {
	struct dns *dns;
	struct questions *questions;
	struct log_limit slow;
	struct relays_relay list[CONFIG_RELAYS];
};

void relays_init(struct relays *r, struct role *role, struct dns *dns,
		 struct questions *questions);
/* The channel to relay @index; takes over @fd. 0 or -errno. */
int relays_connect(struct relays *r, uint32_t index, int fd)
	__attribute__((warn_unused_result));
void relays_close(struct relays *r);
/* The note says which servers are asked. */
void relays_show_servers(struct relays *r);

#endif
