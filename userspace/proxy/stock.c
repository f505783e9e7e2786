// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/stock.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static void family_init(struct stock_family *f)
{
	f->count = 0;
	f->asked = false;
	list_init(&f->waiters);
}

static void serve_waiters(struct stock_family *f)
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

	serve_waiters(&st->v4);
	serve_waiters(&st->v6);
}

void stock_init(struct stock *st, struct chan *net, struct loop *loop)
{
	st->net = net;
	st->loop = loop;
	loop_task_init(&st->serve, on_serve);
	family_init(&st->v4);
	family_init(&st->v6);
}

static void family_close(struct stock_family *f)
{
	while (f->count > 0)
		close(f->fds[--f->count]);
}

void stock_close(struct stock *st)
{
	family_close(&st->v4);
	family_close(&st->v6);
}

static struct stock_family *family_of(struct stock *st, int family)
{
	return family == AF_INET6 ? &st->v6 : &st->v4;
}

/*
 * Ask when half is used up. The first IPv6 batch is asked for when the first
 * IPv6 connection needs it: many networks never do.
 */
static void ask(struct stock *st, int family)
{
	struct stock_family *f = family_of(st, family);
	struct msg_sockets msg = {.family = (uint32_t)family,
				  .count = STOCK_BATCH};

	if (f->asked || f->count > STOCK_BATCH / 2)
		return;
	/* Without net nothing can be asked; stock_reconnected() will. */
	f->asked = chan_send(st->net, MSG_WANT_SOCKETS, &msg, sizeof(msg)) == 0;
}

int stock_take(struct stock *st, int family)
{
	struct stock_family *f = family_of(st, family);
	int fd = f->count > 0 ? f->fds[--f->count] : -1;

	ask(st, family);
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

void stock_give_back(struct stock *st, int family, int fd)
{
	struct stock_family *f = family_of(st, family);
	size_t room = f->asked ? STOCK_MAX - STOCK_BATCH : STOCK_MAX;

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

void stock_wait(struct stock *st, int family, struct stock_waiter *w)
{
	list_add_tail(&family_of(st, family)->waiters, &w->node);
	ask(st, family);
}

void stock_cancel(struct stock_waiter *w)
{
	list_del(&w->node);
}

int stock_delivered(struct stock *st, const struct msg_sockets *msg,
		    const int *fds, unsigned int nfds)
{
	struct stock_family *f = family_of(st, (int)msg->family);
	bool good = (msg->family == AF_INET || msg->family == AF_INET6) &&
		    f->asked && f->count + nfds <= STOCK_MAX;

	for (unsigned int i = 0; i < nfds; i++) {
		if (good)
			f->fds[f->count++] = fds[i];
		else
			close(fds[i]);
	}
	if (!good)
		return -EPROTO;
	f->asked = false;
	serve_waiters(f);
	if (!list_empty(&f->waiters) && nfds > 0)
		ask(st, (int)msg->family);
	return 0;
}

void stock_reconnected(struct stock *st)
{
	st->v4.asked = false;
	st->v6.asked = false;
	ask(st, AF_INET);
	if (!list_empty(&st->v6.waiters) || st->v6.count > 0)
		ask(st, AF_INET6);
}
