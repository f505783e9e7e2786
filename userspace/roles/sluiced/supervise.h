/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parent's work: start a process for each role, connect the ones that
 * talk, restart what dies or hangs, hand out configurations, and end it all in
 * order.
 *
 * Lifetime of a child: its slot exists from start to end of the daemon;
 * process, channel, log pipe and counter page come and go with each start.
 */
#ifndef SLUICE_ROLES_SUPERVISE_H
#define SLUICE_ROLES_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf/config.h"
#include "ipc/chan.h"
#include "ipc/stats.h"
#include "sys/loop.h"

#define CHILDREN_MAX   (3 + CONFIG_RELAYS)
#define CHILD_LINE_MAX 1024

enum child_state { CHILD_DOWN, CHILD_STARTING, CHILD_READY };

struct child {
	struct supervisor *sup;
	enum role_id role;
	uint32_t index;
	enum child_state state;
	bool wanted; /* false: not restarted */
	pid_t pid;
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
};

/* Answers of roles that somebody (the control socket) waits for. */
struct supervisor_listener {
	void (*text)(void *user, const struct msg_text *msg,
		     const uint8_t *text, size_t len);
	void (*sessions)(void *user, uint32_t relay,
			 const struct msg_sessions *msg,
			 const struct msg_session *rows, size_t nrows);
	/* A child ended: answers it owed won't come. */
	void (*child_gone)(void *user, enum role_id role, uint32_t index);
	void *user;
};

enum supervisor_phase {
	PHASE_RUNNING,
	PHASE_DRAINING, /* relays finish what they have */
	PHASE_ENDING,	/* scan and log finish, net removes the rules */
	PHASE_ENDED
};

struct supervisor {
	struct loop loop;
	char libexec[CONFIG_PATH_MAX];
	struct config *config;
	int config_fd; /* sealed copy for the roles */
	int cache_fd;  /* verdict cache */
	uid_t uid;
	gid_t gid;
	struct child children[CHILDREN_MAX];
	size_t nchildren;
	enum supervisor_phase phase;
	uint64_t phase_deadline;
	uint64_t started_ms;
	uint64_t started_wall_us;
	uint64_t next_instance;
	uint64_t tick_due;
	struct timer tick;
	struct supervisor_listener listener;
};

/*
 * @config (heap) becomes the supervisor's. 0 or -errno, logged. The loop is
 * ready afterwards; children start with supervisor_start().
 */
int supervisor_init(struct supervisor *sup, struct config *config)
	__attribute__((warn_unused_result));
int supervisor_start(struct supervisor *sup)
	__attribute__((warn_unused_result));
/* Swap in @config and tell the roles. 0, or -errno with the old one kept. */
int supervisor_reload(struct supervisor *sup, struct config *config)
	__attribute__((warn_unused_result));
/* Begin the orderly end; again: at once. */
void supervisor_stop(struct supervisor *sup);
void supervisor_close(struct supervisor *sup);

/* The (first) child of a role, or NULL. */
struct child *supervisor_child(struct supervisor *sup, enum role_id role,
			       uint32_t index);
/* "running (pid 12)", "starting", "down: killed by signal 9" */
void child_describe(const struct child *c, char *dst, size_t size);

#endif
