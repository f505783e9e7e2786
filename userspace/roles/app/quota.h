/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quotas: what clients use is added up by rule, in a file that outlives this
 * process, and who has used up an amount is told to the kernel until the period
 * ends. Fails open: what can't be counted or told passes, and is said.
 */
#ifndef SLUICE_ROLES_QUOTA_H
#define SLUICE_ROLES_QUOTA_H

#include "appctl/quota_table.h"
#include "ipc/role.h"
#include "policy/app.h"
#include "sys/netlink.h"

struct usage;

struct quota {
	struct role *role;
	void *memory; /* the file; NULL: no quota is kept */
	struct quota_table *table;
	/* Of the present configuration; NULL: no quota. */
	const struct app_rule *rules[APP_ID_MAX + 1];
	unsigned int count; /* of quotas */
	struct period periods[APP_METERS + 1];
	struct netlink nl;
	bool nl_open;
	bool stale;	   /* the kernel's sets are to be filled again */
	uint64_t handle;   /* of the table that they are in */
	uint64_t sweep_ms; /* when to make room again at the soonest */
	uint64_t lost;	   /* sums that found no room, since last said */
	unsigned int said; /* clients that were named in this second */
};

/* The file came with the first message of the parent. Without it, said. */
void quota_open(struct quota *q, struct role *role,
		const struct siphash_key *secret);
void quota_close(struct quota *q);

/* What somebody has used; of an application without a quota it is nothing. */
void quota_add(struct quota *q, const struct usage *u);
/* Each second: periods end, the kernel's sets were replaced. */
void quota_tick(struct quota *q);
/* Another configuration, other quotas. */
void quota_reloaded(struct quota *q);

/* Answer MSG_WANT_QUOTAS with the sums of all periods at hand. */
void quota_answer(struct quota *q, uint32_t request);

#endif
