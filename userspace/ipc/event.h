/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An event on its way from a relay to the journal: packed into MSG_EVENTS,
 * one after the other, and unpacked (with every length checked) by the log
 * role, which alone turns it into JSON.
 */
#ifndef SLUICE_IPC_EVENT_H
#define SLUICE_IPC_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"
#include "ipc/msg.h"
#include "policy/verdict.h"

/* Longest text of an event that is kept; longer ones are cut. */
#define EVENT_TEXT_MAX	 4096
/* Bytes that any event fits into when packed. */
#define EVENT_PACKED_MAX 28928

enum event_protocol {
	EVENT_HTTP,
	EVENT_TUNNEL,
	EVENT_FTP,
	EVENT_PROTOCOL_COUNT
};

struct event {
	uint64_t time_us; /* wall clock at its end, since 1970 */
	uint64_t session; /* unique within the relay's instance */
	struct ip_endpoint client;
	struct ip_endpoint server;
	enum event_protocol protocol;
	enum verdict verdict;
	enum reason reason;
	uint16_t status; /* that the client got; 0 = none */
	bool stopped;	 /* the object or request was not let through */
	bool upload;	 /* the verdict is about the request's body */
	bool has_sha256;
	uint8_t sha256[MSG_SHA256]; /* of the body as transferred */
	uint64_t bytes_in;	    /* from the client, heads and bodies */
	uint64_t bytes_out;	    /* to the client */
	uint64_t duration_ms;
	uint64_t first_byte_ms; /* request complete to response head */
	uint64_t scan_ms;	/* waited for the verdict */
	/* views; those of event_unpack() point into its input */
	struct str method;
	struct str url;
	struct str host;
	struct str user; /* whom the client logged in as */
	struct str name; /* signature, or the parser's word */
	struct str rule; /* what decided: "scan", "infected_url_block" ... */
	struct str content_type;
};

/*
 * Ids as text, unique for ever: of an event "INSTANCE-NUMBER", of a session
 * "INSTANCE.SESSION" (hexadecimal, decimal).
 */
#define EVENT_ID_MAX 40
void event_format_id(char *dst, size_t size, uint64_t instance,
		     uint64_t number);
void event_format_session(char *dst, size_t size, uint64_t instance,
			  uint64_t session);

/* Append @ev to @size bytes at @dst. Bytes written, 0 when it doesn't fit. */
size_t event_pack(const struct event *ev, uint8_t *dst, size_t size);
/*
 * Take one event off the start of @len bytes. Bytes it took, or 0 when they
 * are no valid event (any wrong length, enumeration or address family).
 */
size_t event_unpack(const uint8_t *data, size_t len, struct event *ev);

#endif
