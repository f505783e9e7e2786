/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spans of usage: what the sources count is summed up for some seconds, and
 * then goes to the log role as records of the span at hand. A span begins at a
 * multiple of USAGE_SPAN_S, so that those of all gateways and restarts fit
 * together.
 */
#ifndef SLUICE_ROLES_SPANS_H
#define SLUICE_ROLES_SPANS_H

#include <stdint.h>

#include "appctl/usage_table.h"
#include "ipc/outbox.h"
#include "ipc/role.h"

struct quota;

struct spans {
	struct role *role;
	struct quota *quota; /* is told of all that is added */
	struct usage_table *table;
	struct outbox outbox;
	uint64_t time_s;   /* when the one at hand began, since 1970 */
	uint64_t began_ms; /* when the table was empty */
};

/* 0 or -errno, logged. @stored: called when records have reached the disk. */
int spans_open(struct spans *s, struct role *role, struct quota *quota,
	       const struct siphash_key *secret)
	__attribute__((warn_unused_result));
void spans_close(struct spans *s);

/* The channel to a (new) log role; takes over @fd. 0 or -errno. */
int spans_connect(struct spans *s, int fd) __attribute__((warn_unused_result));

/* To be called at least once a second, before anything new is added. */
void spans_tick(struct spans *s);
/* What a source has counted since it said so last; as usage_table_add(). */
void spans_add(struct spans *s, const struct usage *u);
/* The role ends: what there is of the span goes out as its record. */
void spans_end(struct spans *s);
/* Whether the log role has acknowledged all. */
bool spans_stored(const struct spans *s);

/* Answer MSG_WANT_USAGE with what the span at hand holds. */
void spans_answer(struct spans *s, uint32_t request);

#endif
