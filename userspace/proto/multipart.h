/* SPDX-License-Identifier: GPL-2.0-or-later */
/* multipart/form-data bodies (RFC 7578, RFC 2046 5.1) split into their parts. */
#ifndef SLUICE_PROTO_MULTIPART_H
#define SLUICE_PROTO_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define MULTIPART_BOUNDARY_MAX 70 /* RFC 2046 5.1.1 */

/*
 * The boundary of a Content-Type value that is multipart/form-data. False when
 * it is another type; true with an empty @boundary when it is that type but
 * the parameter is missing, malformed, repeated or too long. So is a boundary
 * that holds a quoted pair, is cut up as RFC 2231 has it, has a comma outside
 * quotes, or is mentioned by another parameter: servers read those in different
 * ways.
 */
bool multipart_boundary(struct str content_type, struct str *boundary);

struct multipart_part {
	struct str fields; /* the part's header section */
	struct str data;
	/* Content-Transfer-Encoding of the part; deprecated, but decoded. */
	enum {
		MULTIPART_IDENTITY, /* none, 7bit, 8bit, binary */
		MULTIPART_BASE64,
		MULTIPART_QUOTED_PRINTABLE,
		MULTIPART_UNKNOWN
	} encoding;
};

enum multipart_result {
	MULTIPART_PART, /* @part is the next part */
	MULTIPART_END,	/* the close delimiter was found */
	MULTIPART_BAD	/* no delimiter, a part without an end, ... */
};

/*
 * Walk over a whole body in memory; @offset starts at 0 and is kept by it.
 *
 * Strict, because a part that we don't see isn't scanned: "--" and the boundary
 * are refused wherever they are no delimiter on a line of its own (after a bare
 * LF, in the middle of a line, followed by more text, after the close
 * delimiter). No sender's boundary occurs in its data. Lines end in CRLF, and
 * a part's fields obey the rules of http1.h.
 */
enum multipart_result multipart_next(struct str body, struct str boundary,
				     size_t *offset,
				     struct multipart_part *part);

#endif
