/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks into the packets of one flow: our parsers for TLS and QUIC, nDPI for
 * everything. What a flow needs for that comes from pools of fixed size.
 */
#ifndef SLUICE_APPCTL_INSPECT_H
#define SLUICE_APPCTL_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "policy/app.h"
#include "proto/packet.h"

struct inspector;  /* one for a process */
struct inspection; /* of one flow */

/* A packet with payload, and where it stands in its flow. */
struct inspect_packet {
	const uint8_t *data; /* from its IP header on */
	size_t len;
	uint64_t now_ms;
	const struct packet *parsed;
	unsigned int end;     /* that sent it, 0 or 1 */
	bool up;	      /* that end is the client */
	uint16_t server_port; /* as far as one can tell */
};

/* What is known so far. */
struct finding {
	uint16_t app; /* APP_NONE: nothing */
	enum app_confidence confidence;
	bool final;
	bool by_name; /* @app follows from @host, not from the protocol */
	bool ech;
	struct str host; /* a view, until the inspection is fed or freed */
};

struct inspect_counts {
	uint64_t no_quic;  /* QUIC flows for which there was no room */
	uint64_t no_order; /* ClientHellos with a segment missing */
};

/* @max flows at once, @max_quic of them QUIC. NULL without memory or nDPI. */
struct inspector *inspector_new(uint32_t max, uint32_t max_quic);
void inspector_free(struct inspector *ins);

/* NULL when @max are out. */
struct inspection *inspection_new(struct inspector *ins);
/* NULL is fine. */
void inspection_free(struct inspector *ins, struct inspection *i);

/* Same addresses and ports, but @p isn't of the TCP connection that @i saw. */
bool inspect_is_another(const struct inspection *i,
			const struct inspect_packet *p);
void inspect_feed(struct inspector *ins, struct inspection *i,
		  const struct inspect_packet *p, struct finding *f);
/* No more packets: what can be said at last. @f->app may stay APP_NONE. */
void inspect_give_up(struct inspector *ins, struct inspection *i,
		     struct finding *f);

const struct inspect_counts *inspect_counts(const struct inspector *ins);
size_t inspect_bytes(const struct inspector *ins);

#endif
