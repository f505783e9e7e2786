// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/child_msg.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "roles/sluiced/peers.h"
#include "roles/sluiced/supervise.h"
#include "sys/log.h"

#define ACCUSE_MS 5000 /* a relay may accuse one peer in this time */

static struct child *child_of(struct chan *ch)
{
	return list_entry(ch, struct child, chan);
}

static int on_ready(struct chan *ch, const struct chan_msg *msg)
{
	struct child *c = child_of(ch);

	(void)msg;
	if (c->state != CHILD_STARTING)
		return -EPROTO;
	c->state = CHILD_READY;
	log_info("%s/%u is ready (pid %d)", role_name(c->role), c->index,
		 (int)c->pid);
	/* A relay or net: at once, not with the next tick. */
	supervisor_say_alive(c->sup);
	return 0;
}

/* Whether a role reads what strangers sent, so that it may be taken over. */
static bool reads_traffic(enum role_id role)
{
	return role == ROLE_RELAY || role == ROLE_APP || role == ROLE_RESOLVE;
}

/*
 * A peer broke the protocol. The word of net, scan and log against a role that
 * reads traffic is enough to end it. The word of such a role is not enough to
 * end the others, or one that was taken over could end them all: it gets a new
 * channel, no more. Of two such roles, a relay and resolve, either may be the
 * one that lies: they stay apart until one of them is started anew.
 */
static int on_violation(struct chan *ch, const struct chan_msg *msg)
{
	struct child *c = child_of(ch);
	const struct msg_peer *peer = msg->body;
	struct child *accused;

	accused = supervisor_child(c->sup, peer->role, peer->index);
	if (accused == NULL || !peers_talk(c->role, accused->role))
		return -EPROTO;
	if (reads_traffic(accused->role) && reads_traffic(c->role)) {
		log_error("%s/%u and %s/%u don't talk any more",
			  role_name(c->role), c->index,
			  role_name(accused->role), accused->index);
	} else if (reads_traffic(accused->role)) {
		child_kill(accused, "it broke the protocol between roles");
	} else if (c->sup->loop.now_ms - c->accused_ms < ACCUSE_MS) {
		child_kill(c, "it accuses other roles again and again");
	} else if (child_up(accused)) {
		c->accused_ms = c->sup->loop.now_ms;
		peers_connect_pair(c, accused);
	}
	return 0;
}

static int on_text(struct chan *ch, const struct chan_msg *msg)
{
	struct child *c = child_of(ch);
	const struct supervisor_listener *l = &c->sup->listener;

	if (c->role != ROLE_NET)
		return -EPROTO;
	if (l->text != NULL)
		l->text(l->user, msg->body, msg->elements, msg->elements_len);
	return 0;
}

static int on_sessions(struct chan *ch, const struct chan_msg *msg)
{
	struct child *c = child_of(ch);
	const struct supervisor_listener *l = &c->sup->listener;

	if (c->role != ROLE_RELAY)
		return -EPROTO;
	if (l->sessions != NULL)
		l->sessions(l->user, c->index, msg->body,
			    (const void *)msg->elements,
			    msg->elements_len / sizeof(struct msg_session));
	return 0;
}

static int on_usage_now(struct chan *ch, const struct chan_msg *msg)
{
	struct child *c = child_of(ch);
	const struct supervisor_listener *l = &c->sup->listener;
	const struct usage *rows = (const void *)msg->elements;
	size_t nrows = msg->elements_len / sizeof(*rows);

	if (c->role != ROLE_APP)
		return -EPROTO;
	for (size_t i = 0; i < nrows; i++)
		if (!usage_valid(&rows[i]))
			return -EPROTO;
	if (l->usage != NULL)
		l->usage(l->user, msg->body, rows, nrows);
	return 0;
}

static bool quota_valid(const struct msg_quota *q)
{
	return q->client.family == AF_INET || q->client.family == AF_INET6;
}

static int on_quotas_now(struct chan *ch, const struct chan_msg *msg)
{
	struct child *c = child_of(ch);
	const struct supervisor_listener *l = &c->sup->listener;
	const struct msg_quota *rows = (const void *)msg->elements;
	size_t nrows = msg->elements_len / sizeof(*rows);

	if (c->role != ROLE_APP)
		return -EPROTO;
	for (size_t i = 0; i < nrows; i++)
		if (!quota_valid(&rows[i]))
			return -EPROTO;
	if (l->quotas != NULL)
		l->quotas(l->user, msg->body, rows, nrows);
	return 0;
}

static const struct chan_rule rules[] = {
	{MSG_READY, 0, 0, 0, 0, on_ready},
	{MSG_VIOLATION, sizeof(struct msg_peer), 0, 0, 0, on_violation},
	{MSG_TEXT, sizeof(struct msg_text), 1, 0, 0, on_text},
	{MSG_SESSIONS, sizeof(struct msg_sessions), sizeof(struct msg_session),
	 0, 0, on_sessions},
	{MSG_USAGE_NOW, sizeof(struct msg_usage_now), sizeof(struct usage), 0,
	 0, on_usage_now},
	{MSG_QUOTAS_NOW, sizeof(struct msg_sessions), sizeof(struct msg_quota),
	 0, 0, on_quotas_now},
};

/* Its end follows on the pidfd; a role that only closed the channel is ended. */
static void on_closed(struct chan *ch, const char *violation)
{
	struct child *c = child_of(ch);
	char why[96];

	if (violation != NULL) {
		snprintf(why, sizeof(why), "it sent the parent %s", violation);
		child_kill(c, why);
	} else if (c->pid > 0 && c->wanted) {
		kill(c->pid, SIGTERM);
	}
}

const struct chan_ops child_msg_ops = {
	.rules = rules,
	.nrules = sizeof(rules) / sizeof(rules[0]),
	.closed = on_closed,
};
