// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIPES_KEEP 64

void pool_init(struct pool *p, size_t block_size, size_t keep)
{
	memset(p, 0, sizeof(*p));
	p->block_size = block_size;
	p->keep = keep;
}

void *pool_get(struct pool *p)
{
	void *block = p->free;

	if (block != NULL) {
		memcpy(&p->free, block, sizeof(p->free));
		p->free_count--;
	} else {
		block = malloc(p->block_size);
	}
	if (block != NULL)
		p->used++;
	return block;
}

void pool_put(struct pool *p, void *block)
{
	p->used--;
	if (p->free_count >= p->keep) {
		free(block);
		return;
	}
	memcpy(block, &p->free, sizeof(p->free));
	p->free = block;
	p->free_count++;
}

void pool_close(struct pool *p)
{
	while (p->free != NULL) {
		void *block = p->free;

		memcpy(&p->free, block, sizeof(p->free));
		free(block);
	}
	p->free_count = 0;
}

bool pool_buf_get(struct pool *p, struct buf *b, size_t size)
{
	bool block = size <= p->block_size;
	void *data = block ? pool_get(p) : malloc(size);

	buf_init(b, data, data == NULL ? 0 : block ? p->block_size : size);
	return data != NULL;
}

void pool_buf_put(struct pool *p, struct buf *b)
{
	if (b->data != NULL && b->size == p->block_size)
		pool_put(p, b->data);
	else
		free(b->data);
	buf_init(b, NULL, 0);
}

void pipe_pool_init(struct pipe_pool *pp)
{
	memset(pp, 0, sizeof(*pp));
}

static struct pipe *pipe_new(struct pipe_pool *pp)
{
	struct pipe *p = malloc(sizeof(*p));
	int fds[2];

	if (p == NULL)
		return NULL;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) == -1) {
		free(p);
		return NULL;
	}
	p->rd = fds[0];
	p->wr = fds[1];
	p->len = 0;
	pp->total++;
	return p;
}

struct pipe *pipe_get(struct pipe_pool *pp)
{
	struct pipe *p = pp->free;

	if (p == NULL)
		return pipe_new(pp);
	pp->free = p->next;
	pp->free_count--;
	return p;
}

static void pipe_free(struct pipe_pool *pp, struct pipe *p)
{
	close(p->rd);
	close(p->wr);
	free(p);
	pp->total--;
}

void pipe_put(struct pipe_pool *pp, struct pipe *p)
{
	if (p->len > 0 || pp->free_count >= PIPES_KEEP) {
		pipe_free(pp, p);
		return;
	}
	p->next = pp->free;
	pp->free = p;
	pp->free_count++;
}

void pipe_pool_close(struct pipe_pool *pp)
{
	while (pp->free != NULL) {
		struct pipe *p = pp->free;

		pp->free = p->next;
		pipe_free(pp, p);
	}
	pp->free_count = 0;
}
