// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/ftp_leg.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/dial.h"
#include "proxy/relay.h"
#include "proxy/session.h"

/* Several may come before the right one is accepted. */
#define BACKLOG	  4
/* Rules that are just put back, which takes net up to a second: asked so often. */
#define TRIES_MAX 75
#define AGAIN_MS  20

static struct relay *relay_of(const struct ftp_leg *leg)
{
	return leg->side.session->relay;
}

void ftp_leg_fail(struct ftp_leg *leg, int error)
{
	leg->state = LEG_FAILED;
	leg->side.error = error;
}

/*
 * Somebody has the port: a service of the gateway's own, another session that
 * was told the same one (servers let go of a port as soon as they have their
 * connection, which is ours and early), a connection in TIME_WAIT; or the
 * gateway may not have it. Then any other one will do, as the one whom it is for
 * is told of it, or doesn't ask.
 */
static bool another_port(struct ftp_leg *leg, int error)
{
	bool taken = error == -EADDRINUSE || error == -EADDRNOTAVAIL ||
		     error == -EACCES;

	if (!taken || leg->local.port == 0)
		return false;
	leg->local.port = 0;
	return true;
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
			ftp_leg_fail(leg, rc);
	}
	side_event(&leg->side, events);
	/* While a verdict is waited for, nothing else would show that. */
	if (leg->side.counted && leg->state == LEG_OPEN &&
	    (events & EPOLLERR) != 0 && leg->side.error == 0)
		leg->side.error = -ECONNRESET;
	leg->changed(leg);
}

/* @fd is the leg's from now on, or closed. */
static void take(struct ftp_leg *leg, int fd, enum ftp_leg_state state)
{
	int rc = loop_add(relay_of(leg)->loop, &leg->side.lfd, fd, SIDE_EVENTS,
			  on_data);

	if (rc != 0) {
		close(fd);
		ftp_leg_fail(leg, rc);
		return;
	}
	leg->state = state;
	leg->side.breaks = true; /* net makes all of them so */
	/* An accepted one often has something already. */
	leg->side.readable = state == LEG_OPEN;
	leg->side.writable = state == LEG_OPEN;
}

/* --- listening ----------------------------------------------------- */

static void close_listener(struct ftp_leg *leg)
{
	int fd = leg->listener.fd;

	if (fd == -1)
		return;
	/* close(2) takes it out of epoll: we hold the only descriptor. */
	leg->listener.fd = -1;
	close(fd);
}

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
			ftp_leg_fail(leg, -errno);
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
	leg->changed(leg);
}

static int bind_to(const struct ftp_leg *leg, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = ip_endpoint_to_sockaddr(&leg->local, &ss);

	return bind(fd, (struct sockaddr *)&ss, len) == -1 ? -errno : 0;
}

/* The port that it got. */
static int listen_at(struct ftp_leg *leg, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (listen(fd, BACKLOG) == -1)
		return -errno;
	if (leg->local.port != 0)
		return 0;
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return -errno;
	return ip_endpoint_from_sockaddr(&leg->local, &ss) ? 0 : -EAFNOSUPPORT;
}

static void listen_with(struct ftp_leg *leg, int fd)
{
	int rc = bind_to(leg, fd);

	if (rc != 0 && another_port(leg, rc))
		rc = bind_to(leg, fd);
	if (rc == 0)
		rc = listen_at(leg, fd);
	if (rc == 0)
		rc = loop_add(relay_of(leg)->loop, &leg->listener, fd, EPOLLIN,
			      on_listener);
	if (rc == 0) {
		leg->state = LEG_LISTENING;
		return;
	}
	close(fd);
	ftp_leg_fail(leg, rc);
}

/* --- connecting ---------------------------------------------------- */

static void dial_with(struct ftp_leg *leg, int fd)
{
	int rc = dial(leg->side.session, fd, &leg->peer);

	if (rc == 0) {
		take(leg, fd, LEG_CONNECTING);
		return;
	}
	close(fd);
	ftp_leg_fail(leg, rc);
}

static void want_call(struct ftp_leg *leg)
{
	leg->state = LEG_WAITING;
	data_ask_want(&relay_of(leg)->data, &leg->ask, leg->pair,
		      leg->local.port);
}

/* @fd is bound. 0 or -errno; then it is closed. */
static int call_with(struct ftp_leg *leg, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = ip_endpoint_to_sockaddr(&leg->peer, &ss);
	int error;

	if (connect(fd, (struct sockaddr *)&ss, len) == -1 &&
	    errno != EINPROGRESS) {
		error = -errno;
		close(fd);
		return error;
	}
	take(leg, fd, LEG_CONNECTING);
	return 0;
}

/* The net role's answer. */
static void on_bound(struct data_ask *ask, int fd)
{
	struct ftp_leg *leg = list_entry(ask, struct ftp_leg, ask);
	int rc = fd < 0 ? fd : call_with(leg, fd);

	if (rc != 0 && another_port(leg, rc)) {
		want_call(leg);
		return;
	}
	if (rc != 0)
		ftp_leg_fail(leg, rc);
	leg->changed(leg);
}

/* --- sockets of the stock ------------------------------------------ */

static void use(struct ftp_leg *leg, int fd)
{
	if (leg->kind == SOCKETS_SERVER)
		dial_with(leg, fd);
	else
		listen_with(leg, fd);
}

static void on_stock(struct stock_waiter *w, int fd)
{
	struct ftp_leg *leg = list_entry(w, struct ftp_leg, waiter);

	use(leg, fd);
	leg->changed(leg);
}

static void take_socket(struct ftp_leg *leg)
{
	struct stock *stock = &relay_of(leg)->stock;
	int family = leg->peer.addr.family;
	int fd = stock_take(stock, leg->kind, family);

	leg->state = LEG_WAITING;
	if (fd != -1)
		use(leg, fd);
	else
		stock_wait(stock, leg->kind, family, &leg->waiter);
}

/* --- the rules ----------------------------------------------------- */

/* What comes for a listener is forwarded before the pair is in the kernel. */
static void prepare(struct ftp_leg *leg)
{
	leg->state = LEG_WAITING;
	if (data_pair_is_known(leg->pair))
		take_socket(leg);
	else
		data_pair_wait(&relay_of(leg)->data, leg->pair,
			       &leg->pair_waiter);
}

static void on_again(struct timer *t, uint64_t now_ms)
{
	struct ftp_leg *leg = list_entry(&t->node, struct ftp_leg, again.node);

	(void)now_ms;
	prepare(leg);
	leg->changed(leg);
}

static void on_pair(struct data_waiter *w, int rc)
{
	struct ftp_leg *leg = list_entry(w, struct ftp_leg, pair_waiter);
	struct loop *loop = relay_of(leg)->loop;

	if (rc == 0)
		prepare(leg);
	else if (rc == -EAGAIN && leg->tries++ < TRIES_MAX)
		timer_arm(&loop->wheel, &leg->again, loop->now_ms + AGAIN_MS);
	else
		ftp_leg_fail(leg, rc);
	leg->changed(leg);
}

/* --- life ---------------------------------------------------------- */

void ftp_leg_init(struct ftp_leg *leg, struct session *s, bool client,
		  ftp_leg_fn changed)
{
	memset(leg, 0, sizeof(*leg));
	side_init(&leg->side, s);
	leg->side.counted = client;
	leg->changed = changed;
	leg->listener.fd = -1;
	data_waiter_init(&leg->pair_waiter, on_pair);
	data_ask_init(&leg->ask, on_bound);
	timer_init(&leg->again, on_again);
	stock_waiter_init(&leg->waiter, on_stock);
}

void ftp_leg_listen(struct ftp_leg *leg, struct data_pair *pair,
		    enum msg_sockets_leg kind)
{
	leg->pair = pair;
	leg->kind = kind;
	prepare(leg);
}

void ftp_leg_dial(struct ftp_leg *leg)
{
	leg->kind = SOCKETS_SERVER;
	take_socket(leg);
}

void ftp_leg_call(struct ftp_leg *leg, struct data_pair *pair)
{
	leg->pair = pair;
	want_call(leg);
}

void ftp_leg_close(struct ftp_leg *leg, bool reset)
{
	bool client = leg->side.counted;

	close_listener(leg);
	data_waiter_cancel(&leg->pair_waiter);
	data_ask_cancel(&leg->ask);
	timer_cancel(&relay_of(leg)->loop->wheel, &leg->again);
	stock_cancel(&leg->waiter);
	side_break_off(&leg->side, reset);
	side_close(&leg->side, reset);
	ftp_leg_init(leg, leg->side.session, client, leg->changed);
}
