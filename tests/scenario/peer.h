/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The far end of a connection: a client or an origin server that does what the
 * scenario says, and remembers what it said and what it got.
 */
#ifndef SLUICE_TESTS_PEER_H
#define SLUICE_TESTS_PEER_H

#include "message.h"
#include "sim_tcp.h"

#define READ_ALL SIZE_MAX

struct peer {
	struct list node;
	bool client;  /* at the client's end */
	bool called;  /* it connected to the relay, and not the other way */
	bool data;    /* a data connection of FTP */
	bool listing; /* ... while a listing was asked for */
	struct sim_tcp *tcp; /* held until peer_free() */
	struct bytes to_send;
	struct bytes said; /* that is on its way: all of it */
	struct bytes got;  /* the same of what came */
	size_t reads;	   /* how much more it takes; READ_ALL */
	bool fin;	   /* ... behind to_send */
	bool rst;	   /* the same with a RST */
	bool gone; /* it has closed: what comes is answered with a RST */
	bool fin_sent;
	enum tcp_end end; /* how the relay ended it, behind what was got */
	/* the script's place in what was got */
	size_t seen;
	bool looking;		/* at a message that starts there */
	struct message message; /* as far as it had come */
	unsigned int answers;	/* before it, 1xx apart */
};

struct peer *peer_new(struct sim_tcp *t, bool client);
void peer_free(struct peer *p);
/* Moves what can be moved, at most @piece bytes to the relay. Progress? */
bool peer_turn(struct peer *p, size_t piece);
/* What was asked on this connection, by a client or of a server. */
struct str peer_requests(const struct peer *p);
/* Methods alone tell where an answer ends: whether request @n was a HEAD. */
bool requests_ask_head(struct str requests, unsigned int n);

#endif
