// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "scan/generation.h"
#include "scan/job.h"
#include "sys/log.h"

#define FORK_LIMIT_MS 30000
/*
 * A worker makes way for a new one after so many scans: what leaks in a parser
 * is bounded by it, and so is the time of one that was taken over.
 */
#define WORKER_SCANS  4000

static const struct chan_ops worker_ops;

/* --- coming and going --------------------------------------------------------- */

static void free_worker(struct loop_task *task)
{
	free(list_entry(task, struct worker, free_task));
}

/* Its channel is closed; what it had is somebody else's. */
static void worker_gone(struct worker *w)
{
	list_del(&w->node);
	if (w->pidfd != -1)
		close(w->pidfd);
	w->pidfd = -1;
	loop_defer(w->gen->loop, &w->free_task);
}

/* It reads the end of its channel and leaves by itself. */
static void worker_dismiss(struct worker *w)
{
	chan_close(&w->chan);
	worker_gone(w);
}

static void dismiss_all(struct list *workers)
{
	while (!list_empty(workers))
		worker_dismiss(list_entry(workers->next, struct worker, node));
}

void crew_dismiss(struct generation *gen)
{
	dismiss_all(&gen->starting);
	dismiss_all(&gen->idle);
}

void worker_kill(struct worker *w)
{
	w->killed = true;
	/* Its channel closes when it is dead. ESRCH: it is already. */
	if (w->pidfd != -1)
		(void)pidfd_send_signal(w->pidfd, SIGKILL, NULL, 0);
}

void crew_abort(struct generation *gen)
{
	struct list *pos;

	list_for_each(pos, &gen->busy) {
		struct worker *w = list_entry(pos, struct worker, node);

		if (w->job != NULL)
			gen->ops->done(w, NULL);
	}
	dismiss_all(&gen->busy);
	crew_dismiss(gen);
}

static struct worker *worker_new(struct generation *gen)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->gen = gen;
	w->id = WIRE_WORKER(gen->number, ++gen->forks);
	w->pidfd = -1;
	loop_task_init(&w->free_task, free_worker);
	chan_init(&w->chan, gen->loop, &worker_ops, w);
	list_add_tail(&gen->starting, &w->node);
	return w;
}

static int ask_for_worker(struct generation *gen)
{
	struct wire_fork order;
	struct worker *w;
	int fds[2];
	int rc = chan_pair(fds);

	if (rc != 0)
		return rc;
	w = worker_new(gen);
	if (w == NULL) {
		close(fds[0]);
		close(fds[1]);
		return -ENOMEM;
	}
	order.worker = w->id;
	rc = chan_open(&w->chan, fds[0]);
	if (rc == 0)
		rc = chan_send_full(&gen->control, (enum msg_type)WIRE_FORK,
				    &order, sizeof(order), NULL, 0, &fds[1], 1);
	close(fds[1]);
	if (rc != 0)
		worker_dismiss(w);
	return rc;
}

static unsigned int length(const struct list *list)
{
	const struct list *pos;
	unsigned int n = 0;

	list_for_each(pos, list)
		n++;
	return n;
}

unsigned int crew_busy(const struct generation *gen)
{
	return length(&gen->busy);
}

unsigned int crew_size(const struct generation *gen)
{
	return length(&gen->idle) + length(&gen->busy);
}

void crew_top_up(struct generation *gen)
{
	unsigned int have = crew_size(gen) + length(&gen->starting);
	int rc = 0;

	if (gen->state != GENERATION_STARTING &&
	    gen->state != GENERATION_SERVING)
		return;
	while (have++ < gen->wanted && rc == 0)
		rc = ask_for_worker(gen);
	if (rc != 0)
		log_error("can't start a worker: %s", strerror(-rc));
	if (!list_empty(&gen->starting) && !timer_armed(&gen->limit))
		timer_arm(&gen->loop->wheel, &gen->limit,
			  gen->loop->now_ms + FORK_LIMIT_MS);
}

/* --- work ---------------------------------------------------------------------- */

static void worker_idle(struct worker *w)
{
	struct generation *gen = w->gen;

	list_del(&w->node);
	/* Last in, first out: the one whose caches are warm. */
	list_add(&gen->idle, &w->node);
	if (gen->state == GENERATION_DRAINING ||
	    (gen->state == GENERATION_SERVING && w->scans >= WORKER_SCANS)) {
		worker_dismiss(w);
		crew_top_up(gen);
		generation_settle(gen);
	} else if (gen->state == GENERATION_SERVING) {
		gen->ops->idle(gen);
	}
}

static struct worker *starting_worker(struct generation *gen, uint64_t id)
{
	struct list *pos;

	list_for_each(pos, &gen->starting) {
		struct worker *w = list_entry(pos, struct worker, node);

		if (w->id == id)
			return w;
	}
	return NULL;
}

void crew_forked(struct generation *gen, uint64_t id, int pidfd, int error)
{
	struct worker *w = starting_worker(gen, id);

	if (pidfd == -1)
		log_error("can't start a worker: %s", strerror(-error));
	if (w == NULL) {
		/* Dismissed meanwhile, or dead already. */
		if (pidfd != -1)
			close(pidfd);
		return;
	}
	if (pidfd == -1) {
		worker_dismiss(w);
		return;
	}
	w->pidfd = pidfd;
	if (gen->state == GENERATION_STARTING)
		gen->ops->ready(gen);
	worker_idle(w);
	if (list_empty(&gen->starting))
		timer_cancel(&gen->loop->wheel, &gen->limit);
}

bool crew_assign(struct generation *gen, struct job *job)
{
	struct wire_scan msg;
	struct worker *w;
	int rc;

	if (gen->state != GENERATION_SERVING || list_empty(&gen->idle))
		return false;
	w = list_entry(gen->idle.next, struct worker, node);
	memset(&msg, 0, sizeof(msg));
	msg.job = job->serial;
	msg.size = job->msg.size;
	msg.deadline_ms = job->deadline_ms;
	msg.codings = job->msg.codings;
	msg.boundary_len = job->msg.boundary_len;
	memcpy(msg.boundary, job->msg.boundary, msg.boundary_len);
	list_del(&w->node);
	list_add(&gen->busy, &w->node);
	w->job = job;
	job->worker = w;
	rc = chan_send_full(&w->chan, (enum msg_type)WIRE_SCAN, &msg,
			    sizeof(msg), NULL, 0, &job->fd, 1);
	/* Its death is noticed by the reading side, and its job with it. */
	if (rc != 0)
		worker_kill(w);
	return true;
}

static int on_scanned(struct chan *ch, const struct chan_msg *m)
{
	struct worker *w = list_entry(ch, struct worker, chan);
	const struct wire_scanned *answer = m->body;

	/* Sent before the signal came. */
	if (w->killed)
		return 0;
	if (w->job == NULL || answer->job != w->job->serial ||
	    !finding_valid(answer->verdict, answer->reason, answer->name))
		return -EPROTO;
	w->scans++;
	w->gen->ops->done(w, answer);
	w->job = NULL;
	worker_idle(w);
	return 0;
}

static void on_closed(struct chan *ch, const char *violation)
{
	struct worker *w = list_entry(ch, struct worker, chan);
	struct generation *gen = w->gen;
	bool worked = w->job != NULL || w->killed;

	if (violation != NULL) {
		log_error("worker " WIRE_WORKER_FORMAT " sent %s: killed",
			  WIRE_WORKER_ARGS(w->id), violation);
		worker_kill(w);
	}
	if (w->job != NULL)
		gen->ops->done(w, NULL);
	w->job = NULL;
	worker_gone(w);
	/* One that died without a job may do so again: not before a tick. */
	if (worked)
		crew_top_up(gen);
	generation_settle(gen);
}

static const struct chan_rule worker_rules[] = {
	{WIRE_SCANNED, sizeof(struct wire_scanned), 0, 0, 0, on_scanned},
};

static const struct chan_ops worker_ops = {
	.rules = worker_rules,
	.nrules = 1,
	.closed = on_closed,
};
