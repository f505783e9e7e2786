/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BPF programs on the two tc hooks of an interface: by tcx (Linux 6.6), whose
 * links end with their descriptors, or by filters of a clsact qdisc, which
 * outlive their process and stand among everybody else's filters.
 *
 * Lifetime: a struct tcprog is its owner's. Attached, it holds two descriptors
 * (tcx) or names two filters (clsact), until it is detached.
 */
#ifndef SLUICE_SYS_TCPROG_H
#define SLUICE_SYS_TCPROG_H

#include <stdbool.h>
#include <stdint.h>

enum tcprog_side { TCPROG_INGRESS, TCPROG_EGRESS, TCPROG_SIDES };

struct tcprog {
	int ifindex; /* 0: not attached */
	bool tcx;
	int link[TCPROG_SIDES];	     /* tcx */
	uint32_t prog[TCPROG_SIDES]; /* clsact: ids */
	bool made_qdisc;	     /* clsact: nobody's before us */
};

/* Whether the kernel has tcx. */
bool tcprog_has_tcx(void);

/*
 * Put the programs @fd on @ifindex, before what others have there when that is
 * clsact, and behind it when it is tcx. Without @tcx: by clsact, which is made
 * when missing; filters that a process of ours left when it died are removed.
 * 0 or -errno, and then nothing is attached.
 */
__attribute__((warn_unused_result)) int
tcprog_attach(struct tcprog *t, int ifindex, const int fd[TCPROG_SIDES],
	      bool tcx);

/*
 * Take away what is ours: the links; the filters, if they still run our
 * programs; the qdisc, if we made it and nobody uses it. 0, also when the
 * interface is gone, and all with it; or the first -errno.
 */
int tcprog_detach(struct tcprog *t);

#endif
