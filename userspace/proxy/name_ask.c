// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/name_ask.h"

#include <errno.h>
#include <string.h>

#include "proto/hostname.h"
#include "sys/log.h"

_Static_assert(HOSTNAME_SIZE <= MSG_HOST_MAX, "a name fits its message");

static void ask_end(struct name_ask *ask)
{
	timer_cancel(&ask->all->loop->wheel, &ask->timeout);
	list_del(&ask->node);
}

static void on_timeout(struct timer *t, uint64_t now_ms)
{
	struct name_ask *ask =
		list_entry(&t->node, struct name_ask, timeout.node);

	(void)now_ms;
	ask_end(ask);
	ask->done(ask, -ETIMEDOUT, NULL, 0);
}

void name_asks_init(struct name_asks *all, struct loop *loop, struct chan *chan)
{
	all->loop = loop;
	all->chan = chan;
	all->next_id = 1;
	for (unsigned int i = 0; i < NAME_ASK_BUCKETS; i++)
		list_init(&all->asked[i]);
}

void name_ask_init(struct name_ask *ask, name_fn done)
{
	memset(ask, 0, sizeof(*ask));
	list_init(&ask->node);
	timer_init(&ask->timeout, on_timeout);
	ask->done = done;
}

static struct list *bucket(struct name_asks *all, uint64_t id)
{
	return &all->asked[id % NAME_ASK_BUCKETS];
}

static void send_ask(struct name_asks *all, const struct name_ask *ask)
{
	/* Unsent it waits for the next resolve role, or for its time-out. */
	if (chan_is_open(all->chan) &&
	    chan_send(all->chan, MSG_RESOLVE, &ask->msg, sizeof(ask->msg)) != 0)
		log_debug("the resolve role can't be asked");
}

void name_asks_connected(struct name_asks *all)
{
	struct list *pos;

	for (unsigned int i = 0; i < NAME_ASK_BUCKETS; i++)
		list_for_each(pos, &all->asked[i])
			send_ask(all, list_entry(pos, struct name_ask, node));
}

int name_ask_want(struct name_asks *all, struct name_ask *ask, struct str name)
{
	memset(&ask->msg, 0, sizeof(ask->msg));
	if (!hostname_parse(name, ask->msg.name))
		return -EINVAL;
	ask->all = all;
	ask->msg.id = all->next_id++;
	list_add_tail(bucket(all, ask->msg.id), &ask->node);
	timer_arm(&all->loop->wheel, &ask->timeout,
		  all->loop->now_ms + NAME_ASK_MS);
	send_ask(all, ask);
	return 0;
}

void name_ask_cancel(struct name_ask *ask)
{
	if (name_ask_pending(ask))
		ask_end(ask);
}

/* --- answers --------------------------------------------------------------- */

static bool addrs_valid(const struct msg_resolved *msg)
{
	for (uint32_t i = 0; i < msg->count; i++)
		if (msg->addrs[i].family != AF_INET &&
		    msg->addrs[i].family != AF_INET6)
			return false;
	return true;
}

static bool answer_valid(const struct msg_resolved *msg)
{
	if (msg->status > 0 || msg->count > MSG_ADDRS ||
	    (msg->status == 0) != (msg->count > 0))
		return false;
	return addrs_valid(msg);
}

int name_asks_answered(struct name_asks *all, const struct chan_msg *m)
{
	const struct msg_resolved *msg = m->body;
	struct list *pos;

	if (msg->id == 0 || msg->id >= all->next_id || !answer_valid(msg))
		return -EPROTO;
	list_for_each(pos, bucket(all, msg->id)) {
		struct name_ask *ask = list_entry(pos, struct name_ask, node);

		if (ask->msg.id != msg->id)
			continue;
		ask_end(ask);
		ask->done(ask, msg->status, msg->addrs, msg->count);
		return 0;
	}
	return 0; /* cancelled, or its time was over */
}
