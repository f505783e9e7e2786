/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A generation of the engine, seen from the dispatcher: its keeper, and the
 * workers forked from it (crew.h). A new one is loaded beside the one in
 * service; when its first worker is there it takes over, and the old one
 * drains.
 *
 *	LOADING -> STARTING -> SERVING -> DRAINING -> ENDING
 *
 * Lifetime: made by generation_start(). When its keeper has been reaped, both
 * their channels are at their end and no job is left with it, it is freed by a
 * task that runs after the events at hand; ops->gone is the last word of it.
 */
#ifndef SLUICE_SCAN_GENERATION_H
#define SLUICE_SCAN_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/chan.h"
#include "ipc/role.h"
#include "scan/crew.h"
#include "scan/dirs.h"
#include "scan/wire.h"
#include "sys/loop.h"

struct generation_ops {
	/* Its first worker is there: generation_serve() or generation_kill(). */
	void (*ready)(struct generation *gen);
	/* It can't be loaded, or has ended while it served. */
	void (*failed)(struct generation *gen, const char *why);
	/* The engine says that its signatures are others now. */
	void (*stale)(struct generation *gen);
	/* A worker is idle. */
	void (*idle)(struct generation *gen);
	/* The end of worker->job: its answer, or NULL when the worker died. */
	void (*done)(struct worker *worker, const struct wire_scanned *answer);
	/* It is about to be freed. */
	void (*gone)(struct generation *gen);
};

enum generation_state {
	GENERATION_LOADING,
	GENERATION_STARTING, /* loaded, waiting for a worker */
	GENERATION_SERVING,
	GENERATION_DRAINING, /* no new jobs */
	GENERATION_ENDING    /* its keeper is about to end */
};

struct generation {
	struct list node; /* the dispatcher's */
	const struct generation_ops *ops;
	void *user;
	struct loop *loop;
	struct config_ref *config;
	const struct dirs *dirs;
	uint32_t number;
	uint64_t fingerprint; /* of the database; the dispatcher's */
	uint64_t since_ms;    /* it serves; the dispatcher's, as is: */
	char since[40];	      /* the same for people */
	enum generation_state state;
	struct wire_loaded loaded;
	unsigned int wanted; /* workers */
	uint32_t forks;	     /* so far */
	struct list starting;
	struct list idle;
	struct list busy;
	struct chan control;
	struct loop_fd exit_watch; /* the keeper's pidfd */
	struct timer limit;	   /* for loading, and for forking */
	struct loop_task free_task;
	char why[ENGINE_TEXT_MAX]; /* it fails */
};

/*
 * Fork a keeper and let it load the engine of @config. NULL, logged, when not
 * even that works.
 */
struct generation *generation_start(struct loop *loop,
				    const struct generation_ops *ops,
				    void *user, struct config_ref *config,
				    const struct dirs *dirs, uint32_t number);
/* It serves from now on. */
void generation_serve(struct generation *gen);
/* Finish what runs, then end. */
void generation_drain(struct generation *gen);
/* End now, without ops->failed; jobs that run are done without an answer. */
void generation_kill(struct generation *gen);
/* Something of it is gone: go on with its end if that was the last. */
void generation_settle(struct generation *gen);
/* For the end of the role: order its end; then wait for its keeper. */
void generation_end(struct generation *gen);
void generation_await(struct generation *gen, uint64_t limit_ms);
/* Workers that @scan asks for; 0 there means one a core. */
unsigned int generation_workers(const struct config_scan *scan);

#endif
