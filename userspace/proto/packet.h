/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An IP packet as a queue of the kernel hands it over: from its IP header on,
 * perhaps cut off, perhaps many segments in one (GSO, up to 64 KiB and, as
 * "big TCP", beyond, its length field then being 0).
 */
#ifndef SLUICE_PROTO_PACKET_H
#define SLUICE_PROTO_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"

enum packet_kind {
	PACKET_BAD, /* no IP, or a header is cut off or contradicts itself */
	PACKET_FRAGMENT, /* any piece of a datagram but the whole */
	PACKET_OTHER,	 /* a protocol without ports; addresses are set */
	PACKET_TCP,
	PACKET_UDP
};

#define PACKET_TCP_FIN 0x01
#define PACKET_TCP_SYN 0x02
#define PACKET_TCP_RST 0x04
#define PACKET_TCP_ACK 0x10

struct packet {
	enum packet_kind kind;
	uint8_t proto; /* IANA's number, behind IPv6's extension headers */
	uint8_t tcp_flags;
	uint32_t tcp_seq; /* of the first payload byte, SYN apart */
	uint32_t tcp_ack; /* with PACKET_TCP_ACK */
	struct ip_endpoint src, dst;
	size_t l4;	    /* offset of the header behind IP's */
	struct str payload; /* a view: as much of it as is there */
};

/* RFC 791, 8200 (extension headers, at most eight), 9293, 768. */
enum packet_kind packet_parse(const uint8_t *data, size_t len,
			      struct packet *packet);

#endif
