/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The relays as the dispatcher sees them: their channels, what each has asked
 * for, and whose turn it is. Turns go round, so that a relay with a thousand
 * requests delays one with a single request by one scan. What they put on the
 * shelf takes no turn.
 *
 * Lifetime: one struct client an index, for the life of the role; its channel
 * comes and goes with the relay's instances, its jobs with the channel.
 */
#ifndef SLUICE_SCAN_CLIENT_H
#define SLUICE_SCAN_CLIENT_H

#include "conf/config.h"
#include "ipc/chan.h"
#include "scan/job.h"

struct clients;
struct shelf;

struct clients_ops {
	/* A valid request; the job is linked to the client, not yet queued. */
	void (*submit)(struct clients *all, struct job *job);
	/*
	 * Nobody waits for @job any more; it is unlinked from its client and
	 * its queue.
	 */
	void (*abandon)(struct clients *all, struct job *job);
	/* A valid message: a client holds more of an object. */
	void (*part)(struct clients *all, const struct msg_part *part);
	void (*violation)(struct clients *all, uint32_t index,
			  const char *what);
};

struct client {
	struct clients *all;
	uint32_t index;
	struct chan chan;
	struct list queue; /* job.queued */
	struct list jobs;  /* job.owned */
	uint32_t count;	   /* of jobs */
	struct list turn;  /* in all->turns while the queue isn't empty */
};

struct clients {
	const struct clients_ops *ops;
	uint32_t jobs_max;   /* of a client; more is a violation */
	struct shelf *shelf; /* set by the role */
	struct list turns;
	uint64_t queued;
	struct client client[CONFIG_RELAYS];
};

/* @jobs_max as limits_scans() has it. */
void clients_init(struct clients *all, struct loop *loop,
		  const struct clients_ops *ops, uint32_t jobs_max);
/* A new channel for relay @index; the old one's jobs are abandoned. */
int clients_connect(struct clients *all, uint32_t index, int fd)
	__attribute__((warn_unused_result));
void clients_close(struct clients *all);

void client_queue(struct job *job);
/* Out of the queue, if it is in it. */
void client_unqueue(struct job *job);
/* Whose turn it is, taken out of the queue, or NULL. */
struct job *clients_next(struct clients *all);
/* Tell the relay, if there is one; the job is no longer its client's. */
void client_answer(struct job *job, const struct msg_scanned *answer);

#endif
