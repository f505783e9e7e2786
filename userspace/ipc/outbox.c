// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipc/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_MS   100
#define BLOCK_SIZE OUTBOX_RECORD_MAX

struct outbox_block {
	struct list node;
	uint64_t first;
	uint32_t count;
	size_t len;
	size_t size;	 /* room in @bytes */
	uint8_t bytes[]; /* BLOCK_SIZE while it is filled, then @len */
};

_Static_assert(BLOCK_SIZE + sizeof(struct msg_header) +
			       sizeof(struct msg_events) <=
		       MSG_MAX,
	       "a block must fit a message");

static const struct chan_ops log_ops;

static void on_flush(struct timer *t, uint64_t now_ms)
{
	(void)now_ms;
	outbox_flush(list_entry(&t->node, struct outbox, flush.node));
}

void outbox_init(struct outbox *ob, const struct outbox_ops *ops,
		 struct loop *loop, struct stats *stats, uint64_t instance)
{
	memset(ob, 0, sizeof(*ob));
	ob->ops = ops;
	ob->loop = loop;
	ob->stats = stats;
	ob->instance = instance;
	list_init(&ob->sent);
	ob->unsent = &ob->sent;
	chan_init(&ob->chan, loop, &log_ops, ob);
	timer_init(&ob->flush, on_flush);
}

static void count_waiting(struct outbox *ob)
{
	uint64_t oldest = ob->next;

	if (!list_empty(&ob->sent))
		oldest = list_entry(ob->sent.next, struct outbox_block, node)
				 ->first;
	else if (ob->filling != NULL)
		oldest = ob->filling->first;
	stats_set(ob->stats, ob->ops->waiting, ob->next - oldest);
}

/* False when the log role must take some first (or is gone). */
static bool send_block(struct outbox *ob, const struct outbox_block *b)
{
	struct msg_events msg = {
		.instance = ob->instance,
		.first = b->first,
		.count = b->count,
	};

	return chan_send_full(&ob->chan, ob->ops->type, &msg, sizeof(msg),
			      b->bytes, b->len, NULL, 0) == 0;
}

/*
 * Send what was not sent on this channel yet, in order. A log role that can't
 * write does not read either: then the rest waits here, and goes on when the
 * channel has drained, or to its successor; or, should it be our own memory
 * that was short, a little later.
 */
static void send_blocks(struct outbox *ob)
{
	while (ob->unsent != &ob->sent &&
	       send_block(ob,
			  list_entry(ob->unsent, struct outbox_block, node)))
		ob->unsent = ob->unsent->next;
	if (ob->unsent != &ob->sent && chan_is_open(&ob->chan))
		timer_arm(&ob->loop->wheel, &ob->flush,
			  ob->loop->now_ms + FLUSH_MS);
}

static size_t memory_of(const struct outbox_block *b)
{
	return sizeof(*b) + b->size;
}

/*
 * Most blocks leave with few records in them, and wait long when the log role
 * does not work: then the empty rest of each would soon be all that fits.
 */
static struct outbox_block *block_shrink(struct outbox *ob,
					 struct outbox_block *b)
{
	struct outbox_block *smaller = realloc(b, sizeof(*b) + b->len);

	if (smaller == NULL)
		return b;
	ob->held -= memory_of(smaller);
	smaller->size = smaller->len;
	ob->held += memory_of(smaller);
	return smaller;
}

static void finish_block(struct outbox *ob)
{
	struct outbox_block *b = block_shrink(ob, ob->filling);

	ob->filling = NULL;
	list_add_tail(&ob->sent, &b->node);
	if (ob->unsent == &ob->sent)
		ob->unsent = &b->node;
}

void outbox_flush(struct outbox *ob)
{
	timer_cancel(&ob->loop->wheel, &ob->flush);
	if (ob->filling != NULL)
		finish_block(ob);
	send_blocks(ob);
}

static struct outbox_block *block_with_room(struct outbox *ob, size_t len)
{
	struct outbox_block *b = ob->filling;

	if (b != NULL && b->len + len > BLOCK_SIZE)
		outbox_flush(ob);
	if (ob->filling != NULL)
		return ob->filling;
	b = malloc(sizeof(*b) + BLOCK_SIZE);
	if (b == NULL)
		return NULL;
	b->first = ob->next;
	b->count = 0;
	b->len = 0;
	b->size = BLOCK_SIZE;
	ob->filling = b;
	ob->held += memory_of(b);
	timer_arm(&ob->loop->wheel, &ob->flush, ob->loop->now_ms + FLUSH_MS);
	return b;
}

bool outbox_add(struct outbox *ob, const void *record, size_t len,
		bool important)
{
	struct outbox_block *b = NULL;

	if (len > 0 && len <= OUTBOX_RECORD_MAX &&
	    ob->held < (important ? OUTBOX_MAX_HARD : OUTBOX_MAX))
		b = block_with_room(ob, len);
	if (b == NULL) {
		stats_add(ob->stats, ob->ops->dropped, 1);
		return false;
	}
	memcpy(b->bytes + b->len, record, len);
	b->len += len;
	b->count++;
	ob->next++;
	count_waiting(ob);
	return true;
}

/* --- the log role's answers ---------------------------------------- */

static struct outbox *outbox_of(struct chan *ch)
{
	return list_entry(ch, struct outbox, chan);
}

static int on_stored(struct chan *ch, const struct chan_msg *m)
{
	struct outbox *ob = outbox_of(ch);
	const struct msg_events_stored *msg = m->body;
	struct list *node;

	if (msg->instance != ob->instance || msg->next > ob->next)
		return -EPROTO;
	while ((node = list_pop(&ob->sent)) != NULL) {
		struct outbox_block *b =
			list_entry(node, struct outbox_block, node);

		if (b->first + b->count > msg->next || ob->unsent == node) {
			list_add(&ob->sent, node);
			break;
		}
		ob->held -= memory_of(b);
		free(b);
	}
	count_waiting(ob);
	if (ob->ops->stored != NULL)
		ob->ops->stored(ob);
	return 0;
}

/* Another channel comes with the restarted role, or with the parent's word. */
static void on_closed(struct chan *ch, const char *violation)
{
	struct outbox *ob = outbox_of(ch);

	if (violation != NULL)
		ob->ops->violation(ob, violation);
}

static const struct chan_rule log_rules[] = {
	{MSG_EVENTS_STORED, sizeof(struct msg_events_stored), 0, 0, 0,
	 on_stored},
};

static void on_drained(struct chan *ch)
{
	send_blocks(outbox_of(ch));
}

static const struct chan_ops log_ops = {
	.rules = log_rules,
	.nrules = 1,
	.closed = on_closed,
	.drained = on_drained,
};

int outbox_connect(struct outbox *ob, int fd)
{
	int rc;

	chan_close(&ob->chan);
	rc = chan_open(&ob->chan, fd);
	ob->unsent = ob->sent.next;
	if (rc == 0)
		send_blocks(ob);
	return rc;
}

bool outbox_empty(const struct outbox *ob)
{
	return ob->filling == NULL && list_empty(&ob->sent);
}

void outbox_close(struct outbox *ob)
{
	struct list *node;

	timer_cancel(&ob->loop->wheel, &ob->flush);
	chan_close(&ob->chan);
	free(ob->filling);
	while ((node = list_pop(&ob->sent)) != NULL)
		free(list_entry(node, struct outbox_block, node));
}
