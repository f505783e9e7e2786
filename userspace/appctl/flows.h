/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flows that are being named, by their two ends. Bounded: when it is full,
 * the flow that was without a label for longest gives way to the new one, and
 * is counted. Every operation is O(1); the hash is keyed (SipHash), so nobody
 * can aim at one bucket.
 *
 * A label stays for a short time only, for packets that were under way when it
 * was given: after that the kernel's mark answers for the connection, and the
 * same two ends are a new flow.
 *
 * Memory: about 104 bytes a flow (flows_bytes() says), touched on first use.
 */
#ifndef SLUICE_APPCTL_FLOWS_H
#define SLUICE_APPCTL_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/list.h"
#include "base/siphash.h"

/* The same for both directions: the end that compares less is end 0. */
struct flow_key {
	uint8_t addr[2][16];
	uint16_t port[2];
	uint8_t family;
	uint8_t proto;
};

/* Which end @src is, 0 or 1. */
unsigned int flow_key_make(struct flow_key *key, uint8_t proto,
			   const struct ip_endpoint *src,
			   const struct ip_endpoint *dst);

/*
 * Lifetime: made by flows_get(), owned by the table; gone after flows_remove(),
 * or by any flows_get() or flows_expire(), which tell @gone before.
 */
struct flow {
	struct list age;   /* of its kind (labelled or not), oldest first */
	struct flow *next; /* in its bucket */
	uint64_t since;	   /* ms: last packet; once labelled, the label */
	void *inspection;  /* the caller's, NULL when there is none */
	struct flow_key key;
	uint16_t app;	    /* APP_NONE: not labelled */
	uint8_t confidence; /* enum app_confidence */
	uint8_t packets;    /* with payload, looked at so far; stops at 255 */
	uint8_t server;	    /* the end that is the server, or FLOW_NO_END */
	uint8_t ends;	    /* that have sent payload: bits 0 and 1 */
};

#define FLOW_NO_END 2

struct flows_stats {
	uint32_t live;	   /* flows in the table */
	uint32_t labelled; /* of them */
	uint64_t added;
	uint64_t expired;	     /* idle for too long without a label */
	uint64_t displaced;	     /* by newer ones, without a label */
	uint64_t displaced_labelled; /* the same, with one */
};

struct flows_limits {
	uint32_t max;	      /* flows, at least 1 */
	uint32_t idle_ms;     /* without a label and without a packet */
	uint32_t labelled_ms; /* that a label is kept */
};

struct flows;
typedef void (*flow_gone_fn)(void *arg, struct flow *flow);

/* @gone (with @arg) is told of each flow that goes; NULL is no such table. */
struct flows *flows_new(const struct flows_limits *limits,
			const struct siphash_key *secret, flow_gone_fn gone,
			void *arg);
void flows_free(struct flows *f);

/* Now it is active; NULL when there is none, or its label's time is over. */
struct flow *flows_find(struct flows *f, const struct flow_key *key,
			uint64_t now_ms);
/* The same, made when there is none: then ->packets is 0. Never NULL. */
struct flow *flows_get(struct flows *f, const struct flow_key *key,
		       uint64_t now_ms);
/* Set the label; it is kept for labelled_ms. */
void flows_label(struct flows *f, struct flow *flow, uint16_t app,
		 uint8_t confidence, uint64_t now_ms);
/* The one without a label that was silent for longest, or NULL. */
struct flow *flows_oldest(const struct flows *f);
void flows_remove(struct flows *f, struct flow *flow);
/*
 * Remove what is over, at most @max flows. Returns how many; call it from time
 * to time, again at once while it returns @max.
 */
uint32_t flows_expire(struct flows *f, uint64_t now_ms, uint32_t max);

const struct flows_stats *flows_stats(const struct flows *f);
/* Most bytes that the table will ever use. */
size_t flows_bytes(const struct flows *f);

#endif
