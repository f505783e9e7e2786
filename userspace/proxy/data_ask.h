/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a relay needs of the net role for FTP's data connections: that the rules
 * deliver those between a client and a server to sockets (a pair), and sockets
 * that are bound to the port which servers call clients from. (Those that listen
 * are the stock's.)
 *
 * Without net nothing new comes; what was asked for waits for the next one,
 * which is told all pairs anew.
 */
#ifndef SLUICE_PROXY_DATA_ASK_H
#define SLUICE_PROXY_DATA_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "ipc/chan.h"

#define DATA_PAIR_BUCKETS 256

struct data_pair;

struct data_waiter;
/* @rc as the answer to struct msg_pair (ipc/msg.h). */
typedef void (*data_pair_fn)(struct data_waiter *w, int rc);

/* Lifetime: as struct data_ask's. */
struct data_waiter {
	struct list node;
	data_pair_fn fn;
};

struct data_ask;
/* @fd is the callback's; or it is -errno. */
typedef void (*data_fn)(struct data_ask *ask, int fd);

/*
 * Lifetime: part of what wants the socket; data_ask_cancel() before it goes. The
 * callback comes from the loop, never from within the question.
 */
struct data_ask {
	struct list node;
	struct msg_data msg;
	data_fn done;
};

struct data_asks {
	struct chan *net;
	struct list asked;
	struct list told; /* pairs whose answer is to come */
	uint64_t next_id;
	struct list pairs[DATA_PAIR_BUCKETS];
};

void data_asks_init(struct data_asks *all, struct chan *net);
/* Forgets pairs that are left; the sessions are gone. */
void data_asks_close(struct data_asks *all);
/* There is a net role again: it is told, and asked, everything. */
void data_asks_connected(struct data_asks *all);

/* From now on; as often as it is released. NULL without memory. */
struct data_pair *data_pair_hold(struct data_asks *all,
				 const struct ip_addr *client,
				 const struct ip_addr *server);
/* NULL is nothing to release. */
void data_pair_release(struct data_asks *all, struct data_pair *pair);
/* Whether the rules know it. */
bool data_pair_is_known(const struct data_pair *pair);
void data_waiter_init(struct data_waiter *w, data_pair_fn fn);
/* For the answer; if the last one was that they don't, they are asked again. */
void data_pair_wait(struct data_asks *all, struct data_pair *pair,
		    struct data_waiter *w);
void data_waiter_cancel(struct data_waiter *w);
/* That answer; for the table of net's channel. */
int data_pairs_answered(struct data_asks *all,
			const struct msg_data_answer *msg);

void data_ask_init(struct data_ask *ask, data_fn done);
/* A socket bound to @port of @pair's server, to be connected to its client. */
void data_ask_want(struct data_asks *all, struct data_ask *ask,
		   const struct data_pair *pair, uint16_t port);
static inline bool data_ask_pending(const struct data_ask *ask)
{
	return list_linked(&ask->node);
}
void data_ask_cancel(struct data_ask *ask);

/* The net role's answer; for the table of its channel. */
int data_asks_answered(struct data_asks *all, const struct chan_msg *m);

#endif
