/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The net role: gives the relay its listener, unbound sockets, and those of
 * FTP's data connections, for pairs that the relay holds.
 */
#ifndef SLUICE_TESTS_ROLE_NET_H
#define SLUICE_TESTS_ROLE_NET_H

#include "sim_chan.h"
#include "sim_tcp.h"

/* A data socket that was given away; kept to the end. */
struct net_data {
	struct list node;
	enum msg_data_kind kind;
	struct ip_endpoint local;
};

struct role_net {
	struct sim_chan *chan; /* NULL: not running */
	bool down;	       /* ... and it won't be for now */
	struct sim_listener *listener;
	bool silent;	   /* it answers no one */
	int refuses;	   /* data sockets, with this errno; 0: it doesn't */
	struct list pairs; /* that the relay holds */
	struct list given; /* struct net_data */
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
/* Whether the relay had a data socket of @kind at @local. */
bool role_net_gave(const struct role_net *net, enum msg_data_kind kind,
		   const struct ip_endpoint *local);

#endif
