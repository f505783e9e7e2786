// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/ftp_data.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/dial.h"
#include "proxy/relay.h"
#include "proxy/session.h"

/* Where the net role gives no port away. */
#define PORT_MIN  1024
/* A port that is in use: tried so often, and so far apart. */
#define TRIES_MAX 50
#define AGAIN_MS  20

static struct relay *relay_of(const struct ftp_leg *leg)
{
	return leg->data->session->relay;
}

static void run(struct ftp_leg *leg)
{
	struct session *s = leg->data->session;

	s->protocol->run(s);
}

static void fail(struct ftp_leg *leg, int error)
{
	leg->state = LEG_FAILED;
	leg->side.error = error;
}

/* --- open legs ----------------------------------------------------- */

static void on_data(struct loop_fd *lfd, uint32_t events)
{
	struct ftp_leg *leg = list_entry(lfd, struct ftp_leg, side.lfd);

	if (leg->state == LEG_CONNECTING) {
		int rc = dial_answer(lfd->fd, events);

		if (rc > 0)
			leg->state = LEG_OPEN;
		else if (rc < 0)
			fail(leg, rc);
	}
	side_event(&leg->side, events);
	/* While a verdict is waited for, nothing else would show that. */
	if (leg->side.counted && leg->state == LEG_OPEN &&
	    (events & EPOLLERR) != 0 && leg->side.error == 0)
		leg->side.error = -ECONNRESET;
	run(leg);
}

/* @fd is the leg's from now on, or closed. */
static void take(struct ftp_leg *leg, int fd, enum ftp_leg_state state)
{
	int rc = loop_add(relay_of(leg)->loop, &leg->side.lfd, fd, SIDE_EVENTS,
			  on_data);

	if (rc != 0) {
		close(fd);
		fail(leg, rc);
		return;
	}
	leg->state = state;
	/* Only an orderly end means that it was all: not one by our death. */
	if (leg->side.counted)
		side_break_off(&leg->side, true);
	/* An accepted one often has something already. */
	leg->side.readable = state == LEG_OPEN;
	leg->side.writable = state == LEG_OPEN;
}

static void close_listener(struct ftp_leg *leg)
{
	int fd = leg->listener.fd;

	if (fd == -1)
		return;
	loop_del(relay_of(leg)->loop, &leg->listener);
	close(fd);
}

/* --- listening ----------------------------------------------------- */

/* Anybody may have found the port: only the one who was told it gets in. */
static bool is_expected(const struct ftp_leg *leg,
			const struct sockaddr_storage *ss)
{
	struct ip_endpoint from;

	return ip_endpoint_from_sockaddr(&from, ss) &&
	       ip_addr_equal(&from.addr, &leg->peer.addr);
}

/* With RST: an orderly end would make an empty file of it. */
static void turn_away(int fd)
{
	static const struct linger now = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static void on_listener(struct loop_fd *lfd, uint32_t events)
{
	struct ftp_leg *leg = list_entry(lfd, struct ftp_leg, listener);
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd = accept4(lfd->fd, (struct sockaddr *)&ss, &len,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd == -1) {
		/* EMFILE and the like; others belong to that connection. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS)
			fail(leg, -errno);
	} else if (!is_expected(leg, &ss)) {
		turn_away(fd);
		return;
	} else {
		take(leg, fd, LEG_OPEN);
	}
	if (leg->state == LEG_LISTENING)
		return;
	close_listener(leg);
	run(leg);
}

static void listen_on(struct ftp_leg *leg, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int rc = loop_add(relay_of(leg)->loop, &leg->listener, fd, EPOLLIN,
			  on_listener);

	if (rc != 0) {
		close(fd);
		fail(leg, rc);
		return;
	}
	leg->state = LEG_LISTENING;
	if (leg->local.port == 0 &&
	    (getsockname(fd, (struct sockaddr *)&ss, &len) == -1 ||
	     !ip_endpoint_from_sockaddr(&leg->local, &ss)))
		fail(leg, -EADDRNOTAVAIL);
}

/* --- connecting ---------------------------------------------------- */

static void connect_with(struct ftp_leg *leg, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = ip_endpoint_to_sockaddr(&leg->peer, &ss);

	if (connect(fd, (struct sockaddr *)&ss, len) == -1 &&
	    errno != EINPROGRESS) {
		fail(leg, -errno);
		close(fd);
		return;
	}
	take(leg, fd, LEG_CONNECTING);
}

static void dial_server(struct ftp_leg *leg, int fd)
{
	int rc = dial(leg->data->session, fd, &leg->peer);

	if (rc == 0) {
		take(leg, fd, LEG_CONNECTING);
		return;
	}
	fail(leg, rc);
	close(fd);
}

static void on_stock(struct stock_waiter *w, int fd)
{
	struct ftp_leg *leg = list_entry(w, struct ftp_leg, waiter);

	dial_server(leg, fd);
	run(leg);
}

static void call_server(struct ftp_leg *leg)
{
	struct stock *stock = &relay_of(leg)->stock;
	int family = leg->peer.addr.family;
	int fd = stock_take(stock, family);

	leg->state = LEG_WAITING;
	if (fd != -1)
		dial_server(leg, fd);
	else
		stock_wait(stock, family, &leg->waiter);
}

static void want(struct ftp_leg *leg, enum msg_data_kind kind)
{
	leg->state = LEG_WAITING;
	data_ask_want(&relay_of(leg)->data, &leg->ask, leg->data->pair, kind,
		      &leg->local);
}

static void on_again(struct timer *t, uint64_t now_ms)
{
	struct ftp_leg *leg = list_entry(&t->node, struct ftp_leg, again.node);

	(void)now_ms;
	want(leg, (enum msg_data_kind)leg->ask.msg.kind);
}

/*
 * Servers let go of a port as soon as they have their connection, which is ours
 * and early; then another session may be told the same one, while we still
 * listen there for the client of the first.
 */
static bool try_again(struct ftp_leg *leg, int error)
{
	struct loop *loop = relay_of(leg)->loop;

	if (error != -EADDRINUSE || leg->tries++ == TRIES_MAX)
		return false;
	timer_arm(&loop->wheel, &leg->again, loop->now_ms + AGAIN_MS);
	return true;
}

/* The net role's answer. */
static void on_bound(struct data_ask *ask, int fd)
{
	struct ftp_leg *leg = list_entry(ask, struct ftp_leg, ask);

	if (fd < 0 && try_again(leg, fd))
		return;
	if (fd < 0)
		fail(leg, fd);
	else if (ask->msg.kind == DATA_TO_CLIENT)
		connect_with(leg, fd);
	else
		listen_on(leg, fd);
	/*
	 * Now the pair is in the kernel: before, the server's answer to us would
	 * have been forwarded to the client.
	 */
	if (ask->msg.kind == DATA_FROM_CLIENT && fd >= 0)
		call_server(&leg->data->server);
	run(leg);
}

/* --- both legs ----------------------------------------------------- */

static void leg_init(struct ftp_leg *leg, struct ftp_data *d, bool client)
{
	memset(leg, 0, sizeof(*leg));
	leg->data = d;
	side_init(&leg->side, d->session);
	leg->side.counted = client;
	leg->listener.fd = -1;
	data_ask_init(&leg->ask, on_bound);
	timer_init(&leg->again, on_again);
	stock_waiter_init(&leg->waiter, on_stock);
}

void ftp_data_init(struct ftp_data *d, struct session *s)
{
	d->session = s;
	d->pair = NULL;
	d->mode = FTP_DATA_NONE;
	leg_init(&d->client, d, true);
	leg_init(&d->server, d, false);
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
	if (port < PORT_MIN) {
		fail(&d->server, -EACCES);
		return true;
	}
	/*
	 * The server is called as soon as there is a listener, and not when the
	 * client comes: a server takes one connection, and then that is ours,
	 * whoever finds the port without us.
	 */
	want(&d->client, DATA_FROM_CLIENT);
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
		fail(&d->server, -EADDRNOTAVAIL);
	else
		want(&d->server, DATA_FROM_SERVER);
	return true;
}

/* From the port that servers connect from (RFC 959 3.2). */
void ftp_data_call_client(struct ftp_data *d)
{
	if (d->mode != FTP_DATA_ACTIVE || d->client.state != LEG_NONE)
		return;
	d->client.local = d->session->server_addr;
	d->client.local.port--;
	want(&d->client, DATA_TO_CLIENT);
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

static void leg_close(struct ftp_leg *leg, bool reset)
{
	bool client = leg->side.counted;

	close_listener(leg);
	data_ask_cancel(&leg->ask);
	timer_cancel(&relay_of(leg)->loop->wheel, &leg->again);
	stock_cancel(&leg->waiter);
	side_break_off(&leg->side, reset);
	side_close(&leg->side, reset);
	leg_init(leg, leg->data, client);
}

void ftp_data_close(struct ftp_data *d, bool reset)
{
	leg_close(&d->client, reset);
	leg_close(&d->server, reset);
	d->mode = FTP_DATA_NONE;
}

void ftp_data_close_client(struct ftp_data *d, bool reset)
{
	leg_close(&d->client, reset);
}

void ftp_data_end(struct ftp_data *d)
{
	ftp_data_close(d, true);
	data_pair_release(&d->session->relay->data, d->pair);
	d->pair = NULL;
}
