/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the bytes are counted: by a BPF program on the LAN interfaces. Read
 * once a second into the span at hand; an interface that comes later is taken
 * in when it is there.
 */
#ifndef SLUICE_ROLES_COUNTING_H
#define SLUICE_ROLES_COUNTING_H

#include "roles/app/spans.h"
#include "sys/bpf.h"

/* Interfaces that are counted on, by their place in intercept.lan. */
struct counting {
	struct role *role;
	struct spans *spans;
	struct bpf_acct *bpf; /* NULL: nothing is counted */
	int ifindex[CONFIG_IFACES];
	unsigned int ticks;
	bool crowded; /* there is hardly room for flows without a label */
	char says[BPF_WHY_MAX + 32]; /* what counts, for the status */
};

/*
 * What the configuration asks for and the kernel has. A kernel without it is
 * no error: the role's note says what is missing.
 */
void counting_open(struct counting *c, struct role *role, struct spans *spans);
void counting_close(struct counting *c);
/* Read what was counted since the last time, look for new interfaces. */
void counting_tick(struct counting *c);
/* Another configuration: other interfaces. */
void counting_reloaded(struct counting *c);

#endif
