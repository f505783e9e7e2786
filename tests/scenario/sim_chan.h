/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A channel to a role (SOCK_SEQPACKET): datagrams that carry descriptors. */
#ifndef SLUICE_TESTS_SIM_CHAN_H
#define SLUICE_TESTS_SIM_CHAN_H

#include <sys/socket.h>
#include <sys/types.h>

#include "bytes.h"
#include "ipc/msg.h"
#include "sim.h"

struct sim_packet {
	struct list node;
	struct bytes bytes;
	struct sim_file *files[MSG_FDS_MAX]; /* held */
	unsigned int nfiles;
};

/*
 * Lifetime: as a connection's; the role's end is @far.
 */
struct sim_chan {
	struct sim_file file;
	struct list to_relay;
	struct list to_role;
	bool far;    /* the role is there */
	bool broken; /* ... or it was, a moment ago */
	bool closed; /* the relay's end is */
};

struct sim_chan *sim_chan_new(void);
struct sim_chan *sim_chan_of(struct sim_file *f);

/* --- the role's end ---------------------------------------------------- */

/* A message with @files, which it holds. */
void chan_tell(struct sim_chan *c, enum msg_type type, const void *body,
	       size_t len, struct sim_file *const *files, unsigned int nfiles);
/* The next one of the relay, or NULL; sim_packet_free() it. */
struct sim_packet *chan_hear(struct sim_chan *c);
void sim_packet_free(struct sim_packet *p);
/* The role has died. */
void chan_leave(struct sim_chan *c);
/* The same, before the role itself has heard of it. */
void chan_break(struct sim_chan *c);

/* --- the relay's system calls ------------------------------------------ */

ssize_t sim_chan_send(struct sim_chan *c, const struct msghdr *mh);
ssize_t sim_chan_recv(struct sim_chan *c, struct msghdr *mh);

#endif
