/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What looks for signatures, behind one table: libclamav in our own processes,
 * or clamd through its socket.
 *
 * Lifetime: load() runs in the keeper of a generation (keeper.h); its workers
 * are forked from there, so that they share what it loaded, and each calls
 * attach() once. Nothing is freed before the process ends.
 */
#ifndef SLUICE_SCAN_ENGINE_H
#define SLUICE_SCAN_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/config.h"
#include "scan/finding.h"

#define ENGINE_TEXT_MAX 448 /* fits into a note of stats.h */

struct engine; /* what an implementation keeps */

/* Bytes to scan. Memory that can't be read any more (SIGBUS) ends the worker. */
struct engine_input {
	const uint8_t *data;
	size_t size;
	int fd; /* holds just these bytes, or -1 */
};

struct engine_info {
	uint64_t signatures; /* 0: the engine doesn't say */
	/* For the note, may be empty: what a person should mend. */
	char warning[ENGINE_TEXT_MAX];
};

struct engine_ops {
	/*
	 * Make it ready. 0, or -errno with @wrong: what is wrong and what to
	 * do, for a person.
	 */
	int (*load)(struct engine **e, const struct config_scan *scan,
		    struct engine_info *info, char wrong[ENGINE_TEXT_MAX]);
	/*
	 * In the keeper, each @check_ms (0: never): 0, -ESTALE when the
	 * signatures are others now, another -errno when it is gone.
	 */
	int (*check)(struct engine *e, char wrong[ENGINE_TEXT_MAX]);
	/*
	 * In a worker: @disk is its directory for temporary files, @memory one
	 * that is faster and small, or NULL. Both outlive the engine.
	 */
	int (*attach)(struct engine *e, const char *disk, const char *memory);
	/* Within about @limit_ms. */
	void (*scan)(struct engine *e, const struct engine_input *in,
		     uint64_t limit_ms, struct finding *out);
	unsigned int check_ms;
	/* A failed load is tried again after it; 0: when something changed. */
	unsigned int retry_ms;
	/* It reads config.scan.database, which is to be watched. */
	bool has_database;
};

extern const struct engine_ops engine_libclamav;
extern const struct engine_ops engine_clamd;

/* NULL for ENGINE_NONE. */
const struct engine_ops *engine_of(enum config_engine engine);

#endif
