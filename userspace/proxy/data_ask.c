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
	struct list node;
	struct msg_pair msg;
	unsigned int sessions;
};

void data_asks_init(struct data_asks *all, struct chan *net)
{
	all->net = net;
	all->next_id = 1;
	list_init(&all->asked);
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

static void tell(struct data_asks *all, const struct msg_pair *msg)
{
	/* Not open: the next one is told. Full: it is in great trouble. */
	if (chan_is_open(all->net) &&
	    chan_send(all->net, MSG_PAIR, msg, sizeof(*msg)) != 0)
		log_warn("the net role can't be told of a data connection");
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
	list_add_tail(list, &pair->node);
	tell(all, &pair->msg);
	return pair;
}

void data_pair_release(struct data_asks *all, struct data_pair *pair)
{
	if (pair == NULL || --pair->sessions > 0)
		return;
	pair->msg.held = 0;
	tell(all, &pair->msg);
	list_del(&pair->node);
	free(pair);
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
		   const struct data_pair *pair, enum msg_data_kind kind,
		   const struct ip_endpoint *local)
{
	memset(&ask->msg, 0, sizeof(ask->msg));
	ask->msg.id = all->next_id++;
	ask->msg.pair = pair->msg;
	ask->msg.kind = kind;
	ask->msg.local = *local;
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
			tell(all,
			     &list_entry(pos, struct data_pair, node)->msg);
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
