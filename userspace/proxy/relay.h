/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A relay: the role that carries traffic. One event loop, and in this
 * structure all that its sessions share. Single-threaded, so nothing is
 * locked.
 */
#ifndef SLUICE_PROXY_RELAY_H
#define SLUICE_PROXY_RELAY_H

#include "base/siphash.h"
#include "ipc/outbox.h"
#include "ipc/role.h"
#include "ipc/vcache.h"
#include "proxy/data_ask.h"
#include "proxy/name_ask.h"
#include "proxy/object.h"
#include "proxy/pool.h"
#include "proxy/scanner.h"
#include "proxy/stock.h"
#include "proto/http1.h"
#include "sys/log.h"

#define RELAY_BUFFER  (16u << 10) /* of a session's side while it is in use */
#define RELAY_SCRATCH (256u << 10)

struct relay_listener {
	struct relay *relay;
	struct loop_fd lfd;
	uint32_t service;
};

struct relay {
	struct role *role;
	struct loop *loop;
	struct stats *stats;
	const struct vcache *vcache; /* NULL: no cache */

	struct chan net;
	struct stock stock;
	struct data_asks data;
	struct chan resolve;
	struct name_asks names;
	struct scanner scanner;
	struct outbox events;

	struct relay_listener listeners[CONFIG_SERVICES];
	bool accepting;
	struct timer accept_again; /* after descriptors ran out */
	struct log_limit refused_limit;

	struct list sessions; /* all */
	struct list idle;     /* keep-alive, waiting; longest first */
	uint64_t nsessions;
	uint64_t max_sessions; /* what the descriptor limit allows */
	uint64_t next_session;

	struct pool buffers; /* RELAY_BUFFER bytes each */
	struct pipe_pool pipes;
	struct object_store objects;
	struct timer housekeeping;
	void *url_digest; /* EVP_MD_CTX for keys of URLs */
	uint8_t *scratch; /* RELAY_SCRATCH bytes, for one call at a time */

	/* Parsed heads live here while they are acted on. */
	struct http1_request request;
	struct http1_response response;

	bool stopping;
	bool cut; /* the stop time is over, sessions were cut */
	struct timer stop_deadline;
};

/* Set up everything that needs no peer. 0 or -errno, logged. */
int relay_init(struct relay *r, struct role *role)
	__attribute__((warn_unused_result));
/* A channel to a peer; takes over @fd. */
int relay_peer(struct relay *r, enum role_id id, int fd)
	__attribute__((warn_unused_result));
void relay_reloaded(struct relay *r);
/* No new sessions; end when the present ones have, or after @timeout_ms. */
void relay_stop(struct relay *r, uint64_t timeout_ms);
void relay_session_ended(struct relay *r);
void relay_close(struct relay *r);

/* Messages of the parent that only relays get (for role_ops). */
extern const struct chan_rule relay_parent_rules[];
extern const size_t relay_parent_nrules;

#endif
