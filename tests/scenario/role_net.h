/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The net role: gives the relay its listener and unbound sockets. */
#ifndef SLUICE_TESTS_ROLE_NET_H
#define SLUICE_TESTS_ROLE_NET_H

#include "sim_chan.h"
#include "sim_tcp.h"

struct role_net {
	struct sim_chan *chan; /* NULL: not running */
	struct sim_listener *listener;
	bool silent; /* it answers no one */
};

void role_net_init(struct role_net *net);
void role_net_close(struct role_net *net);
/* Answers what was asked. Progress? */
bool role_net_turn(struct role_net *net);

#endif
