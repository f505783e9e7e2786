/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The relay's side of scanning: objects go to the scan role, verdicts come
 * back. Requests wait here while there is no scan role (it is starting, or was
 * restarted); one that was lost with it is *not scanned: scanner failed*.
 *
 * Fails as policy says about objects that were not scanned, never by letting
 * one through silently.
 */
#ifndef SLUICE_PROXY_SCANNER_H
#define SLUICE_PROXY_SCANNER_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/chan.h"
#include "ipc/stats.h"
#include "ipc/vcache.h"
#include "proxy/object.h"
#include "proxy/shelf_ask.h"
#include "sys/loop.h"

struct scan_job;
typedef void (*scan_fn)(struct scan_job *job);

/*
 * Lifetime: part of what wants the verdict; scanner_cancel() before it goes.
 * The callback comes from the loop, never from within scanner_submit().
 */
struct scan_job {
	struct list node;
	struct timer timeout;
	struct scanner *scanner;
	scan_fn done;
	struct msg_scan msg;
	struct object *object;
	bool sent;
	bool active;
	/* the answer */
	struct vcache_entry result;
	uint32_t scan_us;
};

struct scanner {
	struct loop *loop;
	struct stats *stats;
	struct chan chan;
	struct list waiting; /* not sent yet, in order */
	struct list asked;   /* sent, oldest first */
	uint32_t nasked;
	uint32_t asked_max; /* limits_scans(); set by the relay */
	uint64_t next_id;
	struct shelf_asks shelf; /* on the same channel */
	uint64_t deadline_ms;	 /* scan.deadline */
	/* Tells the parent of a broken peer; set by the relay. */
	void (*violation)(struct scanner *sc, const char *violation);
};

void scanner_init(struct scanner *sc, struct loop *loop, struct stats *stats);
int scanner_connect(struct scanner *sc, int fd)
	__attribute__((warn_unused_result));
void scanner_close(struct scanner *sc);

void scan_job_init(struct scan_job *job, scan_fn done);
/* The object must be finished; job->msg has everything but id and size. */
void scanner_submit(struct scanner *sc, struct scan_job *job,
		    struct object *object);
void scanner_cancel(struct scan_job *job);

#endif
