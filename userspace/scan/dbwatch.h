/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the files of a signature database are still the same. */
#ifndef SLUICE_SCAN_DBWATCH_H
#define SLUICE_SCAN_DBWATCH_H

#include <stdbool.h>
#include <stdint.h>

/* A database is loaded when it has not changed for this long. */
#define DBWATCH_SETTLED_MS 2000

/*
 * A number that changes with the names, sizes and times of the database files
 * in @dir; freshclam's own notes and temporary files there don't count. 0 when
 * the directory can't be read or holds none.
 */
uint64_t dbwatch_fingerprint(const char *dir);

/* What was seen, and what came of it. */
struct dbwatch {
	uint64_t seen;
	uint64_t since_ms; /* it looks like that */
	uint64_t
		refused; /* it was loaded and found bad; valid if @has_refused */
	bool has_refused;
	bool forced;
};

void dbwatch_init(struct dbwatch *w);
/*
 * The database looks like @now at @now_ms: whether to load it, given that what
 * is in service (if @in_service) was @loaded.
 */
bool dbwatch_wants_load(struct dbwatch *w, uint64_t now, uint64_t now_ms,
			bool in_service, uint64_t loaded);
void dbwatch_refuse(struct dbwatch *w, uint64_t fingerprint);
/* An administrator asks for a check: without delay, and again if refused. */
void dbwatch_force(struct dbwatch *w);

#endif
