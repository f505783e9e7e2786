// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/ftp_data.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/relay.h"
#include "proxy/session.h"

/* Below, no server of FTP listens, and it would take a capability. */
#define PORT_MIN 1024

/* --- coming about -------------------------------------------------- */

/*
 * The server is called as soon as there is a listener, and not when the client
 * comes: a server takes one connection, and then that is ours, whoever finds the
 * port without us. The pair is in the kernel by then, or the server's answer to
 * us would be forwarded to the client.
 */
static void then_call_server(struct ftp_data *d)
{
	if (d->mode == FTP_DATA_PASSIVE && d->client.state == LEG_LISTENING &&
	    d->server.state == LEG_NONE)
		ftp_leg_dial(&d->server);
}

static void on_client(struct ftp_leg *leg)
{
	struct ftp_data *d = list_entry(leg, struct ftp_data, client);

	then_call_server(d);
	d->session->protocol->run(d->session);
}

static void on_server(struct ftp_leg *leg)
{
	struct ftp_data *d = list_entry(leg, struct ftp_data, server);

	d->session->protocol->run(d->session);
}

static bool begin(struct ftp_data *d, enum ftp_data_mode mode)
{
	struct session *s = d->session;

	ftp_data_close(d, true);
	if (d->pair == NULL)
		d->pair = data_pair_hold(&s->relay->data, &s->client_addr.addr,
					 &s->server_addr.addr);
	if (d->pair == NULL)
		return false;
	d->mode = mode;
	d->client.peer.addr = s->client_addr.addr;
	d->server.peer.addr = s->server_addr.addr;
	return true;
}

bool ftp_data_passive(struct ftp_data *d, uint16_t port)
{
	if (!begin(d, FTP_DATA_PASSIVE))
		return false;
	d->server.peer.port = port;
	d->client.local = d->server.peer;
	if (port < PORT_MIN)
		ftp_leg_fail(&d->server, -EACCES);
	else
		ftp_leg_listen(&d->client, d->pair, SOCKETS_DATA_CLIENT);
	then_call_server(d);
	return true;
}

/* The gateway's own address is the one that the control connection has. */
static bool own_address(const struct session *s, struct ip_endpoint *own)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(s->server.lfd.fd, (struct sockaddr *)&ss, &len) == -1 ||
	    !ip_endpoint_from_sockaddr(own, &ss))
		return false;
	own->port = 0;
	return true;
}

bool ftp_data_active(struct ftp_data *d, const struct ip_endpoint *client)
{
	const struct session *s = d->session;

	if (!begin(d, FTP_DATA_ACTIVE))
		return false;
	d->client.peer = *client;
	d->server.local = *client;
	if (!s->config->config->intercept.keep_client_address &&
	    !own_address(s, &d->server.local))
		ftp_leg_fail(&d->server, -EADDRNOTAVAIL);
	else
		ftp_leg_listen(&d->server, d->pair, SOCKETS_DATA_SERVER);
	return true;
}

/* From the port that servers connect from (RFC 959 3.2). */
void ftp_data_call_client(struct ftp_data *d)
{
	if (d->mode != FTP_DATA_ACTIVE || d->client.state != LEG_NONE)
		return;
	d->client.local = d->session->server_addr;
	d->client.local.port--;
	ftp_leg_call(&d->client, d->pair);
}

int ftp_data_ready(const struct ftp_data *d)
{
	bool passive = d->mode == FTP_DATA_PASSIVE;

	if (d->client.state == LEG_FAILED)
		return d->client.side.error;
	if (d->server.state == LEG_FAILED)
		return d->server.side.error;
	/* Our SYN is on its way before the client can know of the port. */
	if (passive)
		return d->client.state >= LEG_LISTENING &&
		       d->server.state >= LEG_CONNECTING;
	return d->server.state >= LEG_LISTENING;
}

const struct ip_endpoint *ftp_data_told(const struct ftp_data *d)
{
	return d->mode == FTP_DATA_PASSIVE ? &d->client.local
					   : &d->server.local;
}

/* --- the server's end ---------------------------------------------- */

/* Both have ended it, and know so: nothing of it is on its way any more. */
static bool is_over(int fd)
{
	uint8_t state; /* the first byte of struct tcp_info */
	socklen_t len = sizeof(state);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &len) == 0 &&
	       state == TCP_CLOSE;
}

/* Its socket serves again, or the kernel goes on waiting for the last ACK. */
static void spent_close(struct ftp_data *d)
{
	struct side *sd = &d->spent;

	if (!side_open(sd))
		return;
	side_shutdown(sd);
	if (is_over(sd->lfd.fd)) {
		stock_give_back(&d->session->relay->stock, SOCKETS_SERVER,
				d->session->server_addr.addr.family,
				sd->lfd.fd);
	} else {
		side_break_off(sd, false);
		close(sd->lfd.fd);
	}
	side_init(sd, d->session);
}

static void on_later(struct loop_task *task)
{
	struct ftp_data *d = list_entry(task, struct ftp_data, later);

	if (d->server_ends && d->server.state == LEG_OPEN)
		side_shutdown(&d->server.side);
	if (d->spent.wr_closed)
		spent_close(d);
	else
		side_shutdown(&d->spent);
}

static void later(struct ftp_data *d)
{
	loop_defer(d->session->relay->loop, &d->later);
}

void ftp_data_end_server(struct ftp_data *d)
{
	if (d->server_ends || d->server.side.wr_closed)
		return;
	d->server_ends = true;
	later(d);
}

/*
 * A connection to the server that both end in order: its socket is kept until
 * that is so, which the next data connection comes after.
 */
static void spend_server(struct ftp_data *d)
{
	struct side *sd = &d->server.side;

	if (d->mode != FTP_DATA_PASSIVE || d->server.state != LEG_OPEN ||
	    !sd->rd_closed || (!d->server_ends && !sd->wr_closed) ||
	    sd->error != 0)
		return;
	spent_close(d);
	side_break_off(sd, true);
	d->spent.lfd.fd = sd->lfd.fd;
	d->spent.breaks = true;
	d->spent.wr_closed = sd->wr_closed;
	loop_del(d->session->relay->loop, &sd->lfd);
	if (!sd->wr_closed)
		later(d);
}

/* --- life ---------------------------------------------------------- */

void ftp_data_init(struct ftp_data *d, struct session *s)
{
	memset(d, 0, sizeof(*d));
	d->session = s;
	side_init(&d->spent, s);
	loop_task_init(&d->later, on_later);
	ftp_leg_init(&d->client, s, true, on_client);
	ftp_leg_init(&d->server, s, false, on_server);
}

void ftp_data_close(struct ftp_data *d, bool reset)
{
	if (side_open(&d->spent))
		later(d);
	if (!reset)
		spend_server(d);
	ftp_leg_close(&d->client, reset);
	ftp_leg_close(&d->server, reset);
	d->server_ends = false;
	d->mode = FTP_DATA_NONE;
}

void ftp_data_close_client(struct ftp_data *d, bool reset)
{
	ftp_leg_close(&d->client, reset);
}

void ftp_data_end(struct ftp_data *d)
{
	ftp_data_close(d, true);
	spent_close(d);
	list_del(&d->later.node);
	data_pair_release(&d->session->relay->data, d->pair);
	d->pair = NULL;
}
