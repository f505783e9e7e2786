/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One leg of a data connection of FTP, and the way it comes about: a listener
 * that takes one connection, from the one host that it is expected from; or a
 * connection that we open.
 *
 * Only an orderly end of data says that it was all, so every leg is closed with
 * a reset by whatever happens to this process (side_break_off()).
 */
#ifndef SLUICE_PROXY_FTP_LEG_H
#define SLUICE_PROXY_FTP_LEG_H

#include "proxy/data_ask.h"
#include "proxy/side.h"
#include "proxy/stock.h"

enum ftp_leg_state {
	LEG_NONE,
	LEG_WAITING, /* for the rules, or for a socket */
	LEG_LISTENING,
	LEG_CONNECTING,
	LEG_OPEN,
	LEG_FAILED /* side.error says why */
};

struct ftp_leg;
/* It got further, or something can be received or sent. */
typedef void (*ftp_leg_fn)(struct ftp_leg *leg);

/* Lifetime: part of struct ftp_data, and its. */
struct ftp_leg {
	struct side side;
	ftp_leg_fn changed;
	enum ftp_leg_state state;
	struct ip_endpoint local; /* what its socket is bound to */
	struct ip_endpoint peer;  /* whom it is with; port 0: any port */
	/* while it comes about */
	struct data_pair *pair;	   /* that it needs in the rules */
	enum msg_sockets_leg kind; /* of socket, from the stock */
	struct loop_fd listener;   /* fd -1: there is none */
	struct data_waiter pair_waiter;
	struct stock_waiter waiter;
	struct data_ask ask;
	struct timer again; /* the rules are asked for once more */
	unsigned int tries;
};

/* @client: it leads to the client. */
void ftp_leg_init(struct ftp_leg *leg, struct session *s, bool client,
		  ftp_leg_fn changed);
/*
 * Listen at leg->local for leg->peer with a socket of @kind. Where that port
 * can't be had, it is another one, which leg->local then says: with LEG_LISTENING
 * it can be told.
 */
void ftp_leg_listen(struct ftp_leg *leg, struct data_pair *pair,
		    enum msg_sockets_leg kind);
/* Connect to the server, leg->peer. */
void ftp_leg_dial(struct ftp_leg *leg);
/*
 * Connect to the client, leg->peer, from leg->local, or from another port there
 * where that one can't be had.
 */
void ftp_leg_call(struct ftp_leg *leg, struct data_pair *pair);
void ftp_leg_fail(struct ftp_leg *leg, int error);
/* Close it; what it was is forgotten. */
void ftp_leg_close(struct ftp_leg *leg, bool reset);

#endif
