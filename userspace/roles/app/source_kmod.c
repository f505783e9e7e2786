// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * By the kernel module sluice_acct: IP packets on the hooks of the LAN
 * interfaces. It goes on counting while this role is dead, so nothing is lost
 * then; what it counted for somebody else before is forgotten.
 */
#include "roles/app/source.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/app.h"
#include "sys/acctnl.h"
#include "sys/log.h"

_Static_assert(SLUICE_ACCT_LAN_MAX >= CONFIG_IFACES, "interfaces");

struct by_kmod {
	struct acctnl *nl;
	/* What it was told last. */
	uint32_t lan[CONFIG_IFACES];
	size_t lan_count;
	uint64_t pending; /* as of the last reading */
	int wrong;	  /* -errno of the last setting that was refused */
};

static const enum usage_reason reason_of[] = {
	[SLUICE_ACCT_NO_CONNTRACK] = USAGE_NO_CONNTRACK,
	[SLUICE_ACCT_NO_LABEL] = USAGE_UNLABELLED,
	[SLUICE_ACCT_TABLE_FULL] = USAGE_TABLE_FULL,
};

#define REASONS (sizeof(reason_of) / sizeof(reason_of[0]))

/* --- interfaces -------------------------------------------------------------------- */

static size_t look_up(const struct config_intercept *ic, uint32_t *lan)
{
	size_t count = 0;

	for (uint32_t i = 0; i < ic->lan_count; i++) {
		lan[count] = if_nametoindex(ic->lan[i]);
		if (lan[count] != 0)
			count++;
	}
	return count;
}

static void kmod_interfaces(void *source, const struct config_intercept *ic)
{
	struct by_kmod *k = source;
	uint32_t lan[CONFIG_IFACES];
	size_t count = look_up(ic, lan);

	if (k->wrong == 0 && count == k->lan_count &&
	    memcmp(lan, k->lan, count * sizeof(lan[0])) == 0)
		return;
	k->wrong = acctnl_set(k->nl, lan, count, APP_HTTP, APP_GATEWAY);
	if (k->wrong != 0) {
		log_error("sluice_acct: %s", acctnl_error(k->wrong));
		return;
	}
	memcpy(k->lan, lan, sizeof(lan));
	k->lan_count = count;
	log_info("counting on %zu of the %u interfaces of intercept.lan", count,
		 ic->lan_count);
}

/* --- reading ----------------------------------------------------------------------- */

struct reading {
	struct by_kmod *kmod;
	source_fn fn;
	void *arg;
};

/* A reason of a newer module is still bytes that somebody used. */
static int take(const struct acctnl_record *record, void *arg)
{
	const struct reading *r = arg;
	struct source_count count = {
		.usage = {.bytes = record->bytes,
			  .packets = record->packets,
			  .flows = record->flows,
			  .app = record->app,
			  .direction = record->direction == SLUICE_ACCT_UP
					       ? USAGE_UP
					       : USAGE_DOWN},
		.reason = USAGE_UNLABELLED,
		.carried = record->bytes,
	};

	if (record->app == 0 && record->reason == SLUICE_ACCT_PENDING) {
		r->kmod->pending += record->bytes;
		return 0;
	}
	if (record->app != 0)
		ip_addr_from_mapped(&count.usage.client,
				    record->client.s6_addr);
	else if (record->reason < REASONS)
		count.reason = reason_of[record->reason];
	/* Of traffic without an application no flows are told. */
	if (record->app == 0)
		count.usage.flows = 0;
	r->fn(&count, r->arg);
	return 0;
}

/* Any error means that it isn't the module any more that answers. */
static int kmod_read(void *source, source_fn fn, void *arg)
{
	struct by_kmod *k = source;
	struct reading r = {.kmod = k, .fn = fn, .arg = arg};
	int rc;

	k->pending = 0;
	rc = acctnl_dump(k->nl, true, take, &r);
	if (rc == 0)
		return 0;
	log_error("sluice_acct: %s", acctnl_error(rc));
	return -ENODEV;
}

static uint64_t kmod_pending(void *source)
{
	return ((struct by_kmod *)source)->pending;
}

static void kmod_says(void *source, char *text)
{
	struct by_kmod *k = source;

	if (k->wrong == 0)
		snprintf(text, SOURCE_TEXT, "by sluice_acct.ko");
	else
		snprintf(text, SOURCE_TEXT, "by sluice_acct.ko, wrongly: %s",
			 acctnl_error(k->wrong));
}

/* --- life -------------------------------------------------------------------------- */

/* Interfaces that are set are those of an earlier process of this role. */
static int take_over(struct acctnl *nl)
{
	struct acctnl_status status;
	int rc = acctnl_status(nl, &status);

	if (rc == 0 && status.lan_count == 0)
		rc = acctnl_reset(nl);
	return rc;
}

static void *kmod_open(const struct source_env *env, char *why)
{
	struct by_kmod *k = calloc(1, sizeof(*k));
	int rc = -ENOMEM;

	(void)env;
	if (k != NULL) {
		k->nl = acctnl_open();
		rc = k->nl != NULL ? take_over(k->nl) : -errno;
	}
	if (rc == 0) {
		k->wrong = -EAGAIN; /* tell it in any case */
		return k;
	}
	snprintf(why, SOURCE_TEXT, "%s", acctnl_error(rc));
	if (k != NULL)
		acctnl_close(k->nl);
	free(k);
	return NULL;
}

/* Without a reader its tables would only fill. */
static void kmod_close(void *source)
{
	struct by_kmod *k = source;

	(void)!acctnl_set(k->nl, NULL, 0, APP_HTTP, APP_GATEWAY);
	acctnl_close(k->nl);
	free(k);
}

const struct source_ops source_kmod = {
	.name = "kmod",
	.id = SOURCE_KMOD,
	.later = true,
	.open = kmod_open,
	.close = kmod_close,
	.interfaces = kmod_interfaces,
	.read = kmod_read,
	.pending = kmod_pending,
	.says = kmod_says,
};
