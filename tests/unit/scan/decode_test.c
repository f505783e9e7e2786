// SPDX-License-Identifier: GPL-2.0-or-later
/* Content codings: whole, cut, damaged, stacked, blown up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "scan/decode.h"
#include "sys/clock.h"

#define MEMORY	 (4u << 20)
#define TEXT_MAX (1u << 20)

static struct decoder decoder;
static char dir[] = "/tmp/sluice-decode-XXXXXX";
static uint8_t *text; /* TEXT_MAX bytes that look like prose */

struct bytes {
	uint8_t *p;
	size_t len;
};

static int set_up(void **state)
{
	uint32_t seed = 1;

	(void)state;
	text = malloc(TEXT_MAX);
	if (text == NULL || (strstr(dir, "XXXXXX") && mkdtemp(dir) == NULL))
		return -1;
	for (size_t i = 0; i < TEXT_MAX; i++) {
		seed = seed * 1103515245u + 12345u;
		text[i] = (uint8_t)("etaoin shrdlu\n<p>"[(seed >> 16) % 17]);
	}
	decoder_init(&decoder, dir, MEMORY);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	decoder_close(&decoder);
	free(text);
	/* Nothing is left in the directory. */
	return rmdir(dir) == 0 && mkdir(dir, 0700) == 0 ? 0 : -1;
}

/* --- encoders ------------------------------------------------------------------ */

static struct bytes with_zlib(const uint8_t *src, size_t len, int window)
{
	struct bytes out = {malloc(len + 1000), len + 1000};
	z_stream z = {.next_in = (Bytef *)(uintptr_t)src,
		      .avail_in = (uInt)len,
		      .next_out = out.p,
		      .avail_out = (uInt)out.len};

	assert_non_null(out.p);
	assert_int_equal(
		deflateInit2(&z, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY),
		Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out.len = z.total_out;
	deflateEnd(&z);
	return out;
}

static struct bytes with_zstd(const uint8_t *src, size_t len, int window_log)
{
	struct bytes out = {malloc(ZSTD_compressBound(len)),
			    ZSTD_compressBound(len)};
	ZSTD_CCtx *ctx = ZSTD_createCCtx();

	assert_non_null(out.p);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
	if (window_log > 0) {
		ZSTD_CCtx_setParameter(ctx, ZSTD_c_windowLog, window_log);
		ZSTD_CCtx_setParameter(ctx, ZSTD_c_contentSizeFlag, 0);
	}
	out.len = ZSTD_compress2(ctx, out.p, out.len, src, len);
	assert_false(ZSTD_isError(out.len));
	ZSTD_freeCCtx(ctx);
	return out;
}

/* With the command line tool: the library's encoder is not linked. */
static struct bytes with_brotli(const uint8_t *src, size_t len)
{
	struct bytes out = {malloc(len + 1000), 0};
	char plain[] = "/tmp/sluice-plain-XXXXXX", coded[64];
	int fd = mkstemp(plain), status;
	FILE *f;
	pid_t pid;

	assert_non_null(out.p);
	assert_int_equal(write(fd, src, len), len);
	close(fd);
	snprintf(coded, sizeof(coded), "%s.br", plain);
	pid = fork();
	if (pid == 0) {
		execlp("brotli", "brotli", "-q", "5", "-o", coded, plain,
		       (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	f = fopen(coded, "r");
	assert_non_null(f);
	out.len = fread(out.p, 1, len + 1000, f);
	fclose(f);
	unlink(coded);
	unlink(plain);
	return out;
}

static struct bytes encode(enum coding coding, const uint8_t *src, size_t len)
{
	switch (coding) {
	case CODING_GZIP:
		return with_zlib(src, len, 15 + 16);
	case CODING_DEFLATE:
		return with_zlib(src, len, 15);
	case CODING_BR:
		return with_brotli(src, len);
	case CODING_ZSTD:
		return with_zstd(src, len, 0);
	default:
		abort();
	}
}

static struct bytes joined(const void *a, size_t a_len, const void *b,
			   size_t b_len)
{
	struct bytes out = {malloc(a_len + b_len), a_len + b_len};

	assert_non_null(out.p);
	memcpy(out.p, a, a_len);
	memcpy(out.p + a_len, b, b_len);
	return out;
}

/* --- running ------------------------------------------------------------------- */

static const struct decode_limits roomy = {
	.max_output = 64u << 20,
	.max_ratio = 10000,
	.deadline_ms = UINT64_MAX,
};

static struct decoded run_limited(struct coding_list codings,
				  const uint8_t *src, size_t len,
				  const struct decode_limits *limits)
{
	struct decoded d;

	decoder_reset(&decoder);
	decoder_run(&decoder, &codings, src, len, limits, &d);
	assert_non_null(d.data);
	return d;
}

static struct decoded run(enum coding coding, struct bytes b)
{
	struct coding_list one = {.coding = {(uint8_t)coding}, .count = 1};

	return run_limited(one, b.p, b.len, &roomy);
}

static void assert_text(const struct decoded *d, size_t len)
{
	assert_int_equal(d->reason, REASON_NONE);
	assert_false(d->cut);
	assert_int_equal(d->size, len);
	assert_memory_equal(d->data, text, len);
}

/* --- tests ---------------------------------------------------------------------- */

static void whole(void **state)
{
	static const size_t sizes[] = {0,      1,      100,    65535,
				       262143, 262144, 262145, TEXT_MAX};

	(void)state;
	for (int c = CODING_GZIP; c < CODING_COUNT; c++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			struct bytes b = encode((enum coding)c, text, sizes[i]);
			struct decoded d = run((enum coding)c, b);

			assert_text(&d, sizes[i]);
			assert_false(d.leftover);
			assert_int_equal(d.first, 0);
			free(b.p);
		}
	}
}

/* The deflate of some servers: no zlib header (RFC 9110 8.4.1.2, note). */
static void bare_deflate(void **state)
{
	struct bytes b = with_zlib(text, 50000, -15);
	struct decoded d = run(CODING_DEFLATE, b);

	(void)state;
	assert_text(&d, 50000);
	free(b.p);
}

/* Every prefix: each byte more gives as much or more of the text. */
static void cut(void **state)
{
	(void)state;
	for (int c = CODING_GZIP; c < CODING_COUNT; c++) {
		struct bytes b = encode((enum coding)c, text, 3000);
		size_t size = 0;

		for (size_t len = 1; len < b.len; len++) {
			struct decoded d =
				run((enum coding)c, (struct bytes){b.p, len});

			assert_true(d.cut);
			assert_int_equal(d.reason, d.size > 0 ? REASON_NONE
							      : REASON_CODING);
			assert_in_range(d.size, size, 3000);
			assert_memory_equal(d.data, text, d.size);
			size = d.size;
		}
		/* The last byte may hold a symbol or two. */
		assert_true(size > 2990);
		free(b.p);
	}
}

static void cut_in_a_later_stream(void **state)
{
	struct bytes one = with_zlib(text, 1000, 15 + 16);
	struct bytes two = with_zlib(text + 1000, 500, 15 + 16);
	struct bytes both = joined(one.p, one.len, two.p, two.len - 8);
	struct decoded d = run(CODING_GZIP, both);

	(void)state;
	assert_true(d.cut);
	assert_int_equal(d.reason, REASON_NONE);
	assert_int_equal(d.first, 1000);
	assert_int_equal(d.size, 1500);
	assert_memory_equal(d.data, text, d.size);
	/* There is a head, and nothing in it. */
	d = run(CODING_GZIP, (struct bytes){both.p, one.len + 10});
	assert_true(d.cut);
	assert_int_equal(d.reason, REASON_NONE);
	assert_int_equal(d.first, 0);
	assert_int_equal(d.size, 1000);
	free(one.p);
	free(two.p);
	free(both.p);
}

/* Browsers skip the trailer of a member, and then another may follow. */
static void check_sums_of_gzip(void **state)
{
	struct bytes one = with_zlib(text, 1000, 15 + 16);
	struct bytes two = with_zlib(text + 1000, 500, 15 + 16);
	struct bytes both;
	struct decoded d;

	(void)state;
	memset(one.p + one.len - 8, 0xff, 8);
	d = run(CODING_GZIP, one);
	assert_text(&d, 1000);
	both = joined(one.p, one.len, two.p, two.len);
	d = run(CODING_GZIP, both);
	assert_text(&d, 1500);
	assert_int_equal(d.first, 1000);
	free(one.p);
	free(two.p);
	free(both.p);
}

/* The head's (RFC 1952 2.3.1, FHCRC), which is wrong here. */
static void check_sum_of_a_gzip_head(void **state)
{
	struct bytes b = with_zlib(text, 1000, 15 + 16);
	struct bytes sum = joined(b.p, 12, b.p + 10, b.len - 10);
	struct decoded d;

	(void)state;
	sum.p[3] |= 2;
	memset(sum.p + 10, 0xff, 2);
	d = run(CODING_GZIP, sum);
	assert_text(&d, 1000);
	free(b.p);
	free(sum.p);
}

/*
 * A stored block of zeros for who reads zlib; another one, and whatever stands
 * behind it, for who begins again without the head because the check sum is
 * wrong, as Chromium does.
 */
static void deflate_of_two_minds(void **state)
{
	static const uint8_t head[] = {0x78, 0x9c, 0x00, 0x63,
				       0xff, 0x9c, 0x00};
	static const uint8_t tail[] = {0x01, 0x00, 0x00, 0xff, 0xff};
	static uint8_t bytes[sizeof(head) + 0xff63 + sizeof(tail) + 4];
	struct bytes b = {bytes, sizeof(bytes)};
	uint32_t sum = htonl((uint32_t)adler32(1, bytes, 0xff63));
	uint8_t *at = bytes + sizeof(bytes) - 4;
	struct decoded d;

	(void)state;
	memcpy(bytes, head, sizeof(head));
	memcpy(at - sizeof(tail), tail, sizeof(tail));
	memcpy(at, &sum, 4);
	d = run(CODING_DEFLATE, b);
	assert_int_equal(d.reason, REASON_NONE);
	assert_int_equal(d.size, 0xff63);
	at[3] ^= 1;
	d = run(CODING_DEFLATE, b);
	assert_int_equal(d.reason, REASON_CODING);
	d = run(CODING_DEFLATE, (struct bytes){bytes + 2, sizeof(bytes) - 6});
	assert_int_equal(d.reason, REASON_NONE);
	assert_int_equal(d.size, 0xff63);
}

static void another_stream_behind_bare_deflate(void **state)
{
	struct bytes one = with_zlib(text, 1000, -15);
	struct bytes two = with_zlib(text + 1000, 500, -15);
	struct bytes both = joined(one.p, one.len, two.p, two.len);
	struct decoded d = run(CODING_DEFLATE, both);

	(void)state;
	assert_int_equal(d.reason, REASON_CODING);
	assert_true(d.leftover);
	assert_int_equal(d.size, 1000);
	free(one.p);
	free(two.p);
	free(both.p);
}

/* Whether the library can read it or not: it doesn't end there. */
static void an_old_frame_of_zstd(void **state)
{
	static const uint8_t old[] = {0x27, 0xb5, 0x2f, 0xfd, 1, 2, 3, 4, 5, 6};
	struct bytes one = with_zstd(text, 1000, 0);
	struct bytes both = joined(one.p, one.len, old, sizeof(old));
	struct decoded d = run(CODING_ZSTD, both);

	(void)state;
	assert_true(d.reason == REASON_CODING || d.cut);
	assert_true(d.size >= 1000);
	free(one.p);
	free(both.p);
}

/* What tells changed bytes from good ones in each coding, if anything does. */
static bool has_check_sum(int coding)
{
	return coding == CODING_DEFLATE || coding == CODING_ZSTD;
}

/* Every bit: never a crash; changed text is never taken for good. */
static void flipped(void **state)
{
	(void)state;
	for (int c = CODING_GZIP; c < CODING_COUNT; c++) {
		struct bytes b = encode((enum coding)c, text, 600);
		unsigned int refused = 0;

		for (size_t bit = 0; bit < b.len * 8; bit++) {
			struct decoded d;

			b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			d = run((enum coding)c, b);
			refused += d.reason != REASON_NONE;
			if (has_check_sum(c) && d.reason == REASON_NONE &&
			    !d.leftover && !d.cut)
				assert_text(&d, 600);
			b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		assert_true(refused > (has_check_sum(c) ? b.len : 0));
		free(b.p);
	}
}

static void several_streams(void **state)
{
	struct bytes one = with_zlib(text, 1000, 15 + 16);
	struct bytes two = with_zlib(text + 1000, 500, 15 + 16);
	struct bytes both = joined(one.p, one.len, two.p, two.len);
	struct decoded d = run(CODING_GZIP, both);

	(void)state;
	assert_text(&d, 1500);
	assert_int_equal(d.first, 1000);
	assert_false(d.leftover);
	free(one.p);
	free(two.p);
	free(both.p);

	one = with_zstd(text, 1000, 0);
	two = with_zstd(text + 1000, 500, 0);
	both = joined(one.p, one.len, two.p, two.len);
	d = run(CODING_ZSTD, both);
	assert_text(&d, 1500);
	assert_int_equal(d.first, 1000);
	free(one.p);
	free(two.p);
	free(both.p);
}

/* A skippable frame of zstd is no text and no damage. */
static void skippable_frame(void **state)
{
	static const uint8_t skip[] = {0x50, 0x2a, 0x4d, 0x18, 4,   0,
				       0,    0,	   'j',	 'u',  'n', 'k'};
	struct bytes one = with_zstd(text, 1000, 0);
	struct bytes both = joined(one.p, one.len, skip, sizeof(skip));
	struct decoded d = run(CODING_ZSTD, both);

	(void)state;
	assert_text(&d, 1000);
	assert_false(d.leftover);
	free(one.p);
	free(both.p);
}

static void trailing_garbage(void **state)
{
	static const char *const garbage[] = {"x", "garbage after the end",
					      "\0\0\0\0\0\0\0\0\0"};

	(void)state;
	for (int c = CODING_GZIP; c < CODING_COUNT; c++) {
		for (size_t i = 0; i < 3; i++) {
			size_t n = i == 2 ? 9 : strlen(garbage[i]);
			struct bytes b = encode((enum coding)c, text, 2000);
			struct bytes all = joined(b.p, b.len, garbage[i], n);
			struct decoded d = run((enum coding)c, all);

			assert_text(&d, 2000);
			assert_true(d.leftover);
			free(b.p);
			free(all.p);
		}
	}
}

static void not_coded_at_all(void **state)
{
	static const uint8_t page[] = "<html>Content-Encoding lied</html>";

	(void)state;
	for (int c = CODING_GZIP; c < CODING_COUNT; c++) {
		struct decoded d =
			run((enum coding)c,
			    (struct bytes){(uint8_t *)page, sizeof(page) - 1});

		assert_int_equal(d.reason, REASON_CODING);
	}
}

/* Applied in this order, undone from the last to the first. */
static void stacks(void **state)
{
	struct coding_list list = {
		.coding = {CODING_DEFLATE, CODING_ZSTD, CODING_GZIP, CODING_BR},
		.count = 4};
	struct bytes b = {text, 40000};
	struct decoded d;

	(void)state;
	for (unsigned int i = 0; i < list.count; i++) {
		struct bytes outer =
			encode((enum coding)list.coding[i], b.p, b.len);

		if (b.p != text)
			free(b.p);
		b = outer;
	}
	d = run_limited(list, b.p, b.len, &roomy);
	assert_text(&d, 40000);
	/* Cut, all that comes through is still looked at. */
	d = run_limited(list, b.p, b.len / 2, &roomy);
	assert_int_equal(d.reason, REASON_NONE);
	assert_true(d.cut);
	assert_true(d.size > 0);
	assert_memory_equal(d.data, text, d.size);
	free(b.p);
}

/* --- limits ----------------------------------------------------------------------- */

static void bombs(void **state)
{
	size_t len = 40u << 20;
	uint8_t *zeros = calloc(1, len);
	struct decode_limits limits = roomy;

	(void)state;
	assert_non_null(zeros);
	for (int c = CODING_GZIP; c < CODING_COUNT; c++) {
		struct coding_list one = {.coding = {(uint8_t)c}, .count = 1};
		struct bytes b = encode((enum coding)c, zeros, len);
		struct decoded d;

		limits.max_ratio = 200;
		limits.max_output = 64u << 20;
		d = run_limited(one, b.p, b.len, &limits);
		assert_int_equal(d.reason, REASON_RATIO);
		assert_true(d.size < len);
		limits.max_ratio = UINT32_MAX;
		limits.max_output = 10u << 20;
		d = run_limited(one, b.p, b.len, &limits);
		assert_int_equal(d.reason, REASON_SIZE);
		assert_int_equal(d.size, 10u << 20);
		limits.max_output = len;
		d = run_limited(one, b.p, b.len, &limits);
		assert_int_equal(d.reason, REASON_NONE);
		assert_int_equal(d.size, len);
		assert_memory_equal(d.data, zeros, len);
		free(b.p);
	}
	free(zeros);
}

/* Small pages pack well and are no bombs. */
static void a_small_ratio_is_not_judged(void **state)
{
	size_t len = DECODE_RATIO_FROM;
	uint8_t *zeros = calloc(1, len + 1);
	struct decode_limits limits = roomy;
	struct coding_list gzip = {.coding = {CODING_GZIP}, .count = 1};
	struct bytes b;
	struct decoded d;

	(void)state;
	assert_non_null(zeros);
	limits.max_ratio = 2;
	b = with_zlib(zeros, len, 15 + 16);
	d = run_limited(gzip, b.p, b.len, &limits);
	assert_int_equal(d.reason, REASON_NONE);
	free(b.p);
	b = with_zlib(zeros, len + 1, 15 + 16);
	d = run_limited(gzip, b.p, b.len, &limits);
	assert_int_equal(d.reason, REASON_RATIO);
	free(b.p);
	free(zeros);
}

/* Each layer within the ratio, all together beyond it. */
static void the_ratio_counts_over_all_layers(void **state)
{
	size_t len = 40u << 20;
	uint8_t *zeros = calloc(1, len);
	struct coding_list twice = {.coding = {CODING_GZIP, CODING_GZIP},
				    .count = 2};
	struct decode_limits limits = roomy;
	struct bytes inner, outer;
	struct decoded d;

	(void)state;
	assert_non_null(zeros);
	inner = with_zlib(zeros, len, 15 + 16); /* a thousandfold */
	outer = with_zlib(inner.p, inner.len, 15 + 16);
	limits.max_ratio = 2000;
	d = run_limited(twice, outer.p, outer.len, &limits);
	assert_int_equal(d.reason, REASON_RATIO);
	free(inner.p);
	free(outer.p);
	free(zeros);
}

static void large_windows_of_zstd(void **state)
{
	size_t len = 20u << 20;
	uint8_t *noise = malloc(len);
	uint32_t seed = 1;
	struct bytes b;
	struct decoded d;

	(void)state;
	assert_non_null(noise);
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245u + 12345u;
		noise[i] = (uint8_t)(seed >> 16);
	}
	b = with_zstd(noise, len, 23);
	d = run(CODING_ZSTD, b);
	assert_int_equal(d.reason, REASON_NONE);
	assert_int_equal(d.size, len);
	free(b.p);
	b = with_zstd(noise, len, 24);
	d = run(CODING_ZSTD, b);
	assert_int_equal(d.reason, REASON_CODING);
	free(b.p);
	free(noise);
}

static void the_deadline(void **state)
{
	struct bytes b = with_zlib(text, TEXT_MAX, 15 + 16);
	struct coding_list gzip = {.coding = {CODING_GZIP}, .count = 1};
	struct decode_limits limits = roomy;
	struct decoded d;

	(void)state;
	limits.deadline_ms = clock_system.monotonic_ms();
	d = run_limited(gzip, b.p, b.len, &limits);
	assert_int_equal(d.reason, REASON_SCANNER_TIMEOUT);
	free(b.p);
}

static void no_room_on_disk(void **state)
{
	size_t len = MEMORY + 1000000;
	uint8_t *zeros = calloc(1, len);
	struct coding_list gzip = {.coding = {CODING_GZIP}, .count = 1};
	struct bytes b;
	struct decoded d;

	(void)state;
	assert_non_null(zeros);
	b = with_zlib(zeros, len, 15 + 16);
	decoder_close(&decoder);
	decoder_init(&decoder, "/nonexistent", MEMORY);
	d = run_limited(gzip, b.p, b.len, &roomy);
	assert_int_equal(d.reason, REASON_STORAGE);
	assert_true(d.size >= MEMORY); /* so much is there to be scanned */
	free(b.p);
	free(zeros);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whole),
		TEST(bare_deflate),
		TEST(cut),
		TEST(cut_in_a_later_stream),
		TEST(check_sums_of_gzip),
		TEST(check_sum_of_a_gzip_head),
		TEST(deflate_of_two_minds),
		TEST(another_stream_behind_bare_deflate),
		TEST(an_old_frame_of_zstd),
		TEST(flipped),
		TEST(several_streams),
		TEST(skippable_frame),
		TEST(trailing_garbage),
		TEST(not_coded_at_all),
		TEST(stacks),
		TEST(bombs),
		TEST(a_small_ratio_is_not_judged),
		TEST(the_ratio_counts_over_all_layers),
		TEST(large_windows_of_zstd),
		TEST(the_deadline),
		TEST(no_room_on_disk),
	};
	int rc = cmocka_run_group_tests_name("decode", tests, NULL, NULL);

	rmdir(dir);
	return rc;
}
