// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/renewal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "scan/dispatcher.h"
#include "sys/clock.h"
#include "sys/log.h"

#define TICK_MS	  1000
/* A keeper that dies sooner is replaced by the tick, not at once. */
#define STEADY_MS 5000
/* At the end: for keepers to reap and tidy up. */
#define ENDING_MS 2000

static const struct generation_ops ops;

static const struct config_scan *scan_of(const struct dispatcher *d)
{
	return &d->role->config->config->scan;
}

/* --- what a person is told ------------------------------------------------------ */

static void put_time(struct strbuf *sb)
{
	time_t now = (time_t)(clock_system.wall_us() / 1000000);
	struct tm tm;
	char text[32];

	if (gmtime_r(&now, &tm) != NULL &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		strbuf_printf(sb, ", since %s", text);
}

static void put_serving(struct strbuf *sb, const struct generation *gen)
{
	const struct config_scan *scan = &gen->config->config->scan;

	if (scan->engine == ENGINE_CLAMD)
		strbuf_printf(sb, "clamd at %s", scan->clamd);
	else
		strbuf_printf(sb, "libclamav: %llu signatures of %s",
			      (unsigned long long)gen->loaded.signatures,
			      scan->database);
	strbuf_puts(sb, gen->since);
	if (!gen->loaded.finds_eicar)
		strbuf_puts(sb, "; it does not know the EICAR test file");
	if (gen->loaded.warning[0] != '\0')
		strbuf_printf(sb, "; %s", gen->loaded.warning);
}

static void note(struct dispatcher *d)
{
	char text[STATS_NOTE_MAX];
	struct strbuf sb;

	strbuf_init(&sb, text, sizeof(text));
	if (scan_of(d)->engine == ENGINE_NONE)
		strbuf_puts(&sb, "engine = none: nothing is scanned");
	else if (d->refused[0] != '\0' && d->serving != NULL)
		strbuf_printf(&sb,
			      "not loaded: %s; still in service: ", d->refused);
	else if (d->refused[0] != '\0')
		strbuf_printf(&sb, "no engine in service: %s", d->refused);
	else if (d->serving == NULL)
		strbuf_puts(&sb, "loading the engine");
	if (d->serving != NULL)
		put_serving(&sb, d->serving);
	stats_note(d->role->stats, "%s", text);
}

/* --- loading -------------------------------------------------------------------- */

static void load(struct dispatcher *d, uint64_t fingerprint)
{
	struct generation *gen = generation_start(&d->role->loop, &ops, d,
						  d->role->config, &d->dirs,
						  ++d->last_number);

	if (gen == NULL) {
		d->retry_ms = d->role->loop.now_ms + TICK_MS;
		return;
	}
	gen->fingerprint = fingerprint;
	list_add_tail(&d->generations, &gen->node);
	d->loading = gen;
}

static void check(struct dispatcher *d)
{
	const struct engine_ops *engine = engine_of(scan_of(d)->engine);
	uint64_t now_ms = d->role->loop.now_ms;
	uint64_t seen;

	if (engine == NULL || d->loading != NULL || d->stopping)
		return;
	if (!engine->has_database) {
		if (d->serving == NULL && now_ms >= d->retry_ms)
			load(d, 0);
		return;
	}
	seen = dbwatch_fingerprint(scan_of(d)->database);
	if (dbwatch_wants_load(&d->watch, seen, now_ms, d->serving != NULL,
			       d->serving != NULL ? d->serving->fingerprint
						  : 0))
		load(d, seen);
}

static void on_tick(struct timer *t, uint64_t now_ms)
{
	struct dispatcher *d =
		list_entry(&t->node, struct dispatcher, tick.node);

	timer_arm(&d->role->loop.wheel, t, now_ms + TICK_MS);
	if (d->serving != NULL)
		crew_top_up(d->serving);
	check(d);
	dispatcher_run(d);
}

/* What is in service stays, and @why is said until it is better. */
static void refuse(struct dispatcher *d, struct generation *gen,
		   const char *why)
{
	const struct engine_ops *engine = engine_of(scan_of(d)->engine);
	bool news = strcmp(d->refused, why) != 0;

	d->loading = NULL;
	if (engine != NULL && engine->has_database)
		dbwatch_refuse(&d->watch, gen->fingerprint);
	if (engine != NULL)
		d->retry_ms = d->role->loop.now_ms + engine->retry_ms;
	str_copy(d->refused, sizeof(d->refused), why);
	/* One that is tried each second is reported once. */
	note(d);
	if (news) {
		stats_add(d->role->stats, SCAN_RELOADS_FAILED, 1);
		log_error("generation %u not loaded: %s%s", gen->number, why,
			  d->serving != NULL ? "; the one before stays"
					     : "; nothing is scanned");
	}
	dispatcher_run(d);
}

/* --- generations ---------------------------------------------------------------- */

/* The note comes first: whoever sees a counter move finds it written. */
static void set_service(struct dispatcher *d, struct generation *gen)
{
	struct stats *s = d->role->stats;

	d->serving = gen;
	note(d);
	d->epoch = vcache_new_epoch(d->cache);
	vcache_set_ready(d->cache, gen != NULL);
	stats_set(s, SCAN_READY, gen != NULL);
	stats_set(s, SCAN_CACHE_ENTRIES, 0);
	if (gen == NULL)
		return;
	stats_set(s, SCAN_GENERATION, gen->number);
	stats_set(s, SCAN_SIGNATURES, gen->loaded.signatures);
	stats_set(s, SCAN_LOADED_AT, clock_system.wall_us() / 1000000);
}

/* The same source, but the test file isn't known any more: it is damaged. */
static bool lost_eicar(const struct generation *old,
		       const struct generation *gen)
{
	const struct config_scan *a, *b;

	if (old == NULL)
		return false;
	a = &old->config->config->scan;
	b = &gen->config->config->scan;
	return a->engine == b->engine &&
	       strcmp(a->database, b->database) == 0 &&
	       old->loaded.finds_eicar && !gen->loaded.finds_eicar;
}

static void on_ready(struct generation *gen)
{
	struct dispatcher *d = gen->user;
	struct generation *old = d->serving;
	struct strbuf since;

	if (lost_eicar(old, gen)) {
		generation_kill(gen);
		refuse(d, gen,
		       "it does not know the EICAR test file, which the one "
		       "before does");
		return;
	}
	strbuf_init(&since, gen->since, sizeof(gen->since));
	put_time(&since);
	gen->since_ms = d->role->loop.now_ms;
	generation_serve(gen);
	d->loading = NULL;
	d->refused[0] = '\0';
	set_service(d, gen);
	if (old != NULL) {
		stats_add(d->role->stats, SCAN_RELOADS, 1);
		generation_drain(old);
	}
	log_info("generation %u in service: %llu signatures", gen->number,
		 (unsigned long long)gen->loaded.signatures);
}

static void on_failed(struct generation *gen, const char *why)
{
	struct dispatcher *d = gen->user;

	if (gen == d->loading) {
		refuse(d, gen, why);
		return;
	}
	if (gen != d->serving)
		return;
	log_error("generation %u is out of service: %s", gen->number, why);
	str_copy(d->refused, sizeof(d->refused), why);
	set_service(d, NULL);
	if (d->role->loop.now_ms - gen->since_ms >= STEADY_MS)
		check(d);
	dispatcher_run(d);
}

static void on_stale(struct generation *gen)
{
	struct dispatcher *d = gen->user;

	if (gen == d->serving && d->loading == NULL && !d->stopping)
		load(d, gen->fingerprint);
}

static void on_idle(struct generation *gen)
{
	dispatcher_run(gen->user);
}

static void on_gone(struct generation *gen)
{
	struct dispatcher *d = gen->user;

	if (d->loading == gen)
		d->loading = NULL;
}

static const struct generation_ops ops = {
	.ready = on_ready,
	.failed = on_failed,
	.stale = on_stale,
	.idle = on_idle,
	.done = dispatcher_done,
	.gone = on_gone,
};

/* --- from outside --------------------------------------------------------------- */

/* Whether an engine for @a would do for @b. */
static bool same_engine(const struct config_scan *a,
			const struct config_scan *b)
{
	return a->engine == b->engine &&
	       strcmp(a->database, b->database) == 0 &&
	       strcmp(a->clamd, b->clamd) == 0 && a->workers == b->workers &&
	       a->max_object == b->max_object && a->max_ratio == b->max_ratio &&
	       a->max_files == b->max_files && a->max_depth == b->max_depth &&
	       a->memory == b->memory && a->engine_memory == b->engine_memory;
}

void renewal_reload(struct dispatcher *d)
{
	const struct generation *newest = d->loading != NULL ? d->loading
							     : d->serving;
	const struct engine_ops *engine = engine_of(scan_of(d)->engine);
	/* Signatures that we don't watch may be others, and verdicts with them. */
	bool same = newest != NULL && engine != NULL && engine->has_database &&
		    same_engine(&newest->config->config->scan, scan_of(d));

	/* An administrator's reload tries again what was refused. */
	dbwatch_force(&d->watch);
	d->retry_ms = 0;
	if (!same && d->loading != NULL) {
		generation_kill(d->loading);
		d->loading = NULL;
	}
	if (scan_of(d)->engine == ENGINE_NONE && d->serving != NULL) {
		struct generation *old = d->serving;

		set_service(d, NULL);
		generation_drain(old);
	}
	if (same || d->serving == NULL)
		check(d);
	else if (engine != NULL)
		load(d, dbwatch_fingerprint(scan_of(d)->database));
	note(d);
	dispatcher_run(d);
}

void renewal_init(struct dispatcher *d)
{
	list_init(&d->generations);
	dbwatch_init(&d->watch);
	timer_init(&d->tick, on_tick);
}

void renewal_start(struct dispatcher *d)
{
	check(d);
	note(d);
	timer_arm(&d->role->loop.wheel, &d->tick,
		  d->role->loop.now_ms + TICK_MS);
}

void renewal_close(struct dispatcher *d)
{
	struct list *pos;

	d->serving = NULL;
	timer_cancel(&d->role->loop.wheel, &d->tick);
	list_for_each(pos, &d->generations)
		generation_end(list_entry(pos, struct generation, node));
	list_for_each(pos, &d->generations)
		generation_await(list_entry(pos, struct generation, node),
				 ENDING_MS);
}
