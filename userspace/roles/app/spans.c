// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/app/spans.h"

#include <errno.h>
#include <string.h>

#include "base/list.h"
#include "roles/app/quota.h"
#include "sys/log.h"

#define US_A_SECOND 1000000
/* How long sums wait here, where a crash would lose them. */
#define SEND_MS	    60000
/* Clients times applications times two, within a span. */
#define ROWS	    65536
/* Records in a message to the parent. */
#define ANSWER_ROWS ((MSG_MAX - 256) / sizeof(struct usage))

static void violation(struct outbox *ob, const char *what)
{
	struct spans *s = list_entry(ob, struct spans, outbox);

	role_report_violation(s->role, ROLE_LOG, 0, what);
}

static const struct outbox_ops outbox_ops = {
	.type = MSG_USAGE,
	.waiting = APP_USAGE_WAITING,
	.dropped = APP_USAGE_DROPPED,
	.violation = violation,
};

static uint64_t wall_s(const struct spans *s)
{
	return s->role->loop.clock->wall_us() / US_A_SECOND;
}

static void begin(struct spans *s, uint64_t now_s)
{
	s->time_s = now_s - now_s % USAGE_SPAN_S;
	s->began_ms = s->role->loop.now_ms;
}

int spans_open(struct spans *s, struct role *role, struct quota *quota,
	       const struct siphash_key *secret)
{
	s->role = role;
	s->quota = quota;
	s->table = usage_table_new(ROWS, secret);
	if (s->table == NULL) {
		log_error("no memory for counters");
		return -ENOMEM;
	}
	outbox_init(&s->outbox, &outbox_ops, &role->loop, role->stats,
		    role->init.instance);
	begin(s, wall_s(s));
	return 0;
}

void spans_close(struct spans *s)
{
	if (s->table == NULL)
		return;
	outbox_close(&s->outbox);
	usage_table_free(s->table);
	s->table = NULL;
}

int spans_connect(struct spans *s, int fd)
{
	return outbox_connect(&s->outbox, fd);
}

static void send_records(struct spans *s)
{
	struct usage u;
	uint64_t crowded = usage_table_crowded(s->table);

	if (crowded > 0)
		log_warn("more than %u clients and applications in %u s: %llu "
			 "sums have no client",
			 usage_table_count(s->table), USAGE_SPAN_S,
			 (unsigned long long)crowded);
	for (uint32_t at = usage_table_next(s->table, 0, s->time_s, &u);
	     at != 0; at = usage_table_next(s->table, at, s->time_s, &u))
		outbox_add(&s->outbox, &u, sizeof(u), true);
	outbox_flush(&s->outbox);
	usage_table_clear(s->table);
}

/*
 * Several records of one key and span add up. A clock that was set back ends
 * the span as well.
 */
void spans_tick(struct spans *s)
{
	uint64_t now_s = wall_s(s);
	bool over = now_s < s->time_s || now_s - s->time_s >= USAGE_SPAN_S;

	if (!over && s->role->loop.now_ms - s->began_ms < SEND_MS)
		return;
	send_records(s);
	begin(s, now_s);
}

void spans_add(struct spans *s, const struct usage *u)
{
	usage_table_add(s->table, u);
	quota_add(s->quota, u);
}

void spans_end(struct spans *s)
{
	send_records(s);
}

bool spans_stored(const struct spans *s)
{
	return outbox_empty(&s->outbox);
}

static void answer_part(struct spans *s, const struct msg_usage_now *msg,
			const struct usage *rows, size_t count)
{
	/* A parent that doesn't listen asks again. */
	(void)!chan_send_full(&s->role->parent, MSG_USAGE_NOW, msg,
			      sizeof(*msg), rows, count * sizeof(*rows), NULL,
			      0);
}

void spans_answer(struct spans *s, uint32_t request)
{
	static struct usage rows[ANSWER_ROWS];
	struct msg_usage_now msg = {
		.request = request,
		.elapsed_ms = s->role->loop.now_ms - s->began_ms,
		.next = outbox_next(&s->outbox),
	};
	size_t count = 0;
	uint32_t at = 0;

	do {
		at = usage_table_next(s->table, at, s->time_s, &rows[count]);
		if (at != 0)
			count++;
		msg.last = at == 0;
		if (count < ANSWER_ROWS && at != 0)
			continue;
		answer_part(s, &msg, rows, count);
		count = 0;
	} while (at != 0);
}
