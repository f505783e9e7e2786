/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Message heads as the gateway forwards them: the received fields in their
 * order and spelling, less those meant for one connection only (RFC 9110
 * 7.6.1), plus what frames the message on the next connection. Pure.
 */
#ifndef SLUICE_PROTO_HTTP1_WRITE_H
#define SLUICE_PROTO_HTTP1_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/http1.h"

/* How the message is framed on the connection that it is written to. */
struct http1_out {
	enum http1_framing framing;
	uint64_t length;    /* HTTP1_BODY_LENGTH */
	bool keep_alive;    /* else "Connection: close" */
	bool upgrade;	    /* keep Upgrade and "Connection: upgrade" */
	bool drop_range;    /* leave out Range and If-Range */
	bool limit_codings; /* cut Accept-Encoding to what we decode */
	bool drop_expect;   /* leave out Expect */
};

/*
 * Both return false, with @b as it was, when @b has no room. A request is
 * written as HTTP/1.1 in origin-form (asterisk-form stays) with exactly one
 * Host field, the one the target names; a response as HTTP/1.1 with its status
 * and reason. HTTP1_BODY_LENGTH writes Content-Length, HTTP1_BODY_CHUNKED
 * Transfer-Encoding; HTTP1_BODY_NONE on a response keeps a received
 * Content-Length (HEAD, 304).
 */
bool http1_write_request(struct buf *b, const struct http1_request *req,
			 const struct http1_out *out);
bool http1_write_response(struct buf *b, const struct http1_response *res,
			  const struct http1_out *out);

#endif
