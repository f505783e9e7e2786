/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The relay's side of the shelf (scan/shelf.h): objects go there while their
 * client looks at a page, and are fetched from there when it comes for them.
 */
#ifndef SLUICE_PROXY_SHELF_ASK_H
#define SLUICE_PROXY_SHELF_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/chan.h"
#include "sys/loop.h"

struct shelf_ask;
typedef void (*shelf_fn)(struct shelf_ask *ask);

/*
 * Lifetime: part of what waits for the answer; shelf_ask_cancel() before it goes.
 * The callback comes from the loop, never from within the question.
 */
struct shelf_ask {
	struct list node;
	struct timer timeout;
	struct shelf_asks *all;
	shelf_fn done;
	uint64_t id;
	bool active;
	int put_fd; /* the asker's; -1: the object is wanted */
	/* the answer */
	bool ok;
	struct msg_shelve item; /* of one that was wanted */
	int fd;			/* of it, the callback's; else -1 */
};

struct shelf_asks {
	struct loop *loop;
	struct chan *chan; /* to the scan role */
	struct list list;
	uint64_t next_id;
};

void shelf_asks_init(struct shelf_asks *all, struct loop *loop,
		     struct chan *chan);
/* There is a scan role again: ask it what was not answered. */
void shelf_asks_connected(struct shelf_asks *all);

void shelf_ask_init(struct shelf_ask *ask, shelf_fn done);
/* Put ask->item there; @fd stays the caller's, until the answer. */
void shelf_ask_put(struct shelf_asks *all, struct shelf_ask *ask, int fd);
/* Get what @client left there under @token. */
void shelf_ask_want(struct shelf_asks *all, struct shelf_ask *ask,
		    const uint8_t token[MSG_TOKEN],
		    const struct ip_addr *client);
void shelf_ask_cancel(struct shelf_ask *ask);

/* The scan role's answers; for the table of its channel. */
int shelf_asks_shelved(struct shelf_asks *all, const struct chan_msg *m);
int shelf_asks_given(struct shelf_asks *all, const struct chan_msg *m);

#endif
