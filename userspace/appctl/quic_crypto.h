/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protection of QUIC's Initial packets (RFC 9001 5, RFC 9369 3.3). Its keys
 * follow from the connection id that the client chose, which anybody can read:
 * this hides nothing, it only keeps middleboxes from guessing.
 */
#ifndef SLUICE_APPCTL_QUIC_CRYPTO_H
#define SLUICE_APPCTL_QUIC_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "proto/quic_initial.h"

/* Of packets from the client. */
struct quic_keys {
	uint8_t key[16];
	uint8_t iv[12];
	uint8_t hp[16];
};

/* OpenSSL's algorithms, fetched once; one is enough for a process. */
struct quic_crypto;

/* NULL when OpenSSL lacks memory or the algorithms. */
struct quic_crypto *quic_crypto_new(void);
void quic_crypto_free(struct quic_crypto *c);

/* @version QUIC_V1 or QUIC_V2. 0, or -EIO when OpenSSL fails. */
__attribute__((warn_unused_result)) int
quic_crypto_keys(struct quic_crypto *c, uint32_t version, struct str dcid,
		 struct quic_keys *keys);

/*
 * The frames in the Initial packet @packet at @data, as quic_packet_parse() saw
 * it, decrypted into @out of @size bytes, at least @packet->len. Returns their
 * length, -EBADMSG when these are not its keys or it is damaged, -EIO when
 * OpenSSL fails.
 */
__attribute__((warn_unused_result)) int
quic_crypto_open(struct quic_crypto *c, const struct quic_keys *keys,
		 const uint8_t *data, const struct quic_packet *packet,
		 uint8_t *out, size_t size);

#endif
