// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proxy/relay.h"
#include "proxy/session.h"

/* Fewer bytes than this are copied: cheaper than two splice(2) calls. */
#define SPLICE_MIN   (32u << 10)
#define TRAILERS_MAX (8u << 10)
/* Room that the head of a chunk and the end of the one before it need. */
#define CHUNK_FRAME  32
/* Released bytes up to this many are copied behind what waits already. */
#define COPY_MAX     (8u << 10)

static struct relay *relay_of(const struct transfer *t)
{
	return t->from->session->relay;
}

void transfer_start(struct transfer *t, struct side *from, struct side *to,
		    enum http1_framing in, uint64_t length,
		    enum http1_framing out, struct object *object)
{
	memset(t, 0, sizeof(*t));
	t->from = from;
	t->to = to;
	t->in = in;
	t->out = out;
	t->left = length;
	t->end = TRANSFER_ALL;
	t->object = object;
	t->passing = object == NULL;
	t->in_done = in == HTTP1_BODY_NONE ||
		     (in == HTTP1_BODY_LENGTH && length == 0);
	if (in == HTTP1_BODY_CHUNKED) {
		/* Without memory for them trailers are dropped (RFC 9110 6.5) */
		if (out == HTTP1_BODY_CHUNKED)
			t->trailers = pool_get(&relay_of(t)->buffers);
		chunked_init(&t->chunked, t->trailers,
			     t->trailers != NULL ? TRAILERS_MAX : 0);
		t->chunked.padded = from == &from->session->server;
	}
}

void transfer_end(struct transfer *t)
{
	if (t->from == NULL)
		return;
	if (t->trailers != NULL)
		pool_put(&relay_of(t)->buffers, t->trailers);
	object_free(t->object);
	memset(t, 0, sizeof(*t));
}

void transfer_cut(struct transfer *t, uint64_t first, uint64_t end)
{
	t->first = first;
	t->end = end;
	t->sent = first;
	t->out = HTTP1_BODY_LENGTH;
}

bool transfer_at_hand(const struct transfer *t)
{
	return t->in == HTTP1_BODY_LENGTH && t->left <= buf_len(&t->from->in);
}

/* --- receiving: framing -------------------------------------------- */

static void fail(struct transfer *t, int error)
{
	if (t->error == 0)
		t->error = error;
}

/* The sender sends no more: the end of the body, or the body was cut. */
static void at_end(struct transfer *t)
{
	if (t->in == HTTP1_BODY_CLOSE)
		t->in_done = true;
	else if (!t->in_done)
		fail(t, -ECONNRESET);
}

/* Content that went by, however it went. */
static void count(struct transfer *t, uint64_t n)
{
	t->received += n;
	if (t->in == HTTP1_BODY_LENGTH) {
		t->left -= n;
		t->in_done = t->left == 0;
	}
}

/*
 * The next piece of content in @from's buffer, at most @max bytes, with the
 * framing before it consumed; empty when there is none.
 */
static struct str next_piece(struct transfer *t, size_t max)
{
	struct buf *in = &t->from->in;
	size_t n = buf_len(in) < max ? buf_len(in) : max;
	struct str piece = {NULL, 0};
	struct chunked_step step;

	/* Then there need not even be a buffer. */
	if (n == 0 || t->in_done)
		return piece;
	piece = (struct str){(const char *)buf_head(in), n};
	if (t->in == HTTP1_BODY_LENGTH && piece.len > t->left)
		piece.len = (size_t)t->left;
	if (t->in != HTTP1_BODY_CHUNKED) {
		buf_consume(in, piece.len);
		count(t, piece.len);
		return piece;
	}
	do {
		step = chunked_feed(&t->chunked, buf_head(in), n);
		t->bad = step.error;
		buf_consume(in, step.used);
		n -= step.used;
		t->in_done = t->chunked.state == CHUNKED_DONE;
	} while (step.data.len == 0 && step.used > 0 && n > 0 &&
		 t->bad == HTTP1_OK && !t->in_done);
	count(t, step.data.len);
	return step.data;
}

/* Content bytes that may be taken from the socket itself, past the buffer. */
static uint64_t direct_bytes(const struct transfer *t)
{
	if (t->in_done || buf_len(&t->from->in) > 0)
		return 0;
	switch (t->in) {
	case HTTP1_BODY_LENGTH:
		return t->left;
	case HTTP1_BODY_CHUNKED:
		return t->chunked.state == CHUNKED_DATA ? t->chunked.left : 0;
	case HTTP1_BODY_CLOSE:
		return UINT64_MAX;
	default:
		return 0;
	}
}

static void took_direct(struct transfer *t, uint64_t n)
{
	if (t->in == HTTP1_BODY_CHUNKED)
		chunked_skip(&t->chunked, n);
	count(t, n);
}

/* More bytes into the buffer. False when there are none now. */
static bool fill(struct transfer *t)
{
	ssize_t n = side_receive(t->from);

	if (n < 0 && n != -ENOBUFS)
		fail(t, (int)n);
	else if (n == 0 && t->from->rd_closed)
		at_end(t);
	return n > 0;
}

/* Content from the socket itself into memory. Bytes, or <= 0 when none came. */
static ssize_t receive_direct(struct transfer *t, uint8_t *p, size_t size)
{
	ssize_t n = side_receive_into(t->from, p, size);

	if (n < 0)
		fail(t, (int)n);
	else if (n == 0 && t->from->rd_closed)
		at_end(t);
	else if (n > 0)
		took_direct(t, (uint64_t)n);
	return n;
}

/* --- storing ------------------------------------------------------- */

/* Straight from the socket into the object, hashed while it is hot. */
static bool store_direct(struct transfer *t, uint64_t max)
{
	struct relay *r = relay_of(t);
	size_t room;
	uint8_t *p = object_room(t->object, &room);
	bool scratch = p == NULL;
	ssize_t n;

	if (scratch) {
		p = r->scratch;
		room = RELAY_SCRATCH;
	}
	n = receive_direct(t, p, room < max ? room : (size_t)max);
	if (n <= 0)
		return false;
	if (scratch)
		object_append(t->object, p, (size_t)n);
	else
		object_produced(t->object, (size_t)n);
	return true;
}

static bool stored_enough(const struct transfer *t, uint64_t until)
{
	return t->in_done || t->error != 0 || t->bad != HTTP1_OK ||
	       t->object->error != 0 || t->received >= until;
}

bool transfer_store(struct transfer *t, uint64_t budget)
{
	uint64_t before = t->received;
	uint64_t until = before + budget;

	while (!stored_enough(t, until)) {
		struct str piece = next_piece(t, RELAY_BUFFER);
		uint64_t direct = direct_bytes(t);

		if (piece.len > 0)
			object_append(t->object, (const uint8_t *)piece.p,
				      piece.len);
		else if (direct >= OBJECT_BLOCK / 4 ? !store_direct(t, direct)
						    : !fill(t))
			break;
	}
	return t->received > before;
}

void transfer_stop_storing(struct transfer *t)
{
	t->release = TRANSFER_ALL;
	t->passing = true;
}

/* --- sending: framing ---------------------------------------------- */

static void put(struct side *to, const char *p, size_t n)
{
	/* The caller made room. */
	(void)buf_append(&to->out, p, n);
}

/*
 * Room for @n bytes of content and the framing around them, behind everything
 * that was put there before: bytes in the pipe go first. False only when the
 * socket takes no more, so that its next event is the time to go on.
 */
static bool out_ready(struct transfer *t, size_t n)
{
	struct side *to = t->to;
	size_t want = n + 2 * CHUNK_FRAME;

	if (to->pipe != NULL && to->pipe->len > 0 && side_flush(to) != 0)
		return false;
	if (!side_out_room(to, want) &&
	    (side_flush(to) != 0 || !side_out_room(to, want)))
		return false;
	if (t->chunk_open && t->chunk_left == 0) {
		put(to, "\r\n", 2);
		t->chunk_open = false;
	}
	return true;
}

/* In a chunked body the next @n bytes are a chunk. */
static void open_chunk(struct transfer *t, uint64_t n)
{
	char head[24];
	int len;

	if (t->out != HTTP1_BODY_CHUNKED || t->chunk_open)
		return;
	len = snprintf(head, sizeof(head), "%llx\r\n", (unsigned long long)n);
	put(t->to, head, (size_t)len);
	t->chunk_left = n;
	t->chunk_open = true;
}

static void took_out(struct transfer *t, uint64_t n)
{
	t->sent += n;
	if (t->chunk_open)
		t->chunk_left -= n;
}

/* All content is out: what the framing says after it. */
static bool close_body(struct transfer *t)
{
	size_t trailers = t->trailers != NULL ? t->chunked.trailer_len : 0;

	if (t->out_done || !out_ready(t, trailers))
		return false;
	if (t->out == HTTP1_BODY_CHUNKED) {
		put(t->to, "0\r\n", 3);
		put(t->to, t->trailers, trailers);
		put(t->to, "\r\n", 2);
	}
	t->out_done = true;
	return true;
}

/* --- releasing ----------------------------------------------------- */

/* Small: behind the head in the buffer, so that both leave in one packet. */
static bool release_copied(struct transfer *t, uint64_t n)
{
	const uint8_t *bytes = object_bytes(t->object);

	if (bytes == NULL || n > COPY_MAX || !out_ready(t, (size_t)n))
		return false;
	open_chunk(t, n);
	put(t->to, (const char *)bytes + t->sent, (size_t)n);
	took_out(t, n);
	return true;
}

/* One send of released bytes, as many as the kernel takes. Progress? */
static bool release_some(struct transfer *t, uint64_t until)
{
	struct side *to = t->to;
	uint64_t n = until - t->sent;
	ssize_t done;

	if (!t->chunk_open && release_copied(t, n))
		return true;
	if (!out_ready(t, 0))
		return false;
	open_chunk(t, n);
	if (t->chunk_open && n > t->chunk_left)
		n = t->chunk_left;
	if (side_flush(to) != 0 || !to->writable)
		return false;
	done = object_send(t->object, to->lfd.fd, t->sent, t->sent + n,
			   t->chunk_open && t->in_done);
	side_sent(to, done);
	if (done <= 0)
		return false;
	took_out(t, (uint64_t)done);
	return true;
}

/* How much of what is stored is to leave once all of it may. */
static uint64_t stored_until(const struct transfer *t)
{
	return t->end < t->object->size ? t->end : t->object->size;
}

static bool release(struct transfer *t)
{
	uint64_t all = stored_until(t);
	uint64_t until = t->release < all ? t->release : all;
	uint64_t before = t->sent;

	while (t->sent < until && release_some(t, until))
		;
	return t->sent > before;
}

/* --- passing on ---------------------------------------------------- */

/* Content before the part that is sent is read and forgotten. Progress? */
static bool skip(struct transfer *t)
{
	size_t before = buf_len(&t->from->in);
	uint64_t direct = direct_bytes(t);
	uint64_t n = t->first - t->received;

	if (n > RELAY_SCRATCH)
		n = RELAY_SCRATCH;
	if (before > 0)
		return next_piece(t, (size_t)n).len > 0 ||
		       buf_len(&t->from->in) < before;
	if (direct == 0)
		return fill(t);
	if (n > direct)
		n = direct;
	return receive_direct(t, relay_of(t)->scratch, (size_t)n) > 0;
}

/*
 * Content after the part, as far as it is at hand. If that is all, the
 * connection can be used for the next exchange.
 */
static void skip_rest(struct transfer *t)
{
	while (next_piece(t, RELAY_BUFFER).len > 0)
		;
}

/* Copy one piece from buffer to buffer. Progress? */
static bool pass_piece(struct transfer *t)
{
	struct side *to = t->to;
	struct str piece;
	size_t before, room;

	if (!out_ready(t, 2 * CHUNK_FRAME))
		return false;
	room = buf_room(&to->out) - 2 * CHUNK_FRAME;
	if (t->chunk_open && room > t->chunk_left)
		room = (size_t)t->chunk_left;
	if (room > t->end - t->sent)
		room = (size_t)(t->end - t->sent);
	before = buf_len(&t->from->in);
	piece = next_piece(t, room);
	if (piece.len == 0) /* only framing was there, if anything */
		return t->in_done || buf_len(&t->from->in) < before;
	open_chunk(t, piece.len);
	put(to, piece.p, piece.len);
	took_out(t, piece.len);
	return true;
}

/* A long run of @n bytes goes from socket to socket through a pipe. */
static bool pass_spliced(struct transfer *t, uint64_t n)
{
	struct side *to = t->to;
	ssize_t moved;

	if (t->chunk_left == 0 && t->out == HTTP1_BODY_CHUNKED) {
		if (!out_ready(t, 0))
			return false;
		open_chunk(t, n);
	}
	moved = side_splice(t->from, to, n < PIPE_SIZE ? (size_t)n : PIPE_SIZE);
	if (moved == -ENOBUFS && to->pipe == NULL)
		return fill(t); /* no pipe to be had: copy */
	if (moved == -ENOBUFS)
		return true; /* the pipe is full: sending it makes room */
	if (moved < 0)
		fail(t, (int)moved);
	else if (moved == 0 && t->from->rd_closed)
		at_end(t);
	if (moved <= 0)
		return false;
	took_direct(t, (uint64_t)moved);
	took_out(t, (uint64_t)moved);
	return true;
}

/* As long as the receiver keeps up: nothing is read for one that doesn't. */
static bool may_pass(const struct transfer *t, uint64_t until)
{
	return !t->in_done && t->error == 0 && t->bad == HTTP1_OK &&
	       t->received < until && t->sent < t->end;
}

static bool pass_step(struct transfer *t)
{
	uint64_t direct = direct_bytes(t);

	if (t->received < t->first)
		return skip(t);
	if (direct > t->end - t->sent)
		direct = t->end - t->sent;
	if (buf_len(&t->from->in) > 0)
		return pass_piece(t);
	if (direct >= SPLICE_MIN)
		return pass_spliced(t, direct);
	return fill(t);
}

static bool pass(struct transfer *t, uint64_t budget)
{
	uint64_t before = t->received;
	uint64_t until = before + budget;

	while (may_pass(t, until)) {
		bool moved = pass_step(t);

		/* More of the same read: fill the buffer before sending it. */
		if (moved && buf_len(&t->from->in) > 0 &&
		    buf_room(&t->to->out) > RELAY_BUFFER / 2)
			continue;
		if (side_flush(t->to) != 0 || !moved)
			break;
	}
	return t->received > before;
}

/* --- both ---------------------------------------------------------- */

bool transfer_send(struct transfer *t, uint64_t budget)
{
	bool progress = false;
	bool emptied = true;

	if (t->object != NULL) {
		progress = release(t);
		/* An empty object, too, is complete only when it may be. */
		emptied = t->release == TRANSFER_ALL &&
			  t->sent >= stored_until(t);
	}
	if (t->passing && emptied)
		progress |= pass(t, budget);
	if (emptied && t->sent >= t->end)
		skip_rest(t);
	if (emptied && (t->in_done || t->sent >= t->end))
		progress |= close_body(t);
	return progress;
}
