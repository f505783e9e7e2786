/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Feeds a head to the parsers in every way it can arrive: whole, byte by byte,
 * and in two pieces cut at each place; each time flush against a guard page.
 * Whatever the way, the answer must be the same to the last field.
 */
#ifndef SLUICE_TESTS_PROTO_FEED_H
#define SLUICE_TESTS_PROTO_FEED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"
#include "guard.h"
#include "http1_describe.h"
#include "proto/http1.h"

#define COUNT(a)       (sizeof(a) / sizeof((a)[0]))
/* A literal with its length, so that vectors may hold NUL bytes. */
#define BYTES(literal) (literal), sizeof(literal) - 1

#define FEED_TEXT 65536

/* Bytes, not text: no NUL after them. */
static inline void put_bytes(void *dst, const char *bytes, size_t len)
{
	memcpy(dst, bytes, len);
}

struct feed {
	/* Parse @len bytes; on success describe the message in @text. */
	ptrdiff_t (*parse)(const struct feed *f, const uint8_t *data,
			   size_t len, size_t seen, struct strbuf *text);
	const struct http1_limits *limits;
	enum http1_method method; /* responses: what they answer */
};

static const struct http1_limits feed_limits = {8192, 65536, 128};

/* "GET / HTTP/1.1..." in what cmocka prints when a vector fails. */
static inline void feed_name(struct strbuf *sb, const char *bytes, size_t len)
{
	strbuf_printable(sb, (struct str){bytes, len < 300 ? len : 300});
}

static inline ptrdiff_t feed_parse_request(const struct feed *f,
					   const uint8_t *data, size_t len,
					   size_t seen, struct strbuf *text)
{
	static struct http1_request req;
	ptrdiff_t n;

	memset(&req, 0xa5, sizeof(req));
	n = http1_parse_request(data, len, seen, f->limits, &req);
	if (n > 0)
		describe_request(text, &req);
	return n;
}

static inline ptrdiff_t feed_parse_response(const struct feed *f,
					    const uint8_t *data, size_t len,
					    size_t seen, struct strbuf *text)
{
	static struct http1_response res;
	ptrdiff_t n;

	memset(&res, 0xa5, sizeof(res));
	n = http1_parse_response(data, len, seen, f->limits, f->method, &res);
	if (n > 0)
		describe_response(text, &res);
	return n;
}

static inline ptrdiff_t feed_piece(const struct feed *f, const char *bytes,
				   size_t len, size_t seen, char *text)
{
	uint8_t *copy = guard_copy(bytes, len);
	struct strbuf sb;
	ptrdiff_t n;

	strbuf_init(&sb, text, FEED_TEXT);
	n = f->parse(f, copy, len, seen, &sb);
	assert_false(sb.cut);
	assert_true(n <= (ptrdiff_t)len);
	guard_free(copy, len);
	return n;
}

static inline void feed_same(const char *bytes, size_t len, const char *how,
			     size_t at, ptrdiff_t n, const char *text,
			     ptrdiff_t whole, const char *whole_text)
{
	char name[2048];
	struct strbuf sb;

	if (n == whole && strcmp(text, whole_text) == 0)
		return;
	strbuf_init(&sb, name, sizeof(name));
	feed_name(&sb, bytes, len);
	fail_msg("%s\n%s %zu: %td, whole: %td\n%s\n---\n%s", name, how, at, n,
		 whole, text, whole_text);
}

static inline void feed_byte_by_byte(const struct feed *f, const char *bytes,
				     size_t len, ptrdiff_t whole,
				     const char *whole_text)
{
	static char text[FEED_TEXT];
	ptrdiff_t n = 0;
	size_t i;

	text[0] = '\0';
	for (i = 1; i <= len && n == 0; i++)
		n = feed_piece(f, bytes, i, i - 1, text);
	feed_same(bytes, len, "byte by byte to", i - 1, n, text, whole,
		  whole_text);
	/* Not a byte later than the head's end. */
	if (n > 0)
		assert_int_equal(i - 1, n);
}

static inline void feed_split(const struct feed *f, const char *bytes,
			      size_t len, size_t at, ptrdiff_t whole,
			      const char *whole_text)
{
	static char text[FEED_TEXT];
	ptrdiff_t n = feed_piece(f, bytes, at, 0, text);

	if (n == 0)
		n = feed_piece(f, bytes, len, at, text);
	feed_same(bytes, len, "split at", at, n, text, whole, whole_text);
}

/* Feed it in all ways; @text gets the description, FEED_TEXT bytes of it. */
static inline ptrdiff_t feed_all(const struct feed *f, const char *bytes,
				 size_t len, char *text)
{
	ptrdiff_t n = feed_piece(f, bytes, len, 0, text);

	feed_byte_by_byte(f, bytes, len, n, text);
	for (size_t at = 0; at <= len; at++)
		feed_split(f, bytes, len, at, n, text);
	return n;
}

/* A message and what the parser must say of it. */
struct vector {
	const char *bytes;
	size_t len;
	const char *expect; /* first line of the description, or error name */
};

static inline void feed_vector(const struct feed *f, const struct vector *v)
{
	static char text[FEED_TEXT];
	char name[2048];
	struct strbuf sb;
	ptrdiff_t n = feed_all(f, v->bytes, v->len, text);

	text[strcspn(text, "\n")] = '\0';
	if (n < 0)
		str_copy(text, sizeof(text),
			 http1_error_name((enum http1_error) - n));
	else if (n == 0)
		str_copy(text, sizeof(text), "more");
	if (strcmp(text, v->expect) == 0)
		return;
	strbuf_init(&sb, name, sizeof(name));
	feed_name(&sb, v->bytes, v->len);
	fail_msg("%s\n  is:     %s\n  wanted: %s", name, text, v->expect);
}

static inline void feed_vectors(const struct feed *f, const struct vector *v,
				size_t count)
{
	for (size_t i = 0; i < count; i++)
		feed_vector(f, &v[i]);
}

#endif
