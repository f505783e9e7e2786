// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim_pipe.h"

#include <stdlib.h>

#define PIPE_DEFAULT (64u << 10)

static struct sim_pipe *pipe_of(const struct sim_file *f)
{
	return list_entry(f, struct sim_pipe_end, file)->pipe;
}

static uint32_t pipe_poll(const struct sim_file *f)
{
	(void)f; /* the relay asks no pipe whether it is ready */
	return 0;
}

static void pipe_released(struct sim_file *f)
{
	struct sim_pipe *p = pipe_of(f);

	if (--p->ends > 0)
		return;
	bytes_free(&p->queue);
	free(p);
}

static const struct sim_file_ops pipe_ops = {
	.name = "a pipe",
	.poll = pipe_poll,
	.released = pipe_released,
};

struct sim_pipe *sim_pipe_new(void)
{
	struct sim_pipe *p = must_alloc(sizeof(*p));

	sim_file_init(&p->rd.file, &pipe_ops);
	sim_file_init(&p->wr.file, &pipe_ops);
	p->rd.pipe = p;
	p->wr.pipe = p;
	p->size = PIPE_DEFAULT;
	p->ends = 2;
	return p;
}

struct sim_pipe *sim_pipe_of(struct sim_file *f)
{
	return f != NULL && f->ops == &pipe_ops ? pipe_of(f) : NULL;
}
