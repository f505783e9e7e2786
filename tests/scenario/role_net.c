// SPDX-License-Identifier: GPL-2.0-or-later
#include "role_net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "problem.h"

/* A relay asks for more than a scenario needs. */
#define SOCKETS_AT_ONCE 2

struct net_pair {
	struct list node;
	struct msg_pair msg;
};

void role_net_init(struct role_net *net)
{
	*net = (struct role_net){.listener = sim_listener_new()};
	sim_hold(&net->listener->file);
	list_init(&net->pairs);
	list_init(&net->given);
}

void role_net_die(struct role_net *net)
{
	struct list *node;

	if (net->chan != NULL)
		chan_leave(net->chan);
	net->chan = NULL;
	while ((node = list_pop(&net->pairs)) != NULL)
		free(list_entry(node, struct net_pair, node));
}

void role_net_close(struct role_net *net)
{
	struct list *node;

	role_net_die(net);
	while ((node = list_pop(&net->given)) != NULL)
		free(list_entry(node, struct net_data, node));
	sim_release(&net->listener->file);
}

static void give_listener(struct role_net *net, const void *body)
{
	struct msg_listener msg = {.service = 0};
	struct sim_file *file = &net->listener->file;

	(void)body;
	chan_tell(net->chan, MSG_LISTENER, &msg, sizeof(msg), &file, 1);
}

static void give_sockets(struct role_net *net, const void *body)
{
	struct sim_file *files[SOCKETS_AT_ONCE];
	struct msg_sockets msg;

	memcpy(&msg, body, sizeof(msg));
	for (unsigned int i = 0; i < SOCKETS_AT_ONCE; i++) {
		struct sim_tcp *t = sim_tcp_new();

		t->abort = true; /* as sys/tproxy.c makes them */
		files[i] = sim_hold(&t->file);
	}
	chan_tell(net->chan, MSG_SOCKETS, &msg, sizeof(msg), files,
		  SOCKETS_AT_ONCE);
	for (unsigned int i = 0; i < SOCKETS_AT_ONCE; i++)
		sim_release(files[i]);
}

/* --- pairs ---------------------------------------------------------- */

static struct net_pair *find(const struct role_net *net,
			     const struct ip_addr *client,
			     const struct ip_addr *server)
{
	struct list *pos;

	list_for_each(pos, &net->pairs) {
		struct net_pair *p = list_entry(pos, struct net_pair, node);

		if (ip_addr_equal(&p->msg.client, client) &&
		    ip_addr_equal(&p->msg.server, server))
			return p;
	}
	return NULL;
}

bool role_net_holds(const struct role_net *net, const struct ip_addr *client,
		    const struct ip_addr *server)
{
	return find(net, client, server) != NULL;
}

/* Each relay says so once a pair: it counts its own sessions. */
static void take_pair(struct role_net *net, const void *body)
{
	struct msg_pair msg;
	struct net_pair *p;

	memcpy(&msg, body, sizeof(msg));
	p = find(net, &msg.client, &msg.server);
	if (msg.held > 1 || (p != NULL) == (msg.held == 1)) {
		problem("a pair was %s twice", msg.held ? "held" : "released");
		return;
	}
	if (p == NULL) {
		p = must_alloc(sizeof(*p));
		p->msg = msg;
		list_add_tail(&net->pairs, &p->node);
	} else {
		list_del(&p->node);
		free(p);
	}
}

/* --- data connections ----------------------------------------------- */

/* As roles/net/data.c sees it: what isn't so ends the relay. */
static bool is_fair(const struct msg_data *msg)
{
	return msg->kind < DATA_KIND_COUNT &&
	       msg->local.addr.family == msg->pair.client.family &&
	       (msg->kind == DATA_FROM_SERVER ||
		ip_addr_equal(&msg->local.addr, &msg->pair.server));
}

static struct sim_file *make_socket(const struct msg_data *msg,
				    struct ip_endpoint *local)
{
	struct sim_listener *l;
	struct sim_tcp *t;

	if (msg->kind == DATA_TO_CLIENT) {
		t = sim_tcp_new();
		t->local = *local = msg->local;
		return sim_hold(&t->file);
	}
	l = sim_listener_bind(&msg->local, msg->kind == DATA_FROM_SERVER);
	if (l == NULL)
		return NULL;
	*local = l->local;
	return sim_hold(&l->file);
}

/* 0, or the errno that it can't be had with. */
static int make_data(struct role_net *net, const struct msg_data *msg,
		     struct sim_file **file)
{
	struct net_data *given;
	struct ip_endpoint local;

	if (net->refuses != 0)
		return net->refuses;
	if (!role_net_holds(net, &msg->pair.client, &msg->pair.server))
		return ENOENT;
	*file = make_socket(msg, &local);
	if (*file == NULL)
		return EADDRINUSE;
	given = must_alloc(sizeof(*given));
	given->kind = (enum msg_data_kind)msg->kind;
	given->local = local;
	list_add_tail(&net->given, &given->node);
	return 0;
}

static void give_data(struct role_net *net, const void *body)
{
	struct msg_data_answer answer = {0};
	struct sim_file *file = NULL;
	struct msg_data msg;

	memcpy(&msg, body, sizeof(msg));
	if (!is_fair(&msg))
		problem("a data socket was asked for that nobody may have");
	answer.id = msg.id;
	answer.status = -make_data(net, &msg, &file);
	chan_tell(net->chan, MSG_DATA, &answer, sizeof(answer), &file,
		  file != NULL ? 1 : 0);
	if (file != NULL)
		sim_release(file);
}

bool role_net_gave(const struct role_net *net, enum msg_data_kind kind,
		   const struct ip_endpoint *local)
{
	struct list *pos;

	list_for_each(pos, &net->given) {
		const struct net_data *d =
			list_entry(pos, struct net_data, node);

		if (d->kind == kind && d->local.port == local->port &&
		    ip_addr_equal(&d->local.addr, &local->addr))
			return true;
	}
	return false;
}

/* --- the relay's messages ------------------------------------------- */

static void answer(struct role_net *net, const struct sim_packet *p)
{
	static const struct {
		enum msg_type type;
		void (*fn)(struct role_net *net, const void *body);
	} answers[] = {
		{MSG_LISTEN, give_listener},
		{MSG_WANT_SOCKETS, give_sockets},
		{MSG_PAIR, take_pair},
		{MSG_WANT_DATA, give_data},
	};
	struct msg_header header;
	const uint8_t *body = bytes_head(&p->bytes) + sizeof(header);

	memcpy(&header, bytes_head(&p->bytes), sizeof(header));
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (answers[i].type == header.type)
			answers[i].fn(net, body);
}

bool role_net_turn(struct role_net *net)
{
	struct sim_packet *p;
	bool progress = false;

	while (net->chan != NULL && !net->silent &&
	       (p = chan_hear(net->chan)) != NULL) {
		answer(net, p);
		sim_packet_free(p);
		progress = true;
	}
	return progress;
}
