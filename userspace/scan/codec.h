/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A content coding undone by its library, piece by piece. Two encoded streams
 * one after the other (members of gzip, frames of zstd) are one body; what
 * follows and is no stream is left over, as browsers leave it.
 */
#ifndef SLUICE_SCAN_CODEC_H
#define SLUICE_SCAN_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "proto/coding.h"

/* Input and output; a step moves the pointers over what it used. */
struct codec_io {
	const uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_len;
	unsigned int streams; /* that have ended */
};

enum codec_step {
	CODEC_MORE, /* go on with more room; no progress: input ended early */
	CODEC_END,  /* the coding is complete; in_len bytes are left over */
	CODEC_DAMAGED, /* no such coding, or it needs more than we allow */
	CODEC_MEMORY
};

struct codec_ops {
	void *(*open)(void); /* NULL: no memory */
	enum codec_step (*step)(void *codec, struct codec_io *io);
	void (*close)(void *codec);
};

extern const struct codec_ops codec_gzip;
extern const struct codec_ops codec_deflate;
extern const struct codec_ops codec_brotli;
extern const struct codec_ops codec_zstd;

/* NULL for CODING_UNKNOWN and anything that is no coding. */
const struct codec_ops *codec_of(uint8_t coding);

#endif
