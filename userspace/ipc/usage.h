/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client used of an application, one way, within a span of time: the
 * one record that all sources of counters fill. It goes from the app role to
 * the log role (MSG_USAGE) and, of the span at hand, to the parent
 * (MSG_USAGE_NOW).
 *
 * Bytes and packets are counted once, on the LAN side, as IP packets without
 * the link's header. A flow is counted in the span and direction in which it
 * was first seen.
 */
#ifndef SLUICE_IPC_USAGE_H
#define SLUICE_IPC_USAGE_H

#include <stdint.h>

#include "base/ip.h"

/* How long a span is; each begins at a multiple of it since 1970. */
#define USAGE_SPAN_S 300

enum usage_direction {
	USAGE_UP,   /* from the client */
	USAGE_DOWN, /* to the client */
	USAGE_DIRECTIONS
};

struct usage {
	uint64_t time_s; /* when the span began, since 1970 */
	uint64_t bytes;
	uint64_t packets;
	uint64_t flows;
	struct ip_addr client; /* "none": no client could be named */
	uint8_t direction;     /* enum usage_direction */
	uint16_t app;	       /* policy/app.h; APP_NONE: never labelled */
	uint32_t zero;
};

_Static_assert(sizeof(struct usage) == 56, "it is copied into messages");

#endif
