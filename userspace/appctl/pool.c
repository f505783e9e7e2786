// SPDX-License-Identifier: GPL-2.0-or-later
#include "appctl/pool.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN alignof(max_align_t)

int pool_init(struct pool *p, size_t size, uint32_t max)
{
	memset(p, 0, sizeof(*p));
	p->size = (size + ALIGN - 1) / ALIGN * ALIGN;
	p->max = max;
	p->memory = calloc(max > 0 ? max : 1, p->size);
	return p->memory == NULL ? -ENOMEM : 0;
}

void pool_fini(struct pool *p)
{
	free(p->memory);
	memset(p, 0, sizeof(*p));
}

void *pool_get(struct pool *p)
{
	void *object = p->unused;

	if (object != NULL)
		memcpy(&p->unused, object, sizeof(p->unused));
	else if (p->touched < p->max)
		object = p->memory + p->touched++ * p->size;
	else
		return NULL;
	p->used++;
	return object;
}

void pool_put(struct pool *p, void *object)
{
	if (object == NULL)
		return;
	memcpy(object, &p->unused, sizeof(p->unused));
	p->unused = object;
	p->used--;
}

size_t pool_bytes(const struct pool *p)
{
	return p->size * p->max;
}
