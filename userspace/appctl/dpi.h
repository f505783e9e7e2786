/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nDPI, behind the little that we want of it. dpi.c is the only file that
 * includes its headers; what it says comes out as our applications.
 */
#ifndef SLUICE_APPCTL_DPI_H
#define SLUICE_APPCTL_DPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "policy/app.h"

struct dpi;	 /* one for a process: automata and lists, about 9 MB */
struct dpi_flow; /* what nDPI remembers of one flow */

/* What nDPI makes of a flow so far. */
struct dpi_result {
	uint16_t app; /* APP_NONE: nothing yet */
	/* The protocol that it is carried by (TLS, HTTP), else app. */
	uint16_t carrier;
	enum app_confidence confidence;
	bool final;	 /* more packets would not say more */
	struct str host; /* a view, until the flow is fed or freed; or none */
	bool host_cut;	 /* it fills nDPI's field: there may be more of it */
};

/*
 * @max_flows at once. NULL when nDPI can't be set up. Slow (it builds automata
 * of names), allocates, and asks the kernel for nothing else.
 */
struct dpi *dpi_new(uint32_t max_flows);
void dpi_free(struct dpi *d);

/* NULL when @max_flows are out, or memory is. */
struct dpi_flow *dpi_flow_new(struct dpi *d);
/* NULL is fine. */
void dpi_flow_free(struct dpi *d, struct dpi_flow *flow);

/*
 * Packet of @flow from its IP header on, its TCP or UDP header at @l4 bytes into
 * it. Only its first DPI_SNAP bytes are shown to nDPI. A TCP flow is given a
 * handshake first, which the kernel's queue does not hold but some of nDPI's
 * dissectors insist on. @up: from the client.
 */
#define DPI_SNAP 2048
void dpi_feed(struct dpi *d, struct dpi_flow *flow, const uint8_t *data,
	      size_t len, size_t l4, bool up, uint64_t now_ms,
	      struct dpi_result *result);

/*
 * Nothing more will come: the best that nDPI can say, by port or address if
 * need be (APP_BY_GUESS). APP_NONE when it has no idea.
 */
void dpi_give_up(struct dpi *d, struct dpi_flow *flow,
		 struct dpi_result *result);

/*
 * The application that @host (lower case, any length) belongs to, or APP_NONE.
 * By nDPI's list of names, some of which count anywhere in a host: it calls
 * youtube.com.example.org YouTube. Names are chosen by clients, so a label by
 * name is no proof of where a flow goes.
 */
uint16_t dpi_app_of_host(struct dpi *d, struct str host);

/* "4.2.0", and how many protocols it knows. */
const char *dpi_version(void);
uint32_t dpi_protocols(const struct dpi *d);
/* nDPI's own name of its protocol @id, and whether our table knows it. */
const char *dpi_protocol_name(struct dpi *d, uint32_t id);
uint16_t dpi_protocol_app(const struct dpi *d, uint32_t id);
/* Most bytes that flows will use, nDPI's allocations for text apart. */
size_t dpi_bytes(const struct dpi *d);

#endif
