/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records on their way to the log role: numbered, put into blocks, kept until
 * the log role says that they are on disk, and sent again to a new one when it
 * died. What a record is, the owner knows: bytes here.
 *
 * Lifetime: part of its owner, from outbox_init() to outbox_close().
 */
#ifndef SLUICE_IPC_OUTBOX_H
#define SLUICE_IPC_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/chan.h"
#include "ipc/stats.h"
#include "sys/loop.h"

/*
 * What may wait while the journal can't be written. Past the first bound,
 * records that are not important are left out (and counted); past the second,
 * all.
 */
#define OUTBOX_MAX	  (16u << 20)
#define OUTBOX_MAX_HARD	  (24u << 20)
/* Bytes of one record at most: one must fit a block. */
#define OUTBOX_RECORD_MAX (MSG_MAX - 256)

struct outbox;

/* What is sent, and who hears of it. */
struct outbox_ops {
	enum msg_type type;   /* its body is struct msg_events */
	unsigned int waiting; /* counter in the role's page: not yet on disk */
	unsigned int dropped; /* the same: left out for want of room */
	/* More records are on disk; may be NULL. */
	void (*stored)(struct outbox *ob);
	/* The log role broke the protocol, for the parent to know. */
	void (*violation)(struct outbox *ob, const char *violation);
};

struct outbox {
	const struct outbox_ops *ops;
	struct loop *loop;
	struct stats *stats;
	struct chan chan;
	uint64_t instance;
	uint64_t next; /* number of the next record */
	struct outbox_block *filling;
	struct list sent;    /* struct outbox_block, oldest first */
	struct list *unsent; /* the first that this channel has not had */
	size_t held;	     /* bytes of all blocks */
	struct timer flush;
};

void outbox_init(struct outbox *ob, const struct outbox_ops *ops,
		 struct loop *loop, struct stats *stats, uint64_t instance);
/* The channel to a (new) log role; takes over @fd. 0 or -errno. */
int outbox_connect(struct outbox *ob, int fd)
	__attribute__((warn_unused_result));
/*
 * Number and keep the @len bytes of a record, to be sent within a tenth of a
 * second. False, and counted, when there is no room or @len is 0 or more than
 * OUTBOX_RECORD_MAX.
 */
bool outbox_add(struct outbox *ob, const void *record, size_t len,
		bool important);
/* The number that the next record will have. */
static inline uint64_t outbox_next(const struct outbox *ob)
{
	return ob->next;
}
/* Send what is there now. */
void outbox_flush(struct outbox *ob);
/* Whether all records are on disk. */
bool outbox_empty(const struct outbox *ob);
void outbox_close(struct outbox *ob);

#endif
