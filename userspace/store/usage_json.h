/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record of usage as one line of JSON, the form it has in its journal:
 * sluice-usage(5). Pure.
 *
 * A network of a hundred clients writes hundreds of lines every five minutes,
 * and a report reads three months of them. So both directions are done here by
 * hand: the writer has only words of our tables, addresses and numbers, none
 * of which JSON would have to escape, and the reader takes this one form, some
 * ten times as fast as a JSON parser makes objects of it.
 */
#ifndef SLUICE_STORE_USAGE_JSON_H
#define SLUICE_STORE_USAGE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "ipc/usage.h"

/* Bytes that any line fits into, line feed included. */
#define USAGE_JSON_MAX 384
/* Longest text of a member that is read. */
#define USAGE_WORD_MAX 63

/*
 * Record @number of the app role's instance @instance, with a line feed, into
 * @size bytes at @dst. Bytes written, or 0 when it doesn't fit.
 */
size_t usage_json_write(const struct usage *u, uint64_t instance,
			uint64_t number, char *dst, size_t size);

/* A line that was read: views into it. */
struct usage_line {
	uint64_t time_s;
	uint64_t span_s;
	struct str id;
	struct str app;
	struct str group;
	struct str client;
	enum usage_direction direction;
	uint64_t bytes;
	uint64_t packets;
	uint64_t flows;
	/* The time read last, as text: most lines have it from their predecessor. */
	char time_text[USAGE_TIME_TEXT];
};

/*
 * @line, without its line feed, into @u, which is zeroed before the first line
 * and given again with each other one. Members behind those known are allowed
 * (a newer version's). False: no record.
 */
bool usage_json_read(struct str line, struct usage_line *u);

#endif
