/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP/1.0 and 1.1 message heads (RFC 9112, RFC 9110). Pure: bytes in, a
 * description with views into those bytes out; no allocation, I/O or clock.
 *
 * Strict about whatever two recipients could frame differently (see enum
 * http1_error), tolerant about the rest. What a caller does with an error:
 * 400 to the client for a request, a 502 page for a response.
 *
 * Refused though RFC 9112 lets a recipient take it: a tab beside the value of
 * Content-Length or Transfer-Encoding (5.1: not every recipient strips it); in
 * a request a bare LF as line end too (2.2: who doesn't take it sees one line
 * where others see two), Content-Length given twice with one value (6.3), and
 * more than four empty lines before it. Taken though RFC 9112 has no place for
 * it: bytes above ASCII and characters like "|" in a target, as browsers send.
 *
 * Of a response more is taken, because servers need it and clients do the same:
 * lines that end in LF alone, white space before a colon (RFC 9112 5.1), one
 * length said again (RFC 9110 8.6), "chunked" said again, "identity" before it
 * or alone. What a client gets is written anew from what was read here, so
 * there is no second reading; what clients read in two ways stays refused.
 */
#ifndef SLUICE_PROTO_HTTP1_H
#define SLUICE_PROTO_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "proto/coding.h"

/* More fields than any configuration may allow. */
#define HTTP1_FIELDS_MAX 256

enum http1_error {
	HTTP1_OK,
	/*
	 * The first bytes, or the first line, can't start a message: no server,
	 * however lenient, would take them for HTTP, so policy may let the
	 * connection pass.
	 */
	HTTP1_NOT_HTTP,
	HTTP1_LINE_TOO_LONG,
	HTTP1_HEAD_TOO_LONG,
	HTTP1_TOO_MANY_FIELDS,
	HTTP1_BAD_LINE,	   /* request or status line */
	HTTP1_BAD_VERSION, /* not HTTP/1.x */
	HTTP1_BAD_METHOD,
	HTTP1_BAD_TARGET,
	HTTP1_BAD_STATUS,
	HTTP1_BARE_CR,	 /* CR not followed by LF */
	HTTP1_NUL,	 /* NUL or another control in a field value */
	HTTP1_BAD_FIELD, /* no colon, empty or illegal name */
	HTTP1_SPACE_BEFORE_COLON,
	HTTP1_FOLDED,  /* obs-fold (RFC 9112 5.2) */
	HTTP1_NO_HOST, /* HTTP/1.1 request without Host */
	HTTP1_SEVERAL_HOSTS,
	HTTP1_BAD_HOST,
	HTTP1_BAD_LENGTH,	   /* Content-Length not one run of digits */
	HTTP1_SEVERAL_LENGTHS,	   /* that differ; in a request even if equal */
	HTTP1_LENGTH_AND_CODING,   /* Content-Length and Transfer-Encoding */
	HTTP1_BAD_TRANSFER_CODING, /* anything but "chunked" */
	HTTP1_BAD_CHUNK_SIZE,
	HTTP1_BAD_CHUNK, /* data not followed by CRLF */
	HTTP1_BAD_TRAILER,
	HTTP1_ERROR_COUNT
};

/* "length_and_coding", ...: the word for logs and events. */
const char *http1_error_name(enum http1_error e);

enum http1_method {
	HTTP1_GET,
	HTTP1_HEAD,
	HTTP1_POST,
	HTTP1_PUT,
	HTTP1_DELETE,
	HTTP1_CONNECT,
	HTTP1_OPTIONS,
	HTTP1_TRACE,
	HTTP1_PATCH,
	HTTP1_OTHER /* any other token */
};

/* RFC 9112 3.2 */
enum http1_target_form {
	HTTP1_ORIGIN_FORM,
	HTTP1_ABSOLUTE_FORM,
	HTTP1_AUTHORITY_FORM,
	HTTP1_ASTERISK_FORM
};

/* Fields that the gateway acts on; all others are HTTP1_F_OTHER. */
enum http1_field_id {
	HTTP1_F_OTHER,
	HTTP1_F_ACCEPT_ENCODING,
	HTTP1_F_CONNECTION,
	HTTP1_F_CONTENT_DIGEST,
	HTTP1_F_CONTENT_DISPOSITION,
	HTTP1_F_CONTENT_ENCODING,
	HTTP1_F_CONTENT_LENGTH,
	HTTP1_F_CONTENT_MD5,
	HTTP1_F_CONTENT_RANGE,
	HTTP1_F_CONTENT_TYPE,
	HTTP1_F_DATE,
	HTTP1_F_ETAG,
	HTTP1_F_EXPECT,
	HTTP1_F_HOST,
	HTTP1_F_HTTP2_SETTINGS,
	HTTP1_F_IF_RANGE,
	HTTP1_F_KEEP_ALIVE,
	HTTP1_F_LAST_MODIFIED,
	HTTP1_F_PROXY_CONNECTION,
	HTTP1_F_RANGE,
	HTTP1_F_TE,
	HTTP1_F_TRAILER,
	HTTP1_F_TRANSFER_ENCODING,
	HTTP1_F_UPGRADE,
	HTTP1_F_USER_AGENT,
	HTTP1_F_COUNT
};

struct http1_field {
	struct str name;
	struct str value; /* trimmed */
	enum http1_field_id id;
	/*
	 * Meant for this connection only (RFC 9110 7.6.1): the standard ones
	 * and those that Connection names. A field that frames or addresses
	 * the message (Host, Content-Length, Content-Type, Content-Encoding,
	 * Range, ...) is never dropped because Connection names it.
	 */
	bool hop;
};

enum http1_framing {
	HTTP1_BODY_NONE,
	HTTP1_BODY_LENGTH, /* @length bytes follow */
	HTTP1_BODY_CHUNKED,
	HTTP1_BODY_CLOSE /* until the connection ends (responses only) */
};

struct http1_limits {
	size_t max_line; /* request or status line without its CRLF */
	size_t max_head; /* all of it, with empty lines before and after */
	unsigned int max_fields; /* at most HTTP1_FIELDS_MAX */
};

/* What requests and responses have in common. */
struct http1_head {
	struct http1_field fields[HTTP1_FIELDS_MAX];
	unsigned int nfields;
	unsigned int minor; /* HTTP/1.minor; above 1 reads as 1 */
	enum http1_framing framing;
	/*
	 * HTTP1_BODY_LENGTH: body bytes. HTTP1_BODY_NONE in a response: what
	 * its Content-Length says all the same.
	 */
	uint64_t length;
	bool keep_alive; /* the sender allows another message after it */
	bool upgrade;	 /* Connection: upgrade together with Upgrade */
	struct coding_list codings; /* Content-Encoding, in order applied */
};

struct http1_request {
	struct http1_head head;
	enum http1_method method;
	struct str method_text;
	struct str target; /* as received */
	enum http1_target_form form;
	/*
	 * Authority the request is for (RFC 9112 3.3), with its port if it has
	 * one: from the absolute-form or CONNECT, else from Host. "" when
	 * neither has one: HTTP/1.0 without Host, OPTIONS * with an empty one.
	 */
	struct str host;
	/*
	 * Path and query as received: they start with "/", but for "*", for an
	 * absolute-form that has a query and no path ("?query"), and for
	 * CONNECT (""). "/" where the absolute-form has neither. A "#" is a
	 * character like any other.
	 */
	struct str path;
	bool expect_continue;
	bool host_differs; /* target and Host disagree; the target wins */
};

struct http1_response {
	struct http1_head head;
	unsigned int status; /* 100..999 */
	struct str reason;
};

/*
 * Parse one head at the start of @data. Returns the bytes it takes (> 0), 0
 * when more are needed, or -enum http1_error. @seen is the length that an
 * earlier call on the same bytes returned 0 for (0 at first): the search for
 * the end of the head goes on from there, so a head that comes byte by byte
 * costs no more than one that comes whole. Empty lines before a request line
 * are skipped (RFC 9112 2.2) and counted in the result. @out is initialised
 * first and valid only when the result is > 0; its views point into @data,
 * which may be NULL when @len is 0.
 *
 * An error is told as soon as the line with it is complete, NOT_HTTP and a
 * limit as soon as the bytes show it; only the number of fields and what
 * concerns the head as a whole (Host, framing) wait for its end. However the
 * bytes are cut into calls, the answer is the same.
 */
ptrdiff_t http1_parse_request(const uint8_t *data, size_t len, size_t seen,
			      const struct http1_limits *limits,
			      struct http1_request *out);

/*
 * The same for a response to @method. Framing follows RFC 9112 6.3: no body
 * for HEAD, 1xx, 204, 304 and 2xx to CONNECT, whatever well-formed fields say;
 * else chunked, length or close. A 1xx other than 101 is followed by another
 * head. A 1xx or 204 that announces a body all the same is not keep_alive: its
 * sender may go on to send one.
 */
ptrdiff_t http1_parse_response(const uint8_t *data, size_t len, size_t seen,
			       const struct http1_limits *limits,
			       enum http1_method method,
			       struct http1_response *out);

/* The first field @id at or after index @from, or NULL. */
const struct http1_field *http1_field_next(const struct http1_head *head,
					   enum http1_field_id id,
					   unsigned int from);
static inline const struct http1_field *
http1_field(const struct http1_head *head, enum http1_field_id id)
{
	return http1_field_next(head, id, 0);
}

#endif
