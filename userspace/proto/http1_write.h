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

struct http1_part;

/* How the message is framed on the connection that it is written to. */
struct http1_out {
	enum http1_framing framing;
	uint64_t length;    /* HTTP1_BODY_LENGTH */
	bool keep_alive;    /* else "Connection: close" */
	bool upgrade;	    /* keep Upgrade and "Connection: upgrade" */
	bool drop_range;    /* leave out Range and If-Range */
	bool limit_codings; /* cut Accept-Encoding to what we decode */
	bool drop_expect;   /* leave out Expect */
	/*
	 * Responses: the client speaks HTTP/1.0, so keep_alive has to be said
	 * ("Connection: keep-alive"). Such a client can't read chunks: @framing
	 * must be another.
	 */
	bool http10_peer;
	/*
	 * Responses: the body is this part of the content, or the part is empty
	 * and can't be had: Content-Range says so. The caller chooses @framing,
	 * status and reason accordingly.
	 */
	const struct http1_part *part;
};

/*
 * Both return false, with @b as it was, when @b has no room. A request is
 * written as HTTP/1.1 in origin-form (asterisk-form stays) with exactly one
 * Host field, the one the target names: where the first one stood, or first. A
 * request without one (HTTP/1.0) gets an empty Host, which most servers refuse:
 * the caller should set req->host to the address that it dials. A response is
 * written as HTTP/1.1 with its status and reason.
 *
 * HTTP1_BODY_LENGTH writes Content-Length, HTTP1_BODY_CHUNKED
 * Transfer-Encoding, in place of the field that framed the message before, or
 * last; HTTP1_BODY_NONE on a response keeps a received Content-Length (HEAD,
 * 304). 1xx and 204 get neither, whatever @out says. HTTP1_BODY_CLOSE is
 * never keep_alive. Trailer stays only where chunks do. With a part, digests of
 * the content (RFC 9530 2, Content-MD5) are left out: they were of all of it.
 *
 * TE is dropped like every field for one hop: an origin server then may not
 * send trailers that matter, which is all that "TE: trailers" could ask for.
 * HTTP2-Settings is dropped with it, also where Upgrade is kept: without it no
 * server may switch to h2c (RFC 7540 3.2.1), a protocol that we can't read.
 * Where @upgrade is set, "Connection: upgrade" is all that is said about the
 * connection.
 */
bool http1_write_request(struct buf *b, const struct http1_request *req,
			 const struct http1_out *out);
bool http1_write_response(struct buf *b, const struct http1_response *res,
			  const struct http1_out *out);

#endif
