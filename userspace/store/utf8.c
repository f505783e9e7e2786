// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/utf8.h"

#include <stdint.h>
#include <string.h>

static const char replacement[] = {'\xef', '\xbf', '\xbd'}; /* U+FFFD */

/* What a first byte says about its sequence (RFC 3629 4). */
struct lead {
	uint8_t first, last;
	uint8_t len;
	uint8_t second_min,
		second_max; /* shuts out overlong forms, surrogates */
};

static const struct lead leads[] = {
	{0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
	{0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f},
	{0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf},
	{0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static const struct lead *lead_of(uint8_t c)
{
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
		if (c >= leads[i].first && c <= leads[i].last)
			return &leads[i];
	return NULL;
}

/* Bytes of the valid sequence at @p, or 0. */
static size_t sequence(const uint8_t *p, size_t n)
{
	const struct lead *lead;

	if (p[0] < 0x80)
		return 1;
	lead = lead_of(p[0]);
	if (lead == NULL || n < lead->len || p[1] < lead->second_min ||
	    p[1] > lead->second_max)
		return 0;
	for (size_t i = 2; i < lead->len; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return lead->len;
}

/* DEL, C1, U+2028, U+2029. */
static bool unwanted(const uint8_t *p, size_t len)
{
	if (len == 1)
		return p[0] == 0x7f;
	if (len == 2)
		return p[0] == 0xc2 && p[1] < 0xa0;
	return len == 3 && p[0] == 0xe2 && p[1] == 0x80 &&
	       (p[2] == 0xa8 || p[2] == 0xa9);
}

static bool plain(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((uint8_t)s.p[i] >= 0x7f)
			return false;
	return true;
}

struct str utf8_clean(struct str s, char *dst)
{
	const uint8_t *p = (const uint8_t *)s.p;
	size_t len = 0;

	if (plain(s))
		return s;
	for (size_t i = 0; i < s.len;) {
		size_t n = sequence(p + i, s.len - i);

		if (n == 0 || unwanted(p + i, n)) {
			memcpy(dst + len, replacement, sizeof(replacement));
			len += sizeof(replacement);
		} else {
			memcpy(dst + len, p + i, n);
			len += n;
		}
		i += n > 0 ? n : 1;
	}
	return (struct str){dst, len};
}
