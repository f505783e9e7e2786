/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names flows: packets go in one by one, a label comes out after the first few
 * with payload. Everything that decides is here; getting packets out of the
 * kernel and the label into a mark is the caller's.
 *
 *	TLS, QUIC	our own parsers read the server name, nDPI's list of
 *			names says whose it is (own)
 *	everything else	nDPI (dpi)
 *	given up	the port, or what others spoke to that server (guess,
 *			hint), or unknown
 *
 * No system call, no clock; memory is bounded and said by classify_bytes().
 */
#ifndef SLUICE_APPCTL_CLASSIFY_H
#define SLUICE_APPCTL_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appctl/flows.h"
#include "appctl/hints.h"
#include "base/ip.h"
#include "base/siphash.h"
#include "policy/app.h"

struct classify_config {
	struct siphash_key secret; /* random, of this process */
	uint32_t max_flows;	   /* being named or just named */
	uint32_t max_inspected;	   /* of them, being looked into */
	uint32_t max_quic;	   /* of them, QUIC (10 KiB each) */
	uint32_t first_packets;	   /* with payload, then it is given up */
	uint32_t idle_ms;	   /* a flow without a label is forgotten */
	uint32_t labelled_ms;	   /* a label is repeated for so long */
	struct hints_limits hints;
};

/* The key must still be filled in. */
extern const struct classify_config classify_defaults;

/* Which way a packet goes, where the caller knows it (by its interface). */
enum classify_way { CLASSIFY_UNKNOWN_WAY, CLASSIFY_UP, CLASSIFY_DOWN };

enum classify_verdict {
	/*
	 * No packet of a flow's payload, or not to be read: let it pass, set no
	 * mark. Fragments are among them; behind conntrack there are none.
	 */
	CLASSIFY_NOTHING,
	CLASSIFY_MORE,	/* no label yet: queue this flow's next packet, too */
	CLASSIFY_LABEL, /* final: mark it */
	/* Final as well, but nothing was recognised: hint, guess or unknown. */
	CLASSIFY_GIVEN_UP
};

struct classify_result {
	enum classify_verdict verdict;
	uint16_t app; /* with MORE: what it looks like so far, or APP_NONE */
	enum app_confidence confidence;
	uint8_t proto;
	uint8_t packets; /* of the flow with payload so far, this one included */
	bool repeated;	 /* the label was given before */
	bool ech;	 /* the host is an outer name */
	bool hint_ready; /* classify_hint_of() this server has one (again) */
	/* By @way, else by ports; the same answer for both directions. */
	struct ip_endpoint client, server;
	/* Printable, lower case; a view, until the next call. */
	struct str host;
};

struct classify_stats {
	uint64_t packets;   /* that were given in */
	uint64_t malformed; /* no IP, or cut off in a header */
	uint64_t fragments;
	uint64_t empty;			  /* without payload */
	uint64_t labels[APP_CONFIDENCES]; /* of flows, by how they were named */
	uint64_t unknown;		  /* given up without even a guess */
	uint64_t no_room;  /* silent flows that made room for newer ones */
	uint64_t reused;   /* another connection began where one had no label */
	uint64_t no_quic;  /* too many QUIC flows: named without their host */
	uint64_t no_order; /* a ClientHello with a segment missing */
};

struct classify;

/* NULL without memory or nDPI. Takes a while: nDPI builds its automata. */
struct classify *classify_new(const struct classify_config *config);
void classify_free(struct classify *c);

/*
 * One packet from its IP header on; perhaps cut off, perhaps GSO. @now_ms of a
 * clock that never goes back.
 */
void classify_packet(struct classify *c, const uint8_t *data, size_t len,
		     enum classify_way way, uint64_t now_ms,
		     struct classify_result *result);
/*
 * A protocol without ports, by its number (IANA): APP_ICMP, APP_IPSEC, ...;
 * APP_UNKNOWN for TCP, UDP and what has no name here.
 */
uint16_t classify_proto(uint8_t proto);
/*
 * Whether @server is known to speak one application only; the label to give
 * its flows, and for how long. Meant for a set in the kernel.
 */
bool classify_hint_of(const struct classify *c, uint8_t proto,
		      const struct ip_endpoint *server, uint64_t now_ms,
		      struct hint *hint);
/* Forget what is over, some of it; to be called about once a second. */
void classify_tick(struct classify *c, uint64_t now_ms);

const struct classify_stats *classify_stats(struct classify *c);
const struct flows_stats *classify_flows(const struct classify *c);
/* Most bytes that flows and hints will ever use; nDPI's own tables apart. */
size_t classify_bytes(const struct classify *c);

#endif
