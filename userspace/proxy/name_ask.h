/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The relay's side of the resolve role: names that clients gave become
 * addresses.
 *
 * Without that role a question waits for the next one, which is asked it
 * again, or for the end of its time.
 */
#ifndef SLUICE_PROXY_NAME_ASK_H
#define SLUICE_PROXY_NAME_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/chan.h"
#include "sys/loop.h"

#define NAME_ASK_BUCKETS 256
#define NAME_ASK_MS	 15000 /* until a question is given up */

struct name_ask;
/*
 * @status 0: @count addresses, 1 to MSG_ADDRS, the best one first. Else -errno
 * as in struct msg_resolved; -ETIMEDOUT also when no resolve role answered.
 * They may be of any network, this machine's own included: who dials one asks
 * policy first.
 */
typedef void (*name_fn)(struct name_ask *ask, int status,
			const struct ip_addr *addrs, unsigned int count);

/*
 * Lifetime: part of what wants the addresses; name_ask_cancel() before it
 * goes. The callback comes from the loop, never from within the question; it
 * may ask again.
 */
struct name_ask {
	struct list node;
	struct timer timeout;
	struct name_asks *all;
	name_fn done;
	struct msg_resolve msg;
};

struct name_asks {
	struct loop *loop;
	struct chan *chan; /* to the resolve role */
	uint64_t next_id;
	struct list asked[NAME_ASK_BUCKETS]; /* by their ids */
};

void name_asks_init(struct name_asks *all, struct loop *loop,
		    struct chan *chan);
/* There is a resolve role again: ask it what was not answered. */
void name_asks_connected(struct name_asks *all);

void name_ask_init(struct name_ask *ask, name_fn done);
/*
 * The addresses of @name, as the client wrote it. 0, or -EINVAL: it is no host
 * name (proto/hostname.h; an address isn't one), and no answer comes. @ask must
 * not be pending.
 */
int name_ask_want(struct name_asks *all, struct name_ask *ask, struct str name)
	__attribute__((warn_unused_result));
static inline bool name_ask_pending(const struct name_ask *ask)
{
	return list_linked(&ask->node);
}
void name_ask_cancel(struct name_ask *ask);

/* The resolve role's answer; for the table of its channel. */
int name_asks_answered(struct name_asks *all, const struct chan_msg *m);

#endif
