/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the bytes are counted: by one of the sources (roles/app/source.h), as
 * apps.counters says. Read once a second into the span at hand.
 *
 * A source that is named and isn't there is never replaced by another one: what
 * they count differs, and who named one wants that. The log and the role's note
 * say what is missing.
 */
#ifndef SLUICE_ROLES_COUNTING_H
#define SLUICE_ROLES_COUNTING_H

#include "roles/app/source.h"
#include "roles/app/spans.h"
#include "sys/loop.h"

struct counting {
	struct role *role;
	struct spans *spans;
	const struct siphash_key *secret; /* for tables, from role's start */
	const struct source_ops *ops;	  /* of @source */
	void *source;			  /* NULL: nothing is counted */
	struct loop_fd watch;
	unsigned int ticks;
	char why[SOURCE_TEXT];	     /* nothing is, as last logged */
	char says[SOURCE_TEXT + 64]; /* what counts, for the status */
};

/*
 * What the configuration asks for and the kernel has. A kernel without it is
 * no error. @secret stays the caller's and outlives @c.
 */
void counting_open(struct counting *c, struct role *role, struct spans *spans,
		   const struct siphash_key *secret);
void counting_close(struct counting *c);
/*
 * Read what was counted since the last time, look for new interfaces; and for
 * the source, when it isn't there.
 */
void counting_tick(struct counting *c);
/* Another configuration: other interfaces. */
void counting_reloaded(struct counting *c);

#endif
