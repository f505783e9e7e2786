// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rules' interfaces on the command line, for tests/golden/ruleset_test.sh
 * and tests/netns/rules_test.sh. FILE is a sluice.conf. Exit status 0, 1 with
 * the reason on stderr, 2 usage.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "conf/load.h"
#include "conf/policy.h"
#include "relay.h"
#include "render/nft_text.h"
#include "render/ruleset.h"
#include "sys/earlydemux.h"
#include "sys/nft.h"
#include "sys/nft_classify.h"
#include "sys/route.h"
#include "sys/sockdiag.h"

static volatile sig_atomic_t stopped;

static int report(const char *what, int err)
{
	if (err >= 0)
		return 0;
	fprintf(stderr, "%s: %s\n", what, strerror(-err));
	return 1;
}

/* The caller's, or NULL with errno set. */
static char *text_read(const char *path)
{
	char *text = calloc(1, CONFIG_TEXT_MAX);
	FILE *f = text != NULL ? fopen(path, "re") : NULL;

	if (f == NULL) {
		free(text);
		return NULL;
	}
	text[fread(text, 1, CONFIG_TEXT_MAX - 1, f)] = '\0';
	fclose(f);
	return text;
}

/* NAME.policy beside NAME.conf, if there is one. */
static int policy_read(const char *conf, struct config *c,
		       struct config_errors *errs)
{
	char path[512];
	int stem = (int)strlen(conf) - (int)strlen(".conf");
	char *text;
	int err = 0;

	snprintf(path, sizeof(path), "%.*s.policy", stem, conf);
	text = text_read(path);
	if (text != NULL)
		err = config_load_policy(path, text, &c->policy, errs);
	free(text);
	return err;
}

static struct config *config_read(const char *path)
{
	static struct config_errors errs;
	struct config *c = calloc(1, sizeof(*c));
	char *text = text_read(path);
	int err = -EINVAL;

	config_errors_init(&errs);
	if (c != NULL && text != NULL)
		err = config_load_text(path, text, c, &errs);
	if (err == 0)
		err = policy_read(path, c, &errs);
	if (err < 0)
		fprintf(stderr, "%s: %s\n", path,
			errs.count > 0 ? errs.list[0].text : strerror(errno));
	free(text);
	if (err == 0)
		return c;
	free(c);
	return NULL;
}

static struct ruleset *ruleset_read(const char *path)
{
	struct ruleset *rs = calloc(1, sizeof(*rs));
	struct config *c = config_read(path);
	int err = -EINVAL;

	if (rs != NULL && c != NULL)
		err = ruleset_build(rs, c, &(struct ruleset_held){.count = 0});
	free(c);
	if (err == 0)
		return rs;
	report(path, err);
	free(rs);
	return NULL;
}

static int told(struct nft *n, int err)
{
	if (err < 0)
		fprintf(stderr, "%s (%d)\n", nft_error(n), -err);
	return err < 0;
}

/* As ruleset_read(), for the kernel that @n speaks to. */
static struct ruleset *ruleset_here(struct nft *n, const char *path)
{
	struct ruleset *rs = ruleset_read(path);
	enum ruleset_queue queue;

	if (rs == NULL)
		return NULL;
	if (told(n, nft_queue(n, &queue)) != 0) {
		free(rs);
		return NULL;
	}
	ruleset_set_queue(rs, queue);
	return rs;
}

/* Without a kernel: as the newest one has it. */
static int cmd_render(struct nft *n, char **argv)
{
	struct ruleset *rs = n != NULL ? ruleset_here(n, argv[0])
				       : ruleset_read(argv[0]);
	char *text = malloc(NFT_TEXT_MAX);
	struct strbuf sb;
	int status = 1;

	if (rs != NULL && text != NULL) {
		strbuf_init(&sb, text, NFT_TEXT_MAX);
		nft_text_ruleset(&sb, rs);
		status = sb.cut || fputs(text, stdout) == EOF;
	}
	free(text);
	free(rs);
	return status;
}

static int install(struct nft *n, const char *path, bool alive)
{
	struct ruleset *rs = ruleset_here(n, path);
	int status = 1;

	if (rs != NULL)
		status = told(n, nft_install(n, rs, alive, NULL));
	free(rs);
	return status;
}

static int cmd_install(struct nft *n, char **argv)
{
	return install(n, argv[0], false);
}

static int cmd_queue(struct nft *n, char **argv)
{
	enum ruleset_queue queue;
	int status = told(n, nft_queue(n, &queue));

	(void)argv;
	if (status == 0)
		puts(nft_queue_name(queue));
	return status;
}

static int cmd_install_alive(struct nft *n, char **argv)
{
	return install(n, argv[0], true);
}

static int cmd_remove(struct nft *n, char **argv)
{
	(void)argv;
	return told(n, nft_remove(n));
}

static void print(const char *line, void *arg)
{
	(void)arg;
	puts(line);
}

static int cmd_diff(struct nft *n, char **argv)
{
	struct ruleset *rs = ruleset_here(n, argv[0]);
	int lines = 0;

	if (rs == NULL)
		return 1;
	lines = nft_diff(n, rs, print, NULL);
	free(rs);
	if (lines < 0)
		return told(n, lines);
	return lines > 0;
}

static int cmd_alive(struct nft *n, char **argv)
{
	int on;

	if (strcmp(argv[0], "renew") == 0)
		return told(n, nft_alive_renew(n));
	if (strcmp(argv[0], "disarm") == 0)
		return told(n, nft_alive_disarm(n));
	on = nft_alive(n);
	if (on >= 0)
		puts(on ? "on" : "off");
	return told(n, on);
}

static int cmd_syncookies(struct nft *n, char **argv)
{
	(void)argv;
	return told(n, nft_syncookies_renew(n));
}

static int cmd_bypass(struct nft *n, char **argv)
{
	enum ruleset_bypass list = strcmp(argv[1], "clients") == 0
					   ? BYPASS_CLIENTS
					   : BYPASS_SERVERS;
	struct ip_net net;

	if (!ip_net_parse(argv[2], &net))
		return report(argv[2], -EINVAL);
	if (strcmp(argv[0], "add") == 0)
		return told(n, nft_bypass_add(n, list, &net));
	return told(n, nft_bypass_del(n, list, &net));
}

static int cmd_counters(struct nft *n, char **argv)
{
	struct nft_counter c[128];
	int count = nft_counters(n, c, sizeof(c) / sizeof(c[0]));

	(void)argv;
	for (int i = 0; i < count; i++)
		printf("%s %llu\n", c[i].rule,
		       (unsigned long long)c[i].packets);
	return told(n, count);
}

static int cmd_route(struct nft *n, char **argv)
{
	bool ipv6 = false;
	int err;

	(void)n;
	if (strcmp(argv[0], "remove") == 0)
		return report("route", route_remove());
	if (strcmp(argv[0], "diff") == 0) {
		err = route_diff(print, NULL);
		return err > 0 ? 1 : report("route", err);
	}
	err = route_install(&ipv6);
	if (err == 0)
		puts(ipv6 ? "IPv4 and IPv6" : "IPv4 only");
	return report("route", err);
}

static int cmd_earlydemux(struct nft *n, char **argv)
{
	(void)n;
	return report("ip_early_demux", strcmp(argv[0], "off") == 0
						? earlydemux_off(argv[1])
						: earlydemux_restore(argv[1]));
}

static int cmd_leftovers(struct nft *n, char **argv)
{
	static const uint16_t ports[] = {80, 8080};
	struct sockdiag_left left;
	int err = sockdiag_leftovers(ports, 2, strcmp(argv[0], "destroy") == 0,
				     &left);

	(void)n;
	printf("closing %u time_wait %u destroyed %u\n", left.closing,
	       left.time_wait, left.destroyed);
	return report("sock_diag", err);
}

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

/* Renews the switch each second, as the net role does; @arg NULL: does not. */
static bool tick(void *arg)
{
	if (arg != NULL && nft_alive_renew(arg) < 0)
		fprintf(stderr, "%s\n", nft_error(arg));
	return !stopped;
}

/* PORT client|port|gateway renew|idle: until SIGTERM */
static int cmd_relay(struct nft *n, char **argv)
{
	uint64_t port = 0;
	struct relay_options options = {
		.keep_client_address = strcmp(argv[1], "gateway") != 0,
		.keep_client_port = strcmp(argv[1], "port") == 0,
		.tick = tick,
		.arg = strcmp(argv[2], "renew") == 0 ? n : NULL,
	};

	if (!str_to_u64(str_of(argv[0]), &port) || port > UINT16_MAX)
		return report(argv[0], -EINVAL);
	options.port = (uint16_t)port;
	signal(SIGTERM, stop);
	return report("relay", relay_run(&options));
}

static const struct command {
	const char *name;
	int args;
	bool kernel; /* wants the rules' handle */
	int (*run)(struct nft *n, char **argv);
} commands[] = {
	{"render", 1, false, cmd_render},
	{"render-here", 1, true, cmd_render},
	{"queue", 0, true, cmd_queue},
	{"install", 1, true, cmd_install},
	{"install-alive", 1, true, cmd_install_alive},
	{"remove", 0, true, cmd_remove},
	{"diff", 1, true, cmd_diff},
	{"alive", 1, true, cmd_alive},
	{"syncookies", 0, true, cmd_syncookies},
	{"bypass", 3, true, cmd_bypass},
	{"counters", 0, true, cmd_counters},
	{"route", 1, false, cmd_route},
	{"earlydemux", 2, false, cmd_earlydemux},
	{"leftovers", 1, false, cmd_leftovers},
	{"relay", 3, true, cmd_relay},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];
		struct nft *n = NULL;
		int status;

		if (argc < 2 || strcmp(argv[1], c->name) != 0 ||
		    argc != c->args + 2)
			continue;
		if (c->kernel) {
			n = nft_open();
			if (n == NULL)
				return report("netlink", -errno);
		}
		status = c->run(n, argv + 2);
		nft_close(n);
		return status;
	}
	fprintf(stderr, "usage: rules_tool COMMAND [ARGUMENT...]\n");
	return 2;
}
