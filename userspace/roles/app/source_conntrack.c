// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * By conntrack's counters of each connection: what every kernel of a gateway
 * has. The net role switches them on (nf_conntrack_acct) when the parent tells
 * it that this is the source.
 */
#include "roles/app/source.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/app.h"
#include "sys/ctacct.h"
#include "sys/log.h"
#include "sys/reach.h"

#define CONNECTIONS  262144 /* conntrack's own limit by default, at most */
#define ADDRESSES    16384
#define EVENT_BUFFER (8 << 20)
#define AGE_S	     120
#define REST	     20 /* a twentieth of the time */

_Static_assert(REACH_LANS >= CONFIG_IFACES, "interfaces");

struct by_conntrack {
	struct ctacct *acct;
	struct stats *stats;
	uint64_t overruns; /* as logged */
};

static void conntrack_interfaces(void *source,
				 const struct config_intercept *ic)
{
	struct by_conntrack *b = source;
	unsigned int lan[CONFIG_IFACES];
	size_t count = 0;

	for (uint32_t i = 0; i < ic->lan_count; i++) {
		lan[count] = if_nametoindex(ic->lan[i]);
		if (lan[count] != 0)
			count++;
	}
	ctacct_set_lan(b->acct, lan, count);
}

/* --- reading ----------------------------------------------------------------------- */

struct reading {
	source_fn fn;
	void *arg;
};

static void take(const struct ctacct_record *record, void *arg)
{
	const struct reading *r = arg;
	struct source_count count = {
		.usage = {.bytes = record->bytes,
			  .packets = record->packets,
			  .flows = record->flows,
			  .client = record->client,
			  .app = record->app,
			  .direction = record->down ? USAGE_DOWN : USAGE_UP},
		.reason = record->reason == CTACCT_PROTOCOL ? USAGE_PROTOCOL
							    : USAGE_UNLABELLED,
		.carried = record->bytes,
	};

	r->fn(&count, r->arg);
}

static void look_at_losses(struct by_conntrack *b)
{
	struct ctacct_state state;

	ctacct_state(b->acct, &state);
	stats_set(b->stats, APP_EVENTS_LOST, state.overruns);
	stats_set(b->stats, APP_ENDS_MISSED, state.missed);
	if (state.overruns > b->overruns)
		log_warn("connections ended faster than they were read (%llu "
			 "times since the start): what they moved last is not "
			 "counted",
			 (unsigned long long)state.overruns);
	b->overruns = state.overruns;
}

static int conntrack_read(void *source, source_fn fn, void *arg)
{
	struct by_conntrack *b = source;
	struct reading r = {.fn = fn, .arg = arg};
	int rc = ctacct_read(b->acct, take, &r);

	look_at_losses(b);
	return rc;
}

static int conntrack_descriptor(void *source)
{
	return ctacct_fd(((struct by_conntrack *)source)->acct);
}

static int conntrack_readable(void *source, source_fn fn, void *arg)
{
	struct by_conntrack *b = source;
	struct reading r = {.fn = fn, .arg = arg};

	return ctacct_ends(b->acct, take, &r);
}

static uint64_t conntrack_pending(void *source)
{
	struct by_conntrack *b = source;
	struct ctacct_state state;

	ctacct_state(b->acct, &state);
	return state.pending;
}

static void conntrack_says(void *source, char *text)
{
	struct by_conntrack *b = source;
	struct ctacct_state state;

	ctacct_state(b->acct, &state);
	if (ctacct_switch() != 1)
		snprintf(text, SOURCE_TEXT,
			 "by conntrack, which counts nothing while "
			 "net.netfilter.nf_conntrack_acct is not 1");
	else if (state.uncounted > 0)
		snprintf(text, SOURCE_TEXT,
			 "by conntrack, but for %u older connections",
			 state.uncounted);
	else
		snprintf(text, SOURCE_TEXT, "by conntrack");
}

/* --- life -------------------------------------------------------------------------- */

static void *conntrack_open(const struct source_env *env, char *why)
{
	static const struct ctacct_options options = {
		.connections = CONNECTIONS,
		.addresses = ADDRESSES,
		.event_buffer = EVENT_BUFFER,
		.age_s = AGE_S,
		.rest = REST,
		.intercepted = APP_HTTP,
		.gateway = APP_GATEWAY,
	};
	struct by_conntrack *b = calloc(1, sizeof(*b));

	if (b == NULL) {
		snprintf(why, SOURCE_TEXT, "no memory");
		return NULL;
	}
	b->stats = env->stats;
	b->acct = ctacct_open(&options, env->secret);
	if (b->acct != NULL)
		return b;
	snprintf(why, SOURCE_TEXT, "%s", ctacct_error(-errno));
	free(b);
	return NULL;
}

static void conntrack_close(void *source)
{
	struct by_conntrack *b = source;

	ctacct_close(b->acct);
	free(b);
}

const struct source_ops source_conntrack = {
	.name = "conntrack",
	.id = SOURCE_CONNTRACK,
	.later = true,
	.open = conntrack_open,
	.close = conntrack_close,
	.interfaces = conntrack_interfaces,
	.read = conntrack_read,
	.descriptor = conntrack_descriptor,
	.readable = conntrack_readable,
	.pending = conntrack_pending,
	.says = conntrack_says,
};
