/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parent's work: start a process for each role, connect the ones that
 * talk, restart what dies or hangs, hand out configurations, and end it all in
 * order.
 */
#ifndef SLUICE_ROLES_SUPERVISE_H
#define SLUICE_ROLES_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf/config.h"
#include "ipc/quota.h"
#include "ipc/usage.h"
#include "roles/sluiced/child.h"

#define CHILDREN_MAX	   (5 + CONFIG_RELAYS)
#define SUPERVISOR_TICK_MS 1000

/* Answers of roles that somebody (the control socket) waits for. */
struct supervisor_listener {
	void (*text)(void *user, const struct msg_text *msg,
		     const uint8_t *text, size_t len);
	void (*sessions)(void *user, uint32_t relay,
			 const struct msg_sessions *msg,
			 const struct msg_session *rows, size_t nrows);
	void (*usage)(void *user, const struct msg_usage_now *msg,
		      const struct usage *rows, size_t nrows);
	void (*quotas)(void *user, const struct msg_sessions *msg,
		       const struct msg_quota *rows, size_t nrows);
	/* A child ended: answers it owed won't come. */
	void (*child_gone)(void *user, enum role_id role, uint32_t index);
	void *user;
};

enum supervisor_phase {
	PHASE_RUNNING,
	PHASE_DISARMING, /* until the dead-man's switch is off */
	PHASE_DRAINING,	 /* relays finish what they have */
	PHASE_ENDING,	 /* scan and log finish, net removes the rules */
	PHASE_ENDED
};

struct supervisor {
	struct loop loop;
	char libexec[CONFIG_PATH_MAX];
	struct config *config;
	int config_fd; /* sealed copy for the roles */
	int cache_fd;  /* verdict cache */
	int quota_fd;  /* sums of quotas; -1: none are kept */
	uid_t uid;
	gid_t gid;
	struct child children[CHILDREN_MAX];
	size_t nchildren;
	enum supervisor_phase phase;
	uint64_t phase_deadline;
	uint64_t net_deadline; /* in the last phase */
	unsigned int net_tries;
	bool hurry;	   /* the end was asked for twice */
	struct timer look; /* while it ends: whether the next phase can begin */
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
void supervisor_start(struct supervisor *sup);
/* Swap in @config and tell the roles. 0, or -errno with the old one kept. */
int supervisor_reload(struct supervisor *sup, struct config *config)
	__attribute__((warn_unused_result));
/* Begin the orderly end; again: at once. See ending.h. */
void supervisor_stop(struct supervisor *sup);
void supervisor_close(struct supervisor *sup);

/* The (first) child of a role, or NULL. */
struct child *supervisor_child(struct supervisor *sup, enum role_id role,
			       uint32_t index);
/*
 * The dead-man's switch: net passes it on to the kernel while we say that new
 * connections will be taken in.
 */
void supervisor_say_alive(struct supervisor *sup);

#endif
