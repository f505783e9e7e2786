// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A head is judged line by line: each line once its LF is there, the message as
 * a whole at the empty line. What a call answers depends on the bytes alone and
 * not on the reads that brought them, since a line that is incomplete is
 * never looked into, beyond the question whether the first one can be HTTP.
 */
#include "proto/http1.h"

#include <string.h>

#include "proto/http1_field.h"
#include "proto/http1_framing.h"
#include "proto/http1_line.h"

/* RFC 9112 2.2 asks for one; a client that sends many isn't speaking HTTP. */
#define EMPTY_LINES_MAX 4
/* Bytes in which the first line's start can still change the answer. */
#define START_BYTES	64

struct input {
	const char *data;
	const char *end; /* no further than the longest head */
	size_t seen;
	bool full;    /* a head that isn't complete by @end is too long */
	bool lenient; /* a response: see http1.h */
};

static struct input input_of(const uint8_t *data, size_t len, size_t seen,
			     const struct http1_limits *limits, bool lenient)
{
	size_t n = len < limits->max_head ? len : limits->max_head;

	return (struct input){
		.data = (const char *)data,
		.end = (const char *)data + n,
		.seen = seen < n ? seen : n,
		.full = len >= limits->max_head,
		.lenient = lenient,
	};
}

static ptrdiff_t incomplete(const struct input *in)
{
	return in->full ? -(ptrdiff_t)HTTP1_HEAD_TOO_LONG : 0;
}

/*
 * False when the bytes since @seen can't change the answer 0: they end no line
 * and pass no limit. That keeps the cost of a head that comes byte by byte
 * linear. The margin at max_line covers empty lines and the line's own CRLF.
 */
static bool is_news(const struct input *in, size_t max_line)
{
	const size_t margin = 2 * EMPTY_LINES_MAX + 2;
	size_t len = (size_t)(in->end - in->data);

	if (in->full || in->seen < START_BYTES)
		return true;
	if (len > max_line && in->seen <= max_line + margin)
		return true;
	return memchr(in->data + in->seen, '\n', len - in->seen) != NULL;
}

/* Bytes of the empty lines at the start, or -enum http1_error. */
static ptrdiff_t empty_lines(const struct input *in)
{
	const char *p = in->data;

	for (unsigned int i = 0; in->end - p >= 2 && p[0] == '\r'; i++) {
		if (p[1] != '\n')
			return -(ptrdiff_t)HTTP1_BARE_CR;
		if (i == EMPTY_LINES_MAX)
			return -(ptrdiff_t)HTTP1_BAD_LINE;
		p += 2;
	}
	return p - in->data;
}

/*
 * The start line at @p. Returns the bytes it takes with its CRLF, or 0, or
 * -enum http1_error. @line becomes what is before its LF or CRLF, also when it
 * is an LF alone, which is an error unless @in is lenient; else "".
 */
static ptrdiff_t start_line(const struct input *in, const char *p,
			    size_t max_line, struct str *line)
{
	size_t n = (size_t)(in->end - p);
	const char *lf = memchr(p, '\n', n);
	bool cr;

	*line = (struct str){p, 0};
	if (lf != NULL)
		n = (size_t)(lf - p);
	cr = n > 0 && p[n - 1] == '\r';
	if (cr)
		n--;
	if (n > max_line)
		return -(ptrdiff_t)HTTP1_LINE_TOO_LONG;
	if (lf == NULL)
		return 0;
	*line = (struct str){p, n};
	if (!cr && !in->lenient)
		return -(ptrdiff_t)HTTP1_BAD_LINE;
	return lf + 1 - p;
}

/* At most @max_line bytes of what there is: enough to tell HTTP from others. */
static struct str line_start(const char *p, const char *end, size_t max_line)
{
	size_t n = (size_t)(end - p);

	return (struct str){p, n < max_line ? n : max_line};
}

/* Bytes of the line end that stands at @p, else 0. */
static ptrdiff_t line_end(const struct input *in, const char *p)
{
	if (in->end - p >= 2 && p[0] == '\r' && p[1] == '\n')
		return 2;
	return in->lenient && in->end > p && *p == '\n' ? 1 : 0;
}

/*
 * Walk over the field lines at @p, past the empty line. The first @max are
 * kept in @fields, @count is told of all. Returns the bytes taken, 0 or
 * -enum http1_error.
 */
static ptrdiff_t walk_fields(const struct input *in, const char *p,
			     struct http1_field *fields, unsigned int max,
			     unsigned int *count)
{
	const char *start = p;
	struct http1_field spare;

	for (*count = 0;; ++*count) {
		ptrdiff_t n = line_end(in, p);

		if (n > 0)
			return p + n - start;
		n = http1_field_parse(p, in->end, in->lenient,
				      *count < max ? &fields[*count] : &spare);
		if (n <= 0)
			return n;
		p += n;
	}
}

/*
 * Go on where an earlier call stopped: at the line that @seen falls into.
 * Returns > 0 when the head has to be parsed from its start, because its end is
 * there or because the start line has not been; else 0 or an error.
 */
static ptrdiff_t resume(const struct input *in, size_t start)
{
	const char *from = in->data + start;
	const char *lf;
	unsigned int count;

	if (in->seen <= start)
		return 1;
	lf = memrchr(from, '\n', in->seen - start);
	if (lf == NULL)
		return 1;
	return walk_fields(in, lf + 1, NULL, 0, &count);
}

/* The fields from @p on, into @h. The return value is walk_fields()'s. */
static ptrdiff_t head_fields(const struct input *in, const char *p,
			     unsigned int max_fields, struct http1_head *h)
{
	unsigned int count;
	ptrdiff_t n;

	if (max_fields > HTTP1_FIELDS_MAX)
		max_fields = HTTP1_FIELDS_MAX;
	n = walk_fields(in, p, h->fields, max_fields, &count);
	if (n > 0 && count > max_fields)
		return -(ptrdiff_t)HTTP1_TOO_MANY_FIELDS;
	h->nfields = n > 0 ? count : 0;
	return n;
}

/* All but the field array, of which only nfields elements are ever valid. */
static void head_init(struct http1_head *h)
{
	h->nfields = 0;
	h->minor = 0;
	h->framing = HTTP1_BODY_NONE;
	h->length = 0;
	h->keep_alive = false;
	h->upgrade = false;
	memset(&h->codings, 0, sizeof(h->codings));
}

static void request_init(struct http1_request *req)
{
	head_init(&req->head);
	req->method = HTTP1_OTHER;
	req->form = HTTP1_ORIGIN_FORM;
	req->method_text = (struct str){NULL, 0};
	req->target = (struct str){NULL, 0};
	req->host = (struct str){NULL, 0};
	req->path = (struct str){NULL, 0};
	req->expect_continue = false;
	req->host_differs = false;
}

/* The line at @p and the fields after it; bytes taken from @p on. */
static ptrdiff_t request_head(const struct input *in, const char *p,
			      const struct http1_limits *limits,
			      struct http1_request *req)
{
	enum http1_error e;
	struct str line;
	ptrdiff_t n, m;

	if (!http1_request_possible(line_start(p, in->end, limits->max_line)))
		return -(ptrdiff_t)HTTP1_NOT_HTTP;
	n = start_line(in, p, limits->max_line, &line);
	if (http1_line_of_other(line))
		return -(ptrdiff_t)HTTP1_NOT_HTTP;
	if (n <= 0)
		return n;
	e = http1_request_line(line, req);
	if (e != HTTP1_OK)
		return -(ptrdiff_t)e;
	m = head_fields(in, p + n, limits->max_fields, &req->head);
	if (m <= 0)
		return m;
	e = http1_settle_request(req);
	return e == HTTP1_OK ? n + m : -(ptrdiff_t)e;
}

ptrdiff_t http1_parse_request(const uint8_t *data, size_t len, size_t seen,
			      const struct http1_limits *limits,
			      struct http1_request *out)
{
	struct input in;
	ptrdiff_t start, n;

	request_init(out);
	if (len == 0)
		return 0;
	in = input_of(data, len, seen, limits, false);
	if (!is_news(&in, limits->max_line))
		return 0;
	start = empty_lines(&in);
	if (start < 0)
		return start;
	n = resume(&in, (size_t)start);
	if (n > 0)
		n = request_head(&in, in.data + start, limits, out);
	if (n > 0)
		return start + n;
	return n < 0 ? n : incomplete(&in);
}

static void response_init(struct http1_response *res)
{
	head_init(&res->head);
	res->status = 0;
	res->reason = (struct str){NULL, 0};
}

static ptrdiff_t response_head(const struct input *in,
			       const struct http1_limits *limits,
			       enum http1_method method,
			       struct http1_response *res)
{
	const char *p = in->data;
	enum http1_error e;
	struct str line;
	ptrdiff_t n, m;

	if (!http1_response_possible(line_start(p, in->end, limits->max_line)))
		return -(ptrdiff_t)HTTP1_NOT_HTTP;
	n = start_line(in, p, limits->max_line, &line);
	if (n <= 0)
		return n;
	e = http1_status_line(line, res);
	if (e != HTTP1_OK)
		return -(ptrdiff_t)e;
	m = head_fields(in, p + n, limits->max_fields, &res->head);
	if (m <= 0)
		return m;
	e = http1_settle_response(res, method);
	return e == HTTP1_OK ? n + m : -(ptrdiff_t)e;
}

ptrdiff_t http1_parse_response(const uint8_t *data, size_t len, size_t seen,
			       const struct http1_limits *limits,
			       enum http1_method method,
			       struct http1_response *out)
{
	struct input in;
	ptrdiff_t n;

	response_init(out);
	if (len == 0)
		return 0;
	in = input_of(data, len, seen, limits, true);
	if (!is_news(&in, limits->max_line))
		return 0;
	n = resume(&in, 0);
	if (n > 0)
		n = response_head(&in, limits, method, out);
	return n == 0 ? incomplete(&in) : n;
}

const struct http1_field *http1_field_next(const struct http1_head *head,
					   enum http1_field_id id,
					   unsigned int from)
{
	for (unsigned int i = from; i < head->nfields; i++)
		if (head->fields[i].id == id)
			return &head->fields[i];
	return NULL;
}

const char *http1_error_name(enum http1_error e)
{
	static const char *const names[HTTP1_ERROR_COUNT] = {
		[HTTP1_OK] = "ok",
		[HTTP1_NOT_HTTP] = "not_http",
		[HTTP1_LINE_TOO_LONG] = "line_too_long",
		[HTTP1_HEAD_TOO_LONG] = "head_too_long",
		[HTTP1_TOO_MANY_FIELDS] = "too_many_fields",
		[HTTP1_BAD_LINE] = "bad_line",
		[HTTP1_BAD_VERSION] = "bad_version",
		[HTTP1_BAD_METHOD] = "bad_method",
		[HTTP1_BAD_TARGET] = "bad_target",
		[HTTP1_BAD_STATUS] = "bad_status",
		[HTTP1_BARE_CR] = "bare_cr",
		[HTTP1_NUL] = "nul",
		[HTTP1_BAD_FIELD] = "bad_field",
		[HTTP1_SPACE_BEFORE_COLON] = "space_before_colon",
		[HTTP1_FOLDED] = "folded",
		[HTTP1_NO_HOST] = "no_host",
		[HTTP1_SEVERAL_HOSTS] = "several_hosts",
		[HTTP1_BAD_HOST] = "bad_host",
		[HTTP1_BAD_LENGTH] = "bad_length",
		[HTTP1_SEVERAL_LENGTHS] = "several_lengths",
		[HTTP1_LENGTH_AND_CODING] = "length_and_coding",
		[HTTP1_BAD_TRANSFER_CODING] = "bad_transfer_coding",
		[HTTP1_BAD_CHUNK_SIZE] = "bad_chunk_size",
		[HTTP1_BAD_CHUNK] = "bad_chunk",
		[HTTP1_BAD_TRAILER] = "bad_trailer",
	};

	return (unsigned int)e < HTTP1_ERROR_COUNT ? names[e] : "unknown";
}
