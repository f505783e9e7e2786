/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IP addresses, endpoints and networks, both families alike. */
#ifndef SLUICE_BASE_IP_H
#define SLUICE_BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Longest text: an IPv6 endpoint "[...%]:65535" or network, with its NUL. */
#define IP_TEXT_MAX 64

/*
 * @family is AF_INET, AF_INET6, or 0 for "none"; IPv4 uses bytes 0..3 and the
 * rest are zero, so two addresses are equal when their memory is.
 */
struct ip_addr {
	uint8_t bytes[16];
	uint8_t family;
};

struct ip_endpoint {
	struct ip_addr addr;
	uint16_t port; /* host order */
};

/* All addresses whose first @prefix bits are those of @addr. */
struct ip_net {
	struct ip_addr addr;
	uint8_t prefix;
};

/*
 * Numeric text only; no zone, no brackets. An IPv4-mapped IPv6 address comes
 * out as IPv4, which is how the kernel's addresses arrive here. False, and
 * "none" in @addr, when it is not an address.
 */
bool ip_addr_parse(const char *text, struct ip_addr *addr);
/*
 * "ADDR" or "ADDR/PREFIX"; host bits beyond the prefix must be zero. An
 * IPv4-mapped address may not have a prefix: it could count either way.
 */
bool ip_net_parse(const char *text, struct ip_net *net);

/* All of them return @dst; @size at least IP_TEXT_MAX. */
const char *ip_addr_format(const struct ip_addr *addr, char *dst, size_t size);
/* "192.0.2.1:80", "[2001:db8::1]:80" */
const char *ip_endpoint_format(const struct ip_endpoint *ep, char *dst,
			       size_t size);
/* Host networks without their prefix: "192.0.2.1", "192.0.2.0/24". */
const char *ip_net_format(const struct ip_net *net, char *dst, size_t size);

bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b);
/* "None" is in no network. */
bool ip_net_contains(const struct ip_net *net, const struct ip_addr *addr);
/* Bytes of an address of @addr's family: 4, 16, or 0 for none. */
size_t ip_addr_len(const struct ip_addr *addr);

/*
 * Sixteen bytes in network order, as kernels' tables hold both families. An
 * IPv4-mapped IPv6 address (RFC 4291 2.5.5.2) comes out as IPv4.
 */
void ip_addr_from_mapped(struct ip_addr *addr, const uint8_t bytes[16]);
/* The same of a socket's address. */
bool ip_endpoint_from_sockaddr(struct ip_endpoint *ep,
			       const struct sockaddr_storage *ss);
/*
 * Fills @ss as the family says and returns the length for bind or connect.
 * For "none" that is 0, which both refuse with EINVAL: an address of zeros would
 * connect to this machine.
 */
socklen_t ip_endpoint_to_sockaddr(const struct ip_endpoint *ep,
				  struct sockaddr_storage *ss);

#endif
