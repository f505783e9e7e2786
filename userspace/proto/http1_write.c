// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/http1_write.h"

#include <string.h>

#include "proto/http1_range.h"
#include "proto/http1_target.h"

/* Text being written behind the buffer's tail; @full once it didn't fit. */
struct pen {
	char *p;
	char *end;
	bool full;
};

static struct pen pen_on(const struct buf *b)
{
	return (struct pen){(char *)buf_tail(b), (char *)b->data + b->size,
			    false};
}

/* Make what was written part of the buffer, or nothing of it. */
static bool pen_done(const struct pen *pen, struct buf *b)
{
	if (pen->full)
		return false;
	buf_produce(b, (size_t)(pen->p - (char *)buf_tail(b)));
	return true;
}

static void put(struct pen *pen, struct str s)
{
	if (pen->full || (size_t)(pen->end - pen->p) < s.len) {
		pen->full = true;
		return;
	}
	if (s.len > 0)
		memcpy(pen->p, s.p, s.len);
	pen->p += s.len;
}

static void put_u64(struct pen *pen, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	put(pen, (struct str){digits + at, sizeof(digits) - at});
}

static void put_field(struct pen *pen, struct str name, struct str value)
{
	put(pen, name);
	put(pen, STR(": "));
	put(pen, value);
	put(pen, STR("\r\n"));
}

/* One head on its way out: what is written, and what has been. */
struct job {
	struct pen pen;
	const struct http1_head *head;
	const struct http1_out *out;
	const struct http1_request *req; /* NULL when it is a response */
	bool bare; /* a status that never has a length or a coding */
	bool host_written;
	bool framing_written;
	bool codings_written;
};

static void put_host(struct job *j)
{
	if (!j->host_written)
		put_field(&j->pen, STR("Host"), j->req->host);
	j->host_written = true;
}

static void put_length(struct job *j, uint64_t length)
{
	put(&j->pen, STR("Content-Length: "));
	put_u64(&j->pen, length);
	put(&j->pen, STR("\r\n"));
	j->framing_written = true;
}

static void put_framing(struct job *j)
{
	if (j->framing_written || j->bare)
		return;
	if (j->out->framing == HTTP1_BODY_CHUNKED) {
		put(&j->pen, STR("Transfer-Encoding: chunked\r\n"));
		j->framing_written = true;
	} else if (j->out->framing == HTTP1_BODY_LENGTH) {
		put_length(j, j->out->length);
	}
}

/* A response without a body still says how long its body would have been. */
static void put_received_length(struct job *j)
{
	if (j->req != NULL || j->out->framing != HTTP1_BODY_NONE || j->bare)
		put_framing(j);
	else if (!j->framing_written)
		put_length(j, j->head->length);
}

/*
 * Whether a member of Accept-Encoding asks for something that we can undo. "*"
 * is none: it invites codings that we can't. One with a quote in it has no
 * meaning, but could swallow the members after it.
 */
static bool is_readable_coding(struct str member)
{
	const char *semicolon = memchr(member.p, ';', member.len);
	struct str name = member;

	if (semicolon != NULL)
		name.len = (size_t)(semicolon - member.p);
	name = str_trim(name);
	return (coding_of(name) != CODING_UNKNOWN ||
		str_eq_nocase(name, STR("identity"))) &&
	       memchr(member.p, '"', member.len) == NULL;
}

/* All Accept-Encoding fields in one; an empty one would be "identity" too. */
static void put_codings(struct job *j)
{
	const struct http1_head *h = j->head;
	struct str comma = {NULL, 0};

	if (j->codings_written)
		return;
	j->codings_written = true;
	put(&j->pen, STR("Accept-Encoding: "));
	for (unsigned int i = 0; i < h->nfields; i++) {
		struct str member, rest = h->fields[i].value;

		if (h->fields[i].id != HTTP1_F_ACCEPT_ENCODING)
			continue;
		while (str_next_element(&rest, &member)) {
			if (!is_readable_coding(member))
				continue;
			put(&j->pen, comma);
			put(&j->pen, member);
			comma = STR(", ");
		}
	}
	if (comma.len == 0)
		put(&j->pen, STR("identity"));
	put(&j->pen, STR("\r\n"));
}

/* True for a field that is neither written as it is nor replaced. */
static bool is_dropped(const struct job *j, const struct http1_field *f)
{
	switch (f->id) {
	case HTTP1_F_UPGRADE:
		return !j->out->upgrade;
	case HTTP1_F_RANGE:
	case HTTP1_F_IF_RANGE:
		return j->out->drop_range;
	case HTTP1_F_EXPECT:
		return j->out->drop_expect;
	case HTTP1_F_CONTENT_DIGEST:
	case HTTP1_F_CONTENT_MD5:
	case HTTP1_F_CONTENT_RANGE:
		return j->out->part != NULL;
	case HTTP1_F_TRAILER:
		return j->out->framing != HTTP1_BODY_CHUNKED || j->bare;
	default:
		return f->hop;
	}
}

static void put_received(struct job *j, const struct http1_field *f)
{
	switch (f->id) {
	case HTTP1_F_CONTENT_LENGTH:
		put_received_length(j);
		return;
	case HTTP1_F_TRANSFER_ENCODING:
		put_framing(j);
		return;
	case HTTP1_F_HOST:
		/* In a response it means nothing: written as it is. */
		if (j->req == NULL)
			break;
		put_host(j);
		return;
	case HTTP1_F_ACCEPT_ENCODING:
		if (!j->out->limit_codings)
			break;
		put_codings(j);
		return;
	default:
		break;
	}
	if (!is_dropped(j, f))
		put_field(&j->pen, f->name, f->value);
}

/* RFC 9110 14.4. A "*" says that no byte is where it was asked for. */
static void put_part(struct job *j)
{
	const struct http1_part *part = j->out->part;

	if (part == NULL)
		return;
	put(&j->pen, STR("Content-Range: bytes "));
	if (part->first < part->end) {
		put_u64(&j->pen, part->first);
		put(&j->pen, STR("-"));
		put_u64(&j->pen, part->end - 1);
	} else {
		put(&j->pen, STR("*"));
	}
	put(&j->pen, STR("/"));
	put_u64(&j->pen, part->total);
	put(&j->pen, STR("\r\n"));
}

static void put_connection(struct job *j)
{
	const struct http1_out *out = j->out;

	if (out->upgrade)
		put(&j->pen, STR("Connection: upgrade\r\n"));
	else if (!out->keep_alive || out->framing == HTTP1_BODY_CLOSE)
		put(&j->pen, STR("Connection: close\r\n"));
	else if (out->http10_peer && j->req == NULL)
		put(&j->pen, STR("Connection: keep-alive\r\n"));
}

static bool put_head(struct job *j, struct buf *b)
{
	for (unsigned int i = 0; i < j->head->nfields; i++)
		put_received(j, &j->head->fields[i]);
	put_framing(j);
	put_part(j);
	put_connection(j);
	put(&j->pen, STR("\r\n"));
	return pen_done(&j->pen, b);
}

/* RFC 9112 3.2.4: the last proxy turns OPTIONS http://host into OPTIONS *. */
static void put_target(struct pen *pen, const struct http1_request *req)
{
	if (req->form == HTTP1_AUTHORITY_FORM) {
		put(pen, req->target);
	} else if (http1_target_is_whole_server(req)) {
		put(pen, STR("*"));
	} else {
		if (req->path.len > 0 && req->path.p[0] == '?')
			put(pen, STR("/"));
		put(pen, req->path);
	}
}

bool http1_write_request(struct buf *b, const struct http1_request *req,
			 const struct http1_out *out)
{
	struct job j = {
		.pen = pen_on(b), .head = &req->head, .out = out, .req = req};

	put(&j.pen, req->method_text);
	put(&j.pen, STR(" "));
	put_target(&j.pen, req);
	put(&j.pen, STR(" HTTP/1.1\r\n"));
	if (http1_field(&req->head, HTTP1_F_HOST) == NULL)
		put_host(&j);
	return put_head(&j, b);
}

bool http1_write_response(struct buf *b, const struct http1_response *res,
			  const struct http1_out *out)
{
	struct job j = {.pen = pen_on(b),
			.head = &res->head,
			.out = out,
			.bare = res->status < 200 || res->status == 204};

	put(&j.pen, STR("HTTP/1.1 "));
	put_u64(&j.pen, res->status);
	put(&j.pen, STR(" "));
	put(&j.pen, res->reason);
	put(&j.pen, STR("\r\n"));
	return put_head(&j, b);
}
