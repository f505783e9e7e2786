/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a head's fields say about its body and its connection (RFC 9112 6, 9).
 * Internal to proto/.
 */
#ifndef SLUICE_PROTO_HTTP1_FRAMING_H
#define SLUICE_PROTO_HTTP1_FRAMING_H

#include "proto/http1.h"

/* Connection options looked at in one head; more than any sender needs. */
#define HTTP1_OPTIONS_MAX 64

/*
 * Fill in what follows from line and fields. A length or a coding that is
 * malformed or contradicted is refused in every message, also where it wouldn't
 * count: the next recipient may not know that it doesn't.
 */
enum http1_error http1_settle_request(struct http1_request *req);
enum http1_error http1_settle_response(struct http1_response *res,
				       enum http1_method method);

#endif
