/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The net role: gives the relay its listener, unbound sockets, and those of
 * FTP's data connections, for pairs that the relay holds.
 */
#ifndef SLUICE_TESTS_ROLE_NET_H
#define SLUICE_TESTS_ROLE_NET_H

#include "sim_chan.h"
#include "sim_tcp.h"

struct role_net {
	struct sim_chan *chan; /* NULL: not running */
	bool down;	       /* ... and it won't be for now */
	struct sim_listener *listener;
	bool silent;	   /* it answers no one */
	int refuses;	   /* pairs and calls, with this errno; 0: it doesn't */
	struct list pairs; /* that the relay holds */
};

void role_net_init(struct role_net *net);
void role_net_close(struct role_net *net);
/* Its process ends: it knows of no pairs any more. */
void role_net_die(struct role_net *net);
/* Answers what was asked. Progress? */
bool role_net_turn(struct role_net *net);
/* Whether packets between the two are delivered to data sockets. */
bool role_net_holds(const struct role_net *net, const struct ip_addr *client,
		    const struct ip_addr *server);
#endif
