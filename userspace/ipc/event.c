// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipc/event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The last microsecond that RFC 3339 can write: of the year 9999. */
#define TIME_MAX_US 253402300799999999ULL
#define STATUS_MAX  999

enum { FLAG_STOPPED = 1, FLAG_UPLOAD = 2, FLAG_SHA256 = 4, FLAGS_ALL = 7 };
enum { TEXTS = 7 };

/* What precedes the texts. No padding: every byte is written and checked. */
struct packed_event {
	uint64_t time_us;
	uint64_t session;
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t duration_ms;
	uint64_t first_byte_ms;
	uint64_t scan_ms;
	uint8_t client[16];
	uint8_t server[16];
	uint8_t sha256[MSG_SHA256];
	uint16_t client_port;
	uint16_t server_port;
	uint16_t status;
	uint16_t text[TEXTS]; /* lengths, in the order of event_text() */
	uint8_t client_family;
	uint8_t server_family;
	uint8_t protocol;
	uint8_t verdict;
	uint8_t reason;
	uint8_t flags;
	uint8_t zero[6];
};

_Static_assert(sizeof(struct packed_event) == 152, "padding would leak memory");
_Static_assert(sizeof(struct packed_event) + (size_t)TEXTS * EVENT_TEXT_MAX <=
		       EVENT_PACKED_MAX,
	       "an event may not fit");

static struct str *event_text(struct event *ev, int i)
{
	struct str *const texts[TEXTS] = {
		&ev->method, &ev->url,	&ev->host,	  &ev->user,
		&ev->name,   &ev->rule, &ev->content_type};

	return texts[i];
}

static void pack_fixed(const struct event *ev, struct packed_event *p)
{
	p->time_us = ev->time_us;
	p->session = ev->session;
	p->bytes_in = ev->bytes_in;
	p->bytes_out = ev->bytes_out;
	p->duration_ms = ev->duration_ms;
	p->first_byte_ms = ev->first_byte_ms;
	p->scan_ms = ev->scan_ms;
	memcpy(p->client, ev->client.addr.bytes, sizeof(p->client));
	memcpy(p->server, ev->server.addr.bytes, sizeof(p->server));
	p->client_family = ev->client.addr.family;
	p->server_family = ev->server.addr.family;
	p->client_port = ev->client.port;
	p->server_port = ev->server.port;
	p->status = ev->status;
	p->protocol = (uint8_t)ev->protocol;
	p->verdict = (uint8_t)ev->verdict;
	p->reason = (uint8_t)ev->reason;
	p->flags = (uint8_t)((ev->stopped ? FLAG_STOPPED : 0) |
			     (ev->upload ? FLAG_UPLOAD : 0) |
			     (ev->has_sha256 ? FLAG_SHA256 : 0));
	if (ev->has_sha256)
		memcpy(p->sha256, ev->sha256, sizeof(p->sha256));
}

size_t event_pack(const struct event *ev, uint8_t *dst, size_t size)
{
	struct event copy = *ev;
	struct packed_event p = {0};
	size_t len = sizeof(p);

	pack_fixed(ev, &p);
	for (int i = 0; i < TEXTS; i++) {
		struct str *text = event_text(&copy, i);

		if (text->len > EVENT_TEXT_MAX)
			text->len = EVENT_TEXT_MAX;
		p.text[i] = (uint16_t)text->len;
		len += text->len;
	}
	if (len > size)
		return 0;
	memcpy(dst, &p, sizeof(p));
	dst += sizeof(p);
	for (int i = 0; i < TEXTS; i++) {
		const struct str *text = event_text(&copy, i);

		if (text->len > 0)
			memcpy(dst, text->p, text->len);
		dst += text->len;
	}
	return len;
}

/* What isn't there is zero, so that an event has one packed form. */
static bool is_zero(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* An address as base/ip.h wants it: bytes beyond its family's are zero. */
static bool unpack_endpoint(struct ip_endpoint *ep, uint8_t family,
			    const uint8_t bytes[16], uint16_t port)
{
	size_t len;

	if (family != 0 && family != AF_INET && family != AF_INET6)
		return false;
	ep->addr.family = family;
	ep->port = port;
	len = ip_addr_len(&ep->addr);
	if (!is_zero(bytes + len, sizeof(ep->addr.bytes) - len))
		return false;
	memcpy(ep->addr.bytes, bytes, sizeof(ep->addr.bytes));
	return family != 0 || port == 0;
}

static bool unpack_sha256(struct event *ev, const struct packed_event *p)
{
	ev->has_sha256 = (p->flags & FLAG_SHA256) != 0;
	memcpy(ev->sha256, p->sha256, sizeof(ev->sha256));
	return ev->has_sha256 || is_zero(p->sha256, sizeof(p->sha256));
}

static bool unpack_fixed(struct event *ev, const struct packed_event *p)
{
	ev->time_us = p->time_us;
	ev->session = p->session;
	ev->bytes_in = p->bytes_in;
	ev->bytes_out = p->bytes_out;
	ev->duration_ms = p->duration_ms;
	ev->first_byte_ms = p->first_byte_ms;
	ev->scan_ms = p->scan_ms;
	ev->status = p->status;
	ev->protocol = p->protocol;
	ev->verdict = p->verdict;
	ev->reason = p->reason;
	ev->stopped = (p->flags & FLAG_STOPPED) != 0;
	ev->upload = (p->flags & FLAG_UPLOAD) != 0;
	return p->time_us <= TIME_MAX_US && is_zero(p->zero, sizeof(p->zero)) &&
	       p->status <= STATUS_MAX && p->protocol < EVENT_PROTOCOL_COUNT &&
	       verdict_valid(p->verdict) && verdict_reason_valid(p->reason) &&
	       (p->flags & ~FLAGS_ALL) == 0 && unpack_sha256(ev, p) &&
	       unpack_endpoint(&ev->client, p->client_family, p->client,
			       p->client_port) &&
	       unpack_endpoint(&ev->server, p->server_family, p->server,
			       p->server_port);
}

size_t event_unpack(const uint8_t *data, size_t len, struct event *ev)
{
	struct packed_event p;
	size_t used = sizeof(p);

	memset(ev, 0, sizeof(*ev));
	if (len < sizeof(p))
		return 0;
	memcpy(&p, data, sizeof(p));
	if (!unpack_fixed(ev, &p))
		return 0;
	for (int i = 0; i < TEXTS; i++) {
		if (p.text[i] > EVENT_TEXT_MAX || p.text[i] > len - used)
			return 0;
		if (p.text[i] > 0)
			*event_text(ev, i) = (struct str){
				(const char *)data + used, p.text[i]};
		used += p.text[i];
	}
	return used;
}

void event_format_id(char *dst, size_t size, uint64_t instance, uint64_t number)
{
	snprintf(dst, size, "%" PRIx64 "-%" PRIu64, instance, number);
}

void event_format_session(char *dst, size_t size, uint64_t instance,
			  uint64_t session)
{
	snprintf(dst, size, "%" PRIx64 ".%" PRIu64, instance, session);
}
