/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The workers of a generation, seen from the dispatcher.
 *
 * Lifetime: made by crew_top_up(), in one of the generation's three lists
 * until their channel is closed from either side, then freed by a task that
 * runs after the events at hand. Closing the channel makes a worker leave; one
 * that doesn't get to it (it hangs in a scan) is killed through its pidfd,
 * which can't hit another process.
 */
#ifndef SLUICE_SCAN_CREW_H
#define SLUICE_SCAN_CREW_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/chan.h"
#include "sys/loop.h"

struct generation;
struct job;

struct worker {
	struct list node;
	struct generation *gen;
	struct chan chan;
	uint64_t id;
	int pidfd; /* -1 until it is forked */
	bool killed;
	unsigned int scans; /* that it has done */
	struct job *job;
	struct loop_task free_task;
};

/* Ask the keeper for the workers that are missing. */
void crew_top_up(struct generation *gen);
/* The keeper has forked worker @id (takes over @pidfd), or failed (@error). */
void crew_forked(struct generation *gen, uint64_t id, int pidfd, int error);
/* Those without a job leave. */
void crew_dismiss(struct generation *gen);
/* All leave, jobs are done without an answer. */
void crew_abort(struct generation *gen);
/* Idle and busy ones. */
unsigned int crew_size(const struct generation *gen);
unsigned int crew_busy(const struct generation *gen);

/* Give @job to an idle worker; false when there is none. */
bool crew_assign(struct generation *gen, struct job *job);
/* End the process; generation_ops.done follows. */
void worker_kill(struct worker *worker);

#endif
