// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/net/account.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "sys/ctacct.h"
#include "sys/log.h"

#define SETTING "net.netfilter.nf_conntrack_acct"

void account_open(struct account *a, const char *run_dir)
{
	memset(a, 0, sizeof(*a));
	snprintf(a->record, sizeof(a->record), "%s/net/conntrack_acct",
		 run_dir);
}

/* Tried again each second; the same trouble is logged once. */
static void trouble(struct account *a, int rc)
{
	char text[ACCOUNT_TROUBLE_MAX];

	snprintf(text, sizeof(text),
		 SETTING " can't be set to 1 (%s): conntrack counts nothing; "
			 "set it by hand, or change apps.counters",
		 strerror(-rc));
	if (strcmp(text, a->trouble) != 0)
		log_error("%s", text);
	str_copy(a->trouble, sizeof(a->trouble), text);
}

void account_keep(struct account *a, bool wanted)
{
	int rc;

	if ((!a->on && !wanted) || (a->on && ctacct_switch() == 1))
		return;
	rc = ctacct_switch_on(a->record);
	if (rc != 0) {
		trouble(a, rc);
		return;
	}
	if (a->on)
		log_warn(SETTING " was switched off by somebody else: it is "
				 "switched on again");
	a->on = true;
	a->trouble[0] = '\0';
}

void account_end(struct account *a)
{
	int rc = ctacct_switch_restore(a->record);

	if (rc != 0)
		log_error(SETTING " can't be restored: %s", strerror(-rc));
	a->on = false;
}
