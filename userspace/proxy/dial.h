/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connecting sockets of the stock to where clients wanted to go. */
#ifndef SLUICE_PROXY_DIAL_H
#define SLUICE_PROXY_DIAL_H

#include <stdint.h>

#include "base/ip.h"

struct session;

/*
 * Begin to connect @fd to @to, from the client's address (any port: the kernel
 * picks one that is free towards that server, see IP_BIND_ADDRESS_NO_PORT in the
 * net role) or from the gateway's, as intercept.source_address says. 0 or -errno.
 */
__attribute__((warn_unused_result)) int dial(const struct session *s, int fd,
					     const struct ip_endpoint *to);

/*
 * The answer to connect(2), when epoll told @events: 1, or -errno of the
 * connection; 0: it is still to come, and the event was about an earlier
 * connection of this round.
 */
__attribute__((warn_unused_result)) int dial_answer(int fd, uint32_t events);

#endif
