/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A worker: takes an object, scans it, answers, takes the next. It is the only
 * process that looks into what came from the network, so it can reach nothing:
 * no network, no other file, no cache, no relay. When it dies, that costs the
 * scan it was at.
 */
#ifndef SLUICE_SCAN_WORKER_H
#define SLUICE_SCAN_WORKER_H

#include "scan/dirs.h"
#include "scan/engine.h"

/* What a worker is made with; part of its keeper's memory. */
struct worker_kit {
	const struct engine_ops *ops;
	struct engine *engine;
	const struct config_scan *scan;
	struct dirs own;
};

/* Its life, on WIRE_FD; never comes back. */
_Noreturn void worker_run(struct worker_kit *kit);

#endif
