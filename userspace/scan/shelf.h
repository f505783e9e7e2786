/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects that were scanned while their client looked at a page, until it
 * fetches them: on another connection, so perhaps from another relay. Here they
 * are within every relay's reach.
 *
 * What does not fit takes the place of the oldest. Nothing is lost by that but
 * the time for another download.
 *
 * Lifetime: one for the life of the role, on its loop; the descriptors are its
 * own until they are given away as copies with a message.
 */
#ifndef SLUICE_SCAN_SHELF_H
#define SLUICE_SCAN_SHELF_H

#include "ipc/msg.h"
#include "ipc/stats.h"
#include "sys/loop.h"

#define SHELF_ITEMS   64
#define SHELF_MEMORY  (512u << 20) /* bytes in memory files, but for the last */
#define SHELF_KEEP_MS 600000	   /* as the page says */

struct shelf_item {
	struct msg_shelve about;
	int fd; /* -1: the place is free */
	bool in_memory;
	uint64_t until_ms;
};

struct shelf {
	struct loop *loop;
	struct stats *stats;
	struct timer timer;
	uint64_t memory;
	struct shelf_item item[SHELF_ITEMS];
};

void shelf_init(struct shelf *sh, struct loop *loop, struct stats *stats);
void shelf_close(struct shelf *sh);

/* Whether the values of a message are possible, its descriptor included. */
bool shelf_valid(const struct msg_shelve *msg, int fd);
/* Keep it; takes over @fd. A valid message only. */
void shelf_put(struct shelf *sh, const struct msg_shelve *msg, int fd);
/* The shelf's own, good until the next call; NULL when it is not there. */
const struct shelf_item *shelf_find(const struct shelf *sh,
				    const struct msg_shelf_want *want);

#endif
