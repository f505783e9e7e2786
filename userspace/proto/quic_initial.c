// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/quic_initial.h"

#include <string.h>

#define LONG_HEADER 0x80
#define FIXED_BIT   0x40

/* Frames of Initial packets (RFC 9000 12.4). */
#define FRAME_PADDING 0x00
#define FRAME_PING    0x01
#define FRAME_ACK     0x02
#define FRAME_ACK_ECN 0x03
#define FRAME_CRYPTO  0x06
#define FRAME_CLOSE   0x1c

/* Bytes that are left to read; what is past the end sets @cut and is 0. */
struct cursor {
	const uint8_t *p;
	size_t left;
	bool cut;
};

static struct str get_bytes(struct cursor *c, uint64_t n)
{
	struct str s = {(const char *)c->p, (size_t)n};

	if (n > c->left) {
		c->cut = true;
		c->left = 0;
		return (struct str){NULL, 0};
	}
	c->p += n;
	c->left -= (size_t)n;
	return s;
}

static uint8_t get_u8(struct cursor *c)
{
	struct str s = get_bytes(c, 1);

	return s.len == 1 ? (uint8_t)s.p[0] : 0;
}

static uint32_t get_u32(struct cursor *c)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 8 | get_u8(c);
	return v;
}

/* RFC 9000 16 */
static uint64_t get_varint(struct cursor *c)
{
	uint8_t first = get_u8(c);
	uint64_t v = first & 0x3f;

	for (unsigned int n = 1u << (first >> 6); n > 1; n--)
		v = v << 8 | get_u8(c);
	return v;
}

/* --- packets ------------------------------------------------------------------- */

bool quic_version_known(uint32_t version)
{
	if (version == QUIC_V1 || version == QUIC_V2)
		return true;
	/* RFC 9000 15: reserved to exercise version negotiation. */
	if ((version & 0x0f0f0f0f) == 0x0a0a0a0a)
		return true;
	/* Drafts, Google's Q0nn and T0nn, Facebook's. */
	return version >> 8 == 0xff0000 || version >> 16 == 0x5130 ||
	       version >> 16 == 0x5430 || version >> 4 == 0xfaceb00;
}

static bool is_readable(uint32_t version)
{
	return version == QUIC_V1 || version == QUIC_V2;
}

enum type { INITIAL, ZERO_RTT, HANDSHAKE, RETRY };

/* Version 2 counts from Retry (RFC 9369 3.2). */
static enum type type_of(uint8_t first, uint32_t version)
{
	unsigned int bits = first >> 4 & 3;

	return (enum type)(version == QUIC_V2 ? (bits + 3) % 4 : bits);
}

/* RFC 8999 6: whole version numbers to the end, at least one. */
static enum quic_kind negotiation(const struct cursor *c,
				  struct quic_packet *packet, size_t len)
{
	if (c->left == 0 || c->left % 4 != 0)
		return QUIC_NOT;
	packet->len = len;
	return QUIC_NEGOTIATION;
}

/* RFC 9000 17.2.2 to 17.2.5, from behind the connection ids. */
static enum quic_kind readable(struct cursor *c, uint8_t first, size_t len,
			       struct quic_packet *packet)
{
	enum type type = type_of(first, packet->version);
	uint64_t length;

	if (packet->dcid.len > QUIC_CID_MAX || packet->scid.len > QUIC_CID_MAX)
		return QUIC_NOT;
	if (type == RETRY) {
		packet->len = len;
		return QUIC_OTHER;
	}
	if (type == INITIAL)
		packet->token = get_bytes(c, get_varint(c));
	length = get_varint(c);
	if (c->cut || length > c->left)
		return QUIC_NOT;
	packet->pn_offset = len - c->left;
	packet->len = packet->pn_offset + (size_t)length;
	return type == INITIAL ? QUIC_INITIAL : QUIC_OTHER;
}

enum quic_kind quic_packet_parse(const uint8_t *data, size_t len,
				 struct quic_packet *packet)
{
	struct cursor c = {data, len, false};
	uint8_t first = get_u8(&c);

	memset(packet, 0, sizeof(*packet));
	packet->version = get_u32(&c);
	packet->dcid = get_bytes(&c, get_u8(&c));
	packet->scid = get_bytes(&c, get_u8(&c));
	if (c.cut || !(first & LONG_HEADER))
		return QUIC_NOT;
	if (packet->version == 0)
		packet->kind = negotiation(&c, packet, len);
	else if (!(first & FIXED_BIT))
		packet->kind = QUIC_NOT;
	else if (is_readable(packet->version))
		packet->kind = readable(&c, first, len, packet);
	else
		packet->kind = QUIC_UNKNOWN;
	return packet->kind;
}

/* --- frames -------------------------------------------------------------------- */

/* RFC 9000 19.3: everything in it is a variable-length number. */
static void skip_ack(struct cursor *c, bool ecn)
{
	uint64_t ranges;

	get_varint(c);
	get_varint(c);
	ranges = get_varint(c);
	get_varint(c);
	for (uint64_t i = 0; i < ranges && !c->cut; i++) {
		get_varint(c);
		get_varint(c);
	}
	for (int i = 0; i < 3 && ecn; i++)
		get_varint(c);
}

/* RFC 9000 19.19: error, frame type, reason. */
static void skip_close(struct cursor *c)
{
	get_varint(c);
	get_varint(c);
	get_bytes(c, get_varint(c));
}

/* False for what no Initial packet holds. */
static bool skip_frame(struct cursor *c, uint8_t type)
{
	switch (type) {
	case FRAME_PADDING:
	case FRAME_PING:
		return true;
	case FRAME_ACK:
	case FRAME_ACK_ECN:
		skip_ack(c, type == FRAME_ACK_ECN);
		return !c->cut;
	case FRAME_CLOSE:
		skip_close(c);
		return !c->cut;
	default:
		return false;
	}
}

enum quic_frame_result quic_next_crypto(struct str payload, size_t *at,
					uint64_t *offset, struct str *data)
{
	struct cursor c = {(const uint8_t *)payload.p + *at, payload.len - *at,
			   false};

	while (c.left > 0) {
		uint8_t type = get_u8(&c);

		if (type == FRAME_CRYPTO) {
			*offset = get_varint(&c);
			*data = get_bytes(&c, get_varint(&c));
			*at = payload.len - c.left;
			return c.cut ? QUIC_FRAME_BAD : QUIC_FRAME_CRYPTO;
		}
		if (!skip_frame(&c, type))
			return QUIC_FRAME_BAD;
	}
	*at = payload.len;
	return QUIC_FRAME_END;
}

/* --- the stream ---------------------------------------------------------------- */

void quic_stream_init(struct quic_stream *s)
{
	s->ready = 0;
	memset(s->have, 0, sizeof(s->have));
}

static bool has(const struct quic_stream *s, size_t at)
{
	return s->have[at / 8] >> at % 8 & 1;
}

bool quic_stream_add(struct quic_stream *s, uint64_t offset, struct str data)
{
	if (offset > QUIC_STREAM_MAX || data.len > QUIC_STREAM_MAX - offset)
		return false;
	for (size_t i = 0; i < data.len; i++) {
		size_t at = (size_t)offset + i;

		if (has(s, at))
			continue;
		s->data[at] = (uint8_t)data.p[i];
		s->have[at / 8] |= (uint8_t)(1u << at % 8);
	}
	while (s->ready < QUIC_STREAM_MAX && has(s, s->ready))
		s->ready++;
	return true;
}
