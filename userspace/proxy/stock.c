// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/stock.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* What is asked for at once. FTP's data connections are fewer. */
static const uint32_t batches[SOCKETS_LEG_COUNT] = {
	[SOCKETS_SERVER] = STOCK_BATCH,
	[SOCKETS_DATA_CLIENT] = 16,
	[SOCKETS_DATA_SERVER] = 16,
};

static void serve_waiters(struct stock_shelf *f)
{
	while (f->count > 0) {
		struct list *node = list_pop(&f->waiters);
		struct stock_waiter *w;

		if (node == NULL)
			return;
		w = list_entry(node, struct stock_waiter, node);
		w->fn(w, f->fds[--f->count]);
	}
}

static void on_serve(struct loop_task *task)
{
	struct stock *st = list_entry(task, struct stock, serve);

	for (unsigned int i = 0; i < STOCK_SHELVES; i++)
		serve_waiters(&st->shelves[i]);
}

void stock_init(struct stock *st, struct chan *net, struct loop *loop)
{
	st->net = net;
	st->loop = loop;
	loop_task_init(&st->serve, on_serve);
	for (unsigned int i = 0; i < STOCK_SHELVES; i++) {
		struct stock_shelf *f = &st->shelves[i];

		f->count = 0;
		f->asked = false;
		f->leg = (enum msg_sockets_leg)(i / 2);
		f->family = i % 2 == 0 ? AF_INET : AF_INET6;
		list_init(&f->waiters);
	}
}

void stock_close(struct stock *st)
{
	for (unsigned int i = 0; i < STOCK_SHELVES; i++) {
		struct stock_shelf *f = &st->shelves[i];

		while (f->count > 0)
			close(f->fds[--f->count]);
	}
}

static struct stock_shelf *shelf_of(struct stock *st, enum msg_sockets_leg leg,
				    int family)
{
	return &st->shelves[2 * leg + (family == AF_INET6)];
}

/*
 * Ask when half is used up. The first batch is asked for when the first
 * connection needs it, but for that towards IPv4 servers: many networks never
 * have others.
 */
static void ask(struct stock *st, struct stock_shelf *f)
{
	struct msg_sockets msg = {.family = (uint32_t)f->family,
				  .count = batches[f->leg],
				  .leg = f->leg};

	if (f->asked || f->count > msg.count / 2)
		return;
	/* Without net nothing can be asked; stock_reconnected() will. */
	f->asked = chan_send(st->net, MSG_WANT_SOCKETS, &msg, sizeof(msg)) == 0;
}

void stock_expect(struct stock *st, enum msg_sockets_leg leg, int family)
{
	ask(st, shelf_of(st, leg, family));
}

int stock_take(struct stock *st, enum msg_sockets_leg leg, int family)
{
	struct stock_shelf *f = shelf_of(st, leg, family);
	int fd = f->count > 0 ? f->fds[--f->count] : -1;

	ask(st, f);
	return fd;
}

/*
 * connect(2) with AF_UNSPEC dissolves the association: a reset for who is
 * connected, nothing left of queues and ports, while the options stay. The
 * error that is fetched is what that leaves for who asks next.
 */
static bool dissolve(int fd)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	socklen_t len = sizeof(int);
	int error;

	return connect(fd, &none, sizeof(none)) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0;
}

void stock_give_back(struct stock *st, enum msg_sockets_leg leg, int family,
		     int fd)
{
	struct stock_shelf *f = shelf_of(st, leg, family);
	size_t room = STOCK_MAX - (f->asked ? batches[leg] : 0);

	if (f->count >= room || !dissolve(fd)) {
		close(fd);
		return;
	}
	f->fds[f->count++] = fd;
	/* Not from here: the session that ends is in the middle of it. */
	if (!list_empty(&f->waiters))
		loop_defer(st->loop, &st->serve);
}

void stock_waiter_init(struct stock_waiter *w, stock_fn fn)
{
	list_init(&w->node);
	w->fn = fn;
}

void stock_wait(struct stock *st, enum msg_sockets_leg leg, int family,
		struct stock_waiter *w)
{
	struct stock_shelf *f = shelf_of(st, leg, family);

	list_add_tail(&f->waiters, &w->node);
	ask(st, f);
}

void stock_cancel(struct stock_waiter *w)
{
	list_del(&w->node);
}

/* NULL when nothing like it was asked for. */
static struct stock_shelf *
shelf_for(struct stock *st, const struct msg_sockets *msg, unsigned int nfds)
{
	struct stock_shelf *f;

	if (msg->leg >= SOCKETS_LEG_COUNT ||
	    (msg->family != AF_INET && msg->family != AF_INET6))
		return NULL;
	f = shelf_of(st, (enum msg_sockets_leg)msg->leg, (int)msg->family);
	return f->asked && f->count + nfds <= STOCK_MAX ? f : NULL;
}

int stock_delivered(struct stock *st, const struct msg_sockets *msg,
		    const int *fds, unsigned int nfds)
{
	struct stock_shelf *f = shelf_for(st, msg, nfds);

	for (unsigned int i = 0; i < nfds; i++) {
		if (f != NULL)
			f->fds[f->count++] = fds[i];
		else
			close(fds[i]);
	}
	if (f == NULL)
		return -EPROTO;
	f->asked = false;
	serve_waiters(f);
	if (!list_empty(&f->waiters) && nfds > 0)
		ask(st, f);
	return 0;
}

void stock_reconnected(struct stock *st)
{
	for (unsigned int i = 0; i < STOCK_SHELVES; i++) {
		struct stock_shelf *f = &st->shelves[i];

		f->asked = false;
		if (i == 0 || !list_empty(&f->waiters) || f->count > 0)
			ask(st, f);
	}
}
