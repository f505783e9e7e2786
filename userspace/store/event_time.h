/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times of events: RFC 3339, UTC, microseconds. */
#ifndef SLUICE_STORE_EVENT_TIME_H
#define SLUICE_STORE_EVENT_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* "2024-11-21T22:12:00.123456Z" and a NUL */
#define EVENT_TIME_TEXT 28

/* @us since 1970, up to the year 9999, into @dst of EVENT_TIME_TEXT bytes. */
void event_time_format(uint64_t us, char *dst);
/*
 * A date and time of RFC 3339 5.6: "T", "t" or a space between them, any
 * number of decimals (those past microseconds are cut), "Z", "z" or a numeric
 * offset. False for anything else, and for times before 1970.
 */
bool event_time_parse(struct str text, uint64_t *us);

#endif
