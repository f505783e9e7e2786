// SPDX-License-Identifier: GPL-2.0-or-later
#include "feed.h"

#include "proto/chunked.h"

#define OUT_MAX 8192

/* What a decoder made of a whole body, however it came. */
struct decoded {
	enum http1_error error;
	bool done;
	size_t used;
	size_t len;
	uint8_t data[OUT_MAX];
	uint32_t trailer_len;
	char trailers[256];
};

/* Feed one piece to its end; false once there is nothing more to feed. */
static bool feed_some(struct chunked *c, const char *bytes, size_t len,
		      struct decoded *d)
{
	uint8_t *copy = guard_copy(bytes, len);
	size_t at = 0;

	while (c->state != CHUNKED_DONE) {
		struct chunked_step s = chunked_feed(c, copy + at, len - at);

		assert_true(s.used <= len - at);
		assert_true(d->len + s.data.len <= OUT_MAX);
		if (s.data.len > 0) {
			assert_ptr_equal(s.data.p + s.data.len,
					 copy + at + s.used);
			memcpy(d->data + d->len, s.data.p, s.data.len);
		}
		d->len += s.data.len;
		at += s.used;
		d->error = s.error;
		if (s.used == 0 || s.error != HTTP1_OK)
			break;
	}
	guard_free(copy, len);
	d->used += at;
	d->done = c->state == CHUNKED_DONE;
	return d->error == HTTP1_OK && !d->done;
}

/* Pieces of @step bytes, or of 1 to -@step by chance. */
/* As of a response: white space behind sizes is taken. */
static bool padded;

static void decode(const char *bytes, size_t len, int step, uint32_t keep,
		   struct decoded *d)
{
	static uint64_t x = 88172645463325252ULL;
	struct chunked c;
	bool more = true;

	memset(d, 0, sizeof(*d));
	chunked_init(&c, keep > 0 ? d->trailers : NULL, keep);
	c.padded = padded;
	for (size_t at = 0; at < len && more;) {
		size_t n = (size_t)abs(step);

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		if (step < 0)
			n = 1 + x % n;
		if (n > len - at)
			n = len - at;
		more = feed_some(&c, bytes + at, n, d);
		at += n;
	}
	d->trailer_len = keep > 0 ? c.trailer_len : 0;
}

static void same(const struct decoded *a, const struct decoded *b)
{
	assert_int_equal(a->error, b->error);
	assert_int_equal(a->done, b->done);
	assert_int_equal(a->used, b->used);
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->data, b->data, a->len);
	assert_int_equal(a->trailer_len, b->trailer_len);
	assert_memory_equal(a->trailers, b->trailers, sizeof(a->trailers));
}

static void decode_two(const char *bytes, size_t len, size_t at, uint32_t keep,
		       struct decoded *d)
{
	struct chunked c;

	memset(d, 0, sizeof(*d));
	chunked_init(&c, keep > 0 ? d->trailers : NULL, keep);
	c.padded = padded;
	if (feed_some(&c, bytes, at, d))
		feed_some(&c, bytes + at, len - at, d);
	d->trailer_len = keep > 0 ? c.trailer_len : 0;
}

/* Whole, byte by byte, at every split in two, and in pieces of chance sizes. */
static void decode_all(const char *bytes, size_t len, uint32_t keep,
		       struct decoded *whole)
{
	static struct decoded d;

	decode(bytes, len, (int)len + 1, keep, whole);
	decode(bytes, len, 1, keep, &d);
	same(&d, whole);
	for (size_t at = 0; at <= len; at++) {
		decode_two(bytes, len, at, keep, &d);
		same(&d, whole);
	}
	for (int i = 0; i < 20; i++) {
		decode(bytes, len, -9, keep, &d);
		same(&d, whole);
	}
}

struct body {
	const char *bytes;
	size_t len;
	const char *data; /* NULL when it is an error */
	enum http1_error error;
	const char *trailers;
};

static void run(const struct body *v, size_t count)
{
	static struct decoded d;

	for (size_t i = 0; i < count; i++) {
		decode_all(v[i].bytes, v[i].len, sizeof(d.trailers), &d);
		if (d.error != v[i].error || d.done != (v[i].data != NULL))
			fail_msg("%zu: %s: %s, done %d", i, v[i].bytes,
				 http1_error_name(d.error), d.done);
		if (v[i].data == NULL)
			continue;
		assert_int_equal(d.len, strlen(v[i].data));
		assert_memory_equal(d.data, v[i].data, d.len);
		assert_int_equal(d.trailer_len, strlen(v[i].trailers));
		assert_memory_equal(d.trailers, v[i].trailers, d.trailer_len);
		/* The same without memory to keep trailers in. */
		decode_all(v[i].bytes, v[i].len, 0, &d);
		assert_true(d.done);
	}
}

static void bodies(void **state)
{
	static const struct body v[] = {
		{BYTES("0\r\n\r\n"), "", HTTP1_OK, ""},
		{BYTES("9\r\n123456789\r\na\r\n123456789a\r\n"
		       "F\r\n123456789abcdef\r\n0\r\n\r\n"),
		 "123456789123456789a123456789abcdef", HTTP1_OK, ""},
		{BYTES("000\r\n\r\n"), "", HTTP1_OK, ""},
		{BYTES("5\r\nhello\r\n0\r\n\r\n"), "hello", HTTP1_OK, ""},
		{BYTES("4\r\nWiki\r\n7\r\npedia i\r\nB\r\nn \r\nchunks."
		       "\r\n0\r\n\r\n"),
		 "Wikipedia in \r\nchunks.", HTTP1_OK, ""},
		{BYTES("00000000000000aA\r\n"
		       "0123456789"
		       "0123456789"
		       "0123456789"
		       "0123456789"
		       "0123456789"
		       "0123456789"
		       "0123456789"
		       "0123456789"
		       "0123456789"
		       "0123456789"
		       "0123456789"
		       "0123456789"
		       "0123456789"
		       "0123456789"
		       "0123456789"
		       "0123456789"
		       "0123456789\r\n0\r\n\r\n"),
		 "0123456789"
		 "0123456789"
		 "0123456789"
		 "0123456789"
		 "0123456789"
		 "0123456789"
		 "0123456789"
		 "0123456789"
		 "0123456789"
		 "0123456789"
		 "0123456789"
		 "0123456789"
		 "0123456789"
		 "0123456789"
		 "0123456789"
		 "0123456789"
		 "0123456789",
		 HTTP1_OK, ""},
		/* What follows is left alone. */
		{BYTES("1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n"), "x", HTTP1_OK,
		 ""},
		{BYTES("1;a\r\nx\r\n0;b=\"c;\t\xff\"; d = e\r\n\r\n"), "x",
		 HTTP1_OK, ""},
		{BYTES("1;\r\nx\r\n0;;\r\n\r\n"), "x", HTTP1_OK, ""},
		{BYTES("0\r\nA:b\r\nX-Checksum: \xff\t1 \r\n\r\n"), "",
		 HTTP1_OK, "A:b\r\nX-Checksum: \xff\t1 \r\n"},
		{BYTES("0\r\nExpires:\r\n\r\n"), "", HTTP1_OK, "Expires:\r\n"},
	};

	(void)state;
	run(v, COUNT(v));
}

#define SIZE HTTP1_BAD_CHUNK_SIZE

static void bad_sizes(void **state)
{
	static const struct body v[] = {
		{BYTES("\r\n"), NULL, SIZE, ""},
		{BYTES(";a\r\n"), NULL, SIZE, ""},
		{BYTES(" 1\r\nx\r\n"), NULL, SIZE, ""},
		{BYTES("1 \r\nx\r\n"), NULL, SIZE, ""},
		{BYTES("1\t;a\r\nx\r\n"), NULL, SIZE, ""},
		{BYTES("0x1\r\nx\r\n"), NULL, SIZE, ""},
		{BYTES("+1\r\nx\r\n"), NULL, SIZE, ""},
		{BYTES("-1\r\nx\r\n"), NULL, SIZE, ""},
		{BYTES("g\r\n"), NULL, SIZE, ""},
		{BYTES("1\nx\r\n"), NULL, SIZE, ""},
		{BYTES("1\rx\r\n"), NULL, SIZE, ""},
		{BYTES("1\r\rx\r\n"), NULL, SIZE, ""},
		{BYTES("1;a\nx\r\n0\r\n\r\n"), NULL, SIZE, ""},
		{BYTES("1;a\rb\r\n"), NULL, SIZE, ""},
		{BYTES("1;\0\r\n"), NULL, SIZE, ""},
		{BYTES("1;\x7f\r\n"), NULL, SIZE, ""},
		{BYTES("1\r\nx\r\n\r\n"), NULL, SIZE, ""},
		{BYTES("00000000000000001\r\nx\r\n"), NULL, SIZE, ""},
		{BYTES("8000000000000000\r\n"), NULL, SIZE, ""},
		{BYTES("ffffffffffffffff\r\n"), NULL, SIZE, ""},
		{BYTES("10000000000000000\r\n"), NULL, SIZE, ""},
	};

	(void)state;
	run(v, COUNT(v));
}

static void padded_sizes(void **state)
{
	static const struct body good[] = {
		{BYTES("5     \r\nhello\r\n0   \r\n\r\n"), "hello", HTTP1_OK,
		 ""},
		{BYTES("1 \t;a=b\r\nx\r\n1 ; \r\ny\r\n0 ;\r\n\r\n"), "xy",
		 HTTP1_OK, ""},
	};
	static const struct body bad[] = {
		{BYTES(" 1\r\nx\r\n"), NULL, SIZE, ""},
		{BYTES("1 1\r\nx\r\n"), NULL, SIZE, ""},
		{BYTES("1 x\r\nx\r\n"), NULL, SIZE, ""},
		{BYTES("1 \nx\r\n"), NULL, SIZE, ""},
		{BYTES("1 \rx\r\n"), NULL, SIZE, ""},
		{BYTES("1 \v\r\nx\r\n"), NULL, SIZE, ""},
		{BYTES("1\r \nx\r\n"), NULL, SIZE, ""},
	};

	(void)state;
	padded = true;
	run(good, COUNT(good));
	run(bad, COUNT(bad));
	padded = false;
}

static void bad_data(void **state)
{
	static const struct body v[] = {
		{BYTES("1\r\nxy\r\n"), NULL, HTTP1_BAD_CHUNK, ""},
		{BYTES("1\r\nx\n0\r\n\r\n"), NULL, HTTP1_BAD_CHUNK, ""},
		{BYTES("1\r\nx\r0\r\n\r\n"), NULL, HTTP1_BAD_CHUNK, ""},
		{BYTES("1\r\nx0\r\n\r\n"), NULL, HTTP1_BAD_CHUNK, ""},
		/* Not wrong, but not all of it. */
		{BYTES("5\r\nhell"), NULL, HTTP1_OK, ""},
		{BYTES("0\r\n"), NULL, HTTP1_OK, ""},
		{BYTES("0\r\n\r"), NULL, HTTP1_OK, ""},
		{BYTES("0\r\nA: b\r\n"), NULL, HTTP1_OK, ""},
	};

	(void)state;
	run(v, COUNT(v));
}

#define TRAILER NULL, HTTP1_BAD_TRAILER, ""

static void bad_trailers(void **state)
{
	static const struct body v[] = {
		{BYTES("0\r\n: b\r\n\r\n"), TRAILER},
		{BYTES("0\r\nA\r\n\r\n"), TRAILER},
		{BYTES("0\r\nA : b\r\n\r\n"), TRAILER},
		{BYTES("0\r\n A: b\r\n\r\n"), TRAILER},
		{BYTES("0\r\nA: b\r\n c\r\n\r\n"), TRAILER},
		{BYTES("0\r\nA: b\n\r\n"), TRAILER},
		{BYTES("0\r\nA: b\rc\r\n\r\n"), TRAILER},
		{BYTES("0\r\nA: \0\r\n\r\n"), TRAILER},
		{BYTES("0\r\nA: \x7f\r\n\r\n"), TRAILER},
		{BYTES("0\r\n\rX"), TRAILER},
		{BYTES("0\r\n\n"), TRAILER},
		{BYTES("0\r\nContent-Length: 5\r\n\r\n"), TRAILER},
		{BYTES("0\r\ntransfer-ENCODING: chunked\r\n\r\n"), TRAILER},
		{BYTES("0\r\nHost: b\r\n\r\n"), TRAILER},
		{BYTES("0\r\nA: b\r\nContent-Encoding: gzip\r\n\r\n"), TRAILER},
		{BYTES("0\r\nContent-Disposition: x\r\n\r\n"), TRAILER},
	};
	static const struct body fine[] = {
		{BYTES("0\r\nContent-Dispositions: x\r\n\r\n"), "", HTTP1_OK,
		 "Content-Dispositions: x\r\n"},
		{BYTES("0\r\nContent-Length-But-A-Longer-Name: x\r\n\r\n"), "",
		 HTTP1_OK, "Content-Length-But-A-Longer-Name: x\r\n"},
	};

	(void)state;
	run(v, COUNT(v));
	run(fine, COUNT(fine));
}

/* The largest size there is; its data goes by unread. */
static void sizes_at_63_bits(void **state)
{
	const char line[] = "7fffffffffffffff\r\n";
	struct chunked_step s;
	struct chunked c;

	(void)state;
	chunked_init(&c, NULL, 0);
	s = chunked_feed(&c, (const uint8_t *)line, sizeof(line) - 1);
	assert_int_equal(s.error, HTTP1_OK);
	assert_int_equal(s.used, sizeof(line) - 1);
	assert_int_equal(s.data.len, 0);
	assert_int_equal(c.state, CHUNKED_DATA);
	assert_true(c.left == INT64_MAX);
	chunked_skip(&c, INT64_MAX - 1);
	assert_int_equal(c.state, CHUNKED_DATA);
	s = chunked_feed(&c, (const uint8_t *)"x\r", 2);
	assert_int_equal(s.used, 1);
	assert_int_equal(s.data.len, 1);
	assert_int_equal(c.state, CHUNKED_DATA_CR);
	s = chunked_feed(&c, (const uint8_t *)"\r\n0\r\n\r\nx", 8);
	assert_int_equal(s.error, HTTP1_OK);
	assert_int_equal(s.used, 7);
	assert_int_equal(c.state, CHUNKED_DONE);
	s = chunked_feed(&c, (const uint8_t *)"x", 1);
	assert_int_equal(s.used, 0);
}

/* A size line of exactly CHUNKED_LINE_MAX bytes, and of one more. */
static void line_limit(void **state)
{
	static struct decoded d;
	char bytes[CHUNKED_LINE_MAX + 16];
	size_t n = CHUNKED_LINE_MAX;

	(void)state;
	memset(bytes, 'e', sizeof(bytes));
	put_bytes(bytes, BYTES("1;"));
	put_bytes(bytes + n - 2, BYTES("\r\nx\r\n0\r\n\r\n"));
	decode_all(bytes, n + 8, 0, &d);
	assert_true(d.done);
	memset(bytes + 2, 'e', n);
	put_bytes(bytes + n - 1, BYTES("\r\nx\r\n0\r\n\r\n"));
	decode_all(bytes, n + 9, 0, &d);
	assert_int_equal(d.error, HTTP1_BAD_CHUNK_SIZE);
	assert_int_equal(d.used, CHUNKED_LINE_MAX);
}

/* Kept trailers that just fit, and one byte too many. */
static void trailer_room(void **state)
{
	static struct decoded d;
	const char bytes[] = "0\r\nA: b\r\nC: d\r\n\r\n";

	(void)state;
	decode_all(BYTES(bytes), 12, &d);
	assert_true(d.done);
	assert_memory_equal(d.trailers, "A: b\r\nC: d\r\n\0", 13);
	decode_all(BYTES(bytes), 11, &d);
	assert_int_equal(d.error, HTTP1_BAD_TRAILER);
	assert_memory_equal(d.trailers, "A: b\r\nC: d\r\0", 12);
}

/* Dropped trailers: a line, and all lines, at their limit and over it. */
static void dropped_trailers(void **state)
{
	static char line[CHUNKED_LINE_MAX + 2];
	const size_t n = CHUNKED_LINE_MAX;
	struct chunked_step s;
	struct chunked c;

	(void)state;
	memset(line, 'v', sizeof(line));
	put_bytes(line, BYTES("A:"));
	put_bytes(line + n - 2, BYTES("\r\n"));
	chunked_init(&c, NULL, 0);
	chunked_feed(&c, (const uint8_t *)"0\r\n", 3);
	for (int i = 0; i < 64; i++) {
		s = chunked_feed(&c, (const uint8_t *)line, n);
		assert_int_equal(s.error, HTTP1_OK);
		assert_int_equal(s.used, n);
	}
	s = chunked_feed(&c, (const uint8_t *)"A", 1);
	assert_int_equal(s.error, HTTP1_BAD_TRAILER);

	put_bytes(line + n - 2, BYTES("vvv\r"));
	chunked_init(&c, NULL, 0);
	chunked_feed(&c, (const uint8_t *)"0\r\n", 3);
	s = chunked_feed(&c, (const uint8_t *)line, n + 2);
	assert_int_equal(s.error, HTTP1_BAD_TRAILER);
	assert_int_equal(s.used, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies),
		cmocka_unit_test(bad_sizes),
		cmocka_unit_test(padded_sizes),
		cmocka_unit_test(bad_data),
		cmocka_unit_test(bad_trailers),
		cmocka_unit_test(sizes_at_63_bits),
		cmocka_unit_test(line_limit),
		cmocka_unit_test(trailer_room),
		cmocka_unit_test(dropped_trailers),
	};

	return cmocka_run_group_tests_name("chunked", tests, NULL, NULL);
}
