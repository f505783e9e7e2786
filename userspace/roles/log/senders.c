// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/log/senders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/event.h"
#include "roles/log/disk.h"
#include "sys/log.h"

#define PEERS_MAX (2 * CONFIG_RELAYS)

/* --- acknowledgements -------------------------------------------------------- */

static void acknowledge(struct log_peer *peer)
{
	struct msg_events_stored msg = {.instance = peer->instance};

	if (!peer->begun || !chan_is_open(&peer->chan))
		return;
	msg.next = journal_stored(&peer->log->journal, peer->instance);
	/* One that doesn't read is told again after the next sync. */
	if (msg.next > peer->acked &&
	    chan_send(&peer->chan, MSG_EVENTS_STORED, &msg, sizeof(msg)) == 0)
		peer->acked = msg.next;
}

void senders_acknowledge(struct log_role *log)
{
	struct list *node;

	list_for_each(node, &log->peers)
		acknowledge(list_entry(node, struct log_peer, node));
}

void senders_pause(struct log_role *log, bool pause)
{
	struct list *node;
	int rc = 0;

	list_for_each(node, &log->peers)
		rc |= chan_pause(&list_entry(node, struct log_peer, node)->chan,
				 pause);
	if (rc != 0)
		log_error("can't %s the relays' channels",
			  pause ? "pause" : "resume");
	log->paused = pause;
}

/* --- events come in ------------------------------------------------------------- */

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

static int on_events(struct chan *ch, const struct chan_msg *msg)
{
	struct log_peer *peer = ch->user;
	const struct msg_events *head = msg->body;
	const uint8_t *at = msg->elements;
	size_t left = msg->elements_len;
	struct log_role *log = peer->log;

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
		if (journal_append(&log->journal, &ev, head->instance,
				   head->first + i) < 0) {
			disk_give_up(log, "no memory for events");
			return 0;
		}
	}
	loop_defer(&log->role.loop, &log->flush);
	if (!journal_has_room(&log->journal))
		disk_flush(log);
	return left == 0 ? 0 : -EPROTO;
}

static const struct chan_rule relay_rules[] = {
	{MSG_EVENTS, sizeof(struct msg_events), 1, 0, 0, on_events},
};

/* --- relays come and go ----------------------------------------------------------- */

static void reap(struct loop_task *task)
{
	struct log_peer *peer =
		list_entry(&task->node, struct log_peer, reap.node);
	struct log_role *log = peer->log;

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
		role_report_violation(&peer->log->role, ROLE_RELAY, peer->index,
				      violation);
	loop_defer(&peer->log->role.loop, &peer->reap);
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

int senders_connect(struct role *role, const struct msg_peer *who, int fd)
{
	struct log_role *log = list_entry(role, struct log_role, role);
	struct log_peer *peer = NULL;
	int rc = -ENOMEM;

	if (who->role == ROLE_RELAY && log->npeers < PEERS_MAX)
		peer = calloc(1, sizeof(*peer));
	if (peer == NULL) {
		close(fd);
		log_error("no room for %s/%u", role_name(who->role),
			  who->index);
		return who->role == ROLE_RELAY ? 0 : -EPROTO;
	}
	peer->log = log;
	peer->index = who->index;
	peer->instance = who->instance;
	loop_task_init(&peer->reap, reap);
	chan_init(&peer->chan, &role->loop, &relay_ops, peer);
	rc = chan_open(&peer->chan, fd);
	if (rc == 0 && log->paused)
		rc = chan_pause(&peer->chan, true);
	if (rc != 0) {
		log_error("no channel to relay/%u: %s", who->index,
			  strerror(-rc));
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
