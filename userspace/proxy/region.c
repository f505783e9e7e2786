// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/region.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/memfile.h"

void region_pool_init(struct region_pool *rp, size_t region_size, size_t keep)
{
	list_init(&rp->free);
	rp->region_size = region_size;
	rp->keep = keep;
	rp->kept = 0;
	rp->live = 0;
}

static struct region *region_new(size_t size)
{
	struct region *r = malloc(sizeof(*r));
	int saved;

	if (r == NULL)
		return NULL;
	list_init(&r->node);
	r->size = size;
	r->touched = 0;
	r->map = NULL;
	r->fd = memfd_create("sluice-object", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (r->fd == -1)
		goto fail;
	/* Only address space: pages come when bytes do. */
	if (ftruncate(r->fd, (off_t)size) == -1)
		goto fail_fd;
	r->map = memfile_map_shared(r->fd, size);
	if (r->map != NULL)
		return r;
fail_fd:
	saved = errno;
	close(r->fd);
	errno = saved;
fail:
	free(r);
	return NULL;
}

static void region_free(struct region *r)
{
	memfile_unmap(r->map, r->size);
	close(r->fd);
	free(r);
}

struct region *region_get(struct region_pool *rp)
{
	struct list *node = list_pop(&rp->free);
	struct region *r;

	if (node == NULL)
		return region_new(rp->region_size);
	r = list_entry(node, struct region, node);
	rp->kept -= r->touched;
	rp->live += r->touched;
	return r;
}

void region_used(struct region_pool *rp, struct region *r, size_t used)
{
	if (used <= r->touched)
		return;
	rp->live += used - r->touched;
	r->touched = used;
}

void region_put(struct region_pool *rp, struct region *r, uint64_t now_ms)
{
	rp->live -= r->touched;
	if (r->map == NULL || r->size != rp->region_size ||
	    rp->kept + r->touched > rp->keep) {
		region_free(r);
		return;
	}
	rp->kept += r->touched;
	r->idle_since_ms = now_ms;
	list_add(&rp->free, &r->node);
}

int region_seal(struct region_pool *rp, struct region *r, size_t len)
{
	/* The kernel seals against writing only what nobody can write to. */
	memfile_unmap(r->map, r->size);
	r->map = NULL;
	if (ftruncate(r->fd, (off_t)len) == -1)
		return -errno;
	if (r->touched > len) {
		rp->live -= r->touched - len;
		r->touched = len;
	}
	return memfile_seal(r->fd);
}

void region_pool_trim(struct region_pool *rp, uint64_t before_ms)
{
	struct list *pos = rp->free.prev;

	/* From the one that has been idle longest. */
	while (pos != &rp->free) {
		struct region *r = list_entry(pos, struct region, node);

		if (r->idle_since_ms >= before_ms)
			return;
		pos = pos->prev;
		list_del(&r->node);
		rp->kept -= r->touched;
		region_free(r);
	}
}

void region_pool_close(struct region_pool *rp)
{
	region_pool_trim(rp, UINT64_MAX);
}
