/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log role: what senders.c (who sends events) and disk.c (the journal they
 * go to) share. One event loop, single-threaded.
 */
#ifndef SLUICE_ROLES_LOG_ROLE_H
#define SLUICE_ROLES_LOG_ROLE_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/role.h"
#include "store/journal.h"

/*
 * A relay that sends events. Lifetime: made with its channel, freed by a task
 * after the channel has closed.
 */
struct log_peer {
	struct list node;
	struct log_role *log;
	struct chan chan;
	uint32_t index;
	uint64_t instance; /* as the parent says; it speaks for no other */
	bool begun;	   /* its first message came: @next is known */
	uint64_t next;	   /* number that its next message begins with */
	uint64_t acked;
	struct loop_task reap;
};

struct log_role {
	struct role role;
	struct journal journal;
	char path[CONFIG_PATH_MAX + sizeof("/journal")];
	int dir_fd;
	struct list peers; /* of relays */
	unsigned int npeers;
	struct loop_task flush;
	struct timer sync_timer; /* while something is not on disk */
	struct timer expire_timer;
	struct timer stop_timer;
	int error; /* why the disk takes nothing, or 0 */
	bool paused;
	bool stopping;
	bool broken; /* can't go on; the parent starts another one */
};

#endif
