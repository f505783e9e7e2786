// SPDX-License-Identifier: GPL-2.0-or-later
#include "role_net.h"

#include <string.h>

/* A relay asks for more than a scenario needs. */
#define SOCKETS_AT_ONCE 2

void role_net_init(struct role_net *net)
{
	*net = (struct role_net){.listener = sim_listener_new()};
	sim_hold(&net->listener->file);
}

void role_net_close(struct role_net *net)
{
	if (net->chan != NULL)
		chan_leave(net->chan);
	net->chan = NULL;
	sim_release(&net->listener->file);
}

static void give_listener(struct role_net *net)
{
	struct msg_listener msg = {.service = 0};
	struct sim_file *file = &net->listener->file;

	chan_tell(net->chan, MSG_LISTENER, &msg, sizeof(msg), &file, 1);
}

static void give_sockets(struct role_net *net, const void *want)
{
	struct sim_file *files[SOCKETS_AT_ONCE];
	struct msg_sockets msg;

	memcpy(&msg, want, sizeof(msg));
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

static void answer(struct role_net *net, const struct sim_packet *p)
{
	struct msg_header header;
	const uint8_t *body = bytes_head(&p->bytes) + sizeof(header);

	memcpy(&header, bytes_head(&p->bytes), sizeof(header));
	if (header.type == MSG_LISTEN)
		give_listener(net);
	else if (header.type == MSG_WANT_SOCKETS)
		give_sockets(net, body);
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
