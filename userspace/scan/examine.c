// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/examine.h"

#include "proto/multipart.h"
#include "scan/transfer.h"
#include "sys/clock.h"

/* The engine is to stop by itself before the dispatcher kills the worker. */
#define MARGIN_MAX_MS 250

void examiner_init(struct examiner *ex, const struct engine_ops *ops,
		   struct engine *engine, const struct config_scan *limits,
		   const char *dir)
{
	ex->ops = ops;
	ex->engine = engine;
	ex->limits = *limits;
	decoder_init(&ex->decoder, dir, limits->memory);
	spool_init(&ex->part, dir, limits->memory);
}

void examiner_close(struct examiner *ex)
{
	decoder_close(&ex->decoder);
	spool_close(&ex->part);
}

/* --- one piece --------------------------------------------------------------- */

/* What happens to one object, and what was found so far. */
struct examination {
	struct examiner *ex;
	const struct object *object;
	struct finding found;
};

static void add_reason(struct examination *x, enum reason reason)
{
	struct finding f;

	if (reason == REASON_NONE)
		return;
	finding_not_scanned(&f, reason);
	finding_merge(&x->found, &f);
}

/* Milliseconds that the engine may take, 0 when the time is up. */
static uint64_t time_left(const struct examination *x)
{
	uint64_t now = clock_system.monotonic_ms();
	uint64_t left =
		x->object->deadline_ms > now ? x->object->deadline_ms - now : 0;
	uint64_t margin = left / 10 < MARGIN_MAX_MS ? left / 10 : MARGIN_MAX_MS;

	return left - margin;
}

/* Show bytes to the engine, unless it has found something already. */
static void scan_bytes(struct examination *x, const uint8_t *data, size_t size,
		       int fd)
{
	struct engine_input in = {.data = data, .size = size, .fd = fd};
	uint64_t left = time_left(x);
	struct finding f;

	if (x->found.verdict == VERDICT_BLOCKED || size == 0)
		return;
	if (left == 0) {
		add_reason(x, REASON_SCANNER_TIMEOUT);
		return;
	}
	x->ex->ops->scan(x->ex->engine, &in, left, &f);
	finding_merge(&x->found, &f);
}

static void scan_raw(struct examination *x)
{
	scan_bytes(x, x->object->data, x->object->size, x->object->fd);
}

/* --- form data --------------------------------------------------------------- */

/* @part without its transfer encoding into the spool. */
static enum reason decode_part(struct spool *sp,
			       const struct multipart_part *part)
{
	struct transfer t;
	uint8_t *room;
	size_t len, n;

	transfer_init(&t, (const uint8_t *)part->data.p, part->data.len);
	spool_reset(sp);
	while (t.len > 0) {
		if (spool_room(sp, &room, &len) != 0)
			return REASON_STORAGE;
		n = part->encoding == MULTIPART_BASE64
			    ? transfer_base64(&t, room, len)
			    : transfer_quoted_printable(&t, room, len);
		spool_filled(sp, n);
	}
	return t.damaged ? REASON_MULTIPART : REASON_NONE;
}

/* Decoded, besides as it is: servers do either. */
static void scan_decoded_part(struct examination *x,
			      const struct multipart_part *part)
{
	struct spool *sp = &x->ex->part;
	enum reason reason = decode_part(sp, part);
	const uint8_t *view = spool_view(sp);

	if (view != NULL)
		scan_bytes(x, view, sp->size, -1);
	else
		reason = REASON_STORAGE;
	add_reason(x, reason);
}

static void scan_part(struct examination *x, const struct multipart_part *part)
{
	scan_bytes(x, (const uint8_t *)part->data.p, part->data.len, -1);
	switch (part->encoding) {
	case MULTIPART_IDENTITY:
		break;
	case MULTIPART_BASE64:
	case MULTIPART_QUOTED_PRINTABLE:
		scan_decoded_part(x, part);
		break;
	case MULTIPART_UNKNOWN:
		add_reason(x, REASON_MULTIPART);
		break;
	}
}

/*
 * Whether bytes stand before the first delimiter or after the last one, which
 * is at @last. Servers leave them out, unless they keep the body as it came.
 */
static bool has_more_than_parts(struct str body, struct str boundary,
				size_t last)
{
	const struct str dashes = STR("--");
	/* "--", the boundary, "--", CRLF */
	size_t line = boundary.len + 6;
	struct str rest = {body.p + dashes.len, body.len - dashes.len};

	return body.len - last > line || !str_starts(body, dashes) ||
	       !str_starts(rest, boundary);
}

static void scan_parts(struct examination *x, const uint8_t *data, size_t size)
{
	struct str body = {(const char *)data, size};
	enum multipart_result rc = MULTIPART_PART;
	struct multipart_part part;
	size_t offset = 0;
	uint32_t count = 0;

	while (x->found.verdict != VERDICT_BLOCKED) {
		rc = multipart_next(body, x->object->boundary, &offset, &part);
		if (rc != MULTIPART_PART)
			break;
		if (++count > x->ex->limits.max_files) {
			add_reason(x, REASON_ARCHIVE_FILES);
			rc = MULTIPART_BAD;
			break;
		}
		scan_part(x, &part);
	}
	/* After MULTIPART_BAD a server may see other parts than we do. */
	if (rc == MULTIPART_BAD ||
	    (rc == MULTIPART_END &&
	     has_more_than_parts(body, x->object->boundary, offset)))
		scan_bytes(x, data, size, -1);
	if (rc == MULTIPART_BAD)
		add_reason(x, REASON_MULTIPART);
}

static void scan_body(struct examination *x, const uint8_t *data, size_t size,
		      int fd)
{
	if (x->object->boundary.len > 0)
		scan_parts(x, data, size);
	else
		scan_bytes(x, data, size, fd);
}

/* --- content codings --------------------------------------------------------- */

static void scan_coded(struct examination *x)
{
	const struct object *o = x->object;
	struct decode_limits limits = {
		.max_output = x->ex->limits.max_object,
		.max_ratio = x->ex->limits.max_ratio,
		.deadline_ms = o->deadline_ms,
	};
	struct decoded d;

	decoder_run(&x->ex->decoder, &o->codings, o->data, o->size, &limits,
		    &d);
	scan_body(x, d.data, d.size, -1);
	/* Some clients take the first of several streams for the whole. */
	if (d.first > 0)
		scan_body(x, d.data, d.first, -1);
	/*
	 * Damaged, cut, or more than the coding says: who keeps the body as it
	 * came (wget does) has something that was not looked at yet.
	 */
	if (d.reason != REASON_NONE || d.leftover || d.cut)
		scan_raw(x);
	add_reason(x, d.reason);
	decoder_reset(&x->ex->decoder);
}

void examine_object(struct examiner *ex, const struct object *object,
		    struct finding *out)
{
	struct examination x = {.ex = ex, .object = object};

	finding_clean(&x.found);
	if (object->size == 0) {
		*out = x.found;
		return;
	}
	if (object->size > ex->limits.max_object) {
		add_reason(&x, REASON_SIZE);
	} else if (object->codings.unknown) {
		scan_raw(&x);
		add_reason(&x, REASON_CODING);
	} else if (object->codings.count > 0) {
		scan_coded(&x);
	} else {
		scan_body(&x, object->data, object->size, object->fd);
	}
	spool_reset(&ex->part);
	*out = x.found;
}
