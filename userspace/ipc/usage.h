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

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

/* How long a span is; each begins at a multiple of it since 1970. */
#define USAGE_SPAN_S 300

enum usage_direction {
	USAGE_UP,   /* from the client */
	USAGE_DOWN, /* to the client */
	USAGE_DIRECTIONS
};

/* Why bytes belong to no application. */
enum usage_reason {
	USAGE_NOT_IP,
	USAGE_MALFORMED,
	USAGE_FRAGMENT,
	USAGE_PROTOCOL,	    /* neither TCP nor UDP, without a label */
	USAGE_NO_CONNTRACK, /* conntrack never knew the flow */
	USAGE_UNLABELLED,   /* it got no label in time */
	USAGE_TABLE_FULL,
	USAGE_REASONS
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

/*
 * Whether a record from another role is possible: a span's begin between 1970
 * and 9999, a direction, an address as base/ip.h has it, an application up to
 * APP_ID_MAX (also one that this version has no name for), zeros elsewhere.
 */
bool usage_valid(const struct usage *u);

/*
 * The words of the record format: an application's and its group's name, "-"
 * without a label and "?" for one without a name; "up" or "down".
 */
#define USAGE_NOBODY "-"
const char *usage_app_text(uint16_t app);
const char *usage_group_text(uint16_t app);
const char *usage_direction_text(uint8_t direction);
/* The client's address, "-" for none; @dst of IP_TEXT_MAX bytes. */
const char *usage_client_text(const struct usage *u, char *dst);
/* "2024-11-21T22:10:00Z": RFC 3339, UTC; @dst of USAGE_TIME_TEXT bytes. */
#define USAGE_TIME_TEXT 21
const char *usage_time_text(uint64_t time_s, char *dst);

#endif
