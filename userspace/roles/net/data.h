/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FTP's data connections: pairs that relays announce, in the kernel while some
 * relay holds them (and half a minute longer, see pairs.h) and the rules are in
 * place, and the sockets that only this role can bind.
 */
#ifndef SLUICE_ROLES_DATA_H
#define SLUICE_ROLES_DATA_H

#include "ipc/role.h"
#include "roles/net/rules.h"

struct data {
	struct role *role;
	struct rules *rules; /* which has the table of pairs */
	struct timer stale;  /* what an earlier process of the role left */
	struct timer look;   /* for what has lingered long enough */
	uint64_t full_ms;   /* when it was last logged that the table is full */
	uint64_t failed_ms; /* ... that a socket could not be made */
};

void data_init(struct data *d, struct role *role, struct rules *rules);

/* What a relay says or wants: 0, or -EPROTO, which ends it. */
int data_check(const struct ip_addr *client, const struct ip_addr *server)
	__attribute__((warn_unused_result));
/* Relay @index holds a pair: 0 when it is in the kernel; see struct msg_pair. */
int data_pair_hold(struct data *d, uint32_t index, const struct msg_pair *msg)
	__attribute__((warn_unused_result));
void data_pair_drop(struct data *d, uint32_t index, const struct msg_pair *msg);
/* The relay is gone. */
void data_relay_gone(struct data *d, uint32_t index);

/* What relay @index wants. The descriptor; -ENOENT when it doesn't hold the
 * pair; -errno. */
int data_socket(struct data *d, uint32_t index, const struct msg_data *want)
	__attribute__((warn_unused_result));

#endif
