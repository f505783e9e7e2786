// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/transfer.h"

#define PAD   64
#define SPACE 65
#define WRONG 66

void transfer_init(struct transfer *t, const uint8_t *src, size_t len)
{
	*t = (struct transfer){.src = src, .len = len};
}

/* @n bytes of the source are done with. */
static void skip(struct transfer *t, size_t n)
{
	t->src += n;
	t->len -= n;
}

static uint8_t base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint8_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint8_t)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (uint8_t)(c - '0' + 52);
	switch (c) {
	case '+':
		return 62;
	case '/':
		return 63;
	case '=':
		return PAD;
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		return SPACE;
	default:
		return WRONG;
	}
}

/* Six bits more; true when that makes a byte, put at @dst. */
static bool add_digit(struct transfer *t, uint8_t value, uint8_t *dst)
{
	/* Digits after padding: decoders differ, so go on and say so. */
	if (t->pads > 0)
		t->damaged = true;
	t->digits++;
	t->bits = t->bits << 6 | value;
	t->held += 6;
	if (t->held < 8)
		return false;
	t->held -= 8;
	*dst = (uint8_t)(t->bits >> t->held);
	return true;
}

size_t transfer_base64(struct transfer *t, uint8_t *dst, size_t room)
{
	size_t n = 0;

	while (t->len > 0 && n < room) {
		uint8_t v = base64_value(*t->src);

		skip(t, 1);
		if (v == PAD)
			t->pads++;
		else if (v == WRONG)
			t->damaged = true;
		else if (v != SPACE && add_digit(t, v, dst + n))
			n++;
	}
	if (t->len == 0 && ((t->digits + t->pads) % 4 != 0 || t->pads > 2))
		t->damaged = true;
	return n;
}

/* -1 when @c is no hexadecimal digit; lower case is wrong but common. */
static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Bytes from "=" to the end of a soft line break, 0 when it is none. */
static size_t soft_break(const uint8_t *src, size_t len)
{
	size_t i = 1;

	while (i < len && (src[i] == ' ' || src[i] == '\t'))
		i++;
	if (i < len && src[i] == '\r')
		i++;
	if (i == len)
		return i;
	return src[i] == '\n' ? i + 1 : 0;
}

/* The byte that "=" and what follows stand for at @dst; false: for none. */
static bool escaped(struct transfer *t, uint8_t *dst)
{
	int high = t->len >= 3 ? hex_value(t->src[1]) : -1;
	int low = high != -1 ? hex_value(t->src[2]) : -1;
	size_t gap;

	if (low != -1) {
		*dst = (uint8_t)(high << 4 | low);
		skip(t, 3);
		return true;
	}
	gap = soft_break(t->src, t->len);
	if (gap > 0) {
		skip(t, gap);
		return false;
	}
	t->damaged = true;
	*dst = '=';
	skip(t, 1);
	return true;
}

size_t transfer_quoted_printable(struct transfer *t, uint8_t *dst, size_t room)
{
	size_t n = 0;

	while (t->len > 0 && n < room) {
		if (*t->src != '=') {
			dst[n++] = *t->src;
			skip(t, 1);
		} else if (escaped(t, dst + n)) {
			n++;
		}
	}
	return n;
}
