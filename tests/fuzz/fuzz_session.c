// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A relay whose client, origin server and roles do what the input says, one of
 * whose system calls fails now and then: whatever comes of it, the invariants
 * of the scenarios hold (tests/scenario/invariants.h).
 */
#include "fuzz.h"

#include "../scenario/fault.h"
#include "../scenario/gateway.h"
#include "../scenario/invariants.h"
#include "../scenario/problem.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Of connections a run; each costs memory until its end. */
#define CLIENTS_MAX 8
/* Of noise in one step, so that an input of few bytes takes little time. */
#define NOISE_UNIT  1500

#define UPGRADE "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
#define BROWSER "User-Agent: Mozilla/5.0\r\nAccept: text/html\r\n\r\n"
#define EXPECT	"Expect: 100-continue\r\n\r\n"

static const char *const requests[] = {
	"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET / HTTP/1.0\r\n\r\n",
	"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n",
	"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
	("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n" EXPECT),
	("GET / HTTP/1.1\r\nHost: a\r\n" UPGRADE),
	("GET / HTTP/1.1\r\nHost: a\r\n" BROWSER),
	/* The first that waits on the shelf. */
	("GET /.well-known/sluice/000102030405060708090a0b0c0d0e0f/x HTTP/1.1"
	 "\r\nHost: a\r\n\r\n"),
};

static const char *const responses[] = {
	"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	"HTTP/1.1 200 OK\r\n\r\n",
	"HTTP/1.1 100 Continue\r\n\r\n",
	"HTTP/1.1 204 No\r\n\r\n",
	"HTTP/1.1 206 Part\r\nContent-Length: 10\r\n\r\n",
	("HTTP/1.1 101 Yes\r\n" UPGRADE),
	"5dc\r\n", /* what noise of one unit is as a chunk */
	"\r\n",
	"0\r\n\r\n",
};

/* --- one step each -------------------------------------------------- */

static void say_input(struct peer *p, struct fuzz *f)
{
	size_t n = fuzz_byte(f);

	if (n > f->len)
		n = f->len;
	bytes_add(&p->to_send, f->p, n);
	f->p += n;
	f->len -= n;
}

static void say(struct peer *p, struct fuzz *f)
{
	uint8_t what = fuzz_byte(f);

	if (what >= 0xe0)
		bytes_noise(&p->to_send, (what & 0x1fU) * NOISE_UNIT, what);
	else if (what >= 0xc0)
		say_input(p, f);
	else if (p->client)
		bytes_puts(&p->to_send, requests[what % COUNT(requests)]);
	else
		bytes_puts(&p->to_send, responses[what % COUNT(responses)]);
}

static void behave(struct peer *p, struct fuzz *f)
{
	uint8_t how = fuzz_byte(f);

	switch (how % 8) {
	case 0:
		p->fin = true;
		break;
	case 1:
		p->fin = true;
		p->gone = true;
		break;
	case 2:
		p->rst = true;
		break;
	case 3:
		p->reads = 0;
		break;
	case 4:
		p->reads = how * 64U;
		break;
	default:
		p->reads = READ_ALL;
	}
}

static void role(struct gateway *g, struct fuzz *f)
{
	uint8_t how = fuzz_byte(f);

	g->scan.waits = how % 8 == 0;
	g->scan.verdict = how % 8 < 4 ? VERDICT_CLEAN : VERDICT_BLOCKED;
	if (how % 8 == 7)
		g->scan.verdict = VERDICT_NOT_SCANNED;
	g->scan.reason = how % 8 == 7  ? REASON_CODING
			 : how % 8 < 4 ? REASON_NONE
				       : REASON_SIGNATURE;
	g->scan.down = how >= 0xf0;
	if (g->scan.down)
		role_scan_die(&g->scan);
	g->net.silent = how >= 0xe0 && how < 0xf0;
}

static void machine(struct gateway *g, struct fuzz *f)
{
	uint8_t how = fuzz_byte(f);

	if (how < 0x80)
		gateway_pass(g, how * 200U);
	else if (how < 0xc0)
		fault_soon(how & 0x3fU, fuzz_byte(f));
	else if (how < 0xe0)
		g->sim->connect = (enum sim_connect)(how % CONNECT_KINDS);
	else
		g->sim->disk_free = (how & 0x1fU) * 4096U;
}

static void step(struct gateway *g, struct fuzz *f, unsigned int *clients)
{
	uint8_t what = fuzz_byte(f);
	struct peer *p = what & 1 ? g->server : g->client;

	switch (what >> 1 & 7) {
	case 0:
		role(g, f);
		break;
	case 1:
		machine(g, f);
		break;
	case 2:
		if ((*clients)++ < CLIENTS_MAX)
			gateway_dial(g);
		break;
	case 3:
		if (p != NULL)
			behave(p, f);
		break;
	default:
		if (p != NULL)
			say(p, f);
	}
	/* Or together with the next one. */
	if (what < 0xc0)
		gateway_settle(g);
}

/* --- one run -------------------------------------------------------- */

static void no_log(const char *line)
{
	(void)line;
}

static void configure(struct config *c, struct fuzz *f)
{
	uint8_t how = fuzz_byte(f);

	gateway_config(c);
	c->scan.engine = how & 1 ? ENGINE_NONE : ENGINE_LIBCLAMAV;
	/* What a tunnel carries is nobody's object. */
	c->http.non_http = how & 1 ? NON_HTTP_PASS : NON_HTTP_REFUSE;
	c->delivery.mode = how & 2 ? DELIVERY_TAIL : DELIVERY_HOLD;
	if (how & 32)
		c->delivery.mode = DELIVERY_PROGRESS;
	c->delivery.progress_after = 1000;
	c->delivery.hold_below = 1024;
	c->delivery.tail = 1024;
	c->scan.not_scanned = how & 4 ? ACTION_ALLOW : ACTION_BLOCK;
	c->scan.max_object = how & 8 ? 30000 : c->scan.max_object;
	c->scan.memory = how & 16 ? 4096 : 1u << 20;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct gateway g;
	static struct config config;
	struct fuzz f = fuzz_input(data, len);
	unsigned int clients = 1;

	log_set_sink(no_log);
	problem_clear();
	fault_clear();
	configure(&config, &f);
	FUZZ_CHECK(gateway_open(&g, &config, fuzz_byte(&f) & 1));
	gateway_dial(&g);
	while (f.len > 0 && problem_text() == NULL)
		step(&g, &f, &clients);
	gateway_finish(&g);
	invariants_check(&g);
	gateway_close(&g);
	if (problem_text() != NULL)
		fprintf(stderr, "%s\n", problem_text());
	FUZZ_CHECK(problem_text() == NULL);
	return 0;
}
