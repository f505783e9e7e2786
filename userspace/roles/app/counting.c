// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/app/counting.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "policy/app.h"
#include "sys/log.h"

#define COUNTERS    32768 /* clients * applications * 2, in a second */
#define PENDING	    65536 /* flows without a label */
#define LABELS	    4096
/* Ticks (seconds) between looks at what comes and goes slowly. */
#define LOOK_EVERY  5
#define NS_A_SECOND UINT64_C(1000000000)
#define IDLE_NS	    (30 * NS_A_SECOND)
#define AGE_NS	    (120 * NS_A_SECOND)
#define FORGET_NS   (600 * NS_A_SECOND)
/*
 * In a flood of flows that end with their first packet, those that are silent
 * for so long make room for others, each second: handshakes don't take longer.
 */
#define CROWDED	    (PENDING - PENDING / 4)
#define CROWDED_NS  (2 * NS_A_SECOND)

static const enum usage_reason reason_of[ACCT_REASONS] = {
	[ACCT_NOT_IP] = USAGE_NOT_IP,
	[ACCT_MALFORMED] = USAGE_MALFORMED,
	[ACCT_FRAGMENT] = USAGE_FRAGMENT,
	[ACCT_PROTOCOL] = USAGE_PROTOCOL,
	[ACCT_NO_CONNTRACK] = USAGE_NO_CONNTRACK,
	[ACCT_UNLABELLED] = USAGE_UNLABELLED,
	[ACCT_TABLE_FULL] = USAGE_TABLE_FULL,
};

static const uint8_t direction_of[ACCT_DIRECTIONS] = {
	[ACCT_UP] = USAGE_UP,
	[ACCT_DOWN] = USAGE_DOWN,
};

/* --- interfaces -------------------------------------------------------------------- */

static void attach(struct counting *c, uint32_t place, const char *name)
{
	int ifindex = (int)if_nametoindex(name);
	int rc;

	if (ifindex == c->ifindex[place])
		return;
	/* Made anew under the same name: the program went with the old one. */
	if (c->ifindex[place] != 0)
		(void)!bpf_acct_detach(c->bpf, c->ifindex[place]);
	c->ifindex[place] = 0;
	if (ifindex == 0)
		return;
	rc = bpf_acct_attach(c->bpf, ifindex);
	if (rc == 0)
		log_info("counting on %s", name);
	else
		log_error("can't count on %s: %s", name, strerror(-rc));
	/* Also one that refused: it is not asked again each time. */
	c->ifindex[place] = ifindex;
}

static void look_at_interfaces(struct counting *c)
{
	const struct config_intercept *ic = &c->role->config->config->intercept;

	for (uint32_t i = 0; i < ic->lan_count; i++)
		attach(c, i, ic->lan[i]);
}

static void leave_interfaces(struct counting *c)
{
	for (uint32_t i = 0; i < CONFIG_IFACES; i++) {
		if (c->ifindex[i] != 0)
			(void)!bpf_acct_detach(c->bpf, c->ifindex[i]);
		c->ifindex[i] = 0;
	}
}

/* --- reading ----------------------------------------------------------------------- */

static void take(const struct acct_key *key, const struct acct_counter *counter,
		 void *arg)
{
	struct counting *c = arg;
	struct stats *stats = c->role->stats;
	struct usage u = {
		.bytes = counter->sum.bytes,
		.packets = counter->sum.packets,
		.flows = counter->flows,
		.app = key->app,
		.direction = direction_of[key->direction],
	};

	ip_addr_from_mapped(&u.client, key->client);
	spans_add(c->spans, &u);
	stats_add(stats, APP_BYTES, u.bytes);
	stats_add(stats, APP_FRAME_BYTES, counter->sum.frame_bytes);
}

static void take_reason(struct counting *c, enum acct_reason reason,
			enum acct_direction direction,
			const struct acct_sum *sum)
{
	struct stats *stats = c->role->stats;
	struct usage u = {
		.bytes = sum->bytes,
		.packets = sum->packets,
		.app = APP_NONE,
		.direction = direction_of[direction],
	};

	if (sum->frames == 0)
		return;
	spans_add(c->spans, &u);
	stats_add(stats, APP_FRAME_BYTES, sum->frame_bytes);
	stats_add(stats, APP_UNATTRIBUTED + reason_of[reason],
		  sum->frame_bytes);
}

static void take_reasons(struct counting *c)
{
	struct bpf_reasons delta;

	if (bpf_acct_reasons(c->bpf, &delta) != 0)
		return;
	for (int r = ACCT_ATTRIBUTED + 1; r < ACCT_REASONS; r++)
		for (int d = 0; d < ACCT_DIRECTIONS; d++)
			take_reason(c, (enum acct_reason)r,
				    (enum acct_direction)d, &delta.sum[r][d]);
}

static void tell_pending(struct counting *c)
{
	struct bpf_pending p;
	uint64_t bytes = 0;

	if (bpf_acct_pending(c->bpf, &p) != 0)
		return;
	for (int d = 0; d < ACCT_DIRECTIONS; d++)
		bytes += p.sum[d].frame_bytes;
	stats_set(c->role->stats, APP_FRAME_PENDING, bytes);
	c->crowded = p.flows > CROWDED;
}

static void sweep(struct counting *c)
{
	static const struct bpf_sweep usual = {
		.idle = IDLE_NS, .age = AGE_NS, .forget = FORGET_NS};
	static const struct bpf_sweep crowded = {
		.idle = CROWDED_NS, .age = AGE_NS, .forget = CROWDED_NS};
	int rc =
		bpf_acct_sweep(c->bpf, c->crowded ? &crowded : &usual, take, c);

	if (rc < 0)
		log_error("pending flows: %s", strerror(-rc));
}

void counting_tick(struct counting *c)
{
	bool look;
	int rc;

	if (c->bpf == NULL)
		return;
	look = c->ticks++ % LOOK_EVERY == 0;
	if (look)
		look_at_interfaces(c);
	if (look || c->crowded)
		sweep(c);
	rc = bpf_acct_read(c->bpf, take, c);
	if (rc < 0)
		log_error("counters: %s; they are read again", strerror(-rc));
	take_reasons(c);
	tell_pending(c);
}

/* --- life -------------------------------------------------------------------------- */

void counting_open(struct counting *c, struct role *role, struct spans *spans)
{
	static const struct bpf_acct_options options = {
		.counters = COUNTERS,
		.pending = PENDING,
		.labels = LABELS,
		.intercepted = APP_HTTP,
		.gateway = APP_GATEWAY,
		.icmp = APP_ICMP,
	};
	struct bpf_probe probe;

	c->role = role;
	c->spans = spans;
	if (role->config->config->apps.counters == COUNTERS_NONE) {
		snprintf(c->says, sizeof(c->says),
			 "bytes: not counted (apps.counters = none)");
		return;
	}
	bpf_acct_probe(&probe);
	if (probe.usable)
		c->bpf = bpf_acct_open(&options, probe.why);
	if (c->bpf == NULL) {
		snprintf(c->says, sizeof(c->says), "bytes: not counted: %s",
			 probe.why);
		log_error("%s", c->says);
		return;
	}
	snprintf(c->says, sizeof(c->says), "bytes: by BPF (%s)",
		 probe.tcx ? "tcx" : "clsact");
	stats_set(role->stats, APP_SOURCE, SOURCE_BPF);
	look_at_interfaces(c);
}

void counting_close(struct counting *c)
{
	if (c->bpf == NULL)
		return;
	leave_interfaces(c);
	bpf_acct_close(c->bpf);
	c->bpf = NULL;
}

void counting_reloaded(struct counting *c)
{
	if (c->bpf == NULL)
		return;
	counting_tick(c);
	leave_interfaces(c);
	look_at_interfaces(c);
}
