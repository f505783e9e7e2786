// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gzip (RFC 1952) and deflate (RFC 1950, and RFC 1951 bare) with zlib.
 *
 * The check sums of gzip, of its head and of its data, are not looked at.
 * Chromium and Firefox skip them; who does look stops there, and has less than
 * we have. That of deflate is: at a wrong one Chromium begins again and reads
 * the same bytes as bare deflate, which may be another body altogether.
 *
 * Behind the end of bare deflate browsers still look for that sum, since they
 * read it as zlib with a head of their own. Firefox begins again there, with
 * whatever its last read brought: nobody knows with what.
 */
#include "scan/codec.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

#define WINDOW_ZLIB 15
#define WINDOW_GZIP (15 + 16)
#define WINDOW_BARE (-15)

struct zlib_codec {
	z_stream z;
	int window; /* 0: not known before the first bytes */
	bool begun;
};

static void *zlib_open(int window)
{
	struct zlib_codec *c = calloc(1, sizeof(*c));

	if (c != NULL)
		c->window = window;
	return c;
}

static void *gzip_open(void)
{
	return zlib_open(WINDOW_GZIP);
}

static void *deflate_open(void)
{
	return zlib_open(0);
}

static void zlib_close(void *codec)
{
	struct zlib_codec *c = codec;

	if (c->begun)
		inflateEnd(&c->z);
	free(c);
}

static bool begin(struct zlib_codec *c)
{
	c->begun = inflateInit2(&c->z, c->window) == Z_OK;
	return c->begun;
}

static bool begin_gzip(struct zlib_codec *c)
{
	return begin(c) && inflateValidate(&c->z, 0) == Z_OK;
}

/* One call of inflate(); zlib counts in unsigned int. */
static int run(struct zlib_codec *c, struct codec_io *io)
{
	uInt in_len = io->in_len < UINT_MAX ? (uInt)io->in_len : UINT_MAX;
	uInt out_len = io->out_len < UINT_MAX ? (uInt)io->out_len : UINT_MAX;
	int rc;

	c->z.next_in = (Bytef *)(uintptr_t)io->in;
	c->z.avail_in = in_len;
	c->z.next_out = io->out;
	c->z.avail_out = out_len;
	rc = inflate(&c->z, Z_NO_FLUSH);
	io->in += in_len - c->z.avail_in;
	io->in_len -= in_len - c->z.avail_in;
	io->out += out_len - c->z.avail_out;
	io->out_len -= out_len - c->z.avail_out;
	return rc;
}

static enum codec_step step_of(int rc)
{
	switch (rc) {
	case Z_OK:
	case Z_BUF_ERROR: /* no progress: the driver sees it */
		return CODEC_MORE;
	case Z_MEM_ERROR:
		return CODEC_MEMORY;
	default: /* Z_NEED_DICT too: nobody can send the dictionary */
		return CODEC_DAMAGED;
	}
}

static enum codec_step gzip_step(void *codec, struct codec_io *io)
{
	struct zlib_codec *c = codec;
	int rc;

	if (!c->begun && !begin_gzip(c))
		return CODEC_MEMORY;
	rc = run(c, io);
	if (rc != Z_STREAM_END)
		return step_of(rc);
	io->streams++;
	/* Another member follows only where its magic number does. */
	if (io->in_len < 2 || io->in[0] != 0x1f || io->in[1] != 0x8b)
		return CODEC_END;
	return inflateReset(&c->z) == Z_OK ? CODEC_MORE : CODEC_DAMAGED;
}

/* RFC 1950 2.2: deflate, a window of at most 32 KiB, and the check bits. */
static bool has_zlib_header(const struct codec_io *io)
{
	return io->in_len >= 2 && (io->in[0] & 0x0f) == 8 &&
	       io->in[0] >> 4 <= 7 && (io->in[0] << 8 | io->in[1]) % 31 == 0;
}

static enum codec_step deflate_step(void *codec, struct codec_io *io)
{
	struct zlib_codec *c = codec;
	int rc;

	if (c->window == 0)
		c->window = has_zlib_header(io) ? WINDOW_ZLIB : WINDOW_BARE;
	if (!c->begun && !begin(c))
		return CODEC_MEMORY;
	rc = run(c, io);
	if (rc != Z_STREAM_END)
		return step_of(rc);
	io->streams++;
	return c->window == WINDOW_BARE && io->in_len > 0 ? CODEC_DAMAGED
							  : CODEC_END;
}

const struct codec_ops codec_gzip = {gzip_open, gzip_step, zlib_close};
const struct codec_ops codec_deflate = {deflate_open, deflate_step, zlib_close};
