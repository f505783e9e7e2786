// SPDX-License-Identifier: GPL-2.0-or-later
/* zstd (RFC 8878); windows up to 8 MiB, as RFC 9659 has it for content codings. */
#include "scan/codec.h"

#include <stdbool.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#define WINDOW_LOG_MAX 23

/* Formats before 0.8, which a client's library may have been built to read. */
#define MAGIC_0_1	 0xfd2fb51e
#define MAGIC_LATER	 0xfd2fb520 /* 0.2 and on, today's as well */
#define MAGIC_LATER_MASK 0xfffffff0

static void *zstd_open(void)
{
	ZSTD_DCtx *ctx = ZSTD_createDCtx();

	if (ctx != NULL && ZSTD_isError(ZSTD_DCtx_setParameter(
				   ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
		ZSTD_freeDCtx(ctx);
		ctx = NULL;
	}
	return ctx;
}

static void zstd_close(void *codec)
{
	ZSTD_freeDCtx(codec);
}

/*
 * A frame, or one of the sixteen kinds of skippable frames (little endian). An
 * old one that our library can't read is damage, not something left over.
 */
static bool frame_follows(const struct codec_io *io)
{
	uint32_t magic;

	if (io->in_len < 4)
		return false;
	magic = (uint32_t)io->in[0] | (uint32_t)io->in[1] << 8 |
		(uint32_t)io->in[2] << 16 | (uint32_t)io->in[3] << 24;
	return magic == MAGIC_0_1 ||
	       (magic & MAGIC_LATER_MASK) == MAGIC_LATER ||
	       (magic & ZSTD_MAGIC_SKIPPABLE_MASK) ==
		       ZSTD_MAGIC_SKIPPABLE_START;
}

static enum codec_step zstd_step(void *codec, struct codec_io *io)
{
	ZSTD_inBuffer in = {io->in, io->in_len, 0};
	ZSTD_outBuffer out = {io->out, io->out_len, 0};
	size_t rc = ZSTD_decompressStream(codec, &out, &in);

	io->in += in.pos;
	io->in_len -= in.pos;
	io->out += out.pos;
	io->out_len -= out.pos;
	if (ZSTD_isError(rc))
		return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation
			       ? CODEC_MEMORY
			       : CODEC_DAMAGED;
	if (rc != 0)
		return CODEC_MORE;
	io->streams++;
	return frame_follows(io) ? CODEC_MORE : CODEC_END;
}

const struct codec_ops codec_zstd = {zstd_open, zstd_step, zstd_close};
