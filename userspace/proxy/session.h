/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session: one intercepted connection of a client, and the connection to
 * the origin server that it was meant for.
 *
 * Lifetime: made by the listener for an accepted socket; lives on
 * relay->sessions; session_end() closes its sockets, takes it out of
 * everything, tells the protocol, and queues the task that frees it, because
 * later events of the same round may still name it. Nothing but the loop and
 * its own protocol state holds a pointer to it.
 */
#ifndef SLUICE_PROXY_SESSION_H
#define SLUICE_PROXY_SESSION_H

#include "base/ip.h"
#include "ipc/role.h"
#include "proxy/side.h"
#include "proxy/stock.h"

/* Why a session ended; session_close_reason() has a sentence for each. */
enum session_close {
	CLOSE_DONE,	    /* both sides had said all they wanted */
	CLOSE_CLIENT_GONE,  /* the client closed or reset */
	CLOSE_SERVER_GONE,  /* the origin server closed or reset */
	CLOSE_IDLE,	    /* no request came for http.idle_timeout */
	CLOSE_TIMEOUT,	    /* header, body, connect or total time passed */
	CLOSE_REFUSED,	    /* what came was refused, or a verdict said so */
	CLOSE_NO_RESOURCES, /* memory, descriptors */
	CLOSE_MAKE_ROOM,    /* an idle one, for a new one */
	CLOSE_SHUTDOWN	    /* the gateway stops */
};

const char *session_close_reason(enum session_close why);

enum upstream_state {
	UPSTREAM_NONE,
	UPSTREAM_WAITING, /* for a socket of the net role */
	UPSTREAM_CONNECTING,
	UPSTREAM_CONNECTED,
	UPSTREAM_FAILED
};

/*
 * What a protocol does with a session. Adding one is a table like this; the
 * session knows no more about it.
 */
struct protocol {
	const char *name;
	/* Something changed: readiness, connection, a verdict. Make progress. */
	void (*run)(struct session *s);
	/* s->deadline_ms passed. */
	void (*timeout)(struct session *s);
	/* The session ends: free s->state, say what must be said. */
	void (*ended)(struct session *s, enum session_close why);
	/* For `sluicectl sessions`. */
	void (*describe)(const struct session *s, struct msg_session *row);
};

struct session {
	struct relay *relay;
	const struct protocol *protocol;
	void *state; /* the protocol's; NULL while it needs none */
	struct config_ref *config;
	struct list node;
	struct list idle_node; /* on relay->idle while between requests */
	struct loop_task task; /* go on with run(), or free when dead */
	struct timer timer;
	uint64_t deadline_ms;  /* when timeout() is due; 0 = never */
	uint64_t last_io_ms;   /* a byte moved on either side */
	uint64_t last_head_ms; /* the first byte of a head came */
	uint64_t started_ms;
	uint64_t id;
	struct side client;
	struct side server;
	struct stock_waiter waiter;
	enum upstream_state upstream;
	struct ip_endpoint client_addr;
	struct ip_endpoint server_addr; /* the original destination */
	uint32_t requests;
	size_t head_seen; /* of a head that is coming: searched so far */
	bool dead;
};

/* Take over the accepted @fd; closes it when there is no memory. */
void session_start(struct relay *r, int fd, const struct ip_endpoint *client,
		   const struct ip_endpoint *server,
		   const struct protocol *protocol);
/* End it; @reset: both connections with RST. */
void session_end(struct session *s, enum session_close why, bool reset);
/*
 * The last word is with the kernel: send FIN, take no notice of what still
 * comes for a moment (so that a RST does not destroy the word), then end.
 */
void session_linger(struct session *s);
/*
 * From here on bytes go both ways unread. The protocol before has no state
 * left; what is in the buffers goes first.
 */
void session_tunnel(struct session *s);

/* Run again in the next round (a budget was used up). */
void session_again(struct session *s);
/* timeout() at @at_ms; 0 never. */
void session_deadline(struct session *s, uint64_t at_ms);
/* Between requests or not: idle sessions give way when room is needed. */
void session_set_idle(struct session *s, bool idle);

/*
 * Connect to the original destination; s->upstream tells how it goes, and
 * run() is called when it changes. s->server.error says why it failed.
 */
void session_connect(struct session *s);
/*
 * With nothing asked: the origin server closed, or sent bytes that answer
 * nothing. The connection is of no use any more.
 */
bool session_server_left(struct session *s);
/*
 * Close the connection to the origin server, with RST (session_connect() says
 * why); another may follow.
 */
void session_disconnect(struct session *s);

extern const struct protocol protocol_http;
extern const struct protocol protocol_ftp;
extern const struct protocol protocol_linger;

#endif
