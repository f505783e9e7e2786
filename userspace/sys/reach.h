/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an address is, as seen from the gateway: itself, on a LAN, or
 * elsewhere. By the kernel's route to it, as a packet without a mark from the
 * gateway would take it; answers are remembered for a while.
 *
 * For those who, like conntrack, see connections and no interfaces.
 *
 * Lifetime: reach_new() to reach_free(), one owner, one thread; of the network
 * namespace it was made in. Needs no capability.
 */
#ifndef SLUICE_SYS_REACH_H
#define SLUICE_SYS_REACH_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/siphash.h"

enum reach_where {
	REACH_ELSEWHERE, /* or unreachable, or link-local: on some link */
	REACH_LAN,
	REACH_GATEWAY /* also broadcast and multicast: it hears them, too */
};

struct reach;

/* @addresses: how many are remembered, 32 bytes each. NULL with errno. */
__attribute__((warn_unused_result)) struct reach *
reach_new(uint32_t addresses, const struct siphash_key *secret);
void reach_free(struct reach *r);

/* The LAN interfaces; what was remembered is forgotten if they differ. */
#define REACH_LANS 32
void reach_set_lan(struct reach *r, const unsigned int *index, size_t count);

/* @now_s: of any clock that goes forward. */
enum reach_where reach_of(struct reach *r, const struct ip_addr *addr,
			  uint32_t now_s);

#endif
