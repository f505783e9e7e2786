// SPDX-License-Identifier: GPL-2.0-or-later
#include "appctl/quic_hello.h"

#include <errno.h>
#include <string.h>

#define DATAGRAM_MAX 1600 /* more than a client's first ones ever have */

void quic_hello_init(struct quic_hello *q)
{
	q->has_keys = false;
	q->dcid_len = 0;
	q->fed = 0;
	tls_hello_init_message(&q->hello, QUIC_STREAM_MAX);
	quic_stream_init(&q->stream);
}

bool quic_hello_is_quic(const uint8_t *data, size_t len, bool port_443)
{
	struct quic_packet p;

	switch (quic_packet_parse(data, len, &p)) {
	case QUIC_INITIAL:
	case QUIC_OTHER:
		return true;
	case QUIC_NEGOTIATION:
		return port_443;
	case QUIC_UNKNOWN:
		return quic_version_known(p.version) ||
		       (port_443 && len >= QUIC_DATAGRAM_MIN);
	default:
		return false;
	}
}

/* --- keys ---------------------------------------------------------------------- */

static bool same_dcid(const struct quic_hello *q, struct str dcid)
{
	struct str mine = {(const char *)q->dcid, q->dcid_len};

	return q->has_keys && str_eq(mine, dcid);
}

/* The hello comes again, from its first byte. */
static void begin_again(struct quic_hello *q, const struct quic_keys *keys,
			struct str dcid)
{
	quic_hello_init(q);
	q->keys = *keys;
	q->has_keys = true;
	q->dcid_len = (uint8_t)dcid.len;
	if (dcid.len > 0)
		memcpy(q->dcid, dcid.p, dcid.len);
}

/*
 * Open @p. Keys follow from the first connection id that the client used, and
 * stay when it takes the one that the server chose (RFC 9001 5.2). After a
 * Retry it begins again with the id from there.
 */
static int open_packet(struct quic_hello *q, struct quic_crypto *crypto,
		       const uint8_t *data, const struct quic_packet *p,
		       uint8_t *out)
{
	struct quic_keys keys;
	int n = -EBADMSG;

	if (q->has_keys)
		n = quic_crypto_open(crypto, &q->keys, data, p, out,
				     DATAGRAM_MAX);
	if (n >= 0 || same_dcid(q, p->dcid))
		return n;
	n = quic_crypto_keys(crypto, p->version, p->dcid, &keys);
	if (n < 0)
		return n;
	n = quic_crypto_open(crypto, &keys, data, p, out, DATAGRAM_MAX);
	if (n >= 0)
		begin_again(q, &keys, p->dcid);
	return n;
}

/* --- frames -------------------------------------------------------------------- */

static enum quic_hello_result feed_ready(struct quic_hello *q)
{
	enum tls_hello_result r;

	if (q->fed == q->stream.ready)
		return QUIC_HELLO_MORE;
	r = tls_hello_feed(&q->hello, q->stream.data + q->fed,
			   q->stream.ready - q->fed, NULL);
	q->fed = q->stream.ready;
	if (r == TLS_HELLO_MORE)
		return QUIC_HELLO_MORE;
	return r == TLS_HELLO_DONE ? QUIC_HELLO_DONE : QUIC_HELLO_NO_HOST;
}

static enum quic_hello_result read_frames(struct quic_hello *q,
					  struct str payload)
{
	enum quic_frame_result r;
	struct str data;
	uint64_t offset;
	size_t at = 0;

	while ((r = quic_next_crypto(payload, &at, &offset, &data)) ==
	       QUIC_FRAME_CRYPTO)
		if (!quic_stream_add(&q->stream, offset, data))
			return QUIC_HELLO_NO_HOST;
	return r == QUIC_FRAME_BAD ? QUIC_HELLO_NO_HOST : feed_ready(q);
}

/* A packet that can't be opened is the server's, or not of this connection. */
static enum quic_hello_result initial(struct quic_hello *q,
				      struct quic_crypto *crypto,
				      const uint8_t *data,
				      const struct quic_packet *p)
{
	uint8_t out[DATAGRAM_MAX];
	int n;

	if (p->len > DATAGRAM_MAX)
		return QUIC_HELLO_NO_HOST;
	n = open_packet(q, crypto, data, p, out);
	if (n < 0)
		return QUIC_HELLO_MORE;
	return read_frames(q, (struct str){(const char *)out, (size_t)n});
}

enum quic_hello_result quic_hello_datagram(struct quic_hello *q,
					   struct quic_crypto *crypto,
					   const uint8_t *data, size_t len)
{
	enum quic_hello_result r = QUIC_HELLO_NOT;
	struct quic_packet p;

	for (size_t at = 0; at < len; at += p.len) {
		switch (quic_packet_parse(data + at, len - at, &p)) {
		case QUIC_INITIAL:
			r = initial(q, crypto, data + at, &p);
			if (r != QUIC_HELLO_MORE)
				return r;
			break;
		case QUIC_OTHER:
			r = QUIC_HELLO_MORE;
			break;
		case QUIC_NEGOTIATION:
		case QUIC_UNKNOWN:
			return at == 0 ? QUIC_HELLO_NO_HOST : r;
		default:
			/* Short header, or padding behind the last one. */
			return r;
		}
	}
	return r;
}
