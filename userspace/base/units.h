/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes ("64K") and durations ("4h") as people write them in sluice.conf. */
#ifndef SLUICE_BASE_UNITS_H
#define SLUICE_BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any formatted size or duration, with its NUL. */
#define UNITS_TEXT_MAX 24

/*
 * Decimal digits and an optional unit: K M G T (powers of 1024; "KiB" and the
 * like, "B", and lower case too). Bytes in @bytes. False for anything else,
 * also when the value passes UINT64_MAX.
 */
bool units_parse_size(const char *text, uint64_t *bytes);

/*
 * Decimal digits and a unit: ms s m h d w; a bare 0 needs none. Milliseconds
 * in @ms. False for anything else.
 */
bool units_parse_duration(const char *text, uint64_t *ms);

/* The shortest exact text that units_parse_size() reads back: "64K", "1000". */
void units_format_size(char *dst, size_t size, uint64_t bytes);
/* The shortest exact text that units_parse_duration() reads back: "4h". */
void units_format_duration(char *dst, size_t size, uint64_t ms);

#endif
