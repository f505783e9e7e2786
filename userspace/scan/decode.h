/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Undoing the content codings of an object, from the last to the first, within
 * limits of size, ratio and time. What could be decoded before something went
 * wrong is there all the same, because it is worth a scan.
 *
 * The question is never whether the coding is as it should be, but whether a
 * client could get more out of it, or something else, than is here:
 *
 * - A stream that ends early (no trailer, half of one, cut in its data) is good
 *   as far as it goes. Browsers show that much, and nobody can show more: each
 *   codec gives all that its input determines. (A block of zstd is read
 *   from its end, so of one that is cut there is nothing for anyone.)
 * - Where nothing at all came out, nobody knows what the bytes are: CODING.
 * - Data that is wrong in itself is CODING, whatever came before it: decoders
 *   differ in what they stop at (distances that are too far, incomplete codes,
 *   check sums), and some begin again in another way. See the codecs.
 */
#ifndef SLUICE_SCAN_DECODE_H
#define SLUICE_SCAN_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/verdict.h"
#include "proto/coding.h"
#include "scan/spool.h"

/* Below it a ratio means nothing: an empty page packs a thousandfold too. */
#define DECODE_RATIO_FROM (1u << 20)

struct decode_limits {
	uint64_t max_output;  /* bytes of any layer */
	uint32_t max_ratio;   /* of each coding, and of all together */
	uint64_t deadline_ms; /* of clock_system.monotonic_ms() */
};

struct decoded {
	const uint8_t *data; /* into the input or a spool */
	size_t size;
	/*
	 * NONE; CODING (damaged, nothing in it), SIZE, RATIO, SCANNER_TIMEOUT,
	 * STORAGE or SCANNER_FAILED: the first thing that went wrong.
	 */
	enum reason reason;
	/* Bytes that the first stream gave, when another gave more; else 0. */
	size_t first;
	/* The coded bytes hold more than the coding takes account of. */
	bool leftover;
	bool cut; /* a stream ended early, in some layer */
};

/* Two spools that take turns when codings are stacked. */
struct decoder {
	struct spool spools[2];
};

void decoder_init(struct decoder *d, const char *dir, uint64_t memory);
void decoder_reset(struct decoder *d);
void decoder_close(struct decoder *d);

/* @codings without unknown ones; @out is good until the next reset. */
void decoder_run(struct decoder *d, const struct coding_list *codings,
		 const uint8_t *data, size_t size,
		 const struct decode_limits *limits, struct decoded *out);

#endif
