// SPDX-License-Identifier: GPL-2.0-or-later
#include "appctl/inspect.h"

#include <stdlib.h>
#include <string.h>

#include "appctl/dpi.h"
#include "appctl/pool.h"
#include "appctl/ports.h"
#include "appctl/quic_crypto.h"
#include "appctl/quic_hello.h"
#include "proto/http1.h"
#include "proto/sniff.h"
#include "proto/tls_hello.h"

#define HELLO_MAX	 65535 /* bytes of a ClientHello */
#define RECORD_HANDSHAKE 22
/*
 * Further apart, two sequence numbers are of two connections. In the first
 * packets of one they are nearer, even with a segment missing; another one
 * starts at random (RFC 6528) or, from Linux, 4 ms later further on.
 */
#define SEQUENCE_REACH	 65536

/* Lifetime: from inspector_new() to inspector_free(); one thread. */
struct inspector {
	struct dpi *dpi;
	struct quic_crypto *crypto;
	struct pool inspections;
	struct pool quic;
	struct inspect_counts counts;
	struct http1_request request; /* too large for the stack */
};

enum hello_state {
	HELLO_NONE,    /* none was seen */
	HELLO_READING, /* in the middle of one */
	HELLO_READ,    /* tls_hello or quic has all of it */
	HELLO_BROKEN   /* it is TLS or QUIC, and that is all to be had */
};

/*
 * Lifetime: of its flow, from its first packet with payload until the label,
 * or until the flow goes. Owned by the flow table's user.
 */
struct inspection {
	struct dpi_flow *dpi;	 /* NULL: nDPI is out of flows */
	struct quic_hello *quic; /* while a QUIC hello is read, and after */
	enum hello_state tls_state;
	enum hello_state quic_state;
	bool started[2];   /* ends that have sent payload, of TCP */
	uint32_t next[2];  /* sequence number of what they send next */
	uint8_t tls_end;   /* the end that sends the ClientHello */
	uint32_t tls_next; /* sequence number of its next byte */
	struct dpi_result seen;
	struct sniff_ftp ftp;
	uint16_t sniffed; /* what proto/sniff.h says, or APP_NONE */
	struct tls_hello tls;
	char host[APP_HOST_MAX]; /* of HTTP or DNS, tidied */
};

struct inspector *inspector_new(uint32_t max, uint32_t max_quic)
{
	struct inspector *ins = calloc(1, sizeof(*ins));

	if (ins == NULL)
		return NULL;
	ins->dpi = dpi_new(max);
	ins->crypto = quic_crypto_new();
	if (ins->dpi == NULL || ins->crypto == NULL ||
	    pool_init(&ins->inspections, sizeof(struct inspection), max) != 0 ||
	    pool_init(&ins->quic, sizeof(struct quic_hello), max_quic) != 0) {
		inspector_free(ins);
		return NULL;
	}
	return ins;
}

void inspector_free(struct inspector *ins)
{
	if (ins == NULL)
		return;
	pool_fini(&ins->quic);
	pool_fini(&ins->inspections);
	quic_crypto_free(ins->crypto);
	dpi_free(ins->dpi);
	free(ins);
}

struct inspection *inspection_new(struct inspector *ins)
{
	struct inspection *i = pool_get(&ins->inspections);

	if (i == NULL)
		return NULL;
	memset(i, 0, sizeof(*i));
	i->dpi = dpi_flow_new(ins->dpi);
	return i;
}

void inspection_free(struct inspector *ins, struct inspection *i)
{
	if (i == NULL)
		return;
	dpi_flow_free(ins->dpi, i->dpi);
	pool_put(&ins->quic, i->quic);
	pool_put(&ins->inspections, i);
}

/* --- a label from a hello ------------------------------------------------------ */

/* Protocols that say what is inside (IANA's registry of ALPN ids). */
static uint16_t app_of_alpn(const struct tls_hello *h)
{
	static const struct {
		struct str id;
		uint16_t app;
	} ids[] = {
		{{"dot", 3}, APP_ENCRYPTED_DNS},
		{{"doq", 3}, APP_ENCRYPTED_DNS},
		{{"ftp", 3}, APP_FTP},
		{{"imap", 4}, APP_IMAPS},
		{{"irc", 3}, APP_IRC},
		{{"mqtt", 4}, APP_MQTT},
		{{"nntp", 4}, APP_USENET},
		{{"ntske/1", 7}, APP_NTP},
		{{"pop3", 4}, APP_POP3S},
		{{"postgresql", 10}, APP_POSTGRESQL},
		{{"smb", 3}, APP_SMB},
		{{"stun.turn", 9}, APP_STUN},
		{{"xmpp-client", 11}, APP_XMPP},
	};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (tls_hello_has_alpn(h, ids[i].id))
			return ids[i].app;
	return APP_NONE;
}

static void set_app(struct finding *f, uint16_t app,
		    enum app_confidence confidence)
{
	f->app = app;
	f->confidence = confidence;
}

/* nDPI knows more than "TLS" for certain: from ciphers, certificates, ... */
static bool dpi_knows_more(const struct inspection *i, uint16_t carrier)
{
	return i->seen.confidence == APP_BY_DPI && i->seen.app != carrier &&
	       i->seen.app != APP_NONE && i->seen.app != APP_UNKNOWN;
}

/* By name, protocol, nDPI, port, in this order; @carrier is TLS or QUIC. */
static void find_by_hello(struct inspector *ins, const struct inspection *i,
			  const struct tls_hello *h, uint16_t carrier,
			  uint16_t server_port, struct finding *f)
{
	uint16_t app = dpi_app_of_host(ins->dpi, tls_hello_host(h));
	uint16_t usual = carrier == APP_TLS ? port_app(server_port, true)
					    : (uint16_t)APP_NONE;

	f->final = true;
	f->host = tls_hello_host(h);
	f->ech = h->ech;
	f->by_name = app != APP_NONE;
	if (app == APP_NONE)
		app = app_of_alpn(h);
	if (app != APP_NONE)
		set_app(f, app, APP_BY_OWN);
	else if (dpi_knows_more(i, carrier))
		set_app(f, i->seen.app, APP_BY_DPI);
	else if (usual != APP_NONE)
		set_app(f, usual, APP_BY_GUESS);
	else
		set_app(f, carrier, APP_BY_OWN);
}

/* --- TLS ----------------------------------------------------------------------- */

static void tls_begin(struct inspection *i, const struct inspect_packet *p)
{
	const struct str *payload = &p->parsed->payload;

	if ((uint8_t)payload->p[0] != RECORD_HANDSHAKE)
		return;
	i->tls_state = HELLO_READING;
	i->tls_end = (uint8_t)p->end;
	i->tls_next = p->parsed->tcp_seq;
	tls_hello_init(&i->tls, HELLO_MAX);
}

static enum hello_state hello_state_of(enum tls_hello_result r)
{
	switch (r) {
	case TLS_HELLO_MORE:
		return HELLO_READING;
	case TLS_HELLO_DONE:
		return HELLO_READ;
	case TLS_HELLO_MALFORMED:
		return HELLO_BROKEN;
	default:
		return HELLO_NONE;
	}
}

/*
 * In order only: what was seen already is skipped, and a gap ends it. The
 * missing segment may come later, but then this one would have to be kept.
 */
static void tls_feed(struct inspector *ins, struct inspection *i,
		     const struct inspect_packet *p)
{
	struct str payload = p->parsed->payload;
	uint32_t seen = i->tls_next - p->parsed->tcp_seq;

	if (seen > INT32_MAX) {
		ins->counts.no_order++;
		i->tls_state = HELLO_BROKEN;
		return;
	}
	if (seen >= payload.len)
		return;
	payload.p += seen;
	payload.len -= seen;
	i->tls_next += (uint32_t)payload.len;
	i->tls_state = hello_state_of(tls_hello_feed(
		&i->tls, (const uint8_t *)payload.p, payload.len, NULL));
}

static void look_for_tls(struct inspector *ins, struct inspection *i,
			 const struct inspect_packet *p)
{
	if (i->tls_state == HELLO_NONE && !i->started[p->end])
		tls_begin(i, p);
	if (i->tls_state == HELLO_READING && i->tls_end == p->end)
		tls_feed(ins, i, p);
}

/* --- which connection it is ------------------------------------------------------ */

static bool apart(uint32_t a, uint32_t b)
{
	uint32_t distance = a - b;

	return distance > SEQUENCE_REACH && -distance > SEQUENCE_REACH;
}

bool inspect_is_another(const struct inspection *i,
			const struct inspect_packet *p)
{
	const struct packet *tcp = p->parsed;

	if (i->started[p->end] && apart(tcp->tcp_seq, i->next[p->end]))
		return true;
	return i->started[!p->end] && (tcp->tcp_flags & PACKET_TCP_ACK) != 0 &&
	       apart(tcp->tcp_ack, i->next[!p->end]);
}

static void follow(struct inspection *i, const struct inspect_packet *p)
{
	i->started[p->end] = true;
	i->next[p->end] = p->parsed->tcp_seq + (uint32_t)p->parsed->payload.len;
}

/* --- QUIC ---------------------------------------------------------------------- */

static void quic_begin(struct inspector *ins, struct inspection *i,
		       const struct inspect_packet *p)
{
	const struct packet *udp = p->parsed;
	bool port_443 = udp->src.port == 443 || udp->dst.port == 443;

	if (!quic_hello_is_quic((const uint8_t *)udp->payload.p,
				udp->payload.len, port_443))
		return;
	i->quic = pool_get(&ins->quic);
	if (i->quic == NULL) {
		ins->counts.no_quic++;
		i->quic_state = HELLO_BROKEN;
		return;
	}
	quic_hello_init(i->quic);
	i->quic_state = HELLO_READING;
}

static void quic_feed(struct inspector *ins, struct inspection *i,
		      const struct inspect_packet *p)
{
	struct str payload = p->parsed->payload;

	switch (quic_hello_datagram(i->quic, ins->crypto,
				    (const uint8_t *)payload.p, payload.len)) {
	case QUIC_HELLO_DONE:
		i->quic_state = HELLO_READ;
		break;
	case QUIC_HELLO_NO_HOST:
		i->quic_state = HELLO_BROKEN;
		break;
	default:
		break;
	}
}

static void look_for_quic(struct inspector *ins, struct inspection *i,
			  const struct inspect_packet *p)
{
	if (i->quic_state == HELLO_NONE)
		quic_begin(ins, i, p);
	if (i->quic_state == HELLO_READING)
		quic_feed(ins, i, p);
}

/* --- a few bytes ---------------------------------------------------------------- */

_Static_assert(SNIFF_DNS_NAME_MAX <= APP_HOST_MAX, "a name must fit");

static uint16_t sniff(struct inspection *i, const struct inspect_packet *p)
{
	struct str payload = p->parsed->payload;

	if (p->parsed->kind == PACKET_TCP) {
		if (sniff_dns_tcp(payload, i->host))
			return APP_DNS;
		return sniff_ftp(&i->ftp, p->end, payload) ? APP_FTP : APP_NONE;
	}
	/* Both are DNS by their form; nDPI tells these by their ports. */
	if (p->server_port != 5353 && p->server_port != 5355 &&
	    sniff_dns(payload, i->host))
		return APP_DNS;
	return sniff_bittorrent_utp(payload) ? APP_BITTORRENT : APP_NONE;
}

/* --- nDPI ---------------------------------------------------------------------- */

/*
 * Lower case, and without the port that a Host field may have. Clients send
 * anything there: what is not printable is no host.
 */
static struct str tidy_host(struct inspection *i, struct str host)
{
	size_t n = 0;

	while (n < host.len && n < sizeof(i->host) - 1 && host.p[n] != ':') {
		if (host.p[n] <= ' ' || host.p[n] > '~')
			return (struct str){NULL, 0};
		i->host[n] = ascii_lower(host.p[n]);
		n++;
	}
	return (struct str){i->host, n};
}

/* The whole of a host that nDPI cut off, when the request is in one packet. */
static struct str whole_host(struct inspector *ins, struct inspection *i,
			     const struct inspect_packet *p)
{
	static const struct http1_limits limits = {8192, 65536, 128};
	struct str payload = p->parsed->payload;

	if (http1_parse_request((const uint8_t *)payload.p, payload.len, 0,
				&limits, &ins->request) > 0)
		return tidy_host(i, ins->request.host);
	return tidy_host(i, i->seen.host);
}

/* nDPI 4.2 calls them so when STARTTLS is merely offered. */
static uint16_t without_tls(uint16_t app)
{
	switch (app) {
	case APP_IMAPS:
		return APP_IMAP;
	case APP_POP3S:
		return APP_POP3;
	case APP_SMTPS:
		return APP_SMTP;
	default:
		return app;
	}
}

static bool carries_names(uint16_t app)
{
	return app == APP_HTTP || app == APP_TLS || app == APP_QUIC;
}

static void find_by_dpi(struct inspector *ins, struct inspection *i,
			const struct inspect_packet *p, struct finding *f)
{
	uint16_t app = APP_NONE;

	f->host = i->seen.host_cut ? whole_host(ins, i, p)
				   : tidy_host(i, i->seen.host);
	/* What is cut off at its end matches no list of names. */
	if (i->seen.host_cut && i->seen.app == APP_HTTP)
		app = dpi_app_of_host(ins->dpi, f->host);
	set_app(f, app != APP_NONE ? app : without_tls(i->seen.app),
		i->seen.confidence);
	f->by_name = carries_names(i->seen.carrier) &&
		     f->app != i->seen.carrier;
	f->final = i->seen.final && i->seen.confidence >= APP_BY_HINT;
}

/* --- all together -------------------------------------------------------------- */

/* A carrier whose hello is not complete, or can't be read. */
static void find_carrier(uint16_t carrier, bool final, struct finding *f)
{
	set_app(f, carrier, APP_BY_OWN);
	f->final = final;
}

static void find_sniffed(const struct inspection *i, struct finding *f)
{
	set_app(f, i->sniffed, APP_BY_OWN);
	f->final = true;
	if (i->sniffed == APP_DNS)
		f->host = str_of(i->host);
}

/* From what is known by now; false when none of our own parsers knew it. */
static bool find_by_own(struct inspector *ins, struct inspection *i,
			uint16_t server_port, struct finding *f)
{
	if (i->tls_state == HELLO_READ)
		find_by_hello(ins, i, &i->tls, APP_TLS, server_port, f);
	else if (i->quic_state == HELLO_READ)
		find_by_hello(ins, i, &i->quic->hello, APP_QUIC, server_port,
			      f);
	else if (i->tls_state != HELLO_NONE)
		find_carrier(APP_TLS, i->tls_state == HELLO_BROKEN, f);
	else if (i->quic_state != HELLO_NONE)
		find_carrier(APP_QUIC, i->quic_state == HELLO_BROKEN, f);
	else if (i->sniffed != APP_NONE)
		find_sniffed(i, f);
	else
		return false;
	return true;
}

void inspect_feed(struct inspector *ins, struct inspection *i,
		  const struct inspect_packet *p, struct finding *f)
{
	memset(f, 0, sizeof(*f));
	if (p->parsed->kind == PACKET_TCP) {
		look_for_tls(ins, i, p);
		follow(i, p);
	} else {
		look_for_quic(ins, i, p);
	}
	if (i->tls_state == HELLO_NONE && i->quic_state == HELLO_NONE)
		i->sniffed = sniff(i, p);
	/* QUIC is ours alone: nDPI would decrypt it once more. */
	if (i->dpi != NULL && i->quic_state == HELLO_NONE &&
	    i->sniffed == APP_NONE)
		dpi_feed(ins->dpi, i->dpi, p->data, p->len, p->parsed->l4,
			 p->up, p->now_ms, &i->seen);
	if (!find_by_own(ins, i, p->server_port, f) && i->seen.app != APP_NONE)
		find_by_dpi(ins, i, p, f);
}

void inspect_give_up(struct inspector *ins, struct inspection *i,
		     struct finding *f)
{
	struct dpi_result r;

	memset(f, 0, sizeof(*f));
	f->final = true;
	if (find_by_own(ins, i, 0, f) || i->dpi == NULL)
		return;
	if (i->seen.app != APP_NONE && i->seen.confidence == APP_BY_DPI) {
		set_app(f, without_tls(i->seen.app), APP_BY_DPI);
		f->host = tidy_host(i, i->seen.host);
		return;
	}
	dpi_give_up(ins->dpi, i->dpi, &r);
	if (r.app != APP_NONE && r.app != APP_UNKNOWN)
		set_app(f, r.app, r.confidence);
}

const struct inspect_counts *inspect_counts(const struct inspector *ins)
{
	return &ins->counts;
}

size_t inspect_bytes(const struct inspector *ins)
{
	return dpi_bytes(ins->dpi) + pool_bytes(&ins->inspections) +
	       pool_bytes(&ins->quic);
}
