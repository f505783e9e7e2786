/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names whose addresses are known for a while, and names that aren't there.
 * Pure; times are milliseconds of the loop's clock.
 *
 * Lifetime: entries are the cache's alone; what is found is a copy.
 */
#ifndef SLUICE_ROLES_CACHE_H
#define SLUICE_ROLES_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/siphash.h"
#include "ipc/msg.h"

#define CACHE_NAMES	 4096
#define CACHE_BUCKETS	 4096
#define CACHE_LEAST_MS	 1000	/* however short its time to live */
#define CACHE_MOST_MS	 300000 /* however long */
#define CACHE_ABSENCE_MS 5000	/* of a name that isn't there */

struct name_cache {
	struct siphash_key key;
	struct list buckets[CACHE_BUCKETS];
	struct list used; /* all; the one unused for longest first */
	unsigned int count;
};

/* Clients choose names: @key is a secret, so that they can't aim. */
void name_cache_init(struct name_cache *cache, const struct siphash_key *key);
/* Everything is forgotten. */
void name_cache_clear(struct name_cache *cache);

/* Whether the answer about @name is known at @now_ms; then its id is 0. */
bool name_cache_find(struct name_cache *cache, const char *name,
		     uint64_t now_ms, struct msg_resolved *answer);
/*
 * Keep an answer for the time that it lives, within the limits above. Only
 * addresses and -ENOENT are kept: what failed may work a moment later. Without
 * memory nothing is.
 */
void name_cache_keep(struct name_cache *cache, const char *name,
		     const struct msg_resolved *answer, uint32_t ttl_s,
		     uint64_t now_ms);

#endif
