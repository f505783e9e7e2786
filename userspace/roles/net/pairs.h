/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which relays have control connections of FTP between which client and which
 * server. Each relay counts its own; here it holds a pair or it doesn't. Pure.
 *
 * A pair that nobody holds any more lingers: the ends of its data connections
 * are still under way, and without the pair they would go to client and server,
 * whom they don't concern.
 *
 * Lifetime: pairs_new() to pairs_free(), one owner, one thread. What pairs_all()
 * shows holds until the next change.
 */
#ifndef SLUICE_ROLES_PAIRS_H
#define SLUICE_ROLES_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "sys/nft.h"
#include "sys/nft_object.h"

/* Of a family: as many as the kernel's set takes. */
#define PAIRS_MAX RULESET_PAIRS

struct pairs;

/* Addresses are whom clients choose to talk to, hence the secret. NULL. */
struct pairs *pairs_new(const struct siphash_key *secret);
void pairs_free(struct pairs *p);

/* 1 when it was not known before; 0; -ENOSPC. */
__attribute__((warn_unused_result)) int
pairs_hold(struct pairs *p, const struct nft_pair *pair, uint32_t relay);
/* It lingers from @now_ms on, if nobody else holds it. */
void pairs_drop(struct pairs *p, const struct nft_pair *pair, uint32_t relay,
		uint64_t now_ms);
/* The same of all that @relay holds. */
void pairs_drop_all(struct pairs *p, uint32_t relay, uint64_t now_ms);
/*
 * Forget those that linger since @before_ms or longer. @gone is called for each
 * of them and changes nothing here.
 */
void pairs_expire(struct pairs *p, uint64_t before_ms,
		  void (*gone)(const struct nft_pair *pair, void *arg),
		  void *arg);

/* Held or lingering. */
bool pairs_known(const struct pairs *p, const struct nft_pair *pair);
bool pairs_held_by(const struct pairs *p, const struct nft_pair *pair,
		   uint32_t relay);
/* All that are known. */
void pairs_all(const struct pairs *p, struct nft_pairs *all);
/* Those that are held. */
size_t pairs_count(const struct pairs *p);

#endif
