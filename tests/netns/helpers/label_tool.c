// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The reader of the queue, without an engine that recognises anything: an
 * application follows from the server's port. For tests/netns/classify_*.sh.
 *
 *	label_tool read FIRST COUNT LENGTH renew|idle [PORT=APP...]
 *		until SIGTERM; then counters, one "NAME VALUE" a line. APP 0
 *		drops the packet. "ready" when the queues are open. SIGHUP:
 *		print counters and go on.
 *	label_tool hint ADDRESS tcp|udp PORT MARK MS
 *	label_tool forget ADDRESS tcp|udp PORT
 *	label_tool renew | stop
 *
 * Exit status 0, 1 with the reason on stderr, 2 usage.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/netlink.h>

#include "base/str.h"
#include "proto/packet.h"
#include "render/marks.h"
#include "sys/netlink.h"
#include "sys/nfqueue.h"
#include "sys/nft_classify.h"
#include "sys/nft_object.h"

static volatile sig_atomic_t stopped, asked;

static void on_signal(int sig)
{
	if (sig == SIGHUP)
		asked = 1;
	else
		stopped = 1;
}

static int report(const char *what, int err)
{
	if (err >= 0)
		return 0;
	fprintf(stderr, "%s: %s (%d)\n", what, strerror(-err), -err);
	return 1;
}

static uint64_t number(const char *text)
{
	uint64_t value;

	if (str_to_u64(str_of(text), &value))
		return value;
	fprintf(stderr, "%s: no number\n", text);
	exit(2);
}

/* --- read ---------------------------------------------------------------------- */

struct reader {
	struct netlink nl;
	struct nfqueue *queue;
	uint16_t apps[UINT16_MAX + 1];
	uint8_t known[UINT16_MAX + 1];
	uint64_t largest; /* packet */
};

static void on_packet(const struct nfqueue_packet *p, struct nfqueue_answer *a,
		      void *arg)
{
	struct reader *r = arg;
	struct packet ip;
	uint16_t port;

	if (p->full_len > r->largest)
		r->largest = p->full_len;
	packet_parse(p->data, p->len, &ip);
	if (ip.kind != PACKET_TCP && ip.kind != PACKET_UDP)
		return;
	port = r->known[ip.dst.port] ? ip.dst.port : ip.src.port;
	if (!r->known[port])
		return;
	a->drop = r->apps[port] == 0;
	a->label = r->apps[port] != 0;
	a->ct = (struct ctlabel){.src = ip.src,
				 .dst = ip.dst,
				 .protocol = ip.proto,
				 .bits = (uint32_t)r->apps[port]
					 << LABEL_SHIFT};
}

static void print_counters(struct reader *r)
{
	const struct nfqueue_stats *s = nfqueue_stats(r->queue);

	printf("packets %" PRIu64 "\nbad %" PRIu64 "\ndropped %" PRIu64
	       "\nverdict_errors %" PRIu64 "\nlabels %" PRIu64
	       "\nlabels_turned %" PRIu64 "\nlabels_missing %" PRIu64
	       "\nlabel_errors %" PRIu64 "\nunread %" PRIu64
	       "\nlargest %" PRIu64 "\nend\n",
	       s->packets, s->bad, s->dropped, s->verdict_errors, s->labels,
	       s->labels_turned, s->labels_missing, s->label_errors, s->unread,
	       r->largest);
	fflush(stdout);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Each second, as the app role does; without rules there is nothing to renew. */
static void renew(struct reader *r, int64_t *next)
{
	int err;

	if (now_ms() < *next)
		return;
	*next = now_ms() + 1000;
	err = nft_classify_renew(&r->nl);
	if (err != 0 && err != -ENOENT)
		(void)report("renew", err);
}

static int read_until_told(struct reader *r, bool renewing)
{
	struct pollfd p = {.fd = nfqueue_fd(r->queue), .events = POLLIN};
	int64_t next = 0;
	int n = 0;

	while (!stopped && n >= 0) {
		if (renewing)
			renew(r, &next);
		if (asked) {
			asked = 0;
			print_counters(r);
		}
		if (poll(&p, 1, 250) > 0)
			n = nfqueue_read(r->queue);
	}
	return n;
}

/* PORT=APP; false when it isn't. */
static bool take_app(struct reader *r, char *text)
{
	char *app = strchr(text, '=');
	uint16_t port;

	if (app == NULL)
		return false;
	*app++ = '\0';
	port = (uint16_t)number(text);
	r->known[port] = 1;
	r->apps[port] = (uint16_t)number(app);
	return true;
}

static int cmd_read(char **argv)
{
	static struct reader reader;
	struct reader *r = &reader;
	struct nfqueue_config config = {
		.first = (uint16_t)number(argv[0]),
		.count = (uint16_t)number(argv[1]),
		.length = (uint32_t)number(argv[2]),
	};
	int status = 1;

	for (char **a = argv + 4; *a != NULL; a++) {
		if (!take_app(r, *a))
			return 2;
	}
	if (report("netlink", netlink_open(&r->nl, NETLINK_NETFILTER)) == 0 &&
	    report("queue", nfqueue_open(&r->queue, &config, on_packet, r)) ==
		    0) {
		puts("ready");
		fflush(stdout);
		status = report(
			"read",
			read_until_told(r, strcmp(argv[3], "renew") == 0));
		print_counters(r);
	}
	nfqueue_close(r->queue);
	netlink_close(&r->nl);
	return status;
}

/* --- the rest -------------------------------------------------------------------- */

static int with_netlink(int (*fn)(struct netlink *nl, const void *arg),
			const void *arg)
{
	struct netlink nl;
	int err = netlink_open(&nl, NETLINK_NETFILTER);

	if (err == 0) {
		err = fn(&nl, arg);
		netlink_close(&nl);
	}
	return report("kernel", err);
}

static int do_renew(struct netlink *nl, const void *arg)
{
	(void)arg;
	return nft_classify_renew(nl);
}

static int do_stop(struct netlink *nl, const void *arg)
{
	(void)arg;
	return nft_classify_stop(nl);
}

static int do_hint(struct netlink *nl, const void *arg)
{
	return nft_hint_set(nl, arg);
}

static int do_forget(struct netlink *nl, const void *arg)
{
	return nft_hint_forget(nl, arg);
}

static struct nft_hint hint_of(char **argv)
{
	struct nft_hint h = {
		.protocol = strcmp(argv[1], "udp") == 0 ? IPPROTO_UDP
							: IPPROTO_TCP,
		.port = (uint16_t)number(argv[2]),
	};

	if (!ip_addr_parse(argv[0], &h.server))
		exit(2);
	return h;
}

static int cmd_hint(char **argv)
{
	struct nft_hint h = hint_of(argv);

	h.mark = (uint32_t)number(argv[3]);
	h.timeout_ms = number(argv[4]);
	return with_netlink(do_hint, &h);
}

static int cmd_forget(char **argv)
{
	struct nft_hint h = hint_of(argv);

	return with_netlink(do_forget, &h);
}

static int cmd_renew(char **argv)
{
	(void)argv;
	return with_netlink(do_renew, NULL);
}

static int cmd_stop(char **argv)
{
	(void)argv;
	return with_netlink(do_stop, NULL);
}

static const struct command {
	const char *name;
	int args; /* at least */
	int (*run)(char **argv);
} commands[] = {
	{"read", 4, cmd_read},	   {"hint", 5, cmd_hint},
	{"forget", 3, cmd_forget}, {"renew", 0, cmd_renew},
	{"stop", 0, cmd_stop},
};

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = on_signal};

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (argc >= 2 && strcmp(argv[1], commands[i].name) == 0 &&
		    argc >= commands[i].args + 2)
			return commands[i].run(argv + 2);
	}
	fprintf(stderr, "usage: label_tool read|hint|forget|renew|stop ...\n");
	return 2;
}
