/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory files that objects are received into, mapped and used again.
 *
 * Measured (docs/performance.md): getting fresh pages for each object costs
 * more than receiving, hashing and sending it together; with pages that stay,
 * a third less processor time a byte. So a region whose object was answered
 * from the verdict cache goes back to the pool, pages and all.
 *
 * A region whose descriptor was handed to the scan role is sealed and never
 * comes back. Bytes of a pooled region are sent with send(2), which copies;
 * never with sendfile(2), whose pages would change under way.
 */
#ifndef SLUICE_PROXY_REGION_H
#define SLUICE_PROXY_REGION_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct region {
	struct list node;
	int fd;
	uint8_t *map;	/* @size bytes; NULL once sealed */
	size_t size;	/* room, not use */
	size_t touched; /* pages up to here are allocated */
	uint64_t idle_since_ms;
};

struct region_pool {
	struct list free; /* last used first */
	size_t region_size;
	size_t kept; /* touched bytes in the free ones */
	size_t keep; /* at most */
	size_t live; /* touched bytes in those that are out */
};

void region_pool_init(struct region_pool *rp, size_t region_size, size_t keep);
/* NULL with errno set. */
struct region *region_get(struct region_pool *rp);
/* Give it back; a sealed one is closed. @now_ms: when it became idle. */
void region_put(struct region_pool *rp, struct region *r, uint64_t now_ms);
/* The object has grown to @used bytes of the region. */
void region_used(struct region_pool *rp, struct region *r, size_t used);
/*
 * Make the first @len bytes an immutable file of that size, to hand out
 * r->fd. 0 or -errno; afterwards r->map is NULL.
 */
int region_seal(struct region_pool *rp, struct region *r, size_t len)
	__attribute__((warn_unused_result));
/* Close those that have been idle since before @before_ms. */
void region_pool_trim(struct region_pool *rp, uint64_t before_ms);
void region_pool_close(struct region_pool *rp);

#endif
