// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/shelf_ask.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "policy/verdict.h"
#include "sys/log.h"

/* Until another scan role is there, should this one be gone. */
#define ANSWER_MS 5000

static void ask_end(struct shelf_ask *ask)
{
	timer_cancel(&ask->all->loop->wheel, &ask->timeout);
	list_del(&ask->node);
	ask->active = false;
}

static void on_timeout(struct timer *t, uint64_t now_ms)
{
	struct shelf_ask *ask =
		list_entry(&t->node, struct shelf_ask, timeout.node);

	(void)now_ms;
	ask_end(ask);
	ask->done(ask);
}

void shelf_asks_init(struct shelf_asks *all, struct loop *loop,
		     struct chan *chan)
{
	all->loop = loop;
	all->chan = chan;
	all->next_id = 1;
	list_init(&all->list);
}

void shelf_ask_init(struct shelf_ask *ask, shelf_fn done)
{
	memset(ask, 0, sizeof(*ask));
	list_init(&ask->node);
	timer_init(&ask->timeout, on_timeout);
	ask->done = done;
	ask->fd = -1;
	ask->put_fd = -1;
}

/*
 * A question that can't be sent now is when the next scan role comes, and one
 * that the last one left unanswered is repeated: asking twice changes nothing.
 */
static void ask_send(struct shelf_ask *ask)
{
	struct msg_shelf_want want = {.id = ask->id,
				      .client = ask->item.client};
	int rc;

	memcpy(want.token, ask->item.token, MSG_TOKEN);
	if (ask->put_fd != -1)
		rc = chan_send_full(ask->all->chan, MSG_SHELVE, &ask->item,
				    sizeof(ask->item), NULL, 0, &ask->put_fd,
				    1);
	else
		rc = chan_send(ask->all->chan, MSG_SHELF_WANT, &want,
			       sizeof(want));
	if (rc != 0)
		log_debug("the shelf can't be asked: %s", strerror(-rc));
}

static void ask_begin(struct shelf_asks *all, struct shelf_ask *ask, int put_fd)
{
	ask->all = all;
	ask->id = all->next_id++;
	ask->item.id = ask->id;
	ask->put_fd = put_fd;
	ask->ok = false;
	ask->active = true;
	list_add_tail(&all->list, &ask->node);
	timer_arm(&all->loop->wheel, &ask->timeout,
		  all->loop->now_ms + ANSWER_MS);
	ask_send(ask);
}

void shelf_asks_connected(struct shelf_asks *all)
{
	struct list *pos;

	list_for_each(pos, &all->list)
		ask_send(list_entry(pos, struct shelf_ask, node));
}

void shelf_ask_put(struct shelf_asks *all, struct shelf_ask *ask, int fd)
{
	ask_begin(all, ask, fd);
}

void shelf_ask_want(struct shelf_asks *all, struct shelf_ask *ask,
		    const uint8_t token[MSG_TOKEN],
		    const struct ip_addr *client)
{
	memcpy(ask->item.token, token, MSG_TOKEN);
	ask->item.client = *client;
	ask_begin(all, ask, -1);
}

void shelf_ask_cancel(struct shelf_ask *ask)
{
	if (ask->active)
		ask_end(ask);
}

/* --- answers --------------------------------------------------------------- */

/* NULL: it was cancelled, or its time was over, or it was another question. */
static struct shelf_ask *find(struct shelf_asks *all, uint64_t id, bool put)
{
	struct list *pos;

	list_for_each(pos, &all->list) {
		struct shelf_ask *ask = list_entry(pos, struct shelf_ask, node);

		if (ask->id == id)
			return (ask->put_fd != -1) == put ? ask : NULL;
	}
	return NULL;
}

int shelf_asks_shelved(struct shelf_asks *all, const struct chan_msg *m)
{
	const struct msg_shelved *msg = m->body;
	struct shelf_ask *ask;

	if (msg->id >= all->next_id)
		return -EPROTO;
	ask = find(all, msg->id, true);
	if (ask == NULL)
		return 0;
	ask->ok = true;
	ask_end(ask);
	ask->done(ask);
	return 0;
}

static bool item_valid(const struct msg_shelve *item)
{
	return verdict_valid(item->verdict) &&
	       verdict_reason_valid(item->reason) &&
	       memchr(item->fields, '\0', sizeof(item->fields)) != NULL;
}

int shelf_asks_given(struct shelf_asks *all, const struct chan_msg *m)
{
	const struct msg_shelve *msg = m->body;
	struct shelf_ask *ask = NULL;

	if (msg->id < all->next_id && item_valid(msg))
		ask = find(all, msg->id, false);
	if (ask == NULL) {
		if (m->nfds > 0)
			close(m->fds[0]);
		return msg->id < all->next_id && item_valid(msg) ? 0 : -EPROTO;
	}
	ask->ok = m->nfds > 0;
	ask->item = *msg;
	ask->fd = m->nfds > 0 ? m->fds[0] : -1;
	ask_end(ask);
	ask->done(ask);
	return 0;
}
