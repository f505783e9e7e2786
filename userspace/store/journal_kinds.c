// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/journal_kinds.h"

#include "store/journal_files.h"
#include "store/usage_json.h"

_Static_assert(USAGE_JSON_MAX <= JOURNAL_LINE_MAX, "one bound for all kinds");

static size_t write_event(const void *record, uint64_t instance,
			  uint64_t number, char *dst, size_t size)
{
	return event_json_write(record, instance, number, dst, size);
}

static size_t write_usage(const void *record, uint64_t instance,
			  uint64_t number, char *dst, size_t size)
{
	return usage_json_write(record, instance, number, dst, size);
}

const struct journal_kind journal_events = {JOURNAL_EVENTS, write_event};
const struct journal_kind journal_usage = {JOURNAL_USAGE, write_usage};
