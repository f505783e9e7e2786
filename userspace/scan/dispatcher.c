// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/dispatcher.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ipc/limits.h"
#include "scan/renewal.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/memfile.h"

/* A job that nobody waits for may run so long, for the cache's sake. */
#define ABANDONED_MS  1000
/* Temporary files in memory, for each worker. */
#define MEMORY_WORKER (32u << 20)
/* Who has parts of an object goes on within this time, or begins anew. */
#define PARTS_KEEP_S  3600

static struct stats *stats_of(struct dispatcher *d)
{
	return d->role->stats;
}

static const struct config_scan *scan_of(const struct dispatcher *d)
{
	return &d->role->config->config->scan;
}

/* --- the end of a job ------------------------------------------------------------ */

static void job_forget(struct job *job)
{
	struct dispatcher *d = job->dispatcher;

	timer_cancel(&d->role->loop.wheel, &job->timer);
	hasher_forget(job);
	if (job->worker != NULL)
		job->worker->job = NULL;
	job_free(job);
	d->jobs--;
	if (d->stopping && d->jobs == 0)
		loop_stop(&d->role->loop);
}

/* Whether the verdict holds for whoever brings the same bytes. */
static bool cacheable(const struct dispatcher *d, const struct job *job)
{
	return job->hash == HASH_KNOWN && job->scanned &&
	       job->epoch == d->epoch && finding_lasting(&job->found) &&
	       job_object_unchanged(job);
}

static void remember_part(struct dispatcher *d, const struct msg_part *part)
{
	uint64_t now_s = clock_system.wall_us() / 1000000;

	vcache_store_part(d->cache, part, now_s, now_s + PARTS_KEEP_S);
}

static void remember(struct dispatcher *d, const struct job *job)
{
	struct vcache_entry entry = {.verdict = job->found.verdict,
				     .reason = job->found.reason};
	struct str boundary = {job->msg.boundary, job->msg.boundary_len};
	uint64_t block_ms = scan_of(d)->infected_url_block;

	memcpy(entry.name, job->found.name, sizeof(entry.name));
	if (cacheable(d, job)) {
		vcache_store(d->cache, job->sha256,
			     vcache_variant(&job->msg.codings, boundary),
			     &entry);
		stats_set(stats_of(d), SCAN_CACHE_ENTRIES,
			  vcache_entries(d->cache));
	}
	if (job->msg.remember_url && entry.verdict == VERDICT_BLOCKED &&
	    block_ms > 0)
		vcache_store_url(d->cache, job->msg.url_key,
				 clock_system.wall_us() / 1000000 +
					 block_ms / 1000,
				 &entry);
	if (job->msg.part.is.length > 0 && entry.verdict != VERDICT_BLOCKED)
		remember_part(d, &job->msg.part);
}

static void finish(struct job *job)
{
	struct dispatcher *d = job->dispatcher;
	struct msg_scanned answer;

	memset(&answer, 0, sizeof(answer));
	answer.id = job->msg.id;
	answer.verdict = job->found.verdict;
	answer.reason = job->found.reason;
	answer.scan_us = (uint32_t)(clock_monotonic_us() - job->arrived_us);
	memcpy(answer.name, job->found.name, sizeof(answer.name));
	if (job->hash == HASH_KNOWN)
		memcpy(answer.sha256, job->sha256, sizeof(answer.sha256));
	/* First the cache: the relay may see the same bytes at once again. */
	remember(d, job);
	client_answer(job, &answer);
	job_forget(job);
}

static void refuse(struct job *job, enum reason reason)
{
	if (reason == REASON_SCANNER_TIMEOUT)
		stats_add(stats_of(job->dispatcher), SCAN_TIMEOUTS, 1);
	finding_not_scanned(&job->found, reason);
	job->scanned = true;
	finish(job);
}

static void on_hashed(struct hasher *h, struct job *job)
{
	(void)h;
	if (job->scanned)
		finish(job);
}

void dispatcher_done(struct worker *worker, const struct wire_scanned *answer)
{
	struct job *job = worker->job;
	struct dispatcher *d = job->dispatcher;

	worker->job = NULL;
	job->worker = NULL;
	stats_add(stats_of(d), SCAN_DONE, 1);
	stats_add(stats_of(d), SCAN_BYTES, job->msg.size);
	if (answer == NULL) {
		stats_add(stats_of(d), SCAN_WORKER_DEATHS, 1);
		refuse(job, REASON_SCANNER_FAILED);
		return;
	}
	job->found.verdict = answer->verdict;
	job->found.reason = answer->reason;
	memcpy(job->found.name, answer->name, sizeof(job->found.name));
	job->scanned = true;
	if (job->found.reason == REASON_SCANNER_TIMEOUT)
		stats_add(stats_of(d), SCAN_TIMEOUTS, 1);
	if (job->hash != HASH_PENDING)
		finish(job);
}

/*
 * Its time is up: in the queue, at a worker, or waiting for its hash alone. A
 * worker at it is killed, which is the only way to stop it; that it ends
 * without a job is then no news.
 */
static void on_deadline(struct timer *t, uint64_t now_ms)
{
	struct job *job = list_entry(&t->node, struct job, timer.node);
	struct worker *worker = job->worker;

	(void)now_ms;
	if (job->client != NULL)
		client_unqueue(job);
	if (job->scanned) {
		hasher_forget(job);
		job->hash = HASH_NONE;
		finish(job);
		return;
	}
	if (worker != NULL)
		worker_kill(worker);
	if (job->client == NULL) {
		job_forget(job);
		return;
	}
	if (worker != NULL) {
		log_warn("worker " WIRE_WORKER_FORMAT
			 " killed: an object of %llu bytes took too long",
			 WIRE_WORKER_ARGS(worker->id),
			 (unsigned long long)job->msg.size);
		stats_add(stats_of(job->dispatcher), SCAN_DONE, 1);
		stats_add(stats_of(job->dispatcher), SCAN_WORKER_DEATHS, 1);
	}
	refuse(job, REASON_SCANNER_TIMEOUT);
}

/* --- requests --------------------------------------------------------------------- */

static struct dispatcher *of_clients(struct clients *all)
{
	return list_entry(all, struct dispatcher, clients);
}

static void update_stats(struct dispatcher *d)
{
	struct stats *s = stats_of(d);

	stats_set(s, SCAN_QUEUED, d->clients.queued);
	stats_set(s, SCAN_BUSY, d->serving != NULL ? crew_busy(d->serving) : 0);
	stats_set(s, SCAN_WORKERS,
		  d->serving != NULL ? crew_size(d->serving) : 0);
}

void dispatcher_run(struct dispatcher *d)
{
	bool hope = d->serving != NULL || d->loading != NULL;
	struct job *job;

	while (d->serving != NULL && !list_empty(&d->serving->idle) &&
	       (job = clients_next(&d->clients)) != NULL) {
		job->epoch = d->epoch;
		job->started_ms = d->role->loop.now_ms;
		(void)crew_assign(d->serving, job);
	}
	while (!hope && (job = clients_next(&d->clients)) != NULL)
		refuse(job, REASON_SCANNER_FAILED);
	update_stats(d);
}

static void submit(struct clients *all, struct job *job)
{
	struct dispatcher *d = of_clients(all);
	uint64_t now_ms = d->role->loop.now_ms;

	d->jobs++;
	job->dispatcher = d;
	job->serial = ++d->last_serial;
	job->arrived_us = clock_monotonic_us();
	job->deadline_ms = now_ms + scan_of(d)->deadline;
	timer_init(&job->timer, on_deadline);
	timer_arm(&d->role->loop.wheel, &job->timer, job->deadline_ms);
	if (job->msg.size > scan_of(d)->max_object) {
		refuse(job, REASON_SIZE);
		return;
	}
	hasher_submit(&d->hasher, job);
	client_queue(job);
	dispatcher_run(d);
}

/* Nobody waits: not begun, it ends here; begun, its time is short now. */
static void abandon(struct clients *all, struct job *job)
{
	struct dispatcher *d = of_clients(all);
	uint64_t limit_ms = job->started_ms + ABANDONED_MS;

	if (job->worker == NULL && !job->scanned)
		job_forget(job);
	else if (limit_ms < job->deadline_ms)
		timer_arm(&d->role->loop.wheel, &job->timer, limit_ms);
	update_stats(d);
}

static void violation(struct clients *all, uint32_t index, const char *what)
{
	role_report_violation(of_clients(all)->role, ROLE_RELAY, index, what);
}

static void part(struct clients *all, const struct msg_part *msg)
{
	remember_part(of_clients(all), msg);
}

static const struct clients_ops clients_ops = {
	.submit = submit,
	.abandon = abandon,
	.part = part,
	.violation = violation,
};

int dispatcher_peer(struct dispatcher *d, uint32_t index, int fd)
{
	if (index >= CONFIG_RELAYS) {
		close(fd);
		return -EPROTO;
	}
	return clients_connect(&d->clients, index, fd);
}

/* --- its life ----------------------------------------------------------------------- */

static void on_stop_timer(struct timer *t, uint64_t now_ms)
{
	struct dispatcher *d =
		list_entry(&t->node, struct dispatcher, stop_timer.node);

	(void)now_ms;
	loop_stop(&d->role->loop);
}

void dispatcher_stop(struct dispatcher *d, uint64_t timeout_ms)
{
	d->stopping = true;
	timer_arm(&d->role->loop.wheel, &d->stop_timer,
		  d->role->loop.now_ms + timeout_ms);
	if (d->jobs == 0)
		loop_stop(&d->role->loop);
}

/*
 * Children get neither the cache nor the counters: what a worker can't reach it
 * can't spoil.
 */
static int map_cache(struct dispatcher *d)
{
	if (d->role->cache_fd == -1)
		return -EBADF;
	d->cache = memfile_map_shared(d->role->cache_fd, vcache_size());
	if (d->cache == NULL ||
	    madvise(d->cache, vcache_size(), MADV_DONTFORK) == -1 ||
	    madvise(d->role->stats, sizeof(*d->role->stats), MADV_DONTFORK) ==
		    -1)
		return -errno;
	close(d->role->cache_fd);
	d->role->cache_fd = -1;
	vcache_attach(d->cache);
	d->epoch = vcache_new_epoch(d->cache);
	return 0;
}

int dispatcher_init(struct dispatcher *d, struct role *role)
{
	const struct config *config = role->config->config;
	uint64_t memory;
	int rc;

	memset(d, 0, sizeof(*d));
	d->role = role;
	timer_init(&d->stop_timer, on_stop_timer);
	clients_init(&d->clients, &role->loop, &clients_ops,
		     limits_scans(role->init.relays));
	shelf_init(&d->shelf, &role->loop, role->stats);
	d->clients.shelf = &d->shelf;
	renewal_init(d);
	/* A lease that breaks (job.c) is seen by asking, not by a signal. */
	signal(SIGIO, SIG_IGN);
	rc = map_cache(d);
	if (rc == 0)
		rc = hasher_init(&d->hasher, &role->loop, on_hashed,
				 config->log_level);
	if (rc != 0) {
		log_error("can't set up: %s", strerror(-rc));
		return rc;
	}
	memory = (uint64_t)generation_workers(&config->scan) * MEMORY_WORKER;
	return dirs_make(&d->dirs, config->state_dir, role->init.uid,
			 role->init.gid, memory);
}

int dispatcher_start(struct dispatcher *d)
{
	int rc;

	dirs_clear(&d->dirs);
	rc = hasher_start(&d->hasher);
	if (rc != 0) {
		log_error("can't start the hasher: %s", strerror(-rc));
		return rc;
	}
	renewal_start(d);
	return 0;
}

void dispatcher_close(struct dispatcher *d)
{
	vcache_set_ready(d->cache, false);
	clients_close(&d->clients);
	shelf_close(&d->shelf);
	renewal_close(d);
	hasher_close(&d->hasher);
	dirs_clear(&d->dirs);
	/* What was to be freed after the events at hand. */
	if (loop_round(&d->role->loop, 0) != 0)
		log_debug("some memory is left to the end of the process");
}
