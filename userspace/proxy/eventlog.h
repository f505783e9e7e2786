/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events on their way to the log role: numbered, packed into blocks, kept
 * until the log role says that they are on disk, and sent again to a new one
 * when it died.
 */
#ifndef SLUICE_PROXY_EVENTLOG_H
#define SLUICE_PROXY_EVENTLOG_H

#include <stdint.h>

#include "ipc/chan.h"
#include "ipc/event.h"
#include "ipc/stats.h"
#include "sys/loop.h"

/*
 * What may wait while the journal can't be written. Past the first bound,
 * events about objects that nothing stopped are left out (and counted); past
 * the second, all.
 */
#define EVENTLOG_MAX	  (16u << 20)
#define EVENTLOG_MAX_HARD (24u << 20)

struct eventlog {
	struct loop *loop;
	struct stats *stats;
	struct chan chan;
	uint64_t instance;
	uint64_t next; /* number of the next event */
	struct eventlog_block *filling;
	struct list sent;    /* struct eventlog_block, oldest first */
	struct list *unsent; /* the first that this channel has not had */
	size_t held;	     /* bytes of all blocks */
	struct timer flush;
	/* More events are on disk; may be NULL. */
	void (*stored)(struct eventlog *el);
	/* Tells the parent of a broken peer; set by the relay. */
	void (*violation)(struct eventlog *el, const char *violation);
};

void eventlog_init(struct eventlog *el, struct loop *loop, struct stats *stats,
		   uint64_t instance);
/* The channel to a (new) log role; takes over @fd. 0 or -errno. */
int eventlog_connect(struct eventlog *el, int fd)
	__attribute__((warn_unused_result));
/* Number and keep @ev, to be sent within a tenth of a second. */
uint64_t eventlog_add(struct eventlog *el, const struct event *ev);
/* The number that the next event will have. */
static inline uint64_t eventlog_next(const struct eventlog *el)
{
	return el->next;
}
/* Send what is there now. */
void eventlog_flush(struct eventlog *el);
/* Whether all events are on disk. */
bool eventlog_empty(const struct eventlog *el);
void eventlog_close(struct eventlog *el);

#endif
