// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/inquiry.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "render/nft_text.h"
#include "roles/sluiced/conn.h"
#include "roles/sluiced/policy_json.h"
#include "roles/sluiced/status.h"

#define ANSWER_MS 5000 /* what a role owes must be here by then */
#define TEXT_MAX  (2 * NFT_TEXT_MAX)

enum inquiry_kind { ASK_RULES, ASK_SESSIONS, ASK_USAGE, ASK_QUOTAS };

struct inquiry {
	struct list node;
	struct control *ctl;
	struct conn *conn;
	enum inquiry_kind kind;
	uint32_t request; /* what the roles answer with */
	uint64_t owed;	  /* relays whose sessions come, a bit each */
	struct timer deadline;
	char *text; /* of net, so far */
	size_t len;
	bool differ;
};

_Static_assert(CONFIG_RELAYS <= 64, "a bit for each relay");

static void inquiry_free(struct inquiry *q)
{
	timer_cancel(&q->ctl->sup->loop.wheel, &q->deadline);
	list_del(&q->node);
	q->conn->work = NULL;
	free(q->text);
	free(q);
}

void inquiry_drop(struct conn *c)
{
	if (c->work != NULL)
		inquiry_free(c->work);
}

/* --- answers of the connection ------------------------------------------------------ */

static void refuse(struct inquiry *q, const char *error)
{
	struct conn *c = q->conn;

	inquiry_free(q);
	conn_refuse(c, error);
}

/* The last line of a list says whether it is the whole of it. */
static void finish_list(struct inquiry *q, bool complete)
{
	struct json_object *o = json_object_new_object();
	struct conn *c = q->conn;

	inquiry_free(q);
	json_object_object_add(o, "end", json_object_new_boolean(true));
	json_object_object_add(o, "complete",
			       json_object_new_boolean(complete && !c->cut));
	conn_answer(c, o);
}

/*
 * The last line of what is being counted, which @now (NULL: nobody counts)
 * ends. With the identity of its first record: together with all records in
 * the store but that and later ones of its instance it is the whole.
 */
static void finish_usage(struct inquiry *q, const struct msg_usage_now *now,
			 bool complete)
{
	const struct child *app = supervisor_child(q->ctl->sup, ROLE_APP, 0);
	struct json_object *o = json_object_new_object();
	struct conn *c = q->conn;
	char instance[24] = "";

	inquiry_free(q);
	if (now != NULL && app != NULL)
		snprintf(instance, sizeof(instance), "%" PRIx64, app->instance);
	json_object_object_add(o, "end", json_object_new_boolean(true));
	json_object_object_add(o, "complete",
			       json_object_new_boolean(complete && !c->cut));
	json_object_object_add(o, "counting",
			       json_object_new_boolean(now != NULL));
	json_object_object_add(o, "instance", json_object_new_string(instance));
	json_object_object_add(
		o, "elapsed_ms",
		json_object_new_uint64(now != NULL ? now->elapsed_ms : 0));
	json_object_object_add(
		o, "next", json_object_new_uint64(now != NULL ? now->next : 0));
	conn_answer(c, o);
}

static void finish_text(struct inquiry *q, int status)
{
	char wrong[256];
	struct json_object *o;
	struct conn *c = q->conn;

	if (status != 0) {
		snprintf(wrong, sizeof(wrong), "%.*s", (int)q->len,
			 q->len > 0 ? q->text : "");
		refuse(q, q->len > 0 ? wrong : strerror(-status));
		return;
	}
	o = conn_ok();
	json_object_object_add(o, "differ", json_object_new_boolean(q->differ));
	json_object_object_add(o, "text",
			       json_object_new_string_len(
				       q->len > 0 ? q->text : "", (int)q->len));
	inquiry_free(q);
	conn_answer(c, o);
}

static void on_deadline(struct timer *t, uint64_t now_ms)
{
	struct inquiry *q = list_entry(&t->node, struct inquiry, deadline.node);

	(void)now_ms;
	if (q->kind == ASK_SESSIONS ||
	    q->kind == ASK_QUOTAS) /* what came is better than nothing */
		finish_list(q, false);
	else if (q->kind == ASK_USAGE)
		finish_usage(q, NULL, false);
	else
		refuse(q, "the net role did not answer in time; try again, "
			  "and see: sluicectl status");
}

/* --- questions ------------------------------------------------------------------------ */

/* NULL, and the connection is answered, without memory. */
static struct inquiry *inquiry_new(struct control *ctl, struct conn *c,
				   enum inquiry_kind kind)
{
	struct inquiry *q = calloc(1, sizeof(*q));

	if (q == NULL) {
		conn_refuse(c, "sluiced is short of memory");
		return NULL;
	}
	q->ctl = ctl;
	q->conn = c;
	q->kind = kind;
	q->request = ++ctl->next_request;
	timer_init(&q->deadline, on_deadline);
	timer_arm(&ctl->sup->loop.wheel, &q->deadline,
		  ctl->sup->loop.now_ms + ANSWER_MS);
	list_add_tail(&ctl->inquiries, &q->node);
	c->work = q;
	return q;
}

void inquiry_rules(struct control *ctl, struct conn *c, struct msg_rules *msg)
{
	struct child *net = supervisor_child(ctl->sup, ROLE_NET, 0);
	struct inquiry *q = inquiry_new(ctl, c, ASK_RULES);

	if (q == NULL)
		return;
	msg->request = q->request;
	if (net == NULL || net->state != CHILD_READY ||
	    chan_send(&net->chan, MSG_RULES, msg, sizeof(*msg)) != 0)
		refuse(q, "the net role is not running; it is started again by "
			  "itself, see: sluicectl status");
}

void inquiry_sessions(struct control *ctl, struct conn *c)
{
	struct supervisor *sup = ctl->sup;
	struct inquiry *q = inquiry_new(ctl, c, ASK_SESSIONS);
	struct msg_want_sessions msg = {0};

	if (q == NULL)
		return;
	conn_put(c, conn_ok());
	msg.request = q->request;
	for (size_t i = 0; i < sup->nchildren; i++) {
		struct child *child = &sup->children[i];

		if (child->role == ROLE_RELAY && child->state == CHILD_READY &&
		    chan_send(&child->chan, MSG_WANT_SESSIONS, &msg,
			      sizeof(msg)) == 0)
			q->owed |= UINT64_C(1) << child->index;
	}
	if (q->owed == 0)
		finish_list(q, true);
}

void inquiry_usage(struct control *ctl, struct conn *c)
{
	struct child *app = supervisor_child(ctl->sup, ROLE_APP, 0);
	struct inquiry *q = inquiry_new(ctl, c, ASK_USAGE);
	struct msg_want_sessions msg = {0};

	if (q == NULL)
		return;
	conn_put(c, conn_ok());
	msg.request = q->request;
	if (app == NULL || app->state != CHILD_READY)
		finish_usage(q, NULL, true);
	else if (chan_send(&app->chan, MSG_WANT_USAGE, &msg, sizeof(msg)) != 0)
		finish_usage(q, NULL, false);
}

void inquiry_policy(struct control *ctl, struct conn *c)
{
	struct child *app = supervisor_child(ctl->sup, ROLE_APP, 0);
	struct inquiry *q = inquiry_new(ctl, c, ASK_QUOTAS);
	struct msg_want_sessions msg = {0};

	if (q == NULL)
		return;
	conn_put(c, conn_ok());
	policy_json_rules(c, ctl->sup->config);
	msg.request = q->request;
	if (app == NULL || app->state != CHILD_READY)
		finish_list(q, !ctl->sup->config->apps.enabled);
	else if (chan_send(&app->chan, MSG_WANT_QUOTAS, &msg, sizeof(msg)) != 0)
		finish_list(q, false);
}

/* --- what roles answer ------------------------------------------------------------------ */

/* The one that waits for @request. */
static struct inquiry *inquiry_find(struct control *ctl, uint32_t request,
				    enum inquiry_kind kind)
{
	struct list *pos;

	list_for_each(pos, &ctl->inquiries) {
		struct inquiry *q = list_entry(pos, struct inquiry, node);

		if (q->request == request && q->kind == kind)
			return q;
	}
	return NULL; /* it went away, or gave up waiting */
}

/* False when it is more than any answer can be, or memory is short. */
static bool add_text(struct inquiry *q, const uint8_t *text, size_t len)
{
	char *joined;

	if (len == 0)
		return true;
	joined = q->len + len <= TEXT_MAX ? realloc(q->text, q->len + len)
					  : NULL;
	if (joined == NULL)
		return false;
	memcpy(joined + q->len, text, len);
	q->text = joined;
	q->len += len;
	return true;
}

static void on_text(void *user, const struct msg_text *msg, const uint8_t *text,
		    size_t len)
{
	struct inquiry *q = inquiry_find(user, msg->request, ASK_RULES);

	if (q == NULL)
		return;
	if (!add_text(q, text, len)) {
		refuse(q, "the answer of the net role is too long");
		return;
	}
	q->differ = q->differ || msg->differ != 0;
	if (msg->last)
		finish_text(q, msg->status);
}

static void on_sessions(void *user, uint32_t relay,
			const struct msg_sessions *msg,
			const struct msg_session *rows, size_t nrows)
{
	struct inquiry *q = inquiry_find(user, msg->request, ASK_SESSIONS);
	uint64_t bit = UINT64_C(1) << relay;
	const struct child *c;

	if (q == NULL || (q->owed & bit) == 0)
		return;
	c = supervisor_child(q->ctl->sup, ROLE_RELAY, relay);
	for (size_t i = 0; i < nrows; i++)
		conn_put(q->conn, status_session_json(c->instance, &rows[i]));
	if (!msg->last) {
		conn_flush(q->conn);
		return;
	}
	q->owed &= ~bit;
	if (q->owed == 0)
		finish_list(q, true);
}

/* As the records of the store have it, less their id and span. */
static struct json_object *usage_row(const struct usage *u)
{
	struct json_object *o = json_object_new_object();
	char time[USAGE_TIME_TEXT], client[IP_TEXT_MAX];
	const char *const words[][2] = {
		{"time", usage_time_text(u->time_s, time)},
		{"app", usage_app_text(u->app)},
		{"group", usage_group_text(u->app)},
		{"client", usage_client_text(u, client)},
		{"direction", usage_direction_text(u->direction)},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		json_object_object_add(o, words[i][0],
				       json_object_new_string(words[i][1]));
	json_object_object_add(o, "bytes", json_object_new_uint64(u->bytes));
	json_object_object_add(o, "packets",
			       json_object_new_uint64(u->packets));
	json_object_object_add(o, "flows", json_object_new_uint64(u->flows));
	return o;
}

static void on_usage(void *user, const struct msg_usage_now *msg,
		     const struct usage *rows, size_t nrows)
{
	struct inquiry *q = inquiry_find(user, msg->request, ASK_USAGE);

	if (q == NULL)
		return;
	for (size_t i = 0; i < nrows; i++)
		conn_put(q->conn, usage_row(&rows[i]));
	if (msg->last)
		finish_usage(q, msg, true);
	else
		conn_flush(q->conn);
}

static void on_quotas(void *user, const struct msg_sessions *msg,
		      const struct msg_quota *rows, size_t nrows)
{
	struct inquiry *q = inquiry_find(user, msg->request, ASK_QUOTAS);

	if (q == NULL)
		return;
	for (size_t i = 0; i < nrows; i++)
		conn_put(q->conn, policy_json_quota(&rows[i]));
	if (msg->last)
		finish_list(q, true);
	else
		conn_flush(q->conn);
}

/* Its sessions ended with it, so a list without them is complete. */
static void on_relay_gone(struct inquiry *q, uint32_t index)
{
	uint64_t bit = UINT64_C(1) << index;

	if ((q->owed & bit) == 0)
		return;
	q->owed &= ~bit;
	if (q->owed == 0)
		finish_list(q, true);
}

static void on_child_gone(void *user, enum role_id role, uint32_t index)
{
	struct control *ctl = user;
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &ctl->inquiries) {
		struct inquiry *q = list_entry(pos, struct inquiry, node);

		if (role == ROLE_RELAY && q->kind == ASK_SESSIONS)
			on_relay_gone(q, index);
		else if (role == ROLE_APP && q->kind == ASK_USAGE)
			finish_usage(q, NULL, false);
		else if (role == ROLE_APP && q->kind == ASK_QUOTAS)
			finish_list(q, false);
		else if (role == ROLE_NET && q->kind == ASK_RULES)
			refuse(q, "the net role died; try again");
	}
}

void inquiry_listen(struct control *ctl)
{
	list_init(&ctl->inquiries);
	ctl->sup->listener = (struct supervisor_listener){
		.text = on_text,
		.sessions = on_sessions,
		.usage = on_usage,
		.quotas = on_quotas,
		.child_gone = on_child_gone,
		.user = ctl,
	};
}
