/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the first packets of a connection to the label in its mark: reads the
 * queues, asks appctl/classify.h, answers, and tells the kernel of servers
 * whose label is certain.
 */
#ifndef SLUICE_ROLES_LABELLING_H
#define SLUICE_ROLES_LABELLING_H

#include "appctl/classify.h"
#include "ipc/role.h"
#include "render/ruleset.h"
#include "sys/netlink.h"
#include "sys/nfqueue.h"

#define LABELLING_SAYS 128

struct labelling {
	struct role *role;
	struct classify *classify;
	struct nfqueue *queue; /* NULL: not open (yet) */
	struct loop_fd watch;
	struct netlink nl; /* for the switch and hints */
	bool nl_open;
	uint64_t retry_ms;	/* when to try to open the queues again */
	uint64_t hints_from_ms; /* when to tell the kernel hints again */
	uint64_t counted;	/* by rule "queue", when it was last asked */
	uint64_t offered;	/* of that, since the queues were opened */
	uint64_t lost;		/* of that, what nobody read */
	unsigned int lan[CONFIG_IFACES]; /* indexes, 0: not there */
	bool refused_logged;
	enum ruleset_queue kind;   /* what the kernel queues with */
	char says[LABELLING_SAYS]; /* how it goes, for the status */
};

/* 0 or -errno, logged. Queues that can't be opened now are tried again. */
int labelling_open(struct labelling *l, struct role *role,
		   const struct siphash_key *secret)
	__attribute__((warn_unused_result));
/* Nothing is queued from now on; what is in the queues is still answered. */
void labelling_stop(struct labelling *l);
void labelling_close(struct labelling *l);
/* Once a second: renew the switch, age flows, look at counters. */
void labelling_tick(struct labelling *l);
void labelling_reloaded(struct labelling *l);

#endif
