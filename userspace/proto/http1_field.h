/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One field line (RFC 9112 5). Internal to proto/. */
#ifndef SLUICE_PROTO_HTTP1_FIELD_H
#define SLUICE_PROTO_HTTP1_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/http1.h"

/* The longest name that http1_field_id_of() knows: Content-Disposition. */
#define HTTP1_KNOWN_NAME_MAX 19

/* The id of a name that is a token; HTTP1_F_OTHER for those without one. */
enum http1_field_id http1_field_id_of(struct str name);

/* True for what RFC 9110 7.6.1 takes off at every hop, named or not. */
bool http1_field_is_hop(enum http1_field_id id);

/*
 * Parse the field line at @p into @f. Returns the bytes it takes with its CRLF,
 * 0 when its LF is not within [p, end), or -enum http1_error. A line is judged
 * only once its LF is there, so the answer depends on the bytes and never on
 * how they were cut into reads. @lenient: white space before the colon is
 * skipped, and an LF alone ends the line.
 */
ptrdiff_t http1_field_parse(const char *p, const char *end, bool lenient,
			    struct http1_field *f);

#endif
