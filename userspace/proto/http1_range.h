/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of bytes (RFC 9110 14) and the condition on one (13.1.5). Pure.
 *
 * Whoever is asked for a range may always answer with the whole (14.2), so that
 * is what every doubt comes to: another unit, several ranges, one that is
 * malformed, a field that is there twice, a validator that is not strong.
 */
#ifndef SLUICE_PROTO_HTTP1_RANGE_H
#define SLUICE_PROTO_HTTP1_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/http1.h"

/* As it was asked for, before anybody knows how large the whole is. */
struct http1_range {
	bool suffix;	/* the last @last bytes; @first means nothing */
	uint64_t first; /* offset of the first byte */
	uint64_t last;	/* of the last one; UINT64_MAX: to the end */
};

/* Bytes [@first, @end) of @total; none at all when no byte is where asked. */
struct http1_part {
	uint64_t first;
	uint64_t end;
	uint64_t total;
};

/*
 * The one range that the value of a Range field asks for. False when the field
 * is to be ignored. A number beyond 64 bits reads as the largest there is: no
 * object has a byte there.
 */
bool http1_range_parse(struct str value, struct http1_range *range);

/*
 * The range that @req asks for (GET only, RFC 9110 14.2), and the value of its
 * If-Range in @condition, a view; {NULL, 0} when it has none. False when it is
 * to be answered with the whole.
 */
bool http1_range_of(const struct http1_request *req, struct http1_range *range,
		    struct str *condition);

/*
 * Where @range lies in @total bytes. False when no byte of it does: @part is
 * empty then, for a 416.
 */
bool http1_range_resolve(const struct http1_range *range, uint64_t total,
			 struct http1_part *part);

/*
 * Whether the response with this @head has the validator that If-Range names:
 * the same strong entity tag, or exactly the same date of modification.
 */
bool http1_if_range_holds(struct str condition, const struct http1_head *head);

#endif
