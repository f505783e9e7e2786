// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/packet.h"

#include <netinet/in.h>
#include <string.h>

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER  20
#define UDP_HEADER  8
#define EXTENSIONS  8 /* more of them are an attack on parsers */

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static void set_addr(struct ip_endpoint *ep, sa_family_t family,
		     const uint8_t *bytes)
{
	ep->addr.family = (uint8_t)family;
	memcpy(ep->addr.bytes, bytes, family == AF_INET ? 4 : 16);
}

/*
 * What the length field says, when that is less than what there is: link
 * layers pad. 0 is big TCP, more than there is a packet that was cut off.
 */
static size_t trim(size_t len, size_t said)
{
	return said > 0 && said < len ? said : len;
}

/* --- IP: both set l4 and proto, and return the packet's length, or 0 ------------ */

static size_t parse_ipv4(const uint8_t *data, size_t len, struct packet *p)
{
	size_t header = (size_t)(data[0] & 0x0f) * 4;

	if (len < IPV4_HEADER || header < IPV4_HEADER || header > len)
		return 0;
	if (be16(data + 2) != 0 && be16(data + 2) < header)
		return 0;
	set_addr(&p->src, AF_INET, data + 12);
	set_addr(&p->dst, AF_INET, data + 16);
	p->proto = data[9];
	p->l4 = header;
	/* More fragments, or an offset. */
	if (be16(data + 6) & 0x3fff)
		p->kind = PACKET_FRAGMENT;
	return trim(len, be16(data + 2));
}

/* Bytes of the extension header @proto at @p; 0 when it is none of those. */
static size_t extension_len(uint8_t proto, const uint8_t *p)
{
	switch (proto) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
		return (size_t)(p[1] + 1) * 8;
	case IPPROTO_AH:
		return (size_t)(p[1] + 2) * 4;
	case IPPROTO_FRAGMENT:
		return 8;
	default:
		return 0;
	}
}

/* RFC 8200 4. False when the chain does not end within the packet. */
static bool skip_extensions(const uint8_t *data, size_t len, struct packet *p)
{
	for (int i = 0; i <= EXTENSIONS; i++) {
		const uint8_t *at = data + p->l4;
		size_t n;

		/* Any of them is at least this long, as is what they precede. */
		if (len - p->l4 < 8)
			return p->proto == IPPROTO_NONE;
		n = extension_len(p->proto, at);
		if (n == 0)
			return true;
		/* A whole datagram may carry the header, too (RFC 6946). */
		if (p->proto == IPPROTO_FRAGMENT && (be16(at + 2) & 0xfff9))
			p->kind = PACKET_FRAGMENT;
		if (n > len - p->l4)
			return false;
		p->proto = at[0];
		p->l4 += n;
		if (p->kind == PACKET_FRAGMENT)
			return true;
	}
	return false;
}

static size_t parse_ipv6(const uint8_t *data, size_t len, struct packet *p)
{
	if (len < IPV6_HEADER)
		return 0;
	if (be16(data + 4) != 0)
		len = trim(len, (size_t)be16(data + 4) + IPV6_HEADER);
	set_addr(&p->src, AF_INET6, data + 8);
	set_addr(&p->dst, AF_INET6, data + 24);
	p->proto = data[6];
	p->l4 = IPV6_HEADER;
	return skip_extensions(data, len, p) ? len : 0;
}

/* --- TCP, UDP ------------------------------------------------------------------ */

static enum packet_kind parse_tcp(const uint8_t *l4, size_t len,
				  struct packet *p)
{
	size_t header;

	if (len < TCP_HEADER)
		return PACKET_BAD;
	header = (size_t)(l4[12] >> 4) * 4;
	if (header < TCP_HEADER || header > len)
		return PACKET_BAD;
	p->tcp_flags = l4[13];
	p->tcp_seq = be32(l4 + 4) + (l4[13] & PACKET_TCP_SYN ? 1 : 0);
	p->tcp_ack = be32(l4 + 8);
	p->payload = (struct str){(const char *)l4 + header, len - header};
	return PACKET_TCP;
}

static enum packet_kind parse_udp(const uint8_t *l4, size_t len,
				  struct packet *p)
{
	if (len < UDP_HEADER)
		return PACKET_BAD;
	len = trim(len, be16(l4 + 4));
	if (len < UDP_HEADER)
		return PACKET_BAD;
	p->payload =
		(struct str){(const char *)l4 + UDP_HEADER, len - UDP_HEADER};
	return PACKET_UDP;
}

static enum packet_kind parse_l4(const uint8_t *data, size_t len,
				 struct packet *p)
{
	enum packet_kind kind;

	if (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP)
		return PACKET_OTHER;
	if (p->proto == IPPROTO_TCP)
		kind = parse_tcp(data + p->l4, len - p->l4, p);
	else
		kind = parse_udp(data + p->l4, len - p->l4, p);
	if (kind != PACKET_BAD) {
		p->src.port = be16(data + p->l4);
		p->dst.port = be16(data + p->l4 + 2);
	}
	return kind;
}

enum packet_kind packet_parse(const uint8_t *data, size_t len,
			      struct packet *packet)
{
	unsigned int version = len > 0 ? data[0] >> 4 : 0;
	size_t n = 0;

	memset(packet, 0, sizeof(*packet));
	packet->kind = PACKET_OTHER;
	if (version == 4)
		n = parse_ipv4(data, len, packet);
	else if (version == 6)
		n = parse_ipv6(data, len, packet);
	if (n == 0)
		packet->kind = PACKET_BAD;
	else if (packet->kind != PACKET_FRAGMENT)
		packet->kind = parse_l4(data, n, packet);
	return packet->kind;
}
