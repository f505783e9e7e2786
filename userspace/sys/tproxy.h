/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sockets on both sides of a transparent relay. Making them takes
 * CAP_NET_ADMIN; the net role does and hands them to relays, which have no
 * privilege. All are non-blocking and close-on-exec.
 */
#ifndef SLUICE_SYS_TPROXY_H
#define SLUICE_SYS_TPROXY_H

#include <stdbool.h>
#include <stdint.h>

struct ip_endpoint;

/*
 * A listener for the connections that the rules send to @port: one for both
 * families, or for IPv4 alone where there is no IPv6. Call it once a relay;
 * the kernel spreads connections over the listeners of a port. getsockname()
 * of an accepted socket is where the client wanted to go.
 *
 * The descriptor, or -errno.
 */
__attribute__((warn_unused_result)) int tproxy_listener(uint16_t port,
							int backlog);

/*
 * A socket towards origin servers of @family, which is closed with a reset
 * (SO_LINGER). @transparent: the relay may bind it to the client's address. The
 * descriptor, or -errno.
 */
__attribute__((warn_unused_result)) int tproxy_upstream(int family,
							bool transparent);

/* A socket for one data connection of FTP. */
enum tproxy_data {
	TPROXY_FROM_CLIENT, /* listens for the client */
	TPROXY_TO_CLIENT,   /* is to be connected to the client */
	TPROXY_FROM_SERVER, /* listens for the server */
	/* ... on an address of the gateway's own, which takes no rule. */
	TPROXY_FROM_SERVER_HERE,
	TPROXY_DATA_COUNT
};

/*
 * Bound to @local, whose port may be 0: any. What a listener accepts is marked
 * as it is; several may come before one is accepted. Ports below 1024 take
 * CAP_NET_BIND_SERVICE.
 *
 * The descriptor; -EADDRINUSE when that address and port have a listener, of
 * this gateway's own perhaps on all addresses; -EADDRNOTAVAIL when @local isn't
 * an address of the gateway (_HERE); -errno.
 */
__attribute__((warn_unused_result)) int
tproxy_data(enum tproxy_data kind, const struct ip_endpoint *local);

#endif
