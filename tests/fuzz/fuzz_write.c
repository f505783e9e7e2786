// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Heads as they are forwarded. Whatever the parser takes is written as a head
 * that the parser takes again and reads as the same message, framed as asked,
 * without the fields of one hop; written once more, not a byte changes; and it
 * needs exactly the room it needs.
 */
#include "fuzz.h"
#include "proto/http1_range.h"
#include "proto/http1_write.h"

#define OUT_MAX 131072

static const struct http1_limits limits = {65536, 65536, 64};
/* Each output may be a few fields longer than its input. */
static const struct http1_limits again_limits = {131072, OUT_MAX, 72};

static struct http1_out choose_out(struct fuzz *f, bool request)
{
	static const enum http1_framing framings[] = {
		HTTP1_BODY_LENGTH, HTTP1_BODY_CHUNKED, HTTP1_BODY_CLOSE};
	static const struct http1_part part = {3, 6, 10};
	uint8_t a = fuzz_byte(f), b = fuzz_byte(f);

	return (struct http1_out){
		.framing = request && a % 3 == 2 ? HTTP1_BODY_NONE
						 : framings[a % 3],
		.length = (uint64_t)a * b,
		.keep_alive = b & 1,
		.upgrade = b & 2,
		.drop_range = b & 4,
		.limit_codings = b & 8,
		.drop_expect = b & 16,
		.http10_peer = b & 32,
		.part = !request && (b & 64) ? &part : NULL,
	};
}

/* No field of one hop but those the writer itself adds; ranges as asked. */
static void check_head(const struct http1_head *h, const struct http1_out *out)
{
	unsigned int seen[HTTP1_F_COUNT] = {0};

	for (unsigned int i = 0; i < h->nfields; i++)
		seen[h->fields[i].id]++;
	FUZZ_CHECK(seen[HTTP1_F_CONNECTION] <= 1);
	FUZZ_CHECK(seen[HTTP1_F_KEEP_ALIVE] == 0);
	FUZZ_CHECK(seen[HTTP1_F_PROXY_CONNECTION] == 0);
	FUZZ_CHECK(seen[HTTP1_F_TE] == 0);
	FUZZ_CHECK(seen[HTTP1_F_HTTP2_SETTINGS] == 0);
	FUZZ_CHECK(seen[HTTP1_F_CONTENT_LENGTH] +
			   seen[HTTP1_F_TRANSFER_ENCODING] <=
		   1);
	FUZZ_CHECK(out->upgrade || seen[HTTP1_F_UPGRADE] == 0);
	FUZZ_CHECK(!out->drop_range || seen[HTTP1_F_RANGE] == 0);
	FUZZ_CHECK(!out->drop_range || seen[HTTP1_F_IF_RANGE] == 0);
	FUZZ_CHECK(!out->drop_expect || seen[HTTP1_F_EXPECT] == 0);
	FUZZ_CHECK(!out->limit_codings || seen[HTTP1_F_ACCEPT_ENCODING] <= 1);
	FUZZ_CHECK(out->part == NULL || (seen[HTTP1_F_CONTENT_RANGE] == 1 &&
					 seen[HTTP1_F_CONTENT_DIGEST] == 0));
	FUZZ_CHECK(h->minor == 1);
}

static void check_framing(const struct http1_head *h,
			  const struct http1_out *out)
{
	FUZZ_CHECK(h->framing == out->framing);
	FUZZ_CHECK(h->framing != HTTP1_BODY_LENGTH || h->length == out->length);
	FUZZ_CHECK(h->keep_alive == (out->framing != HTTP1_BODY_CLOSE &&
				     (out->upgrade || out->keep_alive)));
}

struct written {
	char bytes[OUT_MAX];
	size_t len;
};

typedef bool (*write_fn)(struct buf *b, const void *message,
			 const struct http1_out *out);

static bool write_request(struct buf *b, const void *message,
			  const struct http1_out *out)
{
	return http1_write_request(b, message, out);
}

static bool write_response(struct buf *b, const void *message,
			   const struct http1_out *out)
{
	return http1_write_response(b, message, out);
}

static void write_in_room(write_fn fn, const void *message,
			  const struct http1_out *out, struct written *w)
{
	struct buf b;
	uint8_t *exact;

	buf_init(&b, w->bytes, sizeof(w->bytes));
	FUZZ_CHECK(fn(&b, message, out));
	w->len = b.tail;
	exact = fuzz_copy((const uint8_t *)w->bytes, w->len);
	buf_init(&b, exact, w->len - 1);
	FUZZ_CHECK(!fn(&b, message, out) && b.tail == 0);
	buf_init(&b, exact, w->len);
	FUZZ_CHECK(fn(&b, message, out) && b.tail == w->len);
	FUZZ_CHECK(memcmp(exact, w->bytes, w->len) == 0);
	free(exact);
}

static struct written first, second;

static void same_bytes(void)
{
	FUZZ_CHECK(first.len == second.len);
	FUZZ_CHECK(memcmp(first.bytes, second.bytes, first.len) == 0);
}

static void fuzz_request(struct fuzz *f)
{
	static struct http1_request req, again;
	struct http1_out out = choose_out(f, true);

	if (http1_parse_request(f->p, f->len, 0, &limits, &req) <= 0)
		return;
	/* As the header asks of a caller. */
	if (req.host.len == 0 && req.form != HTTP1_ASTERISK_FORM)
		req.host = STR("192.0.2.1");
	write_in_room(write_request, &req, &out, &first);
	FUZZ_CHECK(http1_parse_request((const uint8_t *)first.bytes, first.len,
				       0, &again_limits,
				       &again) == (ptrdiff_t)first.len);
	FUZZ_CHECK(str_eq(again.method_text, req.method_text));
	FUZZ_CHECK(str_eq(again.host, req.host));
	FUZZ_CHECK(again.form != HTTP1_ABSOLUTE_FORM && !again.host_differs);
	check_head(&again.head, &out);
	check_framing(&again.head, &out);
	write_in_room(write_request, &again, &out, &second);
	same_bytes();
}

static void fuzz_response(struct fuzz *f, enum http1_method method)
{
	static struct http1_response res, again;
	struct http1_out out = choose_out(f, false);

	if (http1_parse_response(f->p, f->len, 0, &limits, method, &res) <= 0)
		return;
	if (res.head.framing == HTTP1_BODY_NONE)
		out.framing = HTTP1_BODY_NONE;
	write_in_room(write_response, &res, &out, &first);
	FUZZ_CHECK(http1_parse_response((const uint8_t *)first.bytes, first.len,
					0, &again_limits, method,
					&again) == (ptrdiff_t)first.len);
	FUZZ_CHECK(again.status == res.status);
	FUZZ_CHECK(str_eq(again.reason, res.reason));
	check_head(&again.head, &out);
	check_framing(&again.head, &out);
	write_in_room(write_response, &again, &out, &second);
	same_bytes();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = {data, len, 0};
	uint8_t kind = fuzz_byte(&f);

	if (kind % 2 == 0)
		fuzz_request(&f);
	else
		fuzz_response(&f, kind % 4 == 1 ? HTTP1_GET : HTTP1_HEAD);
	return 0;
}
