/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pipe: two files around one queue. */
#ifndef SLUICE_TESTS_SIM_PIPE_H
#define SLUICE_TESTS_SIM_PIPE_H

#include "bytes.h"
#include "sim.h"

struct sim_pipe;

struct sim_pipe_end {
	struct sim_file file;
	struct sim_pipe *pipe;
};

struct sim_pipe {
	struct sim_pipe_end rd;
	struct sim_pipe_end wr;
	struct bytes queue;
	size_t size;
	unsigned int ends; /* that are held */
};

struct sim_pipe *sim_pipe_new(void);
/* NULL, without errno, when @f is something else. */
struct sim_pipe *sim_pipe_of(struct sim_file *f);

#endif
