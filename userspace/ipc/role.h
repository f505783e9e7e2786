/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every role does: take its first message from the parent, map the
 * configuration, beat its heart, hear of reloads and of the end.
 *
 * A role starts as root with descriptor 3 as its channel to the parent and
 * standard error as its log; role_begin() reads MSG_INIT, the role sets up
 * what needs root, role_confine() takes everything away that it doesn't need,
 * and role_run() is its life.
 */
#ifndef SLUICE_IPC_ROLE_H
#define SLUICE_IPC_ROLE_H

#include <stdint.h>

#include "conf/config.h"
#include "ipc/chan.h"
#include "ipc/stats.h"
#include "sys/loop.h"
#include "sys/sandbox.h"

#define ROLE_PARENT_FD 3
#define ROLE_RULES_MAX 16 /* kinds of messages from the parent */

/*
 * A configuration in use. Sessions keep the one they began with: whoever
 * stores a pointer takes a reference. Single-threaded, so no lock.
 */
struct config_ref {
	const struct config *config;
	unsigned int refs;
};

struct config_ref *config_ref_get(struct config_ref *ref);
void config_ref_put(struct config_ref *ref);

struct role;

struct role_ops {
	enum role_id id;
	/* Further messages from the parent, e.g. MSG_ALIVE; may be empty. */
	const struct chan_rule *rules;
	size_t nrules;
	/* A channel to another role; take over @fd. May be NULL. */
	int (*peer)(struct role *role, const struct msg_peer *peer, int fd);
	/*
	 * role->config was replaced; the one before is valid until this
	 * returns. May be NULL.
	 */
	void (*reloaded)(struct role *role);
	/* Finish what runs, within @timeout_ms, then loop_stop(). */
	void (*stop)(struct role *role, uint64_t timeout_ms);
};

struct role {
	const struct role_ops *ops;
	void *user; /* the role's own state */
	struct loop loop;
	struct chan parent;
	struct chan_rule rules[ROLE_RULES_MAX];
	struct chan_ops parent_ops;
	struct msg_init init;
	struct config_ref *config;
	struct stats *stats;
	int cache_fd; /* scan, relay: verdicts; app: sums of quotas; or -1 */
	struct timer heartbeat;
	char name[24]; /* "relay/0" */
};

/* 0 or -errno, logged. */
int role_begin(struct role *role, const struct role_ops *ops, void *user)
	__attribute__((warn_unused_result));
/* Enter the sandbox; @sb's account is filled in from the parent's word. */
int role_confine(struct role *role, struct sandbox *sb)
	__attribute__((warn_unused_result));
/* Tell the parent that the role works now. */
int role_ready(struct role *role) __attribute__((warn_unused_result));
/* Until the parent says stop, closes its end, or something is broken. */
int role_run(struct role *role) __attribute__((warn_unused_result));
/* A peer broke the protocol: ask the parent to end it. */
void role_report_violation(struct role *role, enum role_id id, uint32_t index,
			   const char *violation);

#endif
