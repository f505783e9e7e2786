// SPDX-License-Identifier: GPL-2.0-or-later
#include "appctl/dpi.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <ndpi/ndpi_main.h>
#include <ndpi/ndpi_api.h>

#include "appctl/ndpi_map.h"
#include "appctl/pool.h"
#include "proto/packet.h"

/*
 * Written for and tested with 4.2 (Debian 12). What to look at for another:
 * ndpi_detection_process_packet() takes a fifth, input_info argument from 4.6
 * on; host_server_name is 80 bytes here and a pointer later;
 * ndpi_detection_giveup() loses its enable_guess argument in 4.10; names of
 * protocols in ndpi_map_table.h (tests/unit/appctl/dpi_test.c lists strangers).
 */
_Static_assert(NDPI_MAJOR == 4 && NDPI_MINOR == 2,
	       "another nDPI: see the comment above, mend, and run the tests");

#define IPV4_MIN 20
#define TCP_MIN	 20

/* Lifetime: from dpi_new() to dpi_free(); one thread. */
struct dpi {
	struct ndpi_detection_module_struct *module;
	struct pool flows;
	uint32_t protocols;
	uint16_t *apps; /* ours, by nDPI's number */
	uint8_t packet[DPI_SNAP];
};

/* Lifetime: of the flow's inspection (appctl/classify.c), which frees it. */
struct dpi_flow {
	bool greeted; /* the handshake was shown */
	struct ndpi_flow_struct ndpi;
};

/* --- set-up -------------------------------------------------------------------- */

static void map_protocols(struct dpi *d)
{
	for (uint32_t id = 0; id < d->protocols; id++) {
		ndpi_protocol p = {.app_protocol = (u_int16_t)id};
		ndpi_protocol_category_t category =
			ndpi_get_proto_category(d->module, p);

		d->apps[id] = ndpi_map_app(
			ndpi_get_proto_name(d->module, (u_int16_t)id),
			ndpi_category_get_name(d->module, category));
	}
	d->apps[NDPI_PROTOCOL_UNKNOWN] = APP_NONE;
}

/* Everything that its headers promise holds of the library, too. */
static struct ndpi_detection_module_struct *new_module(void)
{
	struct ndpi_detection_module_struct *module;
	NDPI_PROTOCOL_BITMASK all;

	if (ndpi_get_api_version() != NDPI_API_VERSION ||
	    ndpi_detection_get_sizeof_ndpi_flow_struct() !=
		    sizeof(struct ndpi_flow_struct))
		return NULL;
	/* Its own QUIC is not used (quic_hello.c), so no libgcrypt. */
	module = ndpi_init_detection_module(ndpi_dont_init_libgcrypt);
	if (module == NULL)
		return NULL;
	NDPI_BITMASK_SET_ALL(all);
	ndpi_set_protocol_detection_bitmask2(module, &all);
	ndpi_finalize_initialization(module);
	return module;
}

struct dpi *dpi_new(uint32_t max_flows)
{
	struct dpi *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->module = new_module();
	if (d->module == NULL)
		goto err_module;
	d->protocols = ndpi_get_num_supported_protocols(d->module);
	d->apps = calloc(d->protocols, sizeof(*d->apps));
	if (d->apps == NULL)
		goto err_apps;
	if (pool_init(&d->flows, sizeof(struct dpi_flow), max_flows) != 0)
		goto err_pool;
	map_protocols(d);
	return d;

err_pool:
	free(d->apps);
err_apps:
	ndpi_exit_detection_module(d->module);
err_module:
	free(d);
	return NULL;
}

void dpi_free(struct dpi *d)
{
	if (d == NULL)
		return;
	pool_fini(&d->flows);
	free(d->apps);
	ndpi_exit_detection_module(d->module);
	free(d);
}

struct dpi_flow *dpi_flow_new(struct dpi *d)
{
	struct dpi_flow *flow = pool_get(&d->flows);

	if (flow != NULL)
		memset(flow, 0, sizeof(*flow));
	return flow;
}

void dpi_flow_free(struct dpi *d, struct dpi_flow *flow)
{
	if (flow == NULL)
		return;
	ndpi_free_flow_data(&flow->ndpi);
	pool_put(&d->flows, flow);
}

/* --- results ------------------------------------------------------------------- */

static uint16_t app_of(const struct dpi *d, u_int16_t id)
{
	return id < d->protocols ? d->apps[id] : APP_UNKNOWN;
}

/*
 * "Cache" is what other flows of the same ends were: a hint. For BitTorrent 4.2
 * says so also of the flow in which it has just seen the handshake.
 */
static enum app_confidence confidence_of(ndpi_confidence_t c, uint16_t app)
{
	if (c == NDPI_CONFIDENCE_DPI)
		return APP_BY_DPI;
	if (c == NDPI_CONFIDENCE_DPI_CACHE)
		return app == APP_BITTORRENT ? APP_BY_DPI : APP_BY_HINT;
	return APP_BY_GUESS;
}

/*
 * HTTP and TLS are worth waiting for their host; what else nDPI would still
 * dig for (certificates, answers) changes no label.
 */
static bool wants_host(const struct dpi_result *r)
{
	return r->host.len == 0 && (r->app == APP_HTTP || r->app == APP_TLS);
}

static void set_result(const struct dpi *d, struct ndpi_flow_struct *flow,
		       ndpi_protocol p, struct dpi_result *r)
{
	uint16_t master = app_of(d, p.master_protocol);
	uint16_t app = app_of(d, p.app_protocol);
	size_t n =
		strnlen(flow->host_server_name, sizeof(flow->host_server_name));

	r->app = ndpi_map_pair(master, app);
	r->carrier = master != APP_NONE ? master : app;
	r->confidence = r->app == APP_NONE
				? APP_NO_CONFIDENCE
				: confidence_of(flow->confidence, r->app);
	r->host = (struct str){flow->host_server_name, n};
	r->host_cut = n + 1 >= sizeof(flow->host_server_name);
	r->final = r->app != APP_NONE && !wants_host(r);
}

/* --- packets ------------------------------------------------------------------- */

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/*
 * Of a packet of @len bytes in d->packet: all lengths say so, too. nDPI
 * refuses packets that were cut off, and a GSO packet is cut off here.
 */
static void set_lengths(uint8_t *packet, size_t len, size_t l4)
{
	if (packet[0] >> 4 == 4)
		put16(packet + 2, len);
	else
		put16(packet + 4, len - 40);
	if ((packet[0] >> 4 == 4 ? packet[9] : packet[6]) == IPPROTO_UDP)
		put16(packet + l4 + 4, len - l4);
}

static ndpi_protocol process(struct dpi *d, struct dpi_flow *flow, size_t len,
			     uint64_t now_ms)
{
	return ndpi_detection_process_packet(d->module, &flow->ndpi, d->packet,
					     (unsigned short)len, now_ms);
}

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t x = a[i];

		a[i] = b[i];
		b[i] = x;
	}
}

/* The other direction: addresses, ports, sequence and acknowledgement. */
static void turn_around(uint8_t *packet, size_t l4)
{
	size_t n = packet[0] >> 4 == 4 ? 4 : 16;
	uint8_t *addr = packet + (n == 4 ? 12 : 8);

	swap(addr, addr + n, n);
	swap(packet + l4, packet + l4 + 2, 2);
	swap(packet + l4 + 4, packet + l4 + 8, 4);
}

/* The headers of d->packet, without payload, one less in sequence for a SYN. */
static void show_header(struct dpi *d, struct dpi_flow *flow, size_t l4,
			uint8_t flags, uint64_t now_ms)
{
	uint8_t *tcp = d->packet + l4, seq[4];

	memcpy(seq, tcp + 4, 4);
	tcp[12] = 0x50;
	tcp[13] = flags;
	for (int i = 7; i >= 4 && (flags & PACKET_TCP_SYN); i--)
		if (tcp[i]-- != 0)
			break;
	set_lengths(d->packet, l4 + TCP_MIN, l4);
	process(d, flow, l4 + TCP_MIN, now_ms);
	memcpy(tcp + 4, seq, 4);
}

/*
 * SYN, SYN and ACK, ACK, as they must have been before the packet in
 * d->packet: nDPI takes what does not follow in sequence for sent again, and
 * then many of its dissectors don't look.
 */
static void greet(struct dpi *d, struct dpi_flow *flow, size_t l4, bool up,
		  uint64_t now_ms)
{
	uint8_t kept[DPI_SNAP];

	flow->greeted = true;
	memcpy(kept, d->packet, l4 + TCP_MIN);
	if (!up)
		turn_around(d->packet, l4);
	show_header(d, flow, l4, PACKET_TCP_SYN, now_ms);
	turn_around(d->packet, l4);
	show_header(d, flow, l4, PACKET_TCP_SYN | PACKET_TCP_ACK, now_ms);
	turn_around(d->packet, l4);
	show_header(d, flow, l4, PACKET_TCP_ACK, now_ms);
	memcpy(d->packet, kept, l4 + TCP_MIN);
}

void dpi_feed(struct dpi *d, struct dpi_flow *flow, const uint8_t *data,
	      size_t len, size_t l4, bool up, uint64_t now_ms,
	      struct dpi_result *result)
{
	uint8_t proto;

	if (len > DPI_SNAP)
		len = DPI_SNAP;
	memset(result, 0, sizeof(*result));
	if (len < IPV4_MIN || l4 + TCP_MIN > len)
		return;
	memcpy(d->packet, data, len);
	proto = data[0] >> 4 == 4 ? data[9] : data[6];
	if (proto == IPPROTO_TCP && !flow->greeted)
		greet(d, flow, l4, up, now_ms);
	set_lengths(d->packet, len, l4);
	set_result(d, &flow->ndpi, process(d, flow, len, now_ms), result);
}

void dpi_give_up(struct dpi *d, struct dpi_flow *flow,
		 struct dpi_result *result)
{
	u_int8_t guessed = 0;
	ndpi_protocol p =
		ndpi_detection_giveup(d->module, &flow->ndpi, 1, &guessed);

	memset(result, 0, sizeof(*result));
	set_result(d, &flow->ndpi, p, result);
	if (guessed && result->app != APP_NONE)
		result->confidence = APP_BY_GUESS;
	result->final = true;
}

uint16_t dpi_app_of_host(struct dpi *d, struct str host)
{
	ndpi_protocol_match_result match;
	char name[APP_HOST_MAX];
	u_int16_t id;

	/* nDPI 4.2 takes what it only reads as char *. */
	if (host.len == 0 || !str_copy_view(name, sizeof(name), host))
		return APP_NONE;
	memset(&match, 0, sizeof(match));
	id = (u_int16_t)ndpi_match_string_subprotocol(d->module, name,
						      (u_int)host.len, &match);
	return id == NDPI_PROTOCOL_UNKNOWN ? APP_NONE : app_of(d, id);
}

/* --- about it ------------------------------------------------------------------ */

const char *dpi_version(void)
{
	return ndpi_revision();
}

uint32_t dpi_protocols(const struct dpi *d)
{
	return d->protocols;
}

const char *dpi_protocol_name(struct dpi *d, uint32_t id)
{
	return ndpi_get_proto_name(d->module, (u_int16_t)id);
}

uint16_t dpi_protocol_app(const struct dpi *d, uint32_t id)
{
	return id < d->protocols ? d->apps[id] : APP_UNKNOWN;
}

size_t dpi_bytes(const struct dpi *d)
{
	return pool_bytes(&d->flows);
}
