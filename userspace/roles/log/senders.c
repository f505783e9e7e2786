// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/log/senders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/event.h"
#include "ipc/usage.h"
#include "roles/log/disk.h"
#include "sys/log.h"

/* All of them twice: the old channel may be there when the new one comes. */
#define PEERS_MAX (2 * (CONFIG_RELAYS + 1))

/* --- acknowledgements -------------------------------------------------------- */

static void acknowledge(struct log_peer *peer)
{
	struct msg_events_stored msg = {.instance = peer->instance};

	if (!peer->begun || !chan_is_open(&peer->chan))
		return;
	msg.next = journal_stored(&peer->disk->journal, peer->instance);
	/* One that doesn't read is told again after the next sync. */
	if (msg.next > peer->acked &&
	    chan_send(&peer->chan, MSG_EVENTS_STORED, &msg, sizeof(msg)) == 0)
		peer->acked = msg.next;
}

void senders_acknowledge(struct log_disk *d)
{
	struct list *node;

	list_for_each(node, &d->log->peers) {
		struct log_peer *peer = list_entry(node, struct log_peer, node);

		if (peer->disk == d)
			acknowledge(peer);
	}
}

void senders_pause(struct log_disk *d, bool pause)
{
	struct list *node;
	int rc = 0;

	list_for_each(node, &d->log->peers) {
		struct log_peer *peer = list_entry(node, struct log_peer, node);

		if (peer->disk == d)
			rc |= chan_pause(&peer->chan, pause);
	}
	if (rc != 0)
		log_error("%s: can't %s the senders' channels", d->name,
			  pause ? "pause" : "resume");
	d->paused = pause;
}

/* --- events and usage come in ------------------------------------------------------------- */

/*
 * A gap would be taken for events that were given up, and acknowledged; what
 * was left out by mistake could then never be sent again.
 */
static bool follows(const struct log_peer *peer, const struct msg_events *head)
{
	if (head->count == 0 || head->first > UINT64_MAX - head->count - 1)
		return false;
	return head->instance == peer->instance &&
	       (!peer->begun || head->first == peer->next);
}

/* False when there is no memory: then this role ends. */
static bool keep(struct log_peer *peer, const void *record, uint64_t number)
{
	if (journal_append(&peer->disk->journal, record, peer->instance,
			   number) >= 0)
		return true;
	disk_give_up(peer->disk->log, "no memory for a journal's lines");
	return false;
}

static void write_soon(struct log_disk *d)
{
	loop_defer(&d->log->role.loop, &d->flush);
	if (!journal_has_room(&d->journal))
		disk_flush(d);
}

static int on_events(struct chan *ch, const struct chan_msg *msg)
{
	struct log_peer *peer = ch->user;
	const struct msg_events *head = msg->body;
	const uint8_t *at = msg->elements;
	size_t left = msg->elements_len;

	if (!follows(peer, head))
		return -EPROTO;
	peer->begun = true;
	peer->next = head->first + head->count;
	for (uint32_t i = 0; i < head->count; i++) {
		struct event ev;
		size_t n = event_unpack(at, left, &ev);

		if (n == 0)
			return -EPROTO;
		at += n;
		left -= n;
		if (!keep(peer, &ev, head->first + i))
			return 0;
	}
	write_soon(peer->disk);
	return left == 0 ? 0 : -EPROTO;
}

static int on_usage(struct chan *ch, const struct chan_msg *msg)
{
	struct log_peer *peer = ch->user;
	const struct msg_events *head = msg->body;
	struct usage u;

	if (!follows(peer, head) ||
	    head->count != msg->elements_len / sizeof(u))
		return -EPROTO;
	peer->begun = true;
	peer->next = head->first + head->count;
	for (uint32_t i = 0; i < head->count; i++) {
		memcpy(&u, msg->elements + i * sizeof(u), sizeof(u));
		if (!usage_valid(&u))
			return -EPROTO;
		if (!keep(peer, &u, head->first + i))
			return 0;
	}
	write_soon(peer->disk);
	return 0;
}

static const struct chan_rule relay_rules[] = {
	{MSG_EVENTS, sizeof(struct msg_events), 1, 0, 0, on_events},
};

static const struct chan_rule app_rules[] = {
	{MSG_USAGE, sizeof(struct msg_events), sizeof(struct usage), 0, 0,
	 on_usage},
};

/* --- senders come and go ----------------------------------------------------------- */

static void reap(struct loop_task *task)
{
	struct log_peer *peer =
		list_entry(&task->node, struct log_peer, reap.node);
	struct log_role *log = peer->disk->log;

	list_del(&peer->node);
	log->npeers--;
	free(peer);
	if (log->stopping && log->npeers == 0)
		disk_finish(log);
}

static void on_closed(struct chan *ch, const char *violation)
{
	struct log_peer *peer = ch->user;

	if (violation != NULL)
		role_report_violation(&peer->disk->log->role, peer->role,
				      peer->index, violation);
	loop_defer(&peer->disk->log->role.loop, &peer->reap);
}

static void on_drained(struct chan *ch)
{
	acknowledge(ch->user);
}

static const struct chan_ops relay_ops = {
	.rules = relay_rules,
	.nrules = sizeof(relay_rules) / sizeof(relay_rules[0]),
	.closed = on_closed,
	.drained = on_drained,
};

static const struct chan_ops app_ops = {
	.rules = app_rules,
	.nrules = sizeof(app_rules) / sizeof(app_rules[0]),
	.closed = on_closed,
	.drained = on_drained,
};

/* NULL without room. */
static struct log_peer *peer_new(struct log_role *log,
				 const struct msg_peer *who)
{
	bool app = who->role == ROLE_APP;
	struct log_peer *peer =
		log->npeers < PEERS_MAX ? calloc(1, sizeof(*peer)) : NULL;

	if (peer == NULL)
		return NULL;
	peer->disk = &log->disks[app ? LOG_DISK_USAGE : LOG_DISK_EVENTS];
	peer->role = who->role;
	peer->index = who->index;
	peer->instance = who->instance;
	loop_task_init(&peer->reap, reap);
	chan_init(&peer->chan, &log->role.loop, app ? &app_ops : &relay_ops,
		  peer);
	return peer;
}

int senders_connect(struct role *role, const struct msg_peer *who, int fd)
{
	struct log_role *log = list_entry(role, struct log_role, role);
	struct log_peer *peer = NULL;
	int rc = 0;

	if (who->role != ROLE_RELAY && who->role != ROLE_APP)
		rc = -EPROTO;
	else
		peer = peer_new(log, who);
	if (peer == NULL) {
		close(fd);
		log_error("no room for %s/%u", role_name(who->role),
			  who->index);
		return rc;
	}
	rc = chan_open(&peer->chan, fd);
	if (rc == 0 && peer->disk->paused)
		rc = chan_pause(&peer->chan, true);
	if (rc != 0) {
		log_error("no channel to %s/%u: %s", role_name(who->role),
			  who->index, strerror(-rc));
		chan_close(&peer->chan);
		free(peer);
		return 0;
	}
	list_add_tail(&log->peers, &peer->node);
	log->npeers++;
	return 0;
}

void senders_drop(struct log_role *log)
{
	struct list *node;

	while ((node = list_pop(&log->peers)) != NULL) {
		struct log_peer *peer = list_entry(node, struct log_peer, node);

		chan_close(&peer->chan);
		free(peer);
	}
}
