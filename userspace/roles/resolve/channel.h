/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A channel is c-ares's servers, sockets and queries, with the sockets on our
 * loop. It is followed by another one after a while, which reads resolv.conf
 * anew and has ports of its own: c-ares 1.18 keeps a port as long as it has
 * queries, and who knows that port has only the 16 bits of a query's number
 * left to guess (RFC 5452).
 *
 * Lifetime: its owner's. The structures of its sockets are the loop's to name
 * until the round is over: they go to a list of the owner's, who frees them
 * in a task.
 */
#ifndef SLUICE_ROLES_CHANNEL_H
#define SLUICE_ROLES_CHANNEL_H

#include <ares.h>
#include <stddef.h>

#include "sys/loop.h"

#define CHANNEL_TIMEOUT_MS 2000 /* of a server; twice that the second time */
#define CHANNEL_TRIES	   2	/* of each server */

struct channel {
	struct list node;
	struct loop *loop;
	ares_channel ares;
	struct list sockets;
	struct list *closed; /* sockets that were, for channel_free_sockets() */
	unsigned int asked;  /* names, since it was made */
	unsigned int waiting; /* of them, those somebody waits for */
};

/* NULL and *@error, one of c-ares's, when there can't be one. */
struct channel *channel_new(struct loop *loop, struct list *closed, int *error);
/* What is under way is called back with ARES_EDESTRUCTION. */
void channel_free(struct channel *c);
/* To be called often while there are queries: times that are over. */
void channel_tick(struct channel *c);
/* Not while events of this round may come. */
void channel_free_sockets(struct list *closed);
/* "192.0.2.53, 2001:db8::53", as far as it fits. */
void channel_servers(struct channel *c, char *dst, size_t size);

#endif
