/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes protected Initial packets, as a client does (RFC 9001 5). */
#ifndef SLUICE_TESTS_QUIC_SEAL_H
#define SLUICE_TESTS_QUIC_SEAL_H

#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appctl/quic_crypto.h"

#define QUIC_SEAL_MAX 2000

struct quic_sealed {
	uint8_t data[QUIC_SEAL_MAX];
	size_t len;
};

static inline void quic_put(struct quic_sealed *s, const void *p, size_t n)
{
	if (n > QUIC_SEAL_MAX - s->len)
		abort();
	if (n > 0)
		memcpy(s->data + s->len, p, n);
	s->len += n;
}

static inline void quic_put_int(struct quic_sealed *s, uint64_t v, int bytes)
{
	while (bytes-- > 0) {
		uint8_t b = (uint8_t)(v >> (8 * bytes));

		quic_put(s, &b, 1);
	}
}

static inline void quic_encrypt(const char *name, const uint8_t *key,
				const uint8_t *iv, struct str aad,
				const uint8_t *in, size_t len, uint8_t *out,
				uint8_t *tag)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;

	if (EVP_EncryptInit_ex2(ctx, cipher, key, iv, NULL) != 1)
		abort();
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	if (aad.len > 0)
		EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)aad.p,
				  (int)aad.len);
	if (EVP_EncryptUpdate(ctx, out, &n, in, (int)len) != 1)
		abort();
	if (tag != NULL) {
		EVP_EncryptFinal_ex(ctx, out + n, &n);
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag);
	}
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
}

struct quic_seal_params {
	uint32_t version;
	struct str dcid, token;
	uint64_t pn;
	size_t pad_to; /* bytes of the packet; 0: no padding */
};

/* Append a packet with these frames; keys as the dcid of @keys_of gives them. */
static inline void quic_seal(struct quic_sealed *s, struct quic_crypto *c,
			     const struct quic_seal_params *p,
			     struct str keys_of, struct str frames)
{
	size_t start = s->len, at, payload = frames.len;
	size_t head = 7 + p->dcid.len + 1 + p->token.len + 2 + 4 - 1;
	uint8_t plain[QUIC_SEAL_MAX] = {0}, nonce[12], mask[16];
	struct quic_keys k;

	if (payload + head + 1 + 16 < p->pad_to)
		payload = p->pad_to - head - 1 - 16;
	memcpy(plain, frames.p, frames.len);
	if (quic_crypto_keys(c, p->version, keys_of, &k) != 0)
		abort();
	quic_put_int(s, p->version == QUIC_V2 ? 0xd3 : 0xc3, 1);
	quic_put_int(s, p->version, 4);
	quic_put_int(s, p->dcid.len, 1);
	quic_put(s, p->dcid.p, p->dcid.len);
	quic_put_int(s, 0, 1);
	quic_put_int(s, p->token.len, 1);
	quic_put(s, p->token.p, p->token.len);
	quic_put_int(s, 0x4000 | (payload + 4 + 16), 2);
	at = s->len;
	quic_put_int(s, p->pn, 4);
	memcpy(nonce, k.iv, sizeof(nonce));
	for (int i = 0; i < 4; i++)
		nonce[8 + i] ^= s->data[at + (size_t)i];
	if (payload + 16 > QUIC_SEAL_MAX - s->len)
		abort();
	quic_encrypt("AES-128-GCM", k.key, nonce,
		     (struct str){(char *)s->data + start, s->len - start},
		     plain, payload, s->data + s->len,
		     s->data + s->len + payload);
	s->len += payload + 16;
	quic_encrypt("AES-128-ECB", k.hp, NULL, (struct str){NULL, 0},
		     s->data + at + 4, 16, mask, NULL);
	s->data[start] ^= mask[0] & 0x0f;
	for (size_t i = 0; i < 4; i++)
		s->data[at + i] ^= mask[1 + i];
}

/* A CRYPTO frame, at the end of @s. */
static inline void quic_put_crypto(struct quic_sealed *s, size_t offset,
				   const uint8_t *data, size_t len)
{
	quic_put_int(s, 6, 1);
	quic_put_int(s, 0x4000 | offset, 2);
	quic_put_int(s, 0x4000 | len, 2);
	quic_put(s, data, len);
}

#endif
