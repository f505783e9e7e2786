// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/stock.h"

#include <errno.h>
#include <unistd.h>

static void family_init(struct stock_family *f)
{
	f->count = 0;
	f->asked = false;
	list_init(&f->waiters);
}

void stock_init(struct stock *st, struct chan *net)
{
	st->net = net;
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
