/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One message body on its way from one side of a session to the other.
 *
 * Passed on: bytes go straight through, by splice(2) where there are many,
 * with their framing checked on the way. Stored: they go into an object, and
 * leave it as far as they were released. A stored transfer can turn into one
 * that passes on; what is stored leaves first. Of either a part may be all that
 * is sent.
 *
 * The framing on the way out is the one on the way in, but for a chunked body
 * to an HTTP/1.0 client, which ends with the connection, and for a part, which
 * has a length.
 */
#ifndef SLUICE_PROXY_TRANSFER_H
#define SLUICE_PROXY_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/chunked.h"
#include "proto/http1.h"
#include "proxy/object.h"
#include "proxy/side.h"

/* Released to the end: only then is the body ended on the way out. */
#define TRANSFER_ALL UINT64_MAX

struct transfer {
	struct side *from;
	struct side *to;
	enum http1_framing in;
	enum http1_framing out;
	uint64_t left; /* HTTP1_BODY_LENGTH: bytes still to come */
	struct chunked chunked;
	char *trailers;	       /* of a chunked body, to pass on */
	uint64_t received;     /* bytes of content so far */
	uint64_t first;	       /* bytes of content before it are left out, */
	uint64_t end;	       /* and those from here; TRANSFER_ALL: none */
	uint64_t sent;	       /* content up to here left or was left out */
	uint64_t chunk_left;   /* of the chunk that is being written */
	bool chunk_open;       /* a chunk was begun and not ended yet */
	struct object *object; /* what is stored; NULL: nothing is */
	uint64_t release;      /* how much of it may leave */
	bool passing;	       /* new bytes are not stored (any more) */
	bool in_done;	       /* all of it was received */
	bool out_done;	       /* and all of it is in @to's buffers */
	enum http1_error bad;  /* the framing was broken */
	int error;	       /* -errno of @from; -ECONNRESET: it was cut */
};

/*
 * Begin with a body that is framed as @in (@length bytes). Bytes are passed on
 * when @object is NULL; else it is the transfer's from now on.
 */
void transfer_start(struct transfer *t, struct side *from, struct side *to,
		    enum http1_framing in, uint64_t length,
		    enum http1_framing out, struct object *object);
/* Free what it holds; harmless on one that never started. */
void transfer_end(struct transfer *t);
/*
 * Of the content only bytes [@first, @end) are sent, framed by their length;
 * none at all when @end is @first. Call it before anything is sent.
 */
void transfer_cut(struct transfer *t, uint64_t first, uint64_t end);
/* Everything stored may leave, and what comes is not stored any more. */
void transfer_stop_storing(struct transfer *t);

/* Receive into the object what is there, at most @budget bytes. Progress? */
bool transfer_store(struct transfer *t, uint64_t budget);
/*
 * Send what is released and, when passing, pass on what is there, at most
 * about @budget bytes. Progress?
 */
bool transfer_send(struct transfer *t, uint64_t budget);

/* Whether all of a LENGTH body is in from->in already. */
bool transfer_at_hand(const struct transfer *t);

#endif
