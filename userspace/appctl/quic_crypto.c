// SPDX-License-Identifier: GPL-2.0-or-later
#include "appctl/quic_crypto.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_LEN 32 /* SHA-256 */
#define SAMPLE_LEN 16
#define TAG_LEN	   16
#define PN_MAX	   4
#define LABEL_MAX  32	/* of an HKDF label with all that is around it */
#define HEADER_MAX 1400 /* ids and token: any datagram but a jumbo one */

/*
 * Lifetime: the app role makes one when it starts; used by one thread. Nothing
 * in it survives a call but the algorithms.
 */
struct quic_crypto {
	EVP_MAC *hmac;
	EVP_MAC_CTX *mac;
	EVP_CIPHER *ecb, *gcm;
	EVP_CIPHER_CTX *hp, *aead;
};

/* What differs between versions. */
struct version {
	uint8_t salt[20];
	const char *key, *iv, *hp;
};

/* RFC 9001 5.2 */
static const struct version v1 = {
	{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
	 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
	"quic key",
	"quic iv",
	"quic hp",
};

/* RFC 9369 3.3.1, 3.3.2 */
static const struct version v2 = {
	{0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
	 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
	"quicv2 key",
	"quicv2 iv",
	"quicv2 hp",
};

struct quic_crypto *quic_crypto_new(void)
{
	struct quic_crypto *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	c->mac = EVP_MAC_CTX_new(c->hmac);
	c->ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
	c->gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	c->hp = EVP_CIPHER_CTX_new();
	c->aead = EVP_CIPHER_CTX_new();
	if (c->hmac == NULL || c->mac == NULL || c->ecb == NULL ||
	    c->gcm == NULL || c->hp == NULL || c->aead == NULL) {
		quic_crypto_free(c);
		return NULL;
	}
	return c;
}

void quic_crypto_free(struct quic_crypto *c)
{
	if (c == NULL)
		return;
	EVP_CIPHER_CTX_free(c->aead);
	EVP_CIPHER_CTX_free(c->hp);
	EVP_CIPHER_free(c->gcm);
	EVP_CIPHER_free(c->ecb);
	EVP_MAC_CTX_free(c->mac);
	EVP_MAC_free(c->hmac);
	free(c);
}

/* --- keys ---------------------------------------------------------------------- */

static bool hmac_sha256(struct quic_crypto *c, struct str key, const void *data,
			size_t len, uint8_t out[SECRET_LEN])
{
	static char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
						 0),
		OSSL_PARAM_construct_end(),
	};
	size_t n = 0;

	return EVP_MAC_init(c->mac, (const unsigned char *)key.p, key.len,
			    params) == 1 &&
	       EVP_MAC_update(c->mac, data, len) == 1 &&
	       EVP_MAC_final(c->mac, out, &n, SECRET_LEN) == 1 &&
	       n == SECRET_LEN;
}

/*
 * HKDF-Expand-Label (RFC 8446 7.1) without context, of at most one block of
 * SHA-256 (RFC 5869 2.3): length, "tls13 " label, empty context, 1.
 */
static bool expand(struct quic_crypto *c, const uint8_t secret[SECRET_LEN],
		   const char *label, uint8_t *out, size_t len)
{
	size_t n = strlen(label);
	uint8_t info[LABEL_MAX] = {0, (uint8_t)len, (uint8_t)(6 + n)};
	uint8_t block[SECRET_LEN];
	struct str key = {(const char *)secret, SECRET_LEN};

	memcpy(info + 3, "tls13 ", 6);
	memcpy(info + 9, label, n);
	info[9 + n] = 0;
	info[10 + n] = 1;
	if (!hmac_sha256(c, key, info, 11 + n, block))
		return false;
	memcpy(out, block, len);
	return true;
}

int quic_crypto_keys(struct quic_crypto *c, uint32_t version, struct str dcid,
		     struct quic_keys *keys)
{
	const struct version *v = version == QUIC_V2 ? &v2 : &v1;
	struct str salt = {(const char *)v->salt, sizeof(v->salt)};
	uint8_t initial[SECRET_LEN], client[SECRET_LEN];
	const void *id = dcid.len > 0 ? dcid.p : "";

	if (!hmac_sha256(c, salt, id, dcid.len, initial) ||
	    !expand(c, initial, "client in", client, sizeof(client)) ||
	    !expand(c, client, v->key, keys->key, sizeof(keys->key)) ||
	    !expand(c, client, v->iv, keys->iv, sizeof(keys->iv)) ||
	    !expand(c, client, v->hp, keys->hp, sizeof(keys->hp)))
		return -EIO;
	return 0;
}

/* --- packets ------------------------------------------------------------------- */

/* RFC 9001 5.4.3 */
static bool header_mask(struct quic_crypto *c, const struct quic_keys *keys,
			const uint8_t *sample, uint8_t mask[SAMPLE_LEN])
{
	int n = 0;

	return EVP_EncryptInit_ex2(c->hp, c->ecb, keys->hp, NULL, NULL) == 1 &&
	       EVP_CIPHER_CTX_set_padding(c->hp, 0) == 1 &&
	       EVP_EncryptUpdate(c->hp, mask, &n, sample, SAMPLE_LEN) == 1 &&
	       n == SAMPLE_LEN;
}

/*
 * The header without its protection in @header (RFC 9001 5.4.1), its length,
 * and the nonce (5.3). The packet number is taken as it stands: a client's
 * first packets have numbers that nothing was cut off from.
 */
static size_t open_header(const uint8_t *data, const struct quic_packet *packet,
			  const uint8_t mask[SAMPLE_LEN], const uint8_t iv[12],
			  uint8_t header[HEADER_MAX], uint8_t nonce[12])
{
	size_t at = packet->pn_offset;
	size_t pn_len;

	memcpy(header, data, at + PN_MAX);
	header[0] ^= mask[0] & 0x0f;
	pn_len = (header[0] & 3u) + 1;
	memcpy(nonce, iv, 12);
	for (size_t i = 0; i < pn_len; i++) {
		header[at + i] ^= mask[1 + i];
		nonce[12 - pn_len + i] ^= header[at + i];
	}
	return at + pn_len;
}

static bool aead_begin(struct quic_crypto *c, const struct quic_keys *keys,
		       const uint8_t nonce[12], const uint8_t *header,
		       size_t header_len)
{
	int n = 0;

	return EVP_DecryptInit_ex2(c->aead, c->gcm, keys->key, nonce, NULL) ==
		       1 &&
	       EVP_DecryptUpdate(c->aead, NULL, &n, header, (int)header_len) ==
		       1;
}

/* The tag is right, or nothing of @out may be used. */
static int aead_end(struct quic_crypto *c, const uint8_t *data, size_t len,
		    uint8_t *out)
{
	uint8_t tag[TAG_LEN];
	int n = 0, rest = 0;

	memcpy(tag, data + len - TAG_LEN, TAG_LEN);
	if (EVP_DecryptUpdate(c->aead, out, &n, data, (int)(len - TAG_LEN)) !=
		    1 ||
	    EVP_CIPHER_CTX_ctrl(c->aead, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) !=
		    1)
		return -EIO;
	if (EVP_DecryptFinal_ex(c->aead, out + n, &rest) != 1)
		return -EBADMSG;
	return n + rest;
}

int quic_crypto_open(struct quic_crypto *c, const struct quic_keys *keys,
		     const uint8_t *data, const struct quic_packet *packet,
		     uint8_t *out, size_t size)
{
	uint8_t header[HEADER_MAX], mask[SAMPLE_LEN], nonce[12];
	size_t at = packet->pn_offset, header_len;

	/* The sample is where the ciphertext of a full number would begin. */
	if (packet->len < at + PN_MAX + SAMPLE_LEN || size < packet->len ||
	    at + PN_MAX > HEADER_MAX)
		return -EBADMSG;
	if (!header_mask(c, keys, data + at + PN_MAX, mask))
		return -EIO;
	header_len = open_header(data, packet, mask, keys->iv, header, nonce);
	if (packet->len < header_len + TAG_LEN)
		return -EBADMSG;
	if (!aead_begin(c, keys, nonce, header, header_len))
		return -EIO;
	return aead_end(c, data + header_len, packet->len - header_len, out);
}
