// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The accounting by BPF on the command line, for tests/netns/acct_bpf_test.sh.
 *
 * usage: acct_tool [OPTION...] [INTERFACE...]
 *	-c	clsact even where there is tcx
 *	-n	no look-up of connections
 *	-k N, -p N	room for N counters, pending flows
 *	probe	(alone) what this kernel offers
 *
 * Reads commands, a line each, and ends each answer with a line "." or
 * "! REASON". What was counted is added up over the whole run:
 *	show	app CLIENT ID DIRECTION SUM FLOWS, reason NAME DIRECTION SUM,
 *		pending FLOWS DIRECTION SUM, total DIRECTION SUM
 *		SUM is: packets bytes frames frame_bytes header_bytes
 *	sweep IDLE AGE FORGET	in milliseconds
 *	attach|detach INTERFACE
 *	label CLIENT PORT SERVER PORT APP
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ip.h"
#include "base/str.h"
#include "sys/bpf.h"

/* Ids that the test knows. */
#define APP_INTERCEPTED 1000
#define APP_GATEWAY	1001
#define APP_ICMP	1002

#define KEYS_MAX 65536

struct tool {
	struct bpf_acct *acct;
	struct acct_key key[KEYS_MAX];
	struct acct_counter counter[KEYS_MAX];
	size_t count;
	struct bpf_reasons reasons;
};

static const char *const reason_names[ACCT_REASONS] = {
	[ACCT_ATTRIBUTED] = "attributed", [ACCT_NOT_IP] = "not_ip",
	[ACCT_MALFORMED] = "malformed",	  [ACCT_FRAGMENT] = "fragment",
	[ACCT_PROTOCOL] = "protocol",	  [ACCT_NO_CONNTRACK] = "no_conntrack",
	[ACCT_UNLABELLED] = "unlabelled", [ACCT_TABLE_FULL] = "table_full",
};

static const char *const direction_names[] = {"up", "down"};

static void add(struct acct_sum *to, const struct acct_sum *n)
{
	to->packets += n->packets;
	to->bytes += n->bytes;
	to->frames += n->frames;
	to->frame_bytes += n->frame_bytes;
	to->header_bytes += n->header_bytes;
}

static void print_sum(const struct acct_sum *s)
{
	printf(" %llu %llu %llu %llu %llu", (unsigned long long)s->packets,
	       (unsigned long long)s->bytes, (unsigned long long)s->frames,
	       (unsigned long long)s->frame_bytes,
	       (unsigned long long)s->header_bytes);
}

static void keep(const struct acct_key *key, const struct acct_counter *c,
		 void *arg)
{
	struct tool *t = arg;
	size_t i = 0;

	while (i < t->count && memcmp(&t->key[i], key, sizeof(*key)) != 0)
		i++;
	if (i == KEYS_MAX)
		abort();
	if (i == t->count)
		t->key[t->count++] = *key;
	add(&t->counter[i].sum, &c->sum);
	t->counter[i].flows += c->flows;
}

static void show_apps(const struct tool *t, struct acct_sum *total)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct acct_key *k = &t->key[i];
		const struct acct_counter *c = &t->counter[i];
		char text[INET6_ADDRSTRLEN];

		inet_ntop(AF_INET6, k->client, text, sizeof(text));
		printf("app %s %u %s", text, k->app,
		       direction_names[k->direction]);
		print_sum(&c->sum);
		printf(" %llu\n", (unsigned long long)c->flows);
		add(&total[k->direction], &c->sum);
	}
}

static void show_reasons(const struct tool *t, struct acct_sum *total)
{
	for (int r = 0; r < ACCT_REASONS; r++) {
		for (int d = 0; d < ACCT_DIRECTIONS; d++) {
			const struct acct_sum *s = &t->reasons.sum[r][d];

			if (s->frames == 0)
				continue;
			printf("reason %s %s", reason_names[r],
			       direction_names[d]);
			print_sum(s);
			puts("");
			add(&total[d], s);
		}
	}
}

static int read_all(struct tool *t)
{
	static struct bpf_reasons delta;
	int err = bpf_acct_read(t->acct, keep, t);

	if (err < 0)
		return err;
	err = bpf_acct_reasons(t->acct, &delta);
	for (int r = 0; err == 0 && r < ACCT_REASONS; r++) {
		for (int d = 0; d < ACCT_DIRECTIONS; d++)
			add(&t->reasons.sum[r][d], &delta.sum[r][d]);
	}
	return err;
}

static int cmd_show(struct tool *t, char **argv)
{
	struct acct_sum total[ACCT_DIRECTIONS] = {0};
	struct bpf_pending p;
	int err = read_all(t);

	(void)argv;
	if (err == 0)
		err = bpf_acct_pending(t->acct, &p);
	if (err != 0)
		return err;
	show_apps(t, total);
	show_reasons(t, total);
	for (int d = 0; d < ACCT_DIRECTIONS; d++) {
		printf("pending %u %s", p.flows, direction_names[d]);
		print_sum(&p.sum[d]);
		add(&total[d], &p.sum[d]);
		printf("\ntotal %s", direction_names[d]);
		print_sum(&total[d]);
		puts("");
	}
	return 0;
}

static uint64_t number(const char *text)
{
	uint64_t n = 0;

	return str_to_u64(str_of(text), &n) ? n : UINT64_MAX;
}

static int cmd_sweep(struct tool *t, char **argv)
{
	const struct bpf_sweep age = {.idle = number(argv[0]) * 1000000,
				      .age = number(argv[1]) * 1000000,
				      .forget = number(argv[2]) * 1000000};
	int n = bpf_acct_sweep(t->acct, &age, keep, t);

	if (n < 0)
		return n;
	printf("removed %d\n", n);
	return 0;
}

static int index_of(const char *name)
{
	return (int)if_nametoindex(name);
}

static int cmd_attach(struct tool *t, char **argv)
{
	return bpf_acct_attach(t->acct, index_of(argv[0]));
}

static int cmd_detach(struct tool *t, char **argv)
{
	return bpf_acct_detach(t->acct, index_of(argv[0]));
}

static bool set_address(uint8_t to[16], const char *text)
{
	struct ip_addr addr;

	if (!ip_addr_parse(text, &addr))
		return false;
	memset(to, 0, 16);
	if (addr.family == AF_INET) {
		to[10] = 0xff;
		to[11] = 0xff;
		memcpy(to + 12, addr.bytes, 4);
	} else {
		memcpy(to, addr.bytes, 16);
	}
	return true;
}

static int cmd_label(struct tool *t, char **argv)
{
	struct acct_flow flow = {.protocol = IPPROTO_TCP};

	if (!set_address(flow.client, argv[0]) ||
	    !set_address(flow.server, argv[2]))
		return -EINVAL;
	flow.client_port = htons((uint16_t)number(argv[1]));
	flow.server_port = htons((uint16_t)number(argv[3]));
	return bpf_acct_label(t->acct, &flow, (uint16_t)number(argv[4]));
}

#define WORDS_MAX 8

static const struct {
	const char *name;
	int args;
	int (*run)(struct tool *t, char **argv);
} commands[] = {
	{"show", 0, cmd_show},	   {"sweep", 3, cmd_sweep},
	{"attach", 1, cmd_attach}, {"detach", 1, cmd_detach},
	{"label", 5, cmd_label},
};

static int obey(struct tool *t, char *line)
{
	char *word[WORDS_MAX] = {NULL};
	char *save = NULL;
	int n = 0;

	for (char *w = strtok_r(line, " \n", &save); w != NULL && n < WORDS_MAX;
	     w = strtok_r(NULL, " \n", &save))
		word[n++] = w;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (word[0] != NULL && n == commands[i].args + 1 &&
		    strcmp(word[0], commands[i].name) == 0)
			return commands[i].run(t, word + 1);
	}
	return -EINVAL;
}

static void serve(struct tool *t)
{
	char line[256];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		int err = obey(t, line);

		if (err == 0)
			puts(".");
		else
			printf("! %s\n", strerror(-err));
		fflush(stdout);
	}
}

static int probe(void)
{
	struct bpf_probe p;

	bpf_acct_probe(&p);
	printf("%s, %s: %s\n", p.usable ? "usable" : "not usable",
	       p.tcx ? "tcx" : "clsact", p.why);
	return p.usable ? 0 : 1;
}

static bool options(int argc, char **argv, struct bpf_acct_options *opt)
{
	int c;

	while ((c = getopt(argc, argv, "cnk:p:")) != -1) {
		switch (c) {
		case 'c':
			opt->clsact = true;
			break;
		case 'n':
			opt->no_conntrack = true;
			break;
		case 'k':
			opt->counters = (uint32_t)number(optarg);
			break;
		case 'p':
			opt->pending = (uint32_t)number(optarg);
			break;
		default:
			return false;
		}
	}
	return true;
}

static int run(const struct bpf_acct_options *opt, int count, char **names)
{
	struct tool *t = calloc(1, sizeof(*t));
	char why[BPF_WHY_MAX];
	int status = 0;

	if (t == NULL)
		return 1;
	t->acct = bpf_acct_open(opt, why);
	if (t->acct == NULL) {
		fprintf(stderr, "acct_tool: %s\n", why);
		free(t);
		return 1;
	}
	for (int i = 0; i < count && status == 0; i++) {
		int err = bpf_acct_attach(t->acct, index_of(names[i]));

		if (err != 0) {
			fprintf(stderr, "acct_tool: %s: %s\n", names[i],
				strerror(-err));
			status = 1;
		}
	}
	if (status == 0) {
		printf("ready%s\n", bpf_acct_has_conntrack(t->acct)
					    ? ""
					    : " without conntrack");
		fflush(stdout);
		serve(t);
	}
	bpf_acct_close(t->acct);
	free(t);
	return status;
}

int main(int argc, char **argv)
{
	static uint16_t protocols[256] = {
		[IPPROTO_ICMP] = APP_ICMP, [IPPROTO_ICMPV6] = APP_ICMP};
	struct bpf_acct_options opt = {.counters = 4096,
				       .pending = 4096,
				       .labels = 64,
				       .intercepted = APP_INTERCEPTED,
				       .gateway = APP_GATEWAY,
				       .protocols = protocols};

	if (argc == 2 && strcmp(argv[1], "probe") == 0)
		return probe();
	if (!options(argc, argv, &opt))
		return 2;
	return run(&opt, argc - optind, argv + optind);
}
