// SPDX-License-Identifier: GPL-2.0-or-later
/* By a BPF program on the LAN interfaces: all frames, to the byte. */
#include "roles/app/source.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appctl/classify.h"
#include "policy/app.h"
#include "sys/bpf.h"
#include "sys/log.h"

#define COUNTERS    32768 /* clients * applications * 2, in a second */
#define PENDING	    65536 /* flows without a label */
#define LABELS	    4096
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
/* Readings (seconds) between looks at flows without a label. */
#define SWEEP_EVERY 5

_Static_assert(SOURCE_TEXT >= BPF_WHY_MAX, "room for what sys/bpf.h says");

struct by_bpf {
	struct bpf_acct *acct;
	bool tcx;
	bool crowded; /* there is hardly room for flows without a label */
	bool ports_failed;
	unsigned int readings;
	int ifindex[CONFIG_IFACES]; /* by their place in intercept.lan */
};

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

static void attach(struct by_bpf *b, uint32_t place, const char *name)
{
	int ifindex = (int)if_nametoindex(name);
	int rc;

	if (ifindex == 0 || ifindex == b->ifindex[place])
		return;
	rc = bpf_acct_attach(b->acct, ifindex);
	if (rc == 0)
		log_info("counting on %s", name);
	else
		log_error("can't count on %s: %s", name, strerror(-rc));
	/* Also one that refused: it is not asked again each time. */
	b->ifindex[place] = ifindex;
}

/*
 * Off those that are no longer in their place of the list, and off those that
 * were made anew under the same name: the program went with the old one.
 */
static void leave_others(struct by_bpf *b, const struct config_intercept *ic)
{
	for (uint32_t i = 0; i < CONFIG_IFACES; i++) {
		if (b->ifindex[i] == 0 ||
		    (i < ic->lan_count &&
		     (int)if_nametoindex(ic->lan[i]) == b->ifindex[i]))
			continue;
		(void)!bpf_acct_detach(b->acct, b->ifindex[i]);
		b->ifindex[i] = 0;
	}
}

/* Ports that aren't intercepted any more keep theirs: see held.h of net. */
static void name_ports(struct by_bpf *b, const struct config_intercept *ic)
{
	int err = 0;

	for (uint32_t i = 0; i < ic->ftp_count && err == 0; i++)
		err = bpf_acct_port(b->acct, ic->ftp[i], APP_FTP);
	for (uint32_t i = 0; i < ic->http_count && err == 0; i++)
		err = bpf_acct_port(b->acct, ic->http[i], APP_NONE);
	if (err != 0 && !b->ports_failed)
		log_warn("bytes of FTP are counted as HTTP's: %s",
			 strerror(-err));
	b->ports_failed = err != 0;
}

static void bpf_interfaces(void *source, const struct config_intercept *ic)
{
	struct by_bpf *b = source;

	name_ports(b, ic);
	leave_others(b, ic);
	for (uint32_t i = 0; i < ic->lan_count; i++)
		attach(b, i, ic->lan[i]);
}

/* --- reading ----------------------------------------------------------------------- */

struct reading {
	source_fn fn;
	void *arg;
};

static void take(const struct acct_key *key, const struct acct_counter *counter,
		 void *arg)
{
	const struct reading *r = arg;
	struct source_count count = {
		.usage = {.bytes = counter->sum.bytes,
			  .packets = counter->sum.packets,
			  .flows = counter->flows,
			  .app = key->app,
			  .direction = direction_of[key->direction]},
		.carried = counter->sum.frame_bytes,
	};

	ip_addr_from_mapped(&count.usage.client, key->client);
	r->fn(&count, r->arg);
}

static void take_reason(const struct reading *r, enum acct_reason reason,
			enum acct_direction direction,
			const struct acct_sum *sum)
{
	struct source_count count = {
		.usage = {.bytes = sum->bytes,
			  .packets = sum->packets,
			  .app = APP_NONE,
			  .direction = direction_of[direction]},
		.reason = reason_of[reason],
		.carried = sum->frame_bytes,
	};

	if (sum->frames > 0)
		r->fn(&count, r->arg);
}

static void sweep(struct by_bpf *b, struct reading *r)
{
	static const struct bpf_sweep usual = {
		.idle = IDLE_NS, .age = AGE_NS, .forget = FORGET_NS};
	static const struct bpf_sweep crowded = {
		.idle = CROWDED_NS, .age = AGE_NS, .forget = CROWDED_NS};
	int rc = bpf_acct_sweep(b->acct, b->crowded ? &crowded : &usual, take,
				r);

	if (rc < 0)
		log_error("pending flows: %s", strerror(-rc));
}

static int bpf_read(void *source, source_fn fn, void *arg)
{
	struct by_bpf *b = source;
	struct reading r = {.fn = fn, .arg = arg};
	struct bpf_reasons delta;
	int n, rc;

	if (b->readings++ % SWEEP_EVERY == 0 || b->crowded)
		sweep(b, &r);
	n = bpf_acct_read(b->acct, take, &r);
	rc = bpf_acct_reasons(b->acct, &delta);
	for (int i = ACCT_ATTRIBUTED + 1; rc == 0 && i < ACCT_REASONS; i++)
		for (int d = 0; d < ACCT_DIRECTIONS; d++)
			take_reason(&r, (enum acct_reason)i,
				    (enum acct_direction)d, &delta.sum[i][d]);
	return n < 0 ? n : rc;
}

static uint64_t bpf_pending(void *source)
{
	struct by_bpf *b = source;
	struct bpf_pending p;
	uint64_t bytes = 0;

	if (bpf_acct_pending(b->acct, &p) != 0)
		return 0;
	for (int d = 0; d < ACCT_DIRECTIONS; d++)
		bytes += p.sum[d].frame_bytes;
	b->crowded = p.flows > CROWDED;
	return bytes;
}

static void bpf_says(void *source, char *text)
{
	struct by_bpf *b = source;

	snprintf(text, SOURCE_TEXT, "by BPF (%s)", b->tcx ? "tcx" : "clsact");
}

/* --- life -------------------------------------------------------------------------- */

/* Applications of what has no ports, by protocol. */
static void name_protocols(uint16_t protocols[256])
{
	for (unsigned int i = 0; i < 256; i++) {
		uint16_t app = classify_proto((uint8_t)i);

		protocols[i] = app == APP_UNKNOWN ? APP_NONE : app;
	}
}

static void *bpf_open(const struct source_env *env, char *why)
{
	uint16_t protocols[256];
	const struct bpf_acct_options options = {
		.counters = COUNTERS,
		.pending = PENDING,
		.labels = LABELS,
		.intercepted = APP_HTTP,
		.data = APP_FTP_DATA,
		.gateway = APP_GATEWAY,
		.protocols = protocols,
	};
	struct by_bpf *b = calloc(1, sizeof(*b));
	struct bpf_probe probe;

	(void)env;
	if (b == NULL) {
		snprintf(why, SOURCE_TEXT, "no memory");
		return NULL;
	}
	name_protocols(protocols);
	bpf_acct_probe(&probe);
	if (probe.usable)
		b->acct = bpf_acct_open(&options, probe.why);
	b->tcx = probe.tcx;
	if (b->acct != NULL)
		return b;
	snprintf(why, SOURCE_TEXT, "%s", probe.why);
	free(b);
	return NULL;
}

/* The program goes from the interfaces with the structure. */
static void bpf_close(void *source)
{
	struct by_bpf *b = source;

	bpf_acct_close(b->acct);
	free(b);
}

const struct source_ops source_bpf = {
	.name = "bpf",
	.id = SOURCE_BPF,
	.open = bpf_open,
	.close = bpf_close,
	.interfaces = bpf_interfaces,
	.read = bpf_read,
	.pending = bpf_pending,
	.says = bpf_says,
};
