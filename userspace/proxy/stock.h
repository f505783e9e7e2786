/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets for connections to origin servers, and for listeners for FTP's data
 * connections. Only the net role may make them transparent and marked, so a
 * relay keeps a stock and asks for more, a batch at a time, before it runs out.
 * What was used towards a server comes back (docs/adr/0021); a listener can't.
 */
#ifndef SLUICE_PROXY_STOCK_H
#define SLUICE_PROXY_STOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "ipc/chan.h"
#include "ipc/msg.h"
#include "sys/loop.h"

#define STOCK_BATCH   48 /* of sockets towards servers */
#define STOCK_MAX     (2 * STOCK_BATCH)
#define STOCK_SHELVES (2 * SOCKETS_LEG_COUNT)

struct stock_waiter;
/* @fd is the waiter's now. */
typedef void (*stock_fn)(struct stock_waiter *w, int fd);

/* Lifetime: part of a session, which calls stock_cancel() before it goes. */
struct stock_waiter {
	struct list node;
	stock_fn fn;
};

/* Of a leg and a family. */
struct stock_shelf {
	enum msg_sockets_leg leg;
	int family;
	int fds[STOCK_MAX];
	size_t count;
	bool asked; /* a batch is on its way */
	struct list waiters;
};

struct stock {
	struct chan *net;
	struct loop *loop;
	struct loop_task serve; /* who waits: something came back */
	struct stock_shelf shelves[STOCK_SHELVES];
};

void stock_init(struct stock *st, struct chan *net, struct loop *loop);
void stock_close(struct stock *st);
/* Some may be needed soon: ask for a first batch. */
void stock_expect(struct stock *st, enum msg_sockets_leg leg, int family);
/* A socket to be bound, of @family (AF_INET, AF_INET6), or -1: then wait. */
int stock_take(struct stock *st, enum msg_sockets_leg leg, int family);
/*
 * One that was used and is in no epoll: its connection ends with a reset, and
 * it is as new, but for an address that it was bound to; or one whose bind(2)
 * failed. The stock's from now on, or closed.
 */
void stock_give_back(struct stock *st, enum msg_sockets_leg leg, int family,
		     int fd);
void stock_waiter_init(struct stock_waiter *w, stock_fn fn);
void stock_wait(struct stock *st, enum msg_sockets_leg leg, int family,
		struct stock_waiter *w);
void stock_cancel(struct stock_waiter *w);
/* A batch came (all descriptors are taken over); -EPROTO when it can't be. */
int stock_delivered(struct stock *st, const struct msg_sockets *msg,
		    const int *fds, unsigned int nfds)
	__attribute__((warn_unused_result));
/* A new channel to net: whatever was asked of the old one won't come. */
void stock_reconnected(struct stock *st);

#endif
