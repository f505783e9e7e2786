// SPDX-License-Identifier: GPL-2.0-or-later
/* br (RFC 7932) with Google's library; its windows end at 16 MiB. */
#include "scan/codec.h"

#include <brotli/decode.h>

static void *brotli_open(void)
{
	return BrotliDecoderCreateInstance(NULL, NULL, NULL);
}

static void brotli_close(void *codec)
{
	BrotliDecoderDestroyInstance(codec);
}

static enum codec_step damage_of(const BrotliDecoderState *decoder)
{
	BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(decoder);

	/* The errors of allocation are numbered together, from the first on. */
	if (code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
	    code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
		return CODEC_MEMORY;
	return CODEC_DAMAGED;
}

static enum codec_step brotli_step(void *codec, struct codec_io *io)
{
	BrotliDecoderResult rc = BrotliDecoderDecompressStream(
		codec, &io->in_len, &io->in, &io->out_len, &io->out, NULL);

	if (rc == BROTLI_DECODER_RESULT_ERROR)
		return damage_of(codec);
	if (rc != BROTLI_DECODER_RESULT_SUCCESS)
		return CODEC_MORE;
	io->streams++;
	return CODEC_END;
}

const struct codec_ops codec_brotli = {brotli_open, brotli_step, brotli_close};
