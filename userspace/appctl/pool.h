/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects of one size, at most so many of them, in one piece of memory: what a
 * flood of new flows can make us use is known when the role starts. Memory
 * that was never given out is never touched, so it costs nothing.
 */
#ifndef SLUICE_APPCTL_POOL_H
#define SLUICE_APPCTL_POOL_H

#include <stddef.h>
#include <stdint.h>

struct pool {
	uint8_t *memory;
	void *unused; /* given back; each begins with a pointer to the next */
	size_t size;
	uint32_t max;
	uint32_t touched; /* objects that were ever given out */
	uint32_t used;
};

/* @size bytes each, aligned for anything. 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int pool_init(struct pool *p, size_t size,
						  uint32_t max);
/* Objects still out become invalid. Does nothing to a zeroed pool. */
void pool_fini(struct pool *p);
/* NULL when all are out. Its content is what the last user left. */
void *pool_get(struct pool *p);
/* NULL is fine. */
void pool_put(struct pool *p, void *object);
/* Most bytes that it will ever use. */
size_t pool_bytes(const struct pool *p);

#endif
