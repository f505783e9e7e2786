// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/canary.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"

#define LIMIT_MS 30000
/* Deeper than scan.max_depth, and what clamd.conf usually has, allow. */
#define NESTED	 130
#define ZIP_ROOM (NESTED * 128 + 256)

static const char page[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><title>Timetable</title>\n"
	"<script>var day = 1;</script></head>\n"
	"<body><h1>Timetable</h1><p>Lessons begin at eight.</p></body></html>\n";

/*
 * The test file that every scanner knows (eicar.org), in halves, so that none
 * of them finds it in this program.
 */
static const char eicar_head[] = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-";
static const char eicar_tail[] = "STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";

/* --- a stored ZIP (APPNOTE.TXT 4.3) ----------------------------------------- */

static void put16(struct buf *b, uint32_t v)
{
	uint8_t le[2] = {(uint8_t)v, (uint8_t)(v >> 8)};

	(void)buf_append(b, le, sizeof(le));
}

static void put32(struct buf *b, uint32_t v)
{
	put16(b, v & 0xffff);
	put16(b, v >> 16);
}

/* What local and central header have in common, from "version needed" on. */
static void put_member(struct buf *b, uint32_t crc, uint32_t size)
{
	put16(b, 10);	/* version 1.0 */
	put16(b, 0);	/* flags */
	put16(b, 0);	/* stored */
	put16(b, 0);	/* time */
	put16(b, 0x21); /* 1980-01-01 */
	put32(b, crc);
	put32(b, size);
	put32(b, size);
	put16(b, 1); /* length of the name */
	put16(b, 0); /* extra field */
}

static void put_zip(struct buf *b, const uint8_t *data, uint32_t size)
{
	uint32_t crc = (uint32_t)crc32(0, data, size), start;

	put32(b, 0x04034b50);
	put_member(b, crc, size);
	(void)buf_append(b, "a", 1);
	(void)buf_append(b, data, size);
	start = (uint32_t)buf_len(b);
	put32(b, 0x02014b50);
	put16(b, 10);
	put_member(b, crc, size);
	put16(b, 0); /* comment */
	put16(b, 0); /* disk */
	put16(b, 0); /* attributes */
	put32(b, 0);
	put32(b, 0); /* offset of the local header */
	(void)buf_append(b, "a", 1);
	put32(b, 0x06054b50);
	put16(b, 0);
	put16(b, 0);
	put16(b, 1); /* members */
	put16(b, 1);
	put32(b, (uint32_t)buf_len(b) - start - 12);
	put32(b, start);
	put16(b, 0);
}

/* Archive in archive, @depth times; the innermost holds the page. */
static void nest(struct buf *b, unsigned int depth)
{
	uint8_t inner[ZIP_ROOM];
	size_t n = sizeof(page) - 1;

	memcpy(inner, page, n);
	while (depth-- > 0) {
		b->head = b->tail = 0;
		put_zip(b, inner, (uint32_t)n);
		n = buf_len(b);
		memcpy(inner, buf_head(b), n);
	}
}

/* --- the tests -------------------------------------------------------------- */

struct trial {
	const struct engine_ops *ops;
	struct engine *engine;
};

static void ask(const struct trial *t, const void *data, size_t size,
		struct finding *out)
{
	struct engine_input in = {.data = data, .size = size, .fd = -1};

	t->ops->scan(t->engine, &in, LIMIT_MS, out);
}

static int expect_clean(const struct trial *t, const char *what,
			const void *data, size_t size,
			char wrong[ENGINE_TEXT_MAX])
{
	struct finding f;

	ask(t, data, size, &f);
	if (f.verdict == VERDICT_CLEAN)
		return 0;
	snprintf(wrong, ENGINE_TEXT_MAX, "its answer for %s is %s %s %s", what,
		 verdict_name(f.verdict), verdict_reason_name(f.reason),
		 f.name);
	return -EBADMSG;
}

int canary_run(const struct engine_ops *ops, struct engine *e,
	       struct canary *out, char wrong[ENGINE_TEXT_MAX])
{
	const struct trial t = {ops, e};
	uint8_t room[ZIP_ROOM];
	struct finding f;
	struct buf b;
	int rc;

	buf_init(&b, room, sizeof(room));
	rc = expect_clean(&t, "a harmless page", page, sizeof(page) - 1, wrong);
	if (rc != 0)
		return rc;
	nest(&b, 1);
	rc = expect_clean(&t, "a harmless ZIP", room, buf_len(&b), wrong);
	if (rc != 0)
		return rc;
	nest(&b, NESTED);
	ask(&t, room, buf_len(&b), &f);
	out->reports_limits = f.verdict == VERDICT_NOT_SCANNED;
	buf_init(&b, room, sizeof(room));
	(void)buf_append(&b, eicar_head, sizeof(eicar_head) - 1);
	(void)buf_append(&b, eicar_tail, sizeof(eicar_tail) - 1);
	ask(&t, room, buf_len(&b), &f);
	out->finds_eicar = f.verdict == VERDICT_BLOCKED;
	return 0;
}
