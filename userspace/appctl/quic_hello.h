/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ClientHello of a QUIC connection, from the client's first datagrams: its
 * Initial packets are opened, their CRYPTO data put in order, and the hello
 * read. A hello with post-quantum keys spans two datagrams.
 */
#ifndef SLUICE_APPCTL_QUIC_HELLO_H
#define SLUICE_APPCTL_QUIC_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appctl/quic_crypto.h"
#include "proto/quic_initial.h"
#include "proto/tls_hello.h"

enum quic_hello_result {
	QUIC_HELLO_NOT,	   /* this datagram is not seen to be QUIC */
	QUIC_HELLO_MORE,   /* QUIC; the hello is not complete */
	QUIC_HELLO_DONE,   /* @hello was read to its end */
	QUIC_HELLO_NO_HOST /* QUIC, but its hello can't be read */
};

/*
 * Lifetime: the caller's; about 10 KiB, wanted only between a flow's first
 * Initial packet and its label.
 */
struct quic_hello {
	bool has_keys;
	uint8_t dcid_len;
	uint8_t dcid[QUIC_CID_MAX]; /* that the keys follow from */
	uint32_t fed;		    /* bytes of the stream given to @hello */
	struct quic_keys keys;
	struct tls_hello hello;
	struct quic_stream stream;
};

void quic_hello_init(struct quic_hello *q);
/* The payload of a UDP datagram, either direction. */
enum quic_hello_result quic_hello_datagram(struct quic_hello *q,
					   struct quic_crypto *crypto,
					   const uint8_t *data, size_t len);

/*
 * Whether a datagram may begin a QUIC connection, by its header alone: cheap,
 * to be asked before a structure is spent on the flow. Versions that nobody
 * knows count only on port 443 and at a client's first size: the header is
 * just one bit, and much else sets it.
 */
bool quic_hello_is_quic(const uint8_t *data, size_t len, bool port_443);

#endif
