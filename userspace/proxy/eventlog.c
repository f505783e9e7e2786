// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/eventlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys/log.h"

#define FLUSH_MS   100
#define BLOCK_SIZE (MSG_MAX - 256) /* room for the message's head */

struct eventlog_block {
	struct list node;
	uint64_t first;
	uint32_t count;
	size_t len;
	size_t size;	 /* room in @bytes */
	uint8_t bytes[]; /* BLOCK_SIZE while it is filled, then @len */
};

_Static_assert(EVENT_PACKED_MAX <= BLOCK_SIZE, "an event must fit a block");

static const struct chan_ops log_ops;

static void on_flush(struct timer *t, uint64_t now_ms)
{
	(void)now_ms;
	eventlog_flush(list_entry(&t->node, struct eventlog, flush.node));
}

void eventlog_init(struct eventlog *el, struct loop *loop, struct stats *stats,
		   uint64_t instance)
{
	memset(el, 0, sizeof(*el));
	el->loop = loop;
	el->stats = stats;
	el->instance = instance;
	list_init(&el->sent);
	el->unsent = &el->sent;
	chan_init(&el->chan, loop, &log_ops, el);
	timer_init(&el->flush, on_flush);
}

static void count_waiting(struct eventlog *el)
{
	uint64_t oldest = el->next;

	if (!list_empty(&el->sent))
		oldest = list_entry(el->sent.next, struct eventlog_block, node)
				 ->first;
	else if (el->filling != NULL)
		oldest = el->filling->first;
	stats_set(el->stats, RELAY_EVENTS_WAITING, el->next - oldest);
}

/* False when the log role must take some first (or is gone). */
static bool send_block(struct eventlog *el, const struct eventlog_block *b)
{
	struct msg_events msg = {
		.instance = el->instance,
		.first = b->first,
		.count = b->count,
	};

	return chan_send_full(&el->chan, MSG_EVENTS, &msg, sizeof(msg),
			      b->bytes, b->len, NULL, 0) == 0;
}

/*
 * Send what was not sent on this channel yet, in order. A log role that can't
 * write does not read either: then the rest waits here, and goes on when the
 * channel has drained, or to its successor.
 */
static void send_blocks(struct eventlog *el)
{
	while (el->unsent != &el->sent &&
	       send_block(el,
			  list_entry(el->unsent, struct eventlog_block, node)))
		el->unsent = el->unsent->next;
}

static size_t memory_of(const struct eventlog_block *b)
{
	return sizeof(*b) + b->size;
}

/*
 * Most blocks leave with few events in them, and wait long when the log role
 * does not work: then the empty rest of each would soon be all that fits.
 */
static struct eventlog_block *block_shrink(struct eventlog *el,
					   struct eventlog_block *b)
{
	struct eventlog_block *smaller = realloc(b, sizeof(*b) + b->len);

	if (smaller == NULL)
		return b;
	el->held -= memory_of(smaller);
	smaller->size = smaller->len;
	el->held += memory_of(smaller);
	return smaller;
}

void eventlog_flush(struct eventlog *el)
{
	struct eventlog_block *b = el->filling;

	timer_cancel(&el->loop->wheel, &el->flush);
	if (b == NULL)
		return;
	el->filling = NULL;
	b = block_shrink(el, b);
	list_add_tail(&el->sent, &b->node);
	if (el->unsent == &el->sent)
		el->unsent = &b->node;
	send_blocks(el);
}

static struct eventlog_block *block_with_room(struct eventlog *el, size_t len)
{
	struct eventlog_block *b = el->filling;

	if (b != NULL && b->len + len > BLOCK_SIZE)
		eventlog_flush(el);
	if (el->filling != NULL)
		return el->filling;
	b = malloc(sizeof(*b) + BLOCK_SIZE);
	if (b == NULL)
		return NULL;
	b->first = el->next;
	b->count = 0;
	b->len = 0;
	b->size = BLOCK_SIZE;
	el->filling = b;
	el->held += memory_of(b);
	timer_arm(&el->loop->wheel, &el->flush, el->loop->now_ms + FLUSH_MS);
	return b;
}

/* Nothing lost that was decided against; the rest gives way to memory. */
static bool may_keep(const struct eventlog *el, const struct event *ev)
{
	bool important = ev->stopped || ev->verdict == VERDICT_BLOCKED ||
			 ev->verdict == VERDICT_NOT_SCANNED;

	return el->held < (important ? EVENTLOG_MAX_HARD : EVENTLOG_MAX);
}

uint64_t eventlog_add(struct eventlog *el, const struct event *ev)
{
	uint8_t packed[EVENT_PACKED_MAX];
	size_t len = event_pack(ev, packed, sizeof(packed));
	struct eventlog_block *b = NULL;

	if (len > 0 && may_keep(el, ev))
		b = block_with_room(el, len);
	if (b == NULL) {
		stats_add(el->stats, RELAY_EVENTS_DROPPED, 1);
		return el->next;
	}
	memcpy(b->bytes + b->len, packed, len);
	b->len += len;
	b->count++;
	el->next++;
	count_waiting(el);
	return el->next - 1;
}

/* --- the log role's answers ---------------------------------------- */

static struct eventlog *eventlog_of(struct chan *ch)
{
	return list_entry(ch, struct eventlog, chan);
}

static int on_stored(struct chan *ch, const struct chan_msg *m)
{
	struct eventlog *el = eventlog_of(ch);
	const struct msg_events_stored *msg = m->body;
	struct list *node;

	if (msg->instance != el->instance || msg->next > el->next)
		return -EPROTO;
	while ((node = list_pop(&el->sent)) != NULL) {
		struct eventlog_block *b =
			list_entry(node, struct eventlog_block, node);

		if (b->first + b->count > msg->next || el->unsent == node) {
			list_add(&el->sent, node);
			break;
		}
		el->held -= memory_of(b);
		free(b);
	}
	count_waiting(el);
	if (el->stored != NULL)
		el->stored(el);
	return 0;
}

/* Another channel comes with the restarted role, or with the parent's word. */
static void on_closed(struct chan *ch, const char *violation)
{
	struct eventlog *el = eventlog_of(ch);

	if (violation != NULL && el->violation != NULL)
		el->violation(el, violation);
}

static const struct chan_rule log_rules[] = {
	{MSG_EVENTS_STORED, sizeof(struct msg_events_stored), 0, 0, 0,
	 on_stored},
};

static void on_drained(struct chan *ch)
{
	send_blocks(eventlog_of(ch));
}

static const struct chan_ops log_ops = {
	.rules = log_rules,
	.nrules = 1,
	.closed = on_closed,
	.drained = on_drained,
};

int eventlog_connect(struct eventlog *el, int fd)
{
	int rc;

	chan_close(&el->chan);
	rc = chan_open(&el->chan, fd);
	el->unsent = el->sent.next;
	if (rc == 0)
		send_blocks(el);
	return rc;
}

bool eventlog_empty(const struct eventlog *el)
{
	return el->filling == NULL && list_empty(&el->sent);
}

void eventlog_close(struct eventlog *el)
{
	struct list *node;

	timer_cancel(&el->loop->wheel, &el->flush);
	chan_close(&el->chan);
	free(el->filling);
	while ((node = list_pop(&el->sent)) != NULL)
		free(list_entry(node, struct eventlog_block, node));
}
