/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Content codings (RFC 9110 8.4.1, RFC 7932, RFC 8878) by name. */
#ifndef SLUICE_PROTO_CODING_H
#define SLUICE_PROTO_CODING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define CODING_MAX 4 /* a longer stack is treated as unknown */

enum coding {
	CODING_UNKNOWN,
	CODING_GZIP,	/* also x-gzip */
	CODING_DEFLATE, /* zlib (RFC 1950), and raw deflate that some send */
	CODING_BR,
	CODING_ZSTD,
	CODING_COUNT
};

/* In the order they were applied: the last one is undone first. */
struct coding_list {
	uint8_t coding[CODING_MAX]; /* enum coding */
	uint8_t count;
	bool unknown; /* one of them is unknown, or there are too many */
};

/* The coding that a token names, without regard to case. */
enum coding coding_of(struct str token);
const char *coding_name(enum coding c);
/*
 * Add the members of one Content-Encoding value. "identity", the "none" and
 * "utf-8" of some servers, and empty members add nothing.
 */
void coding_list_add(struct coding_list *list, struct str value);

#endif
