/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What journals hold: records of one kind, a line each. */
#ifndef SLUICE_STORE_JOURNAL_KINDS_H
#define SLUICE_STORE_JOURNAL_KINDS_H

#include <stddef.h>
#include <stdint.h>

#include "store/event_json.h"

/* No line of any kind is longer; readers skip and count those that are. */
#define JOURNAL_LINE_MAX EVENT_JSON_MAX

struct journal_kind {
	const char *stem; /* of the files' names */
	/*
	 * Record @number of @instance as a line of JSON with member "id", its
	 * line feed included, into @size bytes at @dst. Bytes written, or 0
	 * without memory.
	 */
	size_t (*write)(const void *record, uint64_t instance, uint64_t number,
			char *dst, size_t size);
};

extern const struct journal_kind journal_events; /* of struct event */
extern const struct journal_kind journal_usage;	 /* of struct usage */

#endif
