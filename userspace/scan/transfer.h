/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Content-Transfer-Encodings of form parts (RFC 2045 6.7 and 6.8). Deprecated
 * for forms (RFC 7578 4.7), so some servers undo them and some don't. Pure.
 */
#ifndef SLUICE_SCAN_TRANSFER_H
#define SLUICE_SCAN_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct transfer {
	const uint8_t *src; /* not yet decoded */
	size_t len;
	/* A strict decoder would have refused; set for good after the end. */
	bool damaged;
	/* base64: bits without a byte yet, digits and "=" so far */
	uint32_t bits;
	unsigned int held;
	size_t digits;
	size_t pads;
};

void transfer_init(struct transfer *t, const uint8_t *src, size_t len);
/*
 * The next bytes, at most @room of them, at @dst; how many; 0 at the end. What
 * can't be decoded is left out (base64) or kept as it is (quoted-printable).
 */
size_t transfer_base64(struct transfer *t, uint8_t *dst, size_t room);
size_t transfer_quoted_printable(struct transfer *t, uint8_t *dst, size_t room);

#endif
