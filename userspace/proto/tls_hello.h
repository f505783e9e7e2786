/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TLS ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2), read byte by byte
 * wherever the input happens to be cut: over segments, over records (RFC 8446
 * 5.1), or without records as QUIC's CRYPTO frames carry it (RFC 9001 4.1.3).
 * What stands in it is kept in the structure, so no input need be stored.
 *
 * Strict about framing: every length must fill exactly what it is in, and an
 * extension that is read here may come once. What a recipient may read in two
 * ways is malformed, not guessed.
 */
#ifndef SLUICE_PROTO_TLS_HELLO_H
#define SLUICE_PROTO_TLS_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define TLS_HELLO_HOST_MAX     253 /* a DNS name: RFC 1035 2.3.4, as text */
#define TLS_HELLO_ALPN_MAX     256 /* bytes kept of the list, lengths included */
#define TLS_HELLO_VERSIONS_MAX 8   /* versions kept, GREASE apart */

/* Version numbers as they are on the wire. */
#define TLS_1_0 0x0301
#define TLS_1_2 0x0303
#define TLS_1_3 0x0304

enum tls_hello_result {
	TLS_HELLO_MORE,	    /* nothing is wrong so far */
	TLS_HELLO_DONE,	    /* the whole hello was read */
	TLS_HELLO_NOT_TLS,  /* the first bytes are no ClientHello */
	TLS_HELLO_MALFORMED /* it is one, but broken; @error says where */
};

/* Where a malformed hello is broken; tls_hello_error_name(). */
enum tls_hello_error {
	TLS_HELLO_OK,
	TLS_HELLO_BAD_RECORD,	   /* empty, too long, or of another type */
	TLS_HELLO_BAD_LENGTH,	   /* a length does not fill what it is in */
	TLS_HELLO_TOO_LONG,	   /* longer than the caller's limit */
	TLS_HELLO_BAD_SESSION,	   /* session id over 32 bytes */
	TLS_HELLO_BAD_CIPHERS,	   /* none, or half of one */
	TLS_HELLO_BAD_COMPRESSION, /* no compression method */
	TLS_HELLO_TWICE,	/* an extension that is read here came twice */
	TLS_HELLO_BAD_NAME,	/* a server name that is no host name */
	TLS_HELLO_BAD_ALPN,	/* an empty protocol name or list */
	TLS_HELLO_BAD_VERSIONS, /* no version, or half of one */
	TLS_HELLO_ERRORS
};

/*
 * Lifetime: the caller's, any memory; nothing is allocated. Fields below the
 * line may be read at any time and are complete when the result is
 * TLS_HELLO_DONE.
 */
struct tls_hello {
	/* --- how far it is --- */
	uint8_t state;
	uint8_t depth;	   /* of left[]: the innermost structure */
	uint8_t in_record; /* records are stripped; else a bare message */
	uint8_t header;	   /* bytes of the record header so far */
	uint8_t want;	   /* bytes of the present number to come */
	uint8_t result;
	uint8_t error;
	uint16_t record;  /* bytes of the present record to come */
	uint16_t ext;	  /* type of the present extension */
	uint32_t value;	  /* the present number so far */
	uint32_t skip;	  /* bytes to pass over or keep */
	uint32_t max;	  /* limit of the message */
	uint32_t left[3]; /* bytes to come: message, extension, list in it */
	uint16_t label;	  /* bytes of the host's present label */

	/* --- what was found --- */
	uint16_t version; /* legacy_version */
	bool has_host;
	bool has_alpn;
	bool has_versions;
	/*
	 * encrypted_client_hello came, or GREASE that looks like it: the host
	 * is then the outer name, which need not be the one that is visited.
	 */
	bool ech;
	bool ech_inner;	     /* it says that this is the inner hello itself */
	bool grease;	     /* RFC 8701 values among ciphers or versions */
	bool alpn_cut;	     /* the list did not fit */
	bool pre_shared_key; /* a resumption (RFC 8446 4.2.11) */
	uint8_t host_len;
	uint8_t version_count;
	uint16_t alpn_len;
	uint16_t versions[TLS_HELLO_VERSIONS_MAX]; /* supported_versions */
	char host[TLS_HELLO_HOST_MAX + 1]; /* lower case, NUL at its end */
	uint8_t alpn[TLS_HELLO_ALPN_MAX];  /* length, name, length, name... */
};

/*
 * Before the first byte of a connection. @max: longest message in bytes that
 * is read, at most 2^24 - 1; hellos with post-quantum keys have about 1800.
 */
void tls_hello_init(struct tls_hello *h, uint32_t max);
/* The same for handshake messages without records, as in QUIC. */
void tls_hello_init_message(struct tls_hello *h, uint32_t max);

/*
 * The next @len bytes. @used (may be NULL) gets how many of them belong to the
 * hello; less than @len only when the result is not TLS_HELLO_MORE. Once it
 * isn't, the same result comes again and no byte is taken.
 */
enum tls_hello_result tls_hello_feed(struct tls_hello *h, const uint8_t *data,
				     size_t len, size_t *used);

/* The server name of RFC 6066 3, empty when there is none. */
struct str tls_hello_host(const struct tls_hello *h);
/* Takes the next protocol (RFC 7301) off @at, which starts at 0. */
bool tls_hello_next_alpn(const struct tls_hello *h, size_t *at,
			 struct str *protocol);
bool tls_hello_has_alpn(const struct tls_hello *h, struct str protocol);
/* The highest version offered, GREASE apart. */
uint16_t tls_hello_max_version(const struct tls_hello *h);

/* "bad_length", ...; "?" for anything else. */
const char *tls_hello_error_name(enum tls_hello_error error);

#endif
