// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/codec.h"

static const struct codec_ops *const codecs[CODING_COUNT] = {
	[CODING_GZIP] = &codec_gzip,
	[CODING_DEFLATE] = &codec_deflate,
	[CODING_BR] = &codec_brotli,
	[CODING_ZSTD] = &codec_zstd,
};

const struct codec_ops *codec_of(uint8_t coding)
{
	return coding < CODING_COUNT ? codecs[coding] : NULL;
}
