/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking connections in: the sockets that nft's tproxy hands them to, made by
 * the net role, one a relay and service (SO_REUSEPORT spreads the load).
 */
#ifndef SLUICE_PROXY_LISTENER_H
#define SLUICE_PROXY_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

struct relay;

void listener_init(struct relay *r);
/* Take over @fd, the listener of config service @service. 0 or -errno. */
int listener_open(struct relay *r, uint32_t service, int fd)
	__attribute__((warn_unused_result));
/* Whether each service of the configuration has its listener. */
bool listener_all_open(const struct relay *r);
/* What waits in the queues is still taken in. */
void listener_close_all(struct relay *r);

#endif
