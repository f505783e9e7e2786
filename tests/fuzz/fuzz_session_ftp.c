// SPDX-License-Identifier: GPL-2.0-or-later
/* A relay between a client and a server of FTP (fuzz_gateway.h). */
#include "fuzz_gateway.h"

#include <errno.h>

#include "../scenario/data.h"

static const char *const commands[] = {
	"PASV\r\n",
	"EPSV\r\n",
	"PORT 10,0,0,2,200,10\r\n",
	"EPRT |1|10.0.0.2|51210|\r\n",
	"RETR a\r\n",
	"STOR a\r\n",
	"STOU\r\n",
	"APPE a\r\n",
	"LIST\r\n",
	"REST 100\r\n",
	"ABOR\r\n",
	"NOOP\r\n",
	"USER a\r\n",
	"FEAT\r\n",
	"AUTH TLS\r\n",
	"QUIT\r\n",
	"REIN\r\n",
	"EPSV ALL\r\n",
	"XYZZY\r\n",
	"CWD /a/b/../c\r\n",
};

static const char *const replies[] = {
	"220 ready\r\n",
	"227 Entering Passive Mode (192,0,2,7,4,1).\r\n",
	"229 Entering Extended Passive Mode (|||1026|)\r\n",
	"200 ok\r\n",
	"150 Here it comes.\r\n",
	"226 Done.\r\n",
	"226-Done\r\n",
	"250 ok\r\n",
	"350 go on\r\n",
	"331 password?\r\n",
	"426 Broken.\r\n",
	"550 No.\r\n",
	"421 Bye.\r\n",
	"211-Features\r\n AUTH TLS\r\n SIZE\r\n211 End\r\n",
	"234 Go ahead.\r\n",
	"120 Later.\r\n",
	"257 \"/a/b\" is it.\r\n",
	"228 Long (4,4,192,0,2,7,2,4,1)\r\n",
};

static const char *const files[] = {"a file", "x", "X5O!P%@AP[4\\PZX54"};

/* --- one step each -------------------------------------------------- */

static struct peer *who_is(const struct gateway *g, uint8_t who)
{
	struct peer *const peers[] = {g->client, g->server, g->client_data,
				      g->server_data};

	return peers[who & 3];
}

static void say(struct peer *p, struct fuzz *f)
{
	if (p->data)
		say_one(p, f, files, COUNT(files));
	else if (p->client)
		say_one(p, f, commands, COUNT(commands));
	else
		say_one(p, f, replies, COUNT(replies));
}

/* To where its control connection was told last, or to a usual place. */
static void connect_data(struct gateway *g, bool client)
{
	const struct peer *control = client ? g->client : g->server;
	struct ip_endpoint from = client ? g->client_at : g->server_at;
	struct ip_endpoint to = client ? g->server_at : g->client_at;

	to.port = client ? 1025 : 51210;
	from.port = client ? 0 : 20;
	if (control != NULL) {
		struct announcements a = announcements_of(control);

		while (announcements_next(&a, &to))
			;
	}
	if (to.addr.family != 0)
		gateway_dial_data(g, &from, &to, client);
}

static void connect_one(struct gateway *g, uint8_t who, unsigned int *clients)
{
	if (who >= 2)
		connect_data(g, who == 2);
	else if ((*clients)++ < CLIENTS_MAX)
		gateway_dial(g);
}

/* The roles that both targets have, and what net does about data. */
static void roles(struct gateway *g, struct fuzz *f, uint8_t who)
{
	static const int errors[] = {0, EADDRINUSE, EMFILE, 0};

	if (who == 0)
		role(g, f);
	else if (who == 1)
		g->net.refuses = errors[fuzz_byte(f) & 3];
	else if (who == 2)
		role_net_die(&g->net);
	g->net.down = who == 2 && fuzz_byte(f) & 1;
}

static void step(struct gateway *g, struct fuzz *f, unsigned int *clients)
{
	uint8_t what = fuzz_byte(f), who = what & 3;
	struct peer *p = who_is(g, who);

	switch (what >> 2 & 7) {
	case 0:
		roles(g, f, who);
		break;
	case 1:
		machine(g, f);
		break;
	case 2:
		connect_one(g, who, clients);
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

static void configure(struct config *c, struct fuzz *f)
{
	uint8_t how = fuzz_byte(f);

	configure_scan(c, how);
	c->services[0].protocol = PROTOCOL_FTP;
	c->ftp.uploads = how & 32 ? DELIVERY_TAIL : DELIVERY_HOLD;
	/* What a tunnel carries is nobody's object. */
	c->ftp.ftps = how & 1 ? FTPS_PASS : FTPS_REFUSE;
	c->ftp.restart = how & 64 ? RESTART_REFUSE : RESTART_SERVE;
	c->intercept.keep_client_address = !(how & 128);
	c->ftp.max_line = 512;
	c->ftp.max_reply = 4096;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct target target = {configure, step};

	gateway_fuzz(&target, data, len);
	return 0;
}
