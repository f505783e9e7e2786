// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A flow of packets through everything that names flows, nDPI included: each
 * packet is a byte for its direction, a byte for its length (times 8), and its
 * payload; the first byte of all chooses TCP or UDP, the second the port.
 * What comes out is an application that exists, and a host that can be logged.
 */
#include "fuzz.h"
#include "appctl/classify.h"

#define HEADERS 40

static struct classify *classifier(void)
{
	static struct classify *c;
	struct classify_config config = classify_defaults;

	if (c != NULL)
		return c;
	config.max_inspected = 64;
	config.max_flows = 128;
	config.max_quic = 8;
	c = classify_new(&config);
	FUZZ_CHECK(c != NULL);
	return c;
}

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* IPv4 and TCP or UDP around @len bytes that are behind HEADERS in @p. */
static uint8_t *wrap(uint8_t *p, size_t *len, bool tcp, bool up, uint16_t port,
		     uint16_t client, uint32_t seq)
{
	size_t l4 = tcp ? 20 : 8;

	p += HEADERS - 20 - l4;
	memset(p, 0, 20 + l4);
	*len += 20 + l4;
	p[0] = 0x45;
	put16(p + 2, *len);
	p[9] = tcp ? 6 : 17;
	p[12] = p[16] = 10;
	p[up ? 15 : 19] = 1;
	p[up ? 19 : 15] = 2;
	put16(p + 20, up ? client : port);
	put16(p + 22, up ? port : client);
	put16(p + 24, tcp ? seq >> 16 : *len - 20);
	if (!tcp)
		return p;
	put16(p + 26, seq & 0xffff);
	p[32] = 0x50;
	p[33] = 0x18;
	return p;
}

static void check(const struct classify_result *r)
{
	FUZZ_CHECK(r->app == APP_NONE || app_by_id(r->app) != NULL);
	FUZZ_CHECK(r->verdict < CLASSIFY_LABEL || r->app != APP_NONE);
	FUZZ_CHECK((unsigned int)r->confidence < APP_CONFIDENCES);
	FUZZ_CHECK(r->host.len < APP_HOST_MAX);
	for (size_t i = 0; i < r->host.len; i++)
		FUZZ_CHECK(r->host.p[i] > ' ' && r->host.p[i] <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint16_t ports[] = {53, 443, 80, 21, 7777, 5060, 25, 993};
	static uint16_t client = 1024;
	static uint64_t now = 1;
	struct fuzz f = fuzz_input(data, len);
	uint16_t port = ports[fuzz_byte(&f) % 8];
	bool tcp = f.seed & 1;
	uint32_t seq[2] = {1, 1};
	struct classify_result r;

	now += 2000;
	client++;
	classify_tick(classifier(), now);
	while (f.len > 0) {
		bool up = fuzz_byte(&f) & 1;
		size_t n = (size_t)fuzz_byte(&f) * 8, all;
		uint8_t room[HEADERS + 255 * 8], *p, *copy;

		n = n < f.len ? n : f.len;
		memcpy(room + HEADERS, f.p, n);
		all = n;
		p = wrap(room, &all, tcp, up, port, client, seq[up]);
		copy = fuzz_copy(p, all);
		classify_packet(classifier(), copy, all,
				up ? CLASSIFY_UP : CLASSIFY_DOWN, now, &r);
		free(copy);
		check(&r);
		seq[up] += (uint32_t)n;
		f.p += n;
		f.len -= n;
	}
	return 0;
}
