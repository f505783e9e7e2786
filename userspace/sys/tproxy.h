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

/*
 * A socket of @family for one data connection of FTP, on the client's leg or on
 * the upstream leg: to be bound, and to listen. What it accepts is as it is:
 * marked, and closed with a reset as long as nobody says otherwise (SO_LINGER).
 * The descriptor, or -errno.
 */
__attribute__((warn_unused_result)) int tproxy_data(int family, bool client);

/*
 * One that is to be connected to the client, bound to @local. Ports below 1024
 * take CAP_NET_BIND_SERVICE. The descriptor; -EADDRINUSE when that address and
 * port have a listener, of this gateway's own perhaps on all addresses; -errno.
 */
__attribute__((warn_unused_result)) int
tproxy_data_call(const struct ip_endpoint *local);

#endif
