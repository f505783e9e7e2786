/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log role: what senders.c (who sends events and usage) and disk.c (the
 * journals they go to) share. One event loop, single-threaded.
 */
#ifndef SLUICE_ROLES_LOG_ROLE_H
#define SLUICE_ROLES_LOG_ROLE_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/role.h"
#include "store/journal.h"

/*
 * One of the two journals with all that is known of its disk: each is in a
 * directory of its own, perhaps on another file system, and what one of them
 * refuses must not stop the other.
 */
struct log_disk {
	struct log_role *log;
	const char *name;     /* of its directory, and in messages */
	unsigned int counter; /* of its records: LOG_EVENTS, LOG_USAGE */
	struct journal journal;
	char path[CONFIG_PATH_MAX + sizeof("/journal")];
	struct loop_task flush;
	struct timer sync_timer; /* while something is not on disk */
	struct timer expire_timer;
	int error; /* why the disk takes nothing, or 0 */
	bool paused;
};

enum { LOG_DISK_EVENTS, LOG_DISK_USAGE, LOG_DISKS };

/*
 * A relay that sends events, or the app role and its usage. Lifetime: made
 * with its channel, freed by a task after the channel has closed.
 */
struct log_peer {
	struct list node;
	struct log_disk *disk;
	struct chan chan;
	enum role_id role;
	uint32_t index;
	uint64_t instance; /* as the parent says; it speaks for no other */
	bool begun;	   /* its first message came: @next is known */
	uint64_t next;	   /* number that its next message begins with */
	uint64_t acked;
	struct loop_task reap;
};

struct log_role {
	struct role role;
	struct log_disk disks[LOG_DISKS];
	struct list peers; /* struct log_peer */
	unsigned int npeers;
	struct timer stop_timer;
	bool stopping;
	bool broken; /* can't go on; the parent starts another one */
};

#endif
