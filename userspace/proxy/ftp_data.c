// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/ftp_data.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/dial.h"
#include "proxy/relay.h"
#include "proxy/session.h"

/* Below, no server of FTP listens, and it would take a capability. */
#define PORT_MIN  1024
/* Several may come before the right one is accepted. */
#define BACKLOG	  4
/*
 * A port that is in use, or rules that are just put back, which takes net up to
 * a second: tried so often, and so far apart.
 */
#define TRIES_MAX 75
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

/* The client is called by us, from a port of the server's. */
static bool is_call(const struct ftp_leg *leg)
{
	return leg->data->mode == FTP_DATA_ACTIVE && leg == &leg->data->client;
}

/* What its socket is for; not of a leg that calls the client. */
static enum msg_sockets_leg socket_leg(const struct ftp_leg *leg)
{
	if (leg == &leg->data->client)
		return SOCKETS_DATA_CLIENT;
	return leg->data->mode == FTP_DATA_PASSIVE ? SOCKETS_SERVER
						   : SOCKETS_DATA_SERVER;
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
	/*
	 * All of ours are made so. Only an orderly end means that it was all:
	 * not one by our death.
	 */
	leg->side.breaks = true;
	/* An accepted one often has something already. */
	leg->side.readable = state == LEG_OPEN;
	leg->side.writable = state == LEG_OPEN;
}

static void close_listener(struct ftp_leg *leg)
{
	int fd = leg->listener.fd;

	if (fd == -1)
		return;
	/* close(2) takes it out of epoll: we hold the only descriptor. */
	leg->listener.fd = -1;
	close(fd);
}

/* --- trying again -------------------------------------------------- */

/*
 * Servers let go of a port as soon as they have their connection, which is ours
 * and early; then another session may be told the same one, while we still
 * listen there for the client of the first.
 */
static bool try_again(struct ftp_leg *leg, int error)
{
	struct loop *loop = relay_of(leg)->loop;

	if ((error != -EADDRINUSE && error != -EAGAIN) ||
	    leg->tries++ == TRIES_MAX)
		return false;
	timer_arm(&loop->wheel, &leg->again, loop->now_ms + AGAIN_MS);
	return true;
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
		/* With RST: an orderly end would make an empty file of it. */
		close(fd);
		return;
	} else {
		take(leg, fd, LEG_OPEN);
	}
	if (leg->state == LEG_LISTENING)
		return;
	close_listener(leg);
	run(leg);
}

/* 0 or -errno; @fd is the stock's again, or closed, when it can't listen. */
static int bind_listener(struct ftp_leg *leg, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = ip_endpoint_to_sockaddr(&leg->local, &ss);
	int error;

	if (bind(fd, (struct sockaddr *)&ss, len) == -1) {
		error = -errno;
		stock_give_back(&relay_of(leg)->stock, socket_leg(leg),
				leg->local.addr.family, fd);
		return error;
	}
	len = sizeof(ss);
	if (listen(fd, BACKLOG) == 0 &&
	    (leg->local.port != 0 ||
	     (getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
	      ip_endpoint_from_sockaddr(&leg->local, &ss))))
		return 0;
	error = -errno;
	close(fd);
	return error;
}

/* @fd is a socket that may listen on its leg. */
static void listen_with(struct ftp_leg *leg, int fd)
{
	int rc = bind_listener(leg, fd);

	if (rc != 0 && try_again(leg, rc))
		return;
	if (rc == 0) {
		rc = loop_add(relay_of(leg)->loop, &leg->listener, fd, EPOLLIN,
			      on_listener);
		if (rc != 0)
			close(fd);
	}
	if (rc != 0)
		fail(leg, rc);
	else
		leg->state = LEG_LISTENING;
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

/* --- sockets ------------------------------------------------------- */

static void use(struct ftp_leg *leg, int fd)
{
	if (socket_leg(leg) == SOCKETS_SERVER)
		dial_server(leg, fd);
	else
		listen_with(leg, fd);
}

static void take_socket(struct ftp_leg *leg)
{
	struct stock *stock = &relay_of(leg)->stock;
	int family = leg->peer.addr.family;
	int fd = stock_take(stock, socket_leg(leg), family);

	leg->state = LEG_WAITING;
	if (fd != -1)
		use(leg, fd);
	else
		stock_wait(stock, socket_leg(leg), family, &leg->waiter);
}

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
		take_socket(&d->server);
}

/* The next step to a listener. */
static void prepare(struct ftp_leg *leg)
{
	struct data_asks *asks = &relay_of(leg)->data;
	struct data_pair *pair = leg->data->pair;

	leg->state = LEG_WAITING;
	if (!data_pair_is_known(pair))
		data_pair_wait(asks, pair, &leg->pair_waiter);
	else
		take_socket(leg);
	then_call_server(leg->data);
}

static void on_pair(struct data_waiter *w, int rc)
{
	struct ftp_leg *leg = list_entry(w, struct ftp_leg, pair_waiter);

	if (rc == 0)
		prepare(leg);
	else if (!try_again(leg, rc))
		fail(leg, rc);
	run(leg);
}

static void on_stock(struct stock_waiter *w, int fd)
{
	struct ftp_leg *leg = list_entry(w, struct ftp_leg, waiter);

	use(leg, fd);
	then_call_server(leg->data);
	run(leg);
}

/* --- calling the client -------------------------------------------- */

static void want_call(struct ftp_leg *leg)
{
	leg->state = LEG_WAITING;
	data_ask_want(&relay_of(leg)->data, &leg->ask, leg->data->pair,
		      leg->local.port);
}

/* The net role's answer. */
static void on_bound(struct data_ask *ask, int fd)
{
	struct ftp_leg *leg = list_entry(ask, struct ftp_leg, ask);

	if (fd < 0 && try_again(leg, fd))
		return;
	if (fd < 0)
		fail(leg, fd);
	else
		connect_with(leg, fd);
	run(leg);
}

static void on_again(struct timer *t, uint64_t now_ms)
{
	struct ftp_leg *leg = list_entry(&t->node, struct ftp_leg, again.node);

	(void)now_ms;
	if (is_call(leg))
		want_call(leg);
	else
		prepare(leg);
	run(leg);
}

/* --- both legs ----------------------------------------------------- */

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

	if (d->server.ends && d->server.state == LEG_OPEN)
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
	if (d->server.ends || d->server.side.wr_closed)
		return;
	d->server.ends = true;
	later(d);
}

/*
 * A connection to the server that both end in order: its socket is kept until
 * that is so, which the next data connection comes after.
 */
static void spend(struct ftp_leg *leg)
{
	struct ftp_data *d = leg->data;
	struct side *sd = &leg->side;

	if (d->mode != FTP_DATA_PASSIVE || leg != &d->server ||
	    leg->state != LEG_OPEN || !sd->rd_closed ||
	    (!leg->ends && !sd->wr_closed) || sd->error != 0)
		return;
	spent_close(d);
	side_break_off(sd, true);
	d->spent.lfd.fd = sd->lfd.fd;
	d->spent.breaks = true;
	d->spent.wr_closed = sd->wr_closed;
	loop_del(relay_of(leg)->loop, &sd->lfd);
	if (!sd->wr_closed)
		later(d);
}

static void leg_init(struct ftp_leg *leg, struct ftp_data *d, bool client)
{
	memset(leg, 0, sizeof(*leg));
	leg->data = d;
	side_init(&leg->side, d->session);
	leg->side.counted = client;
	leg->listener.fd = -1;
	data_waiter_init(&leg->pair_waiter, on_pair);
	data_ask_init(&leg->ask, on_bound);
	timer_init(&leg->again, on_again);
	stock_waiter_init(&leg->waiter, on_stock);
}

void ftp_data_init(struct ftp_data *d, struct session *s)
{
	d->session = s;
	d->pair = NULL;
	side_init(&d->spent, s);
	loop_task_init(&d->later, on_later);
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
	prepare(&d->client);
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
		prepare(&d->server);
	return true;
}

/* From the port that servers connect from (RFC 959 3.2). */
void ftp_data_call_client(struct ftp_data *d)
{
	if (d->mode != FTP_DATA_ACTIVE || d->client.state != LEG_NONE)
		return;
	d->client.local = d->session->server_addr;
	d->client.local.port--;
	want_call(&d->client);
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

	if (!reset)
		spend(leg);
	close_listener(leg);
	data_waiter_cancel(&leg->pair_waiter);
	data_ask_cancel(&leg->ask);
	timer_cancel(&relay_of(leg)->loop->wheel, &leg->again);
	stock_cancel(&leg->waiter);
	side_break_off(&leg->side, reset);
	side_close(&leg->side, reset);
	leg_init(leg, leg->data, client);
}

void ftp_data_close(struct ftp_data *d, bool reset)
{
	if (side_open(&d->spent))
		later(d);
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
	spent_close(d);
	list_del(&d->later.node);
	data_pair_release(&d->session->relay->data, d->pair);
	d->pair = NULL;
}
