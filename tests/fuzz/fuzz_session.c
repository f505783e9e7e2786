// SPDX-License-Identifier: GPL-2.0-or-later
/* A relay between a client and an origin server of HTTP (fuzz_gateway.h). */
#include "fuzz_gateway.h"

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

static void say(struct peer *p, struct fuzz *f)
{
	if (p->client)
		say_one(p, f, requests, COUNT(requests));
	else
		say_one(p, f, responses, COUNT(responses));
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

static void configure(struct config *c, struct fuzz *f)
{
	uint8_t how = fuzz_byte(f);

	configure_scan(c, how);
	/* What a tunnel carries is nobody's object. */
	c->http.non_http = how & 1 ? NON_HTTP_PASS : NON_HTTP_REFUSE;
	if (how & 32)
		c->delivery.mode = DELIVERY_PROGRESS;
	c->delivery.progress_after = 1000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct target target = {configure, step};

	gateway_fuzz(&target, data, len);
	return 0;
}
