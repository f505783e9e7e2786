/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A channel of c-ares's on our loop: servers, sockets, queries. Each name gets
 * one of its own. c-ares 1.18 keeps a port as long as a channel has queries,
 * and who knows the port has only the 16 bits of a query's number left to guess
 * (RFC 5452); and a connection to a server that fails ends all queries of its
 * channel, so that a name whose answer needs TCP could end others.
 *
 * Lifetime: its owner's, who frees it in a task: c-ares is not on the stack
 * then, and no event of the round can name one of its sockets.
 */
#ifndef SLUICE_ROLES_CHANNEL_H
#define SLUICE_ROLES_CHANNEL_H

#include <ares.h>
#include <stddef.h>

#include "sys/loop.h"

#define CHANNEL_TIMEOUT_MS 2000 /* of a server; twice that the second time */
#define CHANNEL_TRIES	   2	/* of each server */

struct channel {
	struct loop *loop;
	ares_channel ares;
	struct list sockets;
	struct list closed; /* sockets that were */
	struct timer timer; /* when c-ares has to look at its own */
};

/* NULL and *@error, one of c-ares's, when there can't be one. */
struct channel *channel_new(struct loop *loop, int *error);
/* Asked but not answered, @fn hears ARES_EDESTRUCTION. */
void channel_free(struct channel *c);

/*
 * Ask for the addresses of @name. @fn is called once, maybe from within, and
 * frees what it is given.
 */
void channel_ask(struct channel *c, const char *name, ares_addrinfo_callback fn,
		 void *user);

/* "192.0.2.53, 2001:db8::53", as far as it fits. */
void channel_servers(struct channel *c, char *dst, size_t size);

#endif
