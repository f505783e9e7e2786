/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be seen of QUIC before its keys: long headers (RFC 8999, RFC 9000
 * 17.2, RFC 9369 3.2), the frames of Initial packets once somebody has
 * decrypted them, and the stream of CRYPTO data put together again. Pure:
 * decryption is appctl/quic_crypto.c's.
 */
#ifndef SLUICE_PROTO_QUIC_INITIAL_H
#define SLUICE_PROTO_QUIC_INITIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define QUIC_V1		  0x00000001u
#define QUIC_V2		  0x6b3343cfu
#define QUIC_CID_MAX	  20 /* versions 1 and 2 (RFC 9000 17.2) */
/* RFC 9000 14.1: what a client's first datagram has at least. */
#define QUIC_DATAGRAM_MIN 1200

enum quic_kind {
	QUIC_NOT,	  /* no long header, or not of QUIC */
	QUIC_INITIAL,	  /* version 1 or 2; all fields are set */
	QUIC_OTHER,	  /* another packet of these versions: 0-RTT, ... */
	QUIC_NEGOTIATION, /* the server's list of versions (RFC 8999 6) */
	QUIC_UNKNOWN	  /* a version that can't be read further */
};

/* Views into the datagram that was parsed. */
struct quic_packet {
	enum quic_kind kind;
	uint32_t version;
	struct str dcid; /* destination connection id */
	struct str scid;
	struct str token;
	size_t pn_offset; /* packet number, still protected (QUIC_INITIAL) */
	size_t len;	  /* of the packet; coalesced ones follow it */
};

/*
 * The packet at the beginning of @data, the rest of a datagram. QUIC_NOT also
 * when it is cut off or its lengths contradict each other.
 */
enum quic_kind quic_packet_parse(const uint8_t *data, size_t len,
				 struct quic_packet *packet);
/* Whether @version is one that is or was in use, or reserved for greasing. */
bool quic_version_known(uint32_t version);

/*
 * The next CRYPTO frame in a decrypted payload (RFC 9000 19.6); @at starts at
 * 0. Other frames that an Initial packet may hold are gone over.
 */
enum quic_frame_result {
	QUIC_FRAME_CRYPTO, /* @offset and @data are set */
	QUIC_FRAME_END,
	QUIC_FRAME_BAD /* cut off, or no frame of an Initial packet */
};
enum quic_frame_result quic_next_crypto(struct str payload, size_t *at,
					uint64_t *offset, struct str *data);

/* A ClientHello of 64 KiB is legal, of 2 KiB usual. */
#define QUIC_STREAM_MAX 8192

/*
 * CRYPTO data, which comes in any order, in pieces, and again. Bytes that came
 * first stay.
 */
struct quic_stream {
	uint32_t ready; /* bytes of @data without a gap before them */
	uint8_t have[QUIC_STREAM_MAX / 8];
	uint8_t data[QUIC_STREAM_MAX];
};

void quic_stream_init(struct quic_stream *s);
/* False when it reaches beyond QUIC_STREAM_MAX; then nothing of it is kept. */
bool quic_stream_add(struct quic_stream *s, uint64_t offset, struct str data);

#endif
