// SPDX-License-Identifier: GPL-2.0-or-later
#include "appctl/classify.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "appctl/inspect.h"
#include "appctl/ports.h"
#include "proto/packet.h"

#define TICK_FLOWS 10000 /* removed in one classify_tick() */

const struct classify_config classify_defaults = {
	.max_flows = 65536,
	.max_inspected = 8192,
	.max_quic = 1024,
	.first_packets = 24,
	.idle_ms = 60000,
	.labelled_ms = 1000,
	.hints = {.max = 4096, .lifetime_ms = 600000, .flows = 4},
};

/* Lifetime: from classify_new() to classify_free(); one thread. */
struct classify {
	struct classify_config config;
	struct inspector *inspector;
	struct flows *flows;
	struct hints *hints;
	struct classify_stats stats;
	char host[APP_HOST_MAX]; /* of the last result */
};

/* The flow goes: so does what looked into it. */
static void flow_gone(void *arg, struct flow *flow)
{
	struct classify *c = arg;

	inspection_free(c->inspector, flow->inspection);
	flow->inspection = NULL;
}

struct classify *classify_new(const struct classify_config *config)
{
	const struct flows_limits limits = {config->max_flows, config->idle_ms,
					    config->labelled_ms};
	struct classify *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->config = *config;
	c->inspector = inspector_new(config->max_inspected, config->max_quic);
	c->flows = flows_new(&limits, &config->secret, flow_gone, c);
	c->hints = hints_new(&config->hints, &config->secret);
	if (c->inspector == NULL || c->flows == NULL || c->hints == NULL) {
		classify_free(c);
		return NULL;
	}
	return c;
}

void classify_free(struct classify *c)
{
	if (c == NULL)
		return;
	flows_free(c->flows);
	hints_free(c->hints);
	inspector_free(c->inspector);
	free(c);
}

/* --- which end is the server ---------------------------------------------------- */

/*
 * The way, where it is known. Else the lower port, as clients' ports are
 * mostly high ones; between equals, whoever is addressed first.
 */
static uint8_t server_end(const struct packet *p, unsigned int src_end,
			  enum classify_way way)
{
	if (way == CLASSIFY_UP)
		return (uint8_t)!src_end;
	if (way == CLASSIFY_DOWN)
		return (uint8_t)src_end;
	return (uint8_t)(p->src.port < p->dst.port ? src_end : !src_end);
}

static void set_ends(const struct packet *p, bool up, struct classify_result *r)
{
	r->client = up ? p->src : p->dst;
	r->server = up ? p->dst : p->src;
}

/* --- labels -------------------------------------------------------------------- */

static void set_host(struct classify *c, struct str host,
		     struct classify_result *r)
{
	r->host = (struct str){c->host, host.len};
	if (host.len >= sizeof(c->host))
		r->host.len = sizeof(c->host) - 1;
	memcpy(c->host, host.len > 0 ? host.p : "", r->host.len);
	c->host[r->host.len] = '\0';
}

/*
 * A server can be known by flows whose label is certain, unless the client
 * alone could make it look so: the server must have said something itself, or
 * the label is no more than what its port says.
 */
static void learn(struct classify *c, const struct flow *flow,
		  const struct finding *f, uint64_t now_ms,
		  struct classify_result *r)
{
	bool proven = (flow->ends >> flow->server & 1) ||
		      port_app(r->server.port, false) == f->app;

	if (f->confidence < APP_BY_DPI || port_is_web(r->server.port))
		return;
	if (!proven)
		hints_doubt(c->hints, flow->key.proto, &r->server, f->app,
			    now_ms);
	else
		r->hint_ready = hints_learn(c->hints, flow->key.proto,
					    &r->server, f->app, f->by_name,
					    now_ms);
}

static enum classify_verdict verdict_of(enum app_confidence confidence)
{
	return confidence < APP_BY_DPI ? CLASSIFY_GIVEN_UP : CLASSIFY_LABEL;
}

static void label(struct classify *c, struct flow *flow,
		  const struct finding *f, uint64_t now_ms,
		  struct classify_result *r)
{
	r->app = f->app;
	r->confidence = f->confidence;
	r->verdict = verdict_of(f->confidence);
	r->ech = f->ech;
	set_host(c, f->host, r);
	c->stats.labels[f->confidence]++;
	inspection_free(c->inspector, flow->inspection);
	flow->inspection = NULL;
	flows_label(c->flows, flow, r->app, (uint8_t)r->confidence, now_ms);
}

/* The end: a label after all, a hint, a guess, or unknown. */
static void give_up(struct classify *c, struct flow *flow, uint64_t now_ms,
		    struct classify_result *r)
{
	struct finding f = {0};
	struct hint hint;

	if (flow->inspection != NULL)
		inspect_give_up(c->inspector, flow->inspection, &f);
	if (f.confidence < APP_BY_HINT &&
	    hints_find(c->hints, flow->key.proto, &r->server, now_ms, &hint)) {
		f.app = hint.app;
		f.confidence = APP_BY_HINT;
	}
	if (f.app == APP_NONE || f.app == APP_UNKNOWN) {
		f.app = APP_UNKNOWN;
		f.confidence = APP_NO_CONFIDENCE;
		c->stats.unknown++;
	}
	label(c, flow, &f, now_ms, r);
}

static void repeat(const struct flow *flow, struct classify_result *r)
{
	r->repeated = true;
	r->app = flow->app;
	r->confidence = (enum app_confidence)flow->confidence;
	r->verdict = verdict_of(r->confidence);
}

/* --- packets ------------------------------------------------------------------- */

/* So that the bytes of a flow that ends early are somebody's. */
static void guess(const struct inspect_packet *p, struct classify_result *r)
{
	if (r->app != APP_NONE)
		return;
	r->app = port_app(p->server_port, false);
	if (r->app != APP_NONE)
		r->confidence = APP_BY_GUESS;
}

static void inspect(struct classify *c, struct flow *flow,
		    const struct inspect_packet *p, struct classify_result *r)
{
	struct finding f;

	if (flow->packets < UINT8_MAX)
		flow->packets++;
	r->packets = flow->packets;
	flow->ends |= (uint8_t)(1u << p->end);
	inspect_feed(c->inspector, flow->inspection, p, &f);
	r->app = f.app;
	r->confidence = f.confidence;
	if (f.final) {
		learn(c, flow, &f, p->now_ms, r);
		label(c, flow, &f, p->now_ms, r);
	} else if (flow->packets >= c->config.first_packets) {
		give_up(c, flow, p->now_ms, r);
	} else {
		r->verdict = CLASSIFY_MORE;
		guess(p, r);
	}
}

/*
 * When all are in use, the flow that was silent for longest makes room: in a
 * flood of garbage that is garbage, and who speaks is still looked into.
 */
static void make_inspection(struct classify *c, struct flow *flow)
{
	struct flow *oldest;

	flow->inspection = inspection_new(c->inspector);
	if (flow->inspection != NULL)
		return;
	oldest = flows_oldest(c->flows);
	if (oldest == flow)
		return;
	c->stats.no_room++;
	flows_remove(c->flows, oldest);
	flow->inspection = inspection_new(c->inspector);
}

/*
 * What was seen is another connection's. Packets go on being counted: who
 * leaves gaps in a connection on purpose could otherwise keep it from ever
 * being given up, and all of it would be queued.
 */
static void begin_anew(struct classify *c, struct flow *flow)
{
	c->stats.reused++;
	inspection_free(c->inspector, flow->inspection);
	flow->inspection = NULL;
	flow->ends = 0;
}

static void with_payload(struct classify *c, const uint8_t *data, size_t len,
			 const struct packet *p, enum classify_way way,
			 uint64_t now_ms, struct classify_result *r)
{
	struct inspect_packet ip = {
		.data = data, .len = len, .now_ms = now_ms, .parsed = p};
	struct flow_key key;
	struct flow *flow;

	ip.end = flow_key_make(&key, p->proto, &p->src, &p->dst);
	flow = flows_get(c->flows, &key, now_ms);
	if (flow->inspection != NULL &&
	    inspect_is_another(flow->inspection, &ip))
		begin_anew(c, flow);
	if (flow->server == FLOW_NO_END)
		flow->server = server_end(p, ip.end, way);
	ip.up = flow->server != ip.end;
	ip.server_port = ip.up ? p->dst.port : p->src.port;
	set_ends(p, ip.up, r);
	if (flow->app != APP_NONE) {
		repeat(flow, r);
		return;
	}
	if (flow->inspection == NULL)
		make_inspection(c, flow);
	if (flow->inspection == NULL)
		give_up(c, flow, now_ms, r);
	else
		inspect(c, flow, &ip, r);
}

/* No ports, no flow: the protocol is the application. */
static void without_ports(struct classify *c, const struct packet *p,
			  enum classify_way way, struct classify_result *r)
{
	r->app = classify_proto(p->proto);
	r->confidence = r->app == APP_UNKNOWN ? APP_NO_CONFIDENCE : APP_BY_OWN;
	r->verdict = r->app == APP_UNKNOWN ? CLASSIFY_GIVEN_UP : CLASSIFY_LABEL;
	set_ends(p, way != CLASSIFY_DOWN, r);
	c->stats.labels[r->confidence]++;
	if (r->app == APP_UNKNOWN)
		c->stats.unknown++;
}

void classify_packet(struct classify *c, const uint8_t *data, size_t len,
		     enum classify_way way, uint64_t now_ms,
		     struct classify_result *result)
{
	struct packet p;

	memset(result, 0, sizeof(*result));
	c->stats.packets++;
	switch (packet_parse(data, len, &p)) {
	case PACKET_BAD:
		c->stats.malformed++;
		break;
	case PACKET_FRAGMENT:
		c->stats.fragments++;
		break;
	case PACKET_OTHER:
		without_ports(c, &p, way, result);
		break;
	default:
		if (p.payload.len == 0)
			c->stats.empty++;
		else
			with_payload(c, data, len, &p, way, now_ms, result);
		break;
	}
	result->proto = p.proto;
}

uint16_t classify_proto(uint8_t proto)
{
	static const struct {
		uint8_t proto;
		uint16_t app;
	} protos[] = {
		{IPPROTO_ICMP, APP_ICMP},
		{IPPROTO_IGMP, APP_IGMP},
		{IPPROTO_IPIP, APP_IPIP},
		{IPPROTO_EGP, APP_EGP},
		{IPPROTO_IPV6, APP_IPIP},
		{IPPROTO_GRE, APP_GRE},
		{IPPROTO_ESP, APP_IPSEC},
		{IPPROTO_AH, APP_IPSEC},
		{IPPROTO_ICMPV6, APP_ICMPV6},
		{89, APP_OSPF},
		{112, APP_VRRP},
		{IPPROTO_SCTP, APP_SCTP},
	};

	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++)
		if (protos[i].proto == proto)
			return protos[i].app;
	return APP_UNKNOWN;
}

bool classify_hint_of(const struct classify *c, uint8_t proto,
		      const struct ip_endpoint *server, uint64_t now_ms,
		      struct hint *hint)
{
	return hints_find(c->hints, proto, server, now_ms, hint);
}

void classify_tick(struct classify *c, uint64_t now_ms)
{
	flows_expire(c->flows, now_ms, TICK_FLOWS);
}

const struct classify_stats *classify_stats(struct classify *c)
{
	const struct inspect_counts *counts = inspect_counts(c->inspector);

	c->stats.no_quic = counts->no_quic;
	c->stats.no_order = counts->no_order;
	return &c->stats;
}

const struct flows_stats *classify_flows(const struct classify *c)
{
	return flows_stats(c->flows);
}

size_t classify_bytes(const struct classify *c)
{
	return sizeof(*c) + inspect_bytes(c->inspector) +
	       flows_bytes(c->flows) + hints_bytes(c->hints);
}
