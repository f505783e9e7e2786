/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quotas between parent and app role: the file of sums, and who is over. */
#ifndef SLUICE_IPC_QUOTA_H
#define SLUICE_IPC_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

/*
 * STATE_DIR/quota: sums of clients and quotas. The parent makes it and hands it
 * to the app role, which maps it; what is in it, appctl/quota_table.h knows.
 */
#define QUOTA_FILE	"quota"
#define QUOTA_SLOT_SIZE 64U
#define QUOTA_SLOTS	8192U
#define QUOTA_SIZE	(QUOTA_SLOT_SIZE * (QUOTA_SLOTS + 1)) /* and a header */

/* A row of MSG_QUOTAS_NOW: a client that has used something of a quota. */
struct msg_quota {
	struct ip_addr client;
	uint16_t subject; /* policy/app_policy.h */
	uint32_t over;	  /* it is used up */
	uint64_t bytes;
	uint64_t amount;
	int64_t until_s; /* end of the period, since 1970 */
};

#endif
