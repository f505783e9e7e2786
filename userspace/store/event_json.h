/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An event as one line of JSON, the form it has in the journal and in what
 * `sluicectl --json events` prints: sluice-events(5).
 *
 * Text that came from the network may hold any byte. What is not UTF-8 becomes
 * U+FFFD, one a byte, and so do DEL, the C1 controls and the line separators
 * U+2028 and U+2029 (terminals and some readers of lines act on them); other
 * controls are escaped as JSON wants it.
 */
#ifndef SLUICE_STORE_EVENT_JSON_H
#define SLUICE_STORE_EVENT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "ipc/event.h"

/* Six texts of which each byte is escaped, and the rest; line end included. */
#define EVENT_JSON_MAX ((size_t)6 * 6 * EVENT_TEXT_MAX + 2048)

/*
 * Event @number of the role instance @instance, with a line feed at its end,
 * into @size bytes at @dst. Bytes written, or 0 when it doesn't fit or there
 * is no memory.
 */
size_t event_json_write(const struct event *ev, uint64_t instance,
			uint64_t number, char *dst, size_t size);

/* The two numbers in an id, "INSTANCE-NUMBER" (the first in hexadecimal). */
bool event_json_id(const char *id, uint64_t *instance, uint64_t *number);

#endif
