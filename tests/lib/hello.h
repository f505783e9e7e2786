/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes TLS ClientHellos, right ones and wrong ones, piece by piece. */
#ifndef SLUICE_TESTS_HELLO_H
#define SLUICE_TESTS_HELLO_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HELLO_ROOM 70000

/* Lengths are filled in when what they are of is closed. */
struct hello {
	uint8_t data[HELLO_ROOM];
	size_t len;
};

static inline void hello_bytes(struct hello *h, const void *p, size_t n)
{
	if (n > HELLO_ROOM - h->len)
		abort();
	memcpy(h->data + h->len, p, n);
	h->len += n;
}

static inline void hello_u8(struct hello *h, unsigned int v)
{
	uint8_t b = (uint8_t)v;

	hello_bytes(h, &b, 1);
}

static inline void hello_u16(struct hello *h, unsigned int v)
{
	hello_u8(h, v >> 8);
	hello_u8(h, v & 0xff);
}

static inline void hello_fill(struct hello *h, unsigned int byte, size_t n)
{
	while (n-- > 0)
		hello_u8(h, byte);
}

/* Room for a length of @bytes; give what it returns to hello_close(). */
static inline size_t hello_open(struct hello *h, size_t bytes)
{
	hello_fill(h, 0, bytes);
	return h->len;
}

static inline void hello_close(struct hello *h, size_t open, size_t bytes)
{
	size_t n = h->len - open;

	for (size_t i = 1; i <= bytes; i++, n >>= 8)
		h->data[open - i] = (uint8_t)n;
}

/* Up to the extensions: type, version, random, session, ciphers, methods. */
static inline size_t hello_begin(struct hello *h)
{
	size_t open;

	h->len = 0;
	hello_u8(h, 1);
	open = hello_open(h, 3);
	hello_u16(h, 0x0303);
	hello_fill(h, 0x5a, 32);
	hello_u8(h, 32);
	hello_fill(h, 0xa5, 32);
	hello_u16(h, 6);
	hello_u16(h, 0x1301);
	hello_u16(h, 0x1302);
	hello_u16(h, 0xc02f);
	hello_u8(h, 1);
	hello_u8(h, 0);
	return open;
}

static inline size_t hello_ext(struct hello *h, unsigned int type)
{
	hello_u16(h, type);
	return hello_open(h, 2);
}

static inline void hello_ext_of(struct hello *h, unsigned int type,
				const void *p, size_t n)
{
	size_t open = hello_ext(h, type);

	hello_bytes(h, p, n);
	hello_close(h, open, 2);
}

static inline void hello_sni(struct hello *h, const char *name, size_t n)
{
	size_t ext = hello_ext(h, 0), list = hello_open(h, 2), one;

	hello_u8(h, 0);
	one = hello_open(h, 2);
	hello_bytes(h, name, n);
	hello_close(h, one, 2);
	hello_close(h, list, 2);
	hello_close(h, ext, 2);
}

/* A usual one: name (or NULL), ALPN h2 and http/1.1, versions, a key share. */
static inline void hello_usual(struct hello *h, const char *name,
			       size_t share_len)
{
	size_t open = hello_begin(h), exts = hello_open(h, 2), share;

	hello_ext_of(h, 0x2a2a, "", 0);
	if (name != NULL)
		hello_sni(h, name, strlen(name));
	hello_ext_of(h, 16, "\x00\x0c\x02h2\x08http/1.1", 14);
	hello_ext_of(h, 43, "\x06\x1a\x1a\x03\x04\x03\x03", 7);
	share = hello_ext(h, 51);
	hello_u16(h, (unsigned int)share_len);
	hello_fill(h, 0x77, share_len);
	hello_close(h, share, 2);
	hello_close(h, exts, 2);
	hello_close(h, open, 3);
}

/* Put the message @in into records of at most @piece bytes. */
static inline void hello_records(struct hello *out, const struct hello *in,
				 size_t piece)
{
	size_t at = 0;

	out->len = 0;
	while (at < in->len) {
		size_t n = in->len - at < piece ? in->len - at : piece;

		hello_u8(out, 22);
		hello_u16(out, 0x0301);
		hello_u16(out, (unsigned int)n);
		hello_bytes(out, in->data + at, n);
		at += n;
	}
}

#endif
