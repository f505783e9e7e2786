// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/eventlog.h"

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
