/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chunked transfer coding (RFC 9112 7.1), decoded step by step wherever the
 * input happens to be cut. Strict: a size is 1*HEXDIG without sign, prefix or,
 * unless it is padded, white space, and fits 63 bits; lines end in CRLF;
 * extensions are checked for control characters, bounded and dropped; trailers
 * are fields by the rules of http1.h for requests, and those that frame or
 * address a message are refused.
 */
#ifndef SLUICE_PROTO_CHUNKED_H
#define SLUICE_PROTO_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "proto/http1.h"

#define CHUNKED_LINE_MAX     1024 /* size line with its extensions and CRLF */
/* All trailers together where there is no memory to keep them in. */
#define CHUNKED_TRAILERS_MAX (64 * CHUNKED_LINE_MAX)

enum chunked_state {
	CHUNKED_SIZE,
	CHUNKED_PADDING,
	CHUNKED_EXTENSION,
	CHUNKED_SIZE_LF,
	CHUNKED_DATA,
	CHUNKED_DATA_CR,
	CHUNKED_DATA_LF,
	CHUNKED_TRAILER, /* at the start of a trailer line */
	CHUNKED_TRAILER_NAME,
	CHUNKED_TRAILER_VALUE,
	CHUNKED_TRAILER_LF,
	CHUNKED_END_LF,
	CHUNKED_DONE
};

struct chunked {
	enum chunked_state state;
	/*
	 * White space may follow a size: old servers leave room for eight
	 * digits (RFC 9112 7.1.1 calls it bad white space). For the caller
	 * to set after chunked_init(), where nobody else reads these bytes.
	 */
	bool padded;
	uint64_t left;	      /* bytes of the present chunk's data to come */
	uint32_t digits;      /* of the size line so far */
	uint32_t line;	      /* bytes of the present line so far */
	uint32_t trailer_len; /* bytes of trailers so far, their CRLFs too */
	uint32_t trailer_size;
	char *trailers; /* caller's memory: "name: value\r\n"... */
	uint32_t name_len;
	/* As much of the trailer's name as tells whether it is allowed. */
	char name[24];
};

/* One step's result. */
struct chunked_step {
	size_t used;	 /* bytes of the input this step took */
	struct str data; /* chunk data among them, at most one piece */
	enum http1_error error;
};

/*
 * @trailers may be NULL with @size 0: then trailers are checked and dropped,
 * each line at most CHUNKED_LINE_MAX bytes, all of them CHUNKED_TRAILERS_MAX. A
 * trailer section larger than @size is HTTP1_BAD_TRAILER. After an error
 * @c must not be fed again.
 */
void chunked_init(struct chunked *c, char *trailers, uint32_t size);

/*
 * Take one step into @data: framing bytes and then at most one piece of chunk
 * data. Call again with the rest until used == 0 (more input is needed),
 * error, or c->state == CHUNKED_DONE. While c->state is CHUNKED_DATA the next
 * c->left bytes of the stream are data, which the caller may move itself
 * (splice) and report with chunked_skip().
 */
struct chunked_step chunked_feed(struct chunked *c, const uint8_t *data,
				 size_t len);
/* @n <= c->left bytes of data went by outside chunked_feed(). */
void chunked_skip(struct chunked *c, uint64_t n);

#endif
