// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/scanner.h"

#include <errno.h>
#include <string.h>

#include "sys/log.h"

/* The scan role keeps the deadline; this is for one that doesn't answer. */
#define GRACE_MS 5000

static const struct chan_ops scan_ops;

static void send_waiting(struct scanner *sc);

void scanner_init(struct scanner *sc, struct loop *loop, struct stats *stats)
{
	memset(sc, 0, sizeof(*sc));
	sc->loop = loop;
	sc->stats = stats;
	list_init(&sc->waiting);
	list_init(&sc->asked);
	sc->next_id = 1;
	chan_init(&sc->chan, loop, &scan_ops, sc);
	shelf_asks_init(&sc->shelf, loop, &sc->chan);
}

static void job_end(struct scan_job *job)
{
	timer_cancel(&job->scanner->loop->wheel, &job->timeout);
	list_del(&job->node);
	if (job->sent)
		job->scanner->nasked--;
	job->sent = false;
	job->active = false;
	stats_sub(job->scanner->stats, RELAY_SCANS_WAITING, 1);
}

static void job_answer(struct scan_job *job, enum verdict verdict,
		       enum reason reason, const char *name)
{
	job_end(job);
	job->result.verdict = verdict;
	job->result.reason = reason;
	str_copy(job->result.name, sizeof(job->result.name), name);
	job->done(job);
}

/* Its answer is not wanted any more, so that it doesn't count there either. */
static void withdraw(struct scan_job *job)
{
	struct msg_scan_cancel msg = {.id = job->msg.id};

	if (job->sent && chan_send(&job->scanner->chan, MSG_SCAN_CANCEL, &msg,
				   sizeof(msg)) != 0)
		log_debug("scan %llu can't be cancelled",
			  (unsigned long long)msg.id);
}

static bool full(const struct scanner *sc)
{
	return sc->nasked >= sc->asked_max;
}

static void on_timeout(struct timer *t, uint64_t now_ms)
{
	struct scan_job *job =
		list_entry(&t->node, struct scan_job, timeout.node);
	struct scanner *sc = job->scanner;
	enum reason reason = job->sent || full(sc) ? REASON_SCANNER_TIMEOUT
						   : REASON_SCANNER_FAILED;

	(void)now_ms;
	withdraw(job);
	job_answer(job, VERDICT_NOT_SCANNED, reason, "");
	send_waiting(sc);
}

void scan_job_init(struct scan_job *job, scan_fn done)
{
	memset(job, 0, sizeof(*job));
	list_init(&job->node);
	timer_init(&job->timeout, on_timeout);
	job->done = done;
}

/* False when there is nobody to send to now. */
static bool job_send(struct scanner *sc, struct scan_job *job)
{
	int fd, rc;

	if (!chan_is_open(&sc->chan) || full(sc))
		return false;
	fd = object_descriptor(job->object);
	if (fd < 0) {
		/* No memory for a sealed copy: answered by the time-out. */
		timer_arm(&sc->loop->wheel, &job->timeout, sc->loop->now_ms);
		return true;
	}
	rc = chan_send_full(&sc->chan, MSG_SCAN, &job->msg, sizeof(job->msg),
			    NULL, 0, &fd, 1);
	if (rc != 0)
		return false;
	job->sent = true;
	sc->nasked++;
	list_del(&job->node);
	list_add_tail(&sc->asked, &job->node);
	return true;
}

static void send_waiting(struct scanner *sc)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &sc->waiting)
		if (!job_send(sc, list_entry(pos, struct scan_job, node)))
			return;
}

void scanner_submit(struct scanner *sc, struct scan_job *job,
		    struct object *object)
{
	job->scanner = sc;
	job->object = object;
	job->msg.id = sc->next_id++;
	job->msg.size = object->size;
	job->sent = false;
	job->active = true;
	stats_add(sc->stats, RELAY_SCANS_WAITING, 1);
	list_add_tail(&sc->waiting, &job->node);
	timer_arm(&sc->loop->wheel, &job->timeout,
		  sc->loop->now_ms + sc->deadline_ms + GRACE_MS);
	send_waiting(sc);
}

void scanner_cancel(struct scan_job *job)
{
	if (!job->active)
		return;
	withdraw(job);
	job_end(job);
	send_waiting(job->scanner);
}

/* --- the scan role's answers --------------------------------------- */

static struct scanner *scanner_of(struct chan *ch)
{
	return list_entry(ch, struct scanner, chan);
}

static struct scan_job *find_job(struct scanner *sc, uint64_t id)
{
	struct list *pos;

	/* Answers come nearly in order, so this is short. */
	list_for_each(pos, &sc->asked) {
		struct scan_job *job = list_entry(pos, struct scan_job, node);

		if (job->msg.id == id)
			return job;
	}
	return NULL;
}

static int on_scanned(struct chan *ch, const struct chan_msg *m)
{
	struct scanner *sc = scanner_of(ch);
	const struct msg_scanned *msg = m->body;
	struct scan_job *job;

	if (!verdict_valid(msg->verdict) ||
	    !verdict_reason_valid(msg->reason) ||
	    memchr(msg->name, '\0', sizeof(msg->name)) == NULL ||
	    msg->id >= sc->next_id)
		return -EPROTO;
	job = find_job(sc, msg->id);
	if (job == NULL)
		return 0; /* cancelled, or timed out here */
	job->scan_us = msg->scan_us;
	job_answer(job, (enum verdict)msg->verdict, (enum reason)msg->reason,
		   msg->name);
	send_waiting(sc);
	return 0;
}

/* A dead scan role costs the scans it had; what waits goes to the next one. */
static void on_closed(struct chan *ch, const char *violation)
{
	struct scanner *sc = scanner_of(ch);
	struct list lost = LIST_INIT(lost);

	if (violation != NULL && sc->violation != NULL)
		sc->violation(sc, violation);
	list_splice_tail(&lost, &sc->asked);
	while (!list_empty(&lost))
		job_answer(list_entry(lost.next, struct scan_job, node),
			   VERDICT_NOT_SCANNED, REASON_SCANNER_FAILED, "");
}

static void on_drained(struct chan *ch)
{
	send_waiting(scanner_of(ch));
}

static int on_shelved(struct chan *ch, const struct chan_msg *m)
{
	return shelf_asks_shelved(&scanner_of(ch)->shelf, m);
}

static int on_given(struct chan *ch, const struct chan_msg *m)
{
	return shelf_asks_given(&scanner_of(ch)->shelf, m);
}

static const struct chan_rule scan_rules[] = {
	{MSG_SCANNED, sizeof(struct msg_scanned), 0, 0, 0, on_scanned},
	{MSG_SHELVED, sizeof(struct msg_shelved), 0, 0, 0, on_shelved},
	{MSG_SHELF_GIVE, sizeof(struct msg_shelve), 0, 0, 1, on_given},
};

static const struct chan_ops scan_ops = {
	.rules = scan_rules,
	.nrules = sizeof(scan_rules) / sizeof(scan_rules[0]),
	.closed = on_closed,
	.drained = on_drained,
};

int scanner_connect(struct scanner *sc, int fd)
{
	int rc;

	if (chan_is_open(&sc->chan)) {
		chan_close(&sc->chan);
		on_closed(&sc->chan, NULL);
	}
	rc = chan_open(&sc->chan, fd);
	if (rc != 0)
		return rc;
	send_waiting(sc);
	shelf_asks_connected(&sc->shelf);
	return 0;
}

void scanner_close(struct scanner *sc)
{
	chan_close(&sc->chan);
}
