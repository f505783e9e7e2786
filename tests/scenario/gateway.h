/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A relay as it runs in production, but for main(): its loop on the clock of
 * sim.h, around it the other roles and the peers of its connections.
 */
#ifndef SLUICE_TESTS_GATEWAY_H
#define SLUICE_TESTS_GATEWAY_H

#include "peer.h"
#include "proxy/relay.h"
#include "role_log.h"
#include "role_net.h"
#include "role_scan.h"

/* The pages of our own begin so. */
#define OWN_PAGE "the gateway "

struct gateway {
	struct sim *sim;
	struct relay relay;
	struct role role;
	struct stats stats;
	struct config config;
	struct config_ref config_ref;
	struct role_net net;
	struct role_scan scan;
	struct role_log log;
	struct list peers;   /* all there were */
	struct peer *client; /* the one that the scenario speaks of, or NULL */
	struct peer *server;
	struct peer *client_data; /* the same of FTP's data connection */
	struct peer *server_data;
	struct ip_endpoint client_at; /* of connections from now on */
	struct ip_endpoint server_at;
	bool pieces;	/* peers send byte by byte and take little at once */
	uint32_t noise; /* ... where pieces are larger */
};

/* Keys at their defaults, but for times that no run should take. */
void gateway_config(struct config *config);
/* False, and a problem, when the relay can't be set up. */
bool gateway_open(struct gateway *g, const struct config *config, bool pieces);
/* A client's connection: g->client from now on. */
void gateway_dial(struct gateway *g);
/* From the next connection on. */
void gateway_addresses(struct gateway *g, bool ipv6);
/*
 * A data connection @from somewhere (port 0: any) @to where a client, or a
 * server, was told to go: g->client_data or g->server_data from now on. It is
 * refused when nobody listens there, or the rules don't look for it.
 */
void gateway_dial_data(struct gateway *g, const struct ip_endpoint *from,
		       const struct ip_endpoint *to, bool client);
/* Until nothing moves any more. No time passes. */
void gateway_settle(struct gateway *g);
void gateway_pass(struct gateway *g, uint64_t ms);
/*
 * Until every session has come to an end, if only by a time limit, and all that
 * happened is told; then the relay is stopped.
 */
void gateway_finish(struct gateway *g);
/* What is left of it is a problem. */
void gateway_close(struct gateway *g);

#endif
