// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/data_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/log.h"

/*
 * Lifetime: made by the first session that holds it, freed when the last one
 * released it.
 */
struct data_pair {
	struct list node; /* of its bucket */
	struct list told; /* linked: the answer is to come */
	struct msg_pair msg;
	bool known; /* it is in the kernel */
	struct list waiters;
	unsigned int sessions;
};

void data_asks_init(struct data_asks *all, struct chan *net)
{
	all->net = net;
	all->next_id = 1;
	list_init(&all->asked);
	list_init(&all->told);
	for (unsigned int i = 0; i < DATA_PAIR_BUCKETS; i++)
		list_init(&all->pairs[i]);
}

void data_asks_close(struct data_asks *all)
{
	struct list *node;

	for (unsigned int i = 0; i < DATA_PAIR_BUCKETS; i++)
		while ((node = list_pop(&all->pairs[i])) != NULL)
			free(list_entry(node, struct data_pair, node));
}

/* --- pairs --------------------------------------------------------- */

/* A relay's own clients can at most make its own lists longer. */
static struct list *bucket(struct data_asks *all, const struct ip_addr *client,
			   const struct ip_addr *server)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < sizeof(client->bytes); i++)
		sum = (uint8_t)(sum * 31 + client->bytes[i] * 7 +
				server->bytes[i]);
	return &all->pairs[sum % DATA_PAIR_BUCKETS];
}

static bool say(struct data_asks *all, const struct msg_pair *msg)
{
	if (!chan_is_open(all->net))
		return false;
	if (chan_send(all->net, MSG_PAIR, msg, sizeof(*msg)) == 0)
		return true;
	log_warn("the net role can't be told of a data connection");
	return false;
}

/* Unsaid it waits for the next net role, or for who asks again. */
static void tell(struct data_asks *all, struct data_pair *pair)
{
	pair->msg.id = all->next_id++;
	pair->known = false;
	list_del(&pair->told);
	if (say(all, &pair->msg))
		list_add_tail(&all->told, &pair->told);
}

struct data_pair *data_pair_hold(struct data_asks *all,
				 const struct ip_addr *client,
				 const struct ip_addr *server)
{
	struct list *list = bucket(all, client, server), *pos;
	struct data_pair *pair;

	list_for_each(pos, list) {
		pair = list_entry(pos, struct data_pair, node);
		if (ip_addr_equal(&pair->msg.client, client) &&
		    ip_addr_equal(&pair->msg.server, server)) {
			pair->sessions++;
			return pair;
		}
	}
	pair = calloc(1, sizeof(*pair));
	if (pair == NULL)
		return NULL;
	pair->msg.client = *client;
	pair->msg.server = *server;
	pair->msg.held = 1;
	pair->sessions = 1;
	list_init(&pair->told);
	list_init(&pair->waiters);
	list_add_tail(list, &pair->node);
	tell(all, pair);
	return pair;
}

void data_pair_release(struct data_asks *all, struct data_pair *pair)
{
	if (pair == NULL || --pair->sessions > 0)
		return;
	/* Also when it was never said: net knows better. */
	pair->msg.held = 0;
	(void)say(all, &pair->msg);
	list_del(&pair->told);
	list_del(&pair->node);
	free(pair);
}

bool data_pair_is_known(const struct data_pair *pair)
{
	return pair->known;
}

void data_waiter_init(struct data_waiter *w, data_pair_fn fn)
{
	list_init(&w->node);
	w->fn = fn;
}

void data_pair_wait(struct data_asks *all, struct data_pair *pair,
		    struct data_waiter *w)
{
	list_del(&w->node);
	list_add_tail(&pair->waiters, &w->node);
	if (!list_linked(&pair->told))
		tell(all, pair);
}

void data_waiter_cancel(struct data_waiter *w)
{
	list_del(&w->node);
}

/* Whoever is told may be the last one who holds it. */
static void take_answer(struct data_pair *pair, int rc)
{
	struct list waiters = LIST_INIT(waiters);
	struct list *node;

	list_del(&pair->told);
	pair->known = rc == 0;
	list_splice_tail(&waiters, &pair->waiters);
	while ((node = list_pop(&waiters)) != NULL) {
		struct data_waiter *w =
			list_entry(node, struct data_waiter, node);

		w->fn(w, rc);
	}
}

int data_pairs_answered(struct data_asks *all,
			const struct msg_data_answer *msg)
{
	struct list *pos;

	if (msg->id >= all->next_id || msg->status > 0)
		return -EPROTO;
	list_for_each(pos, &all->told) {
		struct data_pair *pair =
			list_entry(pos, struct data_pair, told);

		if (pair->msg.id != msg->id)
			continue;
		take_answer(pair, msg->status);
		return 0;
	}
	return 0; /* nobody holds it any more */
}

/* --- sockets ------------------------------------------------------- */

void data_ask_init(struct data_ask *ask, data_fn done)
{
	memset(ask, 0, sizeof(*ask));
	list_init(&ask->node);
	ask->done = done;
}

static void send_ask(struct data_asks *all, const struct data_ask *ask)
{
	/* Unsent it waits for the next net role, or for its asker's patience. */
	if (chan_is_open(all->net) &&
	    chan_send(all->net, MSG_WANT_DATA, &ask->msg, sizeof(ask->msg)) !=
		    0)
		log_warn("the net role can't be asked for a data socket");
}

void data_ask_want(struct data_asks *all, struct data_ask *ask,
		   const struct data_pair *pair, uint16_t port)
{
	memset(&ask->msg, 0, sizeof(ask->msg));
	ask->msg.id = all->next_id++;
	ask->msg.client = pair->msg.client;
	ask->msg.server = pair->msg.server;
	ask->msg.port = port;
	list_del(&ask->node);
	list_add_tail(&all->asked, &ask->node);
	send_ask(all, ask);
}

void data_ask_cancel(struct data_ask *ask)
{
	list_del(&ask->node);
}

void data_asks_connected(struct data_asks *all)
{
	struct list *pos;

	for (unsigned int i = 0; i < DATA_PAIR_BUCKETS; i++)
		list_for_each(pos, &all->pairs[i])
			tell(all, list_entry(pos, struct data_pair, node));
	list_for_each(pos, &all->asked)
		send_ask(all, list_entry(pos, struct data_ask, node));
}

int data_asks_answered(struct data_asks *all, const struct chan_msg *m)
{
	const struct msg_data_answer *msg = m->body;
	int fd = m->nfds > 0 ? m->fds[0] : -1;
	struct list *pos;

	if (msg->id >= all->next_id || msg->status > 0 ||
	    (msg->status == 0) != (fd != -1)) {
		if (fd != -1)
			close(fd);
		return -EPROTO;
	}
	list_for_each(pos, &all->asked) {
		struct data_ask *ask = list_entry(pos, struct data_ask, node);

		if (ask->msg.id != msg->id)
			continue;
		list_del(&ask->node);
		ask->done(ask, fd != -1 ? fd : msg->status);
		return 0;
	}
	if (fd != -1)
		close(fd); /* nobody waits for it any more */
	return 0;
}
