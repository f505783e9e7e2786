// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/client.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "scan/shelf.h"

/* --- the queue ---------------------------------------------------------------- */

void client_queue(struct job *job)
{
	struct client *c = job->client;

	if (list_empty(&c->queue))
		list_add_tail(&c->all->turns, &c->turn);
	list_add_tail(&c->queue, &job->queued);
	c->all->queued++;
}

void client_unqueue(struct job *job)
{
	struct client *c = job->client;

	if (!list_linked(&job->queued))
		return;
	list_del(&job->queued);
	c->all->queued--;
	if (list_empty(&c->queue))
		list_del(&c->turn);
}

struct job *clients_next(struct clients *all)
{
	struct client *c;
	struct job *job;

	if (list_empty(&all->turns))
		return NULL;
	c = list_entry(all->turns.next, struct client, turn);
	job = list_entry(c->queue.next, struct job, queued);
	client_unqueue(job);
	if (list_linked(&c->turn)) {
		list_del(&c->turn);
		list_add_tail(&all->turns, &c->turn);
	}
	return job;
}

/* --- jobs of a client ----------------------------------------------------------- */

static void own(struct client *c, struct job *job)
{
	job->client = c;
	list_add_tail(&c->jobs, &job->owned);
	c->count++;
}

static void disown(struct job *job)
{
	client_unqueue(job);
	list_del(&job->owned);
	job->client->count--;
	job->client = NULL;
}

static void abandon_all(struct client *c)
{
	while (!list_empty(&c->jobs)) {
		struct job *job = list_entry(c->jobs.next, struct job, owned);

		disown(job);
		c->all->ops->abandon(c->all, job);
	}
}

/* --- messages -------------------------------------------------------------------- */

static struct client *client_of(struct chan *ch)
{
	return list_entry(ch, struct client, chan);
}

static int on_scan(struct chan *ch, const struct chan_msg *m)
{
	struct client *c = client_of(ch);
	struct msg_scan msg;
	struct job *job;

	memcpy(&msg, m->body, sizeof(msg));
	if (c->count >= c->all->jobs_max || !job_valid(&msg, m->fds[0])) {
		close(m->fds[0]);
		return -EPROTO;
	}
	job = job_new(&msg, m->fds[0]);
	if (job == NULL) {
		struct msg_scanned answer = {
			.id = msg.id,
			.verdict = VERDICT_NOT_SCANNED,
			.reason = REASON_SCANNER_FAILED,
		};

		return chan_send(ch, MSG_SCANNED, &answer, sizeof(answer));
	}
	own(c, job);
	c->all->ops->submit(c->all, job);
	return 0;
}

/* Of an unknown one: the answer was on its way. */
static int on_cancel(struct chan *ch, const struct chan_msg *m)
{
	const struct msg_scan_cancel *msg = m->body;
	struct client *c = client_of(ch);
	struct list *pos;

	list_for_each(pos, &c->jobs) {
		struct job *job = list_entry(pos, struct job, owned);

		if (job->msg.id == msg->id) {
			disown(job);
			c->all->ops->abandon(c->all, job);
			break;
		}
	}
	return 0;
}

/* --- the shelf -------------------------------------------------------------------- */

static int on_shelve(struct chan *ch, const struct chan_msg *m)
{
	struct msg_shelve msg;
	struct msg_shelved answer;

	memcpy(&msg, m->body, sizeof(msg));
	answer.id = msg.id;
	if (!shelf_valid(&msg, m->fds[0])) {
		close(m->fds[0]);
		return -EPROTO;
	}
	shelf_put(client_of(ch)->all->shelf, &msg, m->fds[0]);
	return chan_send(ch, MSG_SHELVED, &answer, sizeof(answer));
}

/*
 * Each answer that waits holds a descriptor: a relay that asks on and on and
 * reads nothing must not get at our last one.
 */
#define GIVES_MAX (SHELF_ITEMS * sizeof(struct msg_shelve))

static int on_want(struct chan *ch, const struct chan_msg *m)
{
	const struct msg_shelf_want *want = m->body;
	const struct shelf_item *item;
	struct msg_shelve give = {0};

	if (ch->queued > GIVES_MAX)
		return -EPROTO;
	item = shelf_find(client_of(ch)->all->shelf, want);
	if (item != NULL)
		give = item->about;
	give.id = want->id;
	return chan_send_full(ch, MSG_SHELF_GIVE, &give, sizeof(give), NULL, 0,
			      item != NULL ? &item->fd : NULL, item != NULL);
}

/* --- parts ------------------------------------------------------------------------- */

static int on_part(struct chan *ch, const struct chan_msg *m)
{
	struct clients *all = client_of(ch)->all;
	const struct msg_part *part = m->body;

	if (!job_part_valid(part))
		return -EPROTO;
	all->ops->part(all, part);
	return 0;
}

static void on_closed(struct chan *ch, const char *violation)
{
	struct client *c = client_of(ch);

	abandon_all(c);
	if (violation != NULL)
		c->all->ops->violation(c->all, c->index, violation);
}

static const struct chan_rule rules[] = {
	{MSG_SCAN, sizeof(struct msg_scan), 0, 1, 1, on_scan},
	{MSG_SCAN_CANCEL, sizeof(struct msg_scan_cancel), 0, 0, 0, on_cancel},
	{MSG_SHELVE, sizeof(struct msg_shelve), 0, 1, 1, on_shelve},
	{MSG_SHELF_WANT, sizeof(struct msg_shelf_want), 0, 0, 0, on_want},
	{MSG_PART, sizeof(struct msg_part), 0, 0, 0, on_part},
};

static const struct chan_ops ops = {
	.rules = rules,
	.nrules = sizeof(rules) / sizeof(rules[0]),
	.closed = on_closed,
};

void client_answer(struct job *job, const struct msg_scanned *answer)
{
	struct client *c = job->client;
	int rc;

	if (c == NULL)
		return;
	disown(job);
	rc = chan_send(&c->chan, MSG_SCANNED, answer, sizeof(*answer));
	/* A relay that is gone (EPIPE) is noticed by the reading side. */
	if (rc == -ENOBUFS || rc == -ENOMEM) {
		chan_close(&c->chan);
		on_closed(&c->chan, "nothing, and reads nothing either");
	}
}

/* --- set-up ------------------------------------------------------------------------ */

void clients_init(struct clients *all, struct loop *loop,
		  const struct clients_ops *client_ops, uint32_t jobs_max)
{
	all->ops = client_ops;
	all->jobs_max = jobs_max;
	all->queued = 0;
	list_init(&all->turns);
	for (uint32_t i = 0; i < CONFIG_RELAYS; i++) {
		struct client *c = &all->client[i];

		c->all = all;
		c->index = i;
		c->count = 0;
		list_init(&c->queue);
		list_init(&c->jobs);
		list_init(&c->turn);
		chan_init(&c->chan, loop, &ops, c);
	}
}

int clients_connect(struct clients *all, uint32_t index, int fd)
{
	struct client *c = &all->client[index];

	chan_close(&c->chan);
	abandon_all(c);
	return chan_open(&c->chan, fd);
}

void clients_close(struct clients *all)
{
	for (uint32_t i = 0; i < CONFIG_RELAYS; i++) {
		chan_close(&all->client[i].chan);
		abandon_all(&all->client[i]);
	}
}
