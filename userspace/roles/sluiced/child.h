/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child: the process of one role, started again when it ends or hangs.
 *
 * Lifetime of a child: its slot exists from start to end of the daemon;
 * process, channel, log pipe and counter page come and go with each start.
 */
#ifndef SLUICE_ROLES_CHILD_H
#define SLUICE_ROLES_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ipc/chan.h"
#include "ipc/stats.h"
#include "sys/loop.h"

#define CHILD_LINE_MAX 1024

struct supervisor;

enum child_state { CHILD_DOWN, CHILD_STARTING, CHILD_READY };

struct child {
	struct supervisor *sup;
	enum role_id role;
	uint32_t index;
	enum child_state state;
	bool wanted; /* false: not restarted */
	pid_t pid;
	uint64_t instance;	   /* another one at each start */
	struct loop_fd exit_watch; /* pidfd: readable when it has ended */
	struct loop_fd log_watch;  /* its standard error */
	char line[CHILD_LINE_MAX];
	size_t line_len;
	struct chan chan;
	struct stats *stats;
	int stats_fd;
	struct timer restart;
	unsigned int failures; /* in a row, for the back-off */
	uint64_t restarts;
	uint64_t started_ms;
	uint64_t accused_ms; /* when it last reported a violation */
	char last_exit[96];  /* why it ended last; "" at first */
	bool ended_well;     /* the last time, with status 0 */
};

/* A slot without a process. 0 or -errno. */
int child_init(struct child *c, struct supervisor *sup, enum role_id role,
	       uint32_t index) __attribute__((warn_unused_result));
void child_close(struct child *c);

/* Start its process; what fails is logged and tried again later. */
void child_start(struct child *c);
/* Ask it to end within @ms, and don't start it again. */
void child_stop(struct child *c, uint64_t ms);
void child_kill(struct child *c, const char *why);
/* Each second: end one that hangs. */
void child_check(struct child *c);

/* It has a process. */
static inline bool child_up(const struct child *c)
{
	return c->state != CHILD_DOWN;
}
/* It works, and its loop turned just now. */
bool child_lively(const struct child *c);
/* "running", "starting", "down: killed by signal 9" */
void child_describe(const struct child *c, char *dst, size_t size);

#endif
