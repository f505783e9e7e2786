/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who counts the bytes: one table of operations for each of the three sources.
 * All of them fill the same records, so that nobody behind counting.c needs to
 * know which one it is. What they count differently is in sluice-usage(5).
 *
 * A source takes part from the moment it is open; what it counted before, of
 * connections that it knew already, is left out.
 */
#ifndef SLUICE_ROLES_SOURCE_H
#define SLUICE_ROLES_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "conf/config.h"
#include "ipc/stats.h"
#include "ipc/usage.h"

/* A sentence about a source, with its NUL: why not, or how it goes. */
#define SOURCE_TEXT 256

/* What is known before one is opened. */
struct source_env {
	struct stats *stats; /* for what only one source has to tell */
	const struct siphash_key *secret;
};

/* One thing counted. */
struct source_count {
	/*
	 * Whose; @usage.app APP_NONE: nobody's, for @reason, and then no client
	 * is told. The time is left to the caller.
	 */
	struct usage usage;
	enum usage_reason reason;
	/*
	 * The same bytes as the source saw them, for the sum that is held
	 * against other counters: frames with their link header where it sees
	 * frames, else IP packets.
	 */
	uint64_t carried;
};

typedef void (*source_fn)(const struct source_count *count, void *arg);

struct source_ops {
	const char *name; /* in apps.counters */
	enum app_source id;
	/*
	 * Whether it can come to be there while the role runs, confined as it
	 * is then; another one is looked for at the role's start alone.
	 */
	bool later;
	/* NULL, and in @why (SOURCE_TEXT) what is missing and what to do. */
	void *(*open)(const struct source_env *env, char *why);
	/* Forgets what was not read. */
	void (*close)(void *source);
	/* The clients' interfaces; called every few seconds, changed or not. */
	void (*interfaces)(void *source, const struct config_intercept *ic);
	/*
	 * Pass on what was counted since the last time, attributed or not. 0;
	 * or -errno: what was not passed comes next time. -ENODEV: the source
	 * is gone; it is to be closed, and may be opened again.
	 */
	int (*read)(void *source, source_fn fn, void *arg);
	/*
	 * What can't wait for read(): a descriptor to watch, and what is to be
	 * done when it is readable, which passes on and fails as read() does.
	 * Both NULL where there is none.
	 */
	int (*descriptor)(void *source);
	int (*readable)(void *source, source_fn fn, void *arg);
	/*
	 * Bytes held for flows that have no label yet, in the unit of
	 * source_count.carried; read() has not passed them.
	 */
	uint64_t (*pending)(void *source);
	/* How it counts: "by BPF (tcx)", and what is wrong with it. */
	void (*says)(void *source, char *text);
};

extern const struct source_ops source_bpf;
extern const struct source_ops source_kmod;
extern const struct source_ops source_conntrack;

#endif
