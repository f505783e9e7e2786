/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the targets for requests and for responses share. */
#ifndef SLUICE_TESTS_FUZZ_HEADS_H
#define SLUICE_TESTS_FUZZ_HEADS_H

#include "fuzz.h"
#include "http1_describe.h"
#include "proto/http1.h"

#define HEADS_TEXT 262144

struct heads {
	struct http1_limits limits;
	enum http1_method method;
	/* http1_parse_*(); on success describe the message in @text. */
	ptrdiff_t (*parse)(const struct heads *h, const uint8_t *data,
			   size_t len, size_t seen, struct strbuf *text);
};

static inline struct http1_limits heads_limits(struct fuzz *f)
{
	uint8_t a = fuzz_byte(f), b = fuzz_byte(f);

	/* Mostly those of a gateway; else some that are met soon. */
	if (a < 0xc0)
		return (struct http1_limits){8192, 65536, 128};
	return (struct http1_limits){a & 0x3f, b, b & 0x07};
}

static inline bool str_inside(struct str s, const uint8_t *data, size_t len)
{
	const char *p = (const char *)data;

	return s.p >= p && s.p <= p + len && s.len <= len &&
	       (size_t)(s.p - p) <= len - s.len;
}

/* Views inside the head, and none of what no head may say. */
static inline void heads_check(const struct http1_head *head,
			       const uint8_t *data, size_t len,
			       const struct http1_limits *limits, bool strict)
{
	unsigned int count[HTTP1_F_COUNT] = {0};

	FUZZ_CHECK(len <= limits->max_head);
	FUZZ_CHECK(head->nfields <= limits->max_fields);
	for (unsigned int i = 0; i < head->nfields; i++) {
		FUZZ_CHECK(str_inside(head->fields[i].name, data, len));
		FUZZ_CHECK(str_inside(head->fields[i].value, data, len));
		FUZZ_CHECK(head->fields[i].name.len > 0);
		count[head->fields[i].id]++;
	}
	FUZZ_CHECK(head->framing != HTTP1_BODY_LENGTH ||
		   count[HTTP1_F_CONTENT_LENGTH] > 0);
	FUZZ_CHECK(head->framing != HTTP1_BODY_CHUNKED ||
		   (count[HTTP1_F_TRANSFER_ENCODING] > 0 &&
		    count[HTTP1_F_CONTENT_LENGTH] == 0));
	/* A response may say it again. */
	FUZZ_CHECK(!strict ||
		   count[HTTP1_F_CONTENT_LENGTH] +
				   count[HTTP1_F_TRANSFER_ENCODING] <=
			   1);
	FUZZ_CHECK(head->length <= INT64_MAX);
	FUZZ_CHECK(head->minor <= 1);
}

static inline ptrdiff_t heads_parse(const struct heads *h, const uint8_t *p,
				    size_t len, size_t seen, char *text)
{
	uint8_t *copy = fuzz_copy(p, len);
	struct strbuf sb;
	ptrdiff_t n;

	strbuf_init(&sb, text, HEADS_TEXT);
	n = h->parse(h, copy, len, seen, &sb);
	FUZZ_CHECK(!sb.cut);
	FUZZ_CHECK(n <= (ptrdiff_t)len && n > -HTTP1_ERROR_COUNT);
	free(copy);
	return n;
}

/* Whole and in pieces: the same answer to the last byte. */
static inline void heads_fuzz(const struct heads *h, struct fuzz *f)
{
	static char whole_text[HEADS_TEXT], text[HEADS_TEXT];
	ptrdiff_t whole = heads_parse(h, f->p, f->len, 0, whole_text);
	size_t len = 0, seen = 0;
	ptrdiff_t n;

	do {
		len += len < f->len ? fuzz_piece(f, f->len - len) : 0;
		n = heads_parse(h, f->p, len, seen, text);
		seen = len;
	} while (n == 0 && len < f->len);
	FUZZ_CHECK(n == whole);
	FUZZ_CHECK(strcmp(text, whole_text) == 0);
}

#endif
