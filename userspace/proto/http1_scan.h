/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Byte classes and the scanning loops of the HTTP parsers. Internal to proto/:
 * every byte of every head passes here, so this is inline and works on 16
 * bytes at a time where the processor has SSE2.
 */
#ifndef SLUICE_PROTO_HTTP1_SCAN_H
#define SLUICE_PROTO_HTTP1_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
	CLASS_TOKEN = 1,    /* tchar, RFC 9110 5.6.2 */
	CLASS_REG_NAME = 2, /* reg-name less pct-encoded, RFC 3986 3.2.2 */
	CLASS_BOUNDARY = 4, /* bcharsnospace, RFC 2046 5.1.1 */
	CLASS_DIGIT = 8,
	CLASS_HEX = 16
};

extern const uint8_t http1_class[256];

static inline bool class_has(char c, unsigned int class)
{
	return (http1_class[(uint8_t)c] & class) != 0;
}

/* The first byte of [p, end) that is not in @class, or @end. */
static inline const char *scan_class(const char *p, const char *end,
				     unsigned int class)
{
	while (p < end && class_has(*p, class))
		p++;
	return p;
}

static inline const char *scan_ows(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/* VCHAR, SP, HTAB and obs-text: what a field value may hold. */
static inline bool is_text(char c)
{
	uint8_t u = (uint8_t)c;

	return (u >= 0x20 && u != 0x7f) || u == '\t';
}

/* VCHAR and bytes above ASCII: what a request target may hold. */
static inline bool is_visible(char c)
{
	uint8_t u = (uint8_t)c;

	return u > 0x20 && u != 0x7f;
}

#define SCAN_BLOCK 16

/* Bit i of these is set when p[i] ends a run; SCAN_BLOCK bytes are read. */
#ifdef __SSE2__
static inline unsigned int bytes_up_to(__m128i c, char top)
{
	__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(c, _mm_set1_epi8(top)), c);
	__m128i del = _mm_cmpeq_epi8(c, _mm_set1_epi8(0x7f));

	return (unsigned int)_mm_movemask_epi8(_mm_or_si128(low, del));
}

static inline unsigned int block_text_ends(const char *p)
{
	__m128i c = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i tab = _mm_cmpeq_epi8(c, _mm_set1_epi8('\t'));

	return bytes_up_to(c, 0x1f) & ~(unsigned int)_mm_movemask_epi8(tab);
}

static inline unsigned int block_visible_ends(const char *p)
{
	__m128i c = _mm_loadu_si128((const __m128i *)(const void *)p);

	return bytes_up_to(c, 0x20);
}
#else
static inline unsigned int block_text_ends(const char *p)
{
	unsigned int ends = 0;

	for (unsigned int i = 0; i < SCAN_BLOCK; i++)
		ends |= (unsigned int)!is_text(p[i]) << i;
	return ends;
}

static inline unsigned int block_visible_ends(const char *p)
{
	unsigned int ends = 0;

	for (unsigned int i = 0; i < SCAN_BLOCK; i++)
		ends |= (unsigned int)!is_visible(p[i]) << i;
	return ends;
}
#endif

/* The first byte of [p, end) that can't stand in a field value, or @end. */
static inline const char *scan_text(const char *p, const char *end)
{
	for (; end - p >= SCAN_BLOCK; p += SCAN_BLOCK) {
		unsigned int ends = block_text_ends(p);

		if (ends != 0)
			return p + __builtin_ctz(ends);
	}
	while (p < end && is_text(*p))
		p++;
	return p;
}

/* The first byte of [p, end) that can't stand in a target, or @end. */
static inline const char *scan_visible(const char *p, const char *end)
{
	for (; end - p >= SCAN_BLOCK; p += SCAN_BLOCK) {
		unsigned int ends = block_visible_ends(p);

		if (ends != 0)
			return p + __builtin_ctz(ends);
	}
	while (p < end && is_visible(*p))
		p++;
	return p;
}

#endif
