/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conntrack's counters of bytes (net.netfilter.nf_conntrack_acct), which the
 * app role counts by where it has nothing better. They are on from the moment
 * that it asks until the gateway is stopped, since connections that begin while
 * they are off are never counted; then the setting is what it was.
 */
#ifndef SLUICE_ROLES_ACCOUNT_H
#define SLUICE_ROLES_ACCOUNT_H

#include <stdbool.h>

#include "conf/config.h"

#define ACCOUNT_TROUBLE_MAX 160

struct account {
	bool on;
	char record[CONFIG_PATH_MAX + 32]; /* what the setting was */
	char trouble[ACCOUNT_TROUBLE_MAX]; /* what is wrong now, or "" */
};

/* One that an earlier run left is put back at the end of this one. */
void account_open(struct account *a, const char *run_dir);
/* Each second: see that it is on, if it was ever @wanted. */
void account_keep(struct account *a, bool wanted);
void account_end(struct account *a);

#endif
