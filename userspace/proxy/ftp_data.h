/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data connection of a control connection: two legs, as the control
 * connection has.
 *
 *	passive	 client --> [ listener at the server's address and port ]
 *			    [ socket of the stock ] --> server, where it listens
 *	active	 client <-- [ socket bound to the server's address ]
 *			    [ listener at the client's address and port ] <-- server
 *
 * Both are as they would be without us: the client sees the server's address,
 * the server the client's (or the gateway's, intercept.source_address). Listeners
 * are closed with the connection that they are for, or with the session.
 */
#ifndef SLUICE_PROXY_FTP_DATA_H
#define SLUICE_PROXY_FTP_DATA_H

#include "proxy/ftp_leg.h"

enum ftp_data_mode { FTP_DATA_NONE, FTP_DATA_PASSIVE, FTP_DATA_ACTIVE };

/*
 * Lifetime: part of the protocol's state of a session, whose memory outlives
 * the round in which ftp_data_end() was called.
 */
struct ftp_data {
	struct session *session;
	struct data_pair *pair; /* from the first data connection on */
	enum ftp_data_mode mode;
	struct ftp_leg client;
	struct ftp_leg server;
	bool server_ends;	/* its leg is due a FIN */
	struct loop_task later; /* what nobody waits for */
	struct side spent;	/* was the server's leg; for the stock */
};

void ftp_data_init(struct ftp_data *d, struct session *s);
/*
 * The server listens on @port: connect there, and listen for the client. False
 * without memory.
 */
bool ftp_data_passive(struct ftp_data *d, uint16_t port);
/*
 * The client listens at @client: listen for the server, at the same address and
 * port where the client's address is kept. False without memory.
 */
bool ftp_data_active(struct ftp_data *d, const struct ip_endpoint *client);
/*
 * Whether either side can be told where to connect to: 1 (ftp_data_told()), 0
 * not yet, or -errno, also later.
 */
int ftp_data_ready(const struct ftp_data *d);
/* Where we listen: for the client when passive, for the server when active. */
const struct ip_endpoint *ftp_data_told(const struct ftp_data *d);
/* Active, and the transfer begins: connect to the client. Once. */
void ftp_data_call_client(struct ftp_data *d);
/*
 * Close both legs: with FIN where all was said (@reset false), with RST else.
 * The next one may follow.
 */
void ftp_data_close(struct ftp_data *d, bool reset);
/*
 * The server has ended its leg, and gets our FIN behind what else this round
 * brings: its last reply is often there already, and the client waits for that.
 */
void ftp_data_end_server(struct ftp_data *d);
/* Close the client's leg alone. */
void ftp_data_close_client(struct ftp_data *d, bool reset);
/* With the session. */
void ftp_data_end(struct ftp_data *d);

#endif
