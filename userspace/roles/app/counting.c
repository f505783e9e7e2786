// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/app/counting.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/str.h"
#include "policy/app.h"
#include "sys/log.h"

/* Ticks (seconds) between looks at what comes and goes slowly. */
#define LOOK_EVERY 5

/* In the order in which "auto" tries them: what is exact first. */
static const struct {
	enum config_counters named;
	const struct source_ops *ops;
} sources[] = {
	{COUNTERS_BPF, &source_bpf},
	{COUNTERS_KMOD, &source_kmod},
	{COUNTERS_CONNTRACK, &source_conntrack},
};

#define SOURCES (sizeof(sources) / sizeof(sources[0]))

static enum config_counters asked_for(const struct counting *c)
{
	return c->role->config->config->apps.counters;
}

/* --- reading ----------------------------------------------------------------------- */

static void take(const struct source_count *count, void *arg)
{
	struct counting *c = arg;
	struct stats *stats = c->role->stats;

	spans_add(c->spans, &count->usage);
	stats_add(stats, APP_FRAME_BYTES, count->carried);
	if (count->usage.app != APP_NONE)
		stats_add(stats, APP_BYTES, count->usage.bytes);
	else
		stats_add(stats, APP_UNATTRIBUTED + count->reason,
			  count->carried);
}

static void tell(struct counting *c)
{
	char how[SOURCE_TEXT];

	c->ops->says(c->source, how);
	snprintf(c->says, sizeof(c->says), "bytes: %s", how);
	stats_set(c->role->stats, APP_FRAME_PENDING,
		  c->ops->pending(c->source));
}

static void look_at_interfaces(struct counting *c)
{
	c->ops->interfaces(c->source, &c->role->config->config->intercept);
}

static void judge(struct counting *c, int rc);

static void on_readable(struct loop_fd *lfd, uint32_t events)
{
	struct counting *c = list_entry(lfd, struct counting, watch);
	int rc = c->ops->readable(c->source, take, c);

	(void)events;
	if (rc != 0)
		judge(c, rc);
}

/* --- choosing ---------------------------------------------------------------------- */

static void leave(struct counting *c)
{
	loop_del(&c->role->loop, &c->watch);
	c->ops->close(c->source);
	c->source = NULL;
	stats_set(c->role->stats, APP_SOURCE, SOURCE_NONE);
	stats_set(c->role->stats, APP_FRAME_PENDING, 0);
}

static int watch(struct counting *c)
{
	if (c->ops->descriptor == NULL)
		return 0;
	return loop_add(&c->role->loop, &c->watch,
			c->ops->descriptor(c->source), EPOLLIN, on_readable);
}

static bool try(struct counting *c, const struct source_ops *ops, char *why)
{
	const struct source_env env = {.stats = c->role->stats,
				       .secret = c->secret};
	int rc;

	c->source = ops->open(&env, why);
	if (c->source == NULL)
		return false;
	c->ops = ops;
	rc = watch(c);
	if (rc != 0) {
		snprintf(why, SOURCE_TEXT, "%s", strerror(-rc));
		leave(c);
		return false;
	}
	stats_set(c->role->stats, APP_SOURCE, ops->id);
	look_at_interfaces(c);
	tell(c);
	log_info("bytes are counted by %s", ops->name);
	c->why[0] = '\0';
	return true;
}

/* Asked again and again, the same answer is logged once. */
static void nothing(struct counting *c, const char *why)
{
	snprintf(c->says, sizeof(c->says), "bytes: not counted: %s", why);
	if (strcmp(c->why, why) == 0)
		return;
	str_copy(c->why, sizeof(c->why), why);
	log_error("%s", c->says);
}

/* @first: at the role's start, when all of them can be looked for. */
static void choose(struct counting *c, bool first)
{
	bool any = asked_for(c) == COUNTERS_AUTO;
	char why[SOURCE_TEXT];

	if (asked_for(c) == COUNTERS_NONE)
		return;
	for (size_t i = 0; i < SOURCES; i++) {
		const struct source_ops *ops = sources[i].ops;

		if (!any && sources[i].named != asked_for(c))
			continue;
		if (!first && !ops->later)
			continue;
		if (try(c, ops, why))
			return;
		if (!any)
			nothing(c, why);
		else if (first)
			log_info("bytes can't be counted by %s: %s", ops->name,
				 why);
	}
	if (any)
		nothing(c, "this kernel has none of the sources of "
			   "apps.counters; the log says what each one needs");
}

/* What a reading came to; @rc is the source's. */
static void judge(struct counting *c, int rc)
{
	if (rc == 0) {
		tell(c);
	} else if (rc == -ENODEV) {
		leave(c);
		nothing(c, "the source is gone");
	} else {
		log_error("counters of %s: %s", c->ops->name, strerror(-rc));
	}
}

void counting_tick(struct counting *c)
{
	bool look = c->ticks++ % LOOK_EVERY == 0;

	if (c->source == NULL && look)
		choose(c, false);
	if (c->source == NULL)
		return;
	if (look)
		look_at_interfaces(c);
	judge(c, c->ops->read(c->source, take, c));
}

/* --- life -------------------------------------------------------------------------- */

void counting_open(struct counting *c, struct role *role, struct spans *spans,
		   const struct siphash_key *secret)
{
	c->role = role;
	c->spans = spans;
	c->secret = secret;
	c->watch.fd = -1;
	str_copy(c->says, sizeof(c->says),
		 "bytes: not counted (apps.counters = none)");
	choose(c, true);
}

void counting_close(struct counting *c)
{
	if (c->source != NULL)
		leave(c);
}

void counting_reloaded(struct counting *c)
{
	if (c->source == NULL)
		return;
	counting_tick(c);
	if (c->source != NULL)
		look_at_interfaces(c);
}
