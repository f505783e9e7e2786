/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sessions borrow while they work and give back when they idle: buffers
 * of one size, and pipes for splice(2). Last in, first out, so that what is
 * taken next is still in the processor's cache.
 */
#ifndef SLUICE_PROXY_POOL_H
#define SLUICE_PROXY_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* --- buffers ------------------------------------------------------------------ */

struct pool {
	void *free; /* each block starts with a pointer to the next */
	size_t block_size;
	size_t free_count;
	size_t keep; /* free blocks kept for reuse */
	size_t used;
};

void pool_init(struct pool *p, size_t block_size, size_t keep);
/* Not cleared. NULL without memory. */
void *pool_get(struct pool *p);
void pool_put(struct pool *p, void *block);
void pool_close(struct pool *p);

/*
 * Give the empty @b memory for @size bytes: a block, or (rarely) memory of its
 * own when a block is too small. False without memory.
 */
bool pool_buf_get(struct pool *p, struct buf *b, size_t size);
/* Take it back with whatever is in it; harmless on one that has none. */
void pool_buf_put(struct pool *p, struct buf *b);

/* --- pipes -------------------------------------------------------------------- */

/*
 * A pipe with @len bytes in it. An empty one goes back to the pool; one with
 * bytes left in it (its session died) is closed instead.
 */
struct pipe {
	struct pipe *next;
	int rd;
	int wr;
	size_t len;
};

struct pipe_pool {
	struct pipe *free;
	size_t free_count;
	size_t total;
};

/*
 * What is moved at a time: as much as the kernel gives a new pipe (pipe(7)).
 * Less costs calls. More costs throughput: what the bodies of all sessions have
 * under way should stay in the processor's cache, from the server's copy to the
 * client's. With 256 KiB a relay moves a fifth to a third less from eight
 * connections on (docs/performance.md).
 */
#define PIPE_SIZE (64u << 10)

void pipe_pool_init(struct pipe_pool *pp);
/* NULL with errno set (EMFILE, ENFILE, ENOMEM). */
struct pipe *pipe_get(struct pipe_pool *pp);
void pipe_put(struct pipe_pool *pp, struct pipe *p);
void pipe_pool_close(struct pipe_pool *pp);

#endif
