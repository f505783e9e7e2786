/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has been passed on of each connection's counters: a table of bounded
 * size. A connection that finds no room isn't lost: nothing of it was passed
 * on, so all of it still is when it ends.
 *
 * Connections are told by 64 bits that the caller makes of what names them,
 * with a secret. Of 262144 at a time, two have the same once in five hundred
 * million such tables.
 *
 * Pointers to entries hold until the next ctseen_add(), _remove() or _sweep().
 */
#ifndef SLUICE_SYS_CTSEEN_H
#define SLUICE_SYS_CTSEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/ctflow.h"

struct ctseen_entry {
	uint64_t key;			       /* never 0 */
	struct ctflow_sum passed[CTFLOW_WAYS]; /* of the kernel's counters */
	uint32_t since_s;		       /* when it was first seen */
	uint16_t round; /* of the last dump that had it */
	bool counted;	/* as a flow */
	bool ended;
};

struct ctseen;

/*
 * Grows up to @max entries (at least 1), 48 bytes a place, of which three
 * quarters at most are taken. NULL: no memory.
 */
__attribute__((warn_unused_result)) struct ctseen *ctseen_new(uint32_t max);
void ctseen_free(struct ctseen *s);

uint32_t ctseen_count(const struct ctseen *s);
struct ctseen_entry *ctseen_find(const struct ctseen *s, uint64_t key);
/* One that isn't there yet, of zeros but for @key. NULL: no room. */
struct ctseen_entry *ctseen_add(struct ctseen *s, uint64_t key);
void ctseen_remove(struct ctseen *s, struct ctseen_entry *e);

/* Remove each entry that @over is true of. How many. */
typedef bool (*ctseen_fn)(const struct ctseen_entry *e, void *arg);
uint32_t ctseen_sweep(struct ctseen *s, ctseen_fn over, void *arg);

#endif
