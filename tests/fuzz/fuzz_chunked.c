// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chunked bodies: whole, in pieces, and in pieces whose data the caller moves
 * itself give the same data, trailers, end and error.
 */
#include "fuzz.h"
#include "proto/chunked.h"

struct result {
	enum http1_error error;
	enum chunked_state state;
	size_t used;
	size_t data_len;
	uint8_t *data;
	uint32_t trailer_len;
	char trailers[256];
};

static void keep(struct result *r, const void *p, size_t n)
{
	if (n > 0)
		memcpy(r->data + r->data_len, p, n);
	r->data_len += n;
}

/* Take one step into [p, p + len); false when that is all. */
static bool step(struct chunked *c, const uint8_t *p, size_t len, bool skip,
		 struct result *r, size_t *used)
{
	struct chunked_step s;

	*used = 0;
	if (skip && c->state == CHUNKED_DATA && len > 0) {
		*used = c->left < len ? (size_t)c->left : len;
		keep(r, p, *used);
		chunked_skip(c, *used);
		return true;
	}
	s = chunked_feed(c, p, len);
	FUZZ_CHECK(s.used <= len);
	FUZZ_CHECK(s.data.len <= s.used);
	FUZZ_CHECK(s.data.len == 0 ||
		   s.data.p + s.data.len == (const char *)p + s.used);
	FUZZ_CHECK(s.error == HTTP1_OK || s.data.len == 0);
	keep(r, s.data.p, s.data.len);
	r->error = s.error;
	*used = s.used;
	return s.error == HTTP1_OK && s.used > 0 && c->state != CHUNKED_DONE;
}

static void feed(struct chunked *c, const uint8_t *p, size_t len, bool skip,
		 struct result *r)
{
	uint8_t *copy = fuzz_copy(p, len);
	size_t at = 0, used = 0;
	bool more = true;

	while (more) {
		more = step(c, copy + at, len - at, skip, r, &used);
		at += used;
	}
	FUZZ_CHECK(c->state != CHUNKED_DATA || c->left > 0);
	FUZZ_CHECK(c->left <= INT64_MAX);
	r->used += at;
	free(copy);
}

/* @pieces NULL: all at once. */
static void decode(const uint8_t *p, size_t len, struct fuzz *pieces, bool skip,
		   uint32_t room, struct result *r)
{
	struct chunked c;
	size_t at = 0;

	memset(r, 0, sizeof(*r));
	r->data = fuzz_copy(p, len);
	chunked_init(&c, room > 0 ? r->trailers : NULL, room);
	c.padded = room & 1;
	while (at < len && r->error == HTTP1_OK && c.state != CHUNKED_DONE) {
		size_t n = pieces != NULL ? fuzz_piece(pieces, len - at)
					  : len - at;

		feed(&c, p + at, n, skip, r);
		at += n;
	}
	r->state = c.state;
	r->trailer_len = c.trailer_len;
	FUZZ_CHECK(room == 0 || c.trailer_len <= room);
}

static void same(const struct result *a, const struct result *b)
{
	FUZZ_CHECK(a->error == b->error);
	FUZZ_CHECK(a->state == b->state);
	FUZZ_CHECK(a->used == b->used);
	FUZZ_CHECK(a->data_len == b->data_len);
	FUZZ_CHECK(memcmp(a->data, b->data, a->data_len) == 0);
	FUZZ_CHECK(a->trailer_len == b->trailer_len);
	FUZZ_CHECK(memcmp(a->trailers, b->trailers, sizeof(a->trailers)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct result whole, pieces, moved;
	struct fuzz f = fuzz_input(data, len);
	uint8_t room = fuzz_byte(&f);
	const uint8_t *p = f.p;

	len = f.len;
	decode(p, len, NULL, false, room, &whole);
	decode(p, len, &f, false, room, &pieces);
	decode(p, len, &f, true, room, &moved);
	same(&pieces, &whole);
	same(&moved, &whole);
	free(whole.data);
	free(pieces.data);
	free(moved.data);
	return 0;
}
