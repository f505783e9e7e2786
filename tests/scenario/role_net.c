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
	bool refused; /* it isn't in the kernel */
};

void role_net_init(struct role_net *net)
{
	*net = (struct role_net){.listener = sim_listener_new()};
	sim_hold(&net->listener->file);
	list_init(&net->pairs);
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
	role_net_die(net);
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

		/* as sys/tproxy.c makes them */
		t->abort = true;
		t->data = msg.leg != SOCKETS_SERVER;
		t->upstream = msg.leg != SOCKETS_DATA_CLIENT;
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
	const struct net_pair *p = find(net, client, server);

	return p != NULL && !p->refused;
}

static void answer_to(struct role_net *net, enum msg_type type, uint64_t id,
		      int error, struct sim_file *file)
{
	struct msg_data_answer answer = {.id = id, .status = -error};

	chan_tell(net->chan, type, &answer, sizeof(answer), &file,
		  file != NULL ? 1 : 0);
}

/* Each relay counts its own sessions; it may say again that it holds one. */
static void take_pair(struct role_net *net, const void *body)
{
	struct msg_pair msg;
	struct net_pair *p;

	memcpy(&msg, body, sizeof(msg));
	p = find(net, &msg.client, &msg.server);
	if (msg.held > 1 || (msg.held == 0 && p == NULL)) {
		problem("a pair was released twice");
	} else if (msg.held == 0) {
		list_del(&p->node);
		free(p);
	} else {
		if (p == NULL) {
			p = must_alloc(sizeof(*p));
			list_add_tail(&net->pairs, &p->node);
		}
		p->msg = msg;
		p->refused = net->refuses != 0;
		answer_to(net, MSG_PAIRED, msg.id, net->refuses, NULL);
	}
}

/* --- data connections ----------------------------------------------- */

/* 0, or the errno that it can't be had with. */
static int make_data(struct role_net *net, const struct msg_data *msg,
		     struct sim_file **file)
{
	struct sim_tcp *t;

	if (net->refuses != 0)
		return net->refuses;
	if (find(net, &msg->client, &msg->server) == NULL)
		return ENOENT;
	t = sim_tcp_new();
	t->abort = true;
	t->local = (struct ip_endpoint){msg->server, msg->port};
	*file = sim_hold(&t->file);
	return 0;
}

static void give_data(struct role_net *net, const void *body)
{
	struct sim_file *file = NULL;
	struct msg_data msg;
	int error;

	memcpy(&msg, body, sizeof(msg));
	error = make_data(net, &msg, &file);
	answer_to(net, MSG_DATA, msg.id, error, file);
	if (file != NULL)
		sim_release(file);
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
