/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The middle of the scan role: requests come from relays (client.h), go to the
 * workers of the generation in service (generation.h), and their verdicts back
 * and into the cache. It never looks into an object. When to load a new
 * generation is decided in renewal.c.
 *
 * Lifetime: one for the life of the role, on its loop; single-threaded.
 */
#ifndef SLUICE_SCAN_DISPATCHER_H
#define SLUICE_SCAN_DISPATCHER_H

#include "ipc/role.h"
#include "ipc/vcache.h"
#include "scan/client.h"
#include "scan/dbwatch.h"
#include "scan/dirs.h"
#include "scan/generation.h"
#include "scan/hasher.h"
#include "scan/shelf.h"

struct dispatcher {
	struct role *role;
	struct dirs dirs;
	struct vcache *cache;
	uint32_t epoch;
	struct clients clients;
	struct hasher hasher;
	struct shelf shelf;
	uint64_t last_serial;
	uint64_t jobs; /* that exist */
	bool stopping;
	struct timer stop_timer;

	/* renewal.c */
	struct list generations; /* all that exist */
	struct generation *serving;
	struct generation *loading;
	uint32_t last_number;
	struct dbwatch watch;
	struct timer tick;
	uint64_t retry_ms; /* not before it, unless something changed */
	char refused[ENGINE_TEXT_MAX]; /* why the last load failed, or "" */
};

/* As root: directories, the cache's mapping. 0 or -errno, logged. */
int dispatcher_init(struct dispatcher *d, struct role *role)
	__attribute__((warn_unused_result));
/* Confined: children, the first generation. 0 or -errno, logged. */
int dispatcher_start(struct dispatcher *d) __attribute__((warn_unused_result));
/* End children and wait for them. */
void dispatcher_close(struct dispatcher *d);

/* role_ops */
int dispatcher_peer(struct dispatcher *d, uint32_t index, int fd)
	__attribute__((warn_unused_result));
void dispatcher_stop(struct dispatcher *d, uint64_t timeout_ms);

/* For renewal.c. */
/* Give what waits to idle workers; answer it if there will be none. */
void dispatcher_run(struct dispatcher *d);
/* The end of worker->job, as generation_ops.done has it. */
void dispatcher_done(struct worker *worker, const struct wire_scanned *answer);

#endif
