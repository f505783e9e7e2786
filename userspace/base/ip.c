// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

size_t ip_addr_len(const struct ip_addr *addr)
{
	if (addr->family == AF_INET)
		return 4;
	return addr->family == AF_INET6 ? 16 : 0;
}

/* An IPv4-mapped address (RFC 4291 2.5.5.2) is IPv4 by another name. */
static void from_in6(struct ip_addr *addr, const struct in6_addr *in6)
{
	memset(addr, 0, sizeof(*addr));
	if (IN6_IS_ADDR_V4MAPPED(in6)) {
		addr->family = AF_INET;
		memcpy(addr->bytes, &in6->s6_addr[12], 4);
	} else {
		addr->family = AF_INET6;
		memcpy(addr->bytes, in6->s6_addr, 16);
	}
}

void ip_addr_from_mapped(struct ip_addr *addr, const uint8_t bytes[16])
{
	struct in6_addr in6;

	memcpy(&in6, bytes, sizeof(in6));
	from_in6(addr, &in6);
}

bool ip_addr_parse(const char *text, struct ip_addr *addr)
{
	struct in6_addr in6;

	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, text, addr->bytes) == 1)
		addr->family = AF_INET;
	else if (inet_pton(AF_INET6, text, &in6) == 1)
		from_in6(addr, &in6);
	return addr->family != 0;
}

/* Bits from @prefix on are all zero. */
static bool host_bits_clear(const struct ip_addr *addr, unsigned int prefix)
{
	size_t len = ip_addr_len(addr);

	for (size_t i = prefix / 8; i < len; i++) {
		unsigned int keep = i == prefix / 8 ? prefix % 8 : 0;

		if ((addr->bytes[i] & (0xff >> keep)) != 0)
			return false;
	}
	return true;
}

bool ip_net_parse(const char *text, struct ip_net *net)
{
	const char *slash = strchr(text, '/');
	char addr[IP_TEXT_MAX];
	uint64_t prefix;
	size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);

	memset(net, 0, sizeof(*net));
	if (!str_copy_view(addr, sizeof(addr), (struct str){text, n}) ||
	    !ip_addr_parse(addr, &net->addr))
		return false;
	prefix = ip_addr_len(&net->addr) * 8;
	if (slash != NULL) {
		uint64_t max = prefix;
		bool mapped = net->addr.family == AF_INET &&
			      strchr(addr, ':') != NULL;

		if (mapped || !str_to_u64(str_of(slash + 1), &prefix) ||
		    prefix > max)
			return false;
	}
	net->prefix = (uint8_t)prefix;
	return host_bits_clear(&net->addr, net->prefix);
}

const char *ip_addr_format(const struct ip_addr *addr, char *dst, size_t size)
{
	if (addr->family == 0 ||
	    inet_ntop(addr->family, addr->bytes, dst, (socklen_t)size) == NULL)
		snprintf(dst, size, "-");
	return dst;
}

const char *ip_endpoint_format(const struct ip_endpoint *ep, char *dst,
			       size_t size)
{
	char addr[INET6_ADDRSTRLEN];

	ip_addr_format(&ep->addr, addr, sizeof(addr));
	snprintf(dst, size, ep->addr.family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		 addr, ep->port);
	return dst;
}

const char *ip_net_format(const struct ip_net *net, char *dst, size_t size)
{
	char addr[INET6_ADDRSTRLEN];

	ip_addr_format(&net->addr, addr, sizeof(addr));
	if (net->prefix == ip_addr_len(&net->addr) * 8)
		snprintf(dst, size, "%s", addr);
	else
		snprintf(dst, size, "%s/%u", addr, net->prefix);
	return dst;
}

bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool ip_net_contains(const struct ip_net *net, const struct ip_addr *addr)
{
	size_t whole = net->prefix / 8;
	unsigned int bits = net->prefix % 8;

	if (addr->family == 0 || net->addr.family != addr->family ||
	    memcmp(net->addr.bytes, addr->bytes, whole) != 0)
		return false;
	return bits == 0 || ((net->addr.bytes[whole] ^ addr->bytes[whole]) >>
			     (8 - bits)) == 0;
}

bool ip_endpoint_from_sockaddr(struct ip_endpoint *ep,
			       const struct sockaddr_storage *ss)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	memset(ep, 0, sizeof(*ep));
	switch (ss->ss_family) {
	case AF_INET:
		memcpy(&in, ss, sizeof(in));
		ep->addr.family = AF_INET;
		memcpy(ep->addr.bytes, &in.sin_addr, 4);
		ep->port = ntohs(in.sin_port);
		return true;
	case AF_INET6:
		memcpy(&in6, ss, sizeof(in6));
		from_in6(&ep->addr, &in6.sin6_addr);
		ep->port = ntohs(in6.sin6_port);
		return true;
	default:
		return false;
	}
}

socklen_t ip_endpoint_to_sockaddr(const struct ip_endpoint *ep,
				  struct sockaddr_storage *ss)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	memset(ss, 0, sizeof(*ss));
	if (ep->addr.family == 0)
		return 0;
	if (ep->addr.family == AF_INET6) {
		memcpy(&in6.sin6_addr, ep->addr.bytes, 16);
		in6.sin6_port = htons(ep->port);
		memcpy(ss, &in6, sizeof(in6));
		return sizeof(in6);
	}
	memcpy(&in.sin_addr, ep->addr.bytes, 4);
	in.sin_port = htons(ep->port);
	memcpy(ss, &in, sizeof(in));
	return sizeof(in);
}
