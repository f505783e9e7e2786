// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/eventlog.h"

#include "proxy/relay.h"
#include "proxy/session.h"

_Static_assert(EVENT_PACKED_MAX <= OUTBOX_RECORD_MAX, "an event must fit");

/* Nothing lost that was decided against; the rest gives way to memory. */
static bool is_important(const struct event *ev)
{
	return ev->stopped || ev->verdict == VERDICT_BLOCKED ||
	       ev->verdict == VERDICT_NOT_SCANNED;
}

void eventlog_add(struct outbox *ob, const struct event *ev)
{
	uint8_t packed[EVENT_PACKED_MAX];

	outbox_add(ob, packed, event_pack(ev, packed, sizeof(packed)),
		   is_important(ev));
}

void eventlog_tell(const struct session *s, struct event *ev)
{
	struct relay *r = s->relay;

	stats_add(r->stats, RELAY_VERDICT + ev->verdict, 1);
	if (ev->reason != REASON_NONE)
		stats_add(r->stats, RELAY_REASON + ev->reason, 1);
	if (!s->config->config->log_access && !is_important(ev))
		return;
	ev->time_us = r->loop->clock->wall_us();
	ev->session = s->id;
	ev->client = s->client_addr;
	ev->server = s->server_addr;
	eventlog_add(&r->events, ev);
}

const char *eventlog_next_id(const struct outbox *ob, char *dst, size_t size)
{
	event_format_id(dst, size, ob->instance, outbox_next(ob));
	return dst;
}
