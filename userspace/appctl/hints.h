/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a server's port speaks, learned from flows that were named for certain:
 * the next flow there may be labelled without a look, for a while. Fixed size;
 * the entry that ends first gives way in its set.
 *
 * A hint is wrong where one address serves many things. So
 *  - only labels by protocol count (SSH, IMAP, MySQL...), none by name: behind
 *    one address of a CDN are many sites, and plain http, tls or quic say only
 *    that the next name was not known;
 *  - several flows in a row must agree; one that doesn't bars the server for
 *    the lifetime of a hint;
 *  - a hint ends, however often it is used, and then has to be confirmed.
 */
#ifndef SLUICE_APPCTL_HINTS_H
#define SLUICE_APPCTL_HINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/siphash.h"

struct hints;

struct hints_limits {
	uint32_t max;	      /* servers; rounded up to a power of two */
	uint32_t lifetime_ms; /* of a hint from its last confirmation */
	uint32_t flows;	      /* that must agree; at least 1 */
};

struct hint {
	uint16_t app;
	uint64_t left_ms; /* until it ends */
};

struct hints *hints_new(const struct hints_limits *limits,
			const struct siphash_key *secret);
void hints_free(struct hints *h);

/* Whether a label may ever become a hint; @by_name: it came from a host name. */
bool hints_want(uint16_t app, bool by_name);
/*
 * A flow to @server was named @app for certain. What hints_want() refuses is
 * told as well: it speaks against an earlier one. True when from now on
 * there is a hint, or an old one goes on.
 */
bool hints_learn(struct hints *h, uint8_t proto,
		 const struct ip_endpoint *server, uint16_t app, bool by_name,
		 uint64_t now_ms);
/* One that the client alone may have made look like @app: only speaks against. */
void hints_doubt(struct hints *h, uint8_t proto,
		 const struct ip_endpoint *server, uint16_t app,
		 uint64_t now_ms);
bool hints_find(const struct hints *h, uint8_t proto,
		const struct ip_endpoint *server, uint64_t now_ms,
		struct hint *hint);
size_t hints_bytes(const struct hints *h);

#endif
