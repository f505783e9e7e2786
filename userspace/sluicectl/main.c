// SPDX-License-Identifier: GPL-2.0-or-later
/* sluicectl: asks sluiced, and tells it what to do. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "sluicectl/cmd_apps.h"
#include "sluicectl/cmd_events.h"
#include "sluicectl/cmd_gateway.h"
#include "sluicectl/cmd_policy.h"
#include "sluicectl/cmd_rules.h"
#include "sluicectl/ctl.h"

struct command {
	const char *name;
	int (*run)(struct ctl *ctl, int argc, char **argv);
	const char *arguments;
	const char *help;
};

static const struct command commands[] = {
	{"status", cmd_status, "", "roles, traffic, scanner, fail mode"},
	{"sessions", cmd_sessions, "[--watch]", "connections open now"},
	{"apps", cmd_apps, "[--watch] [filters]",
	 "what the network carries, by application"},
	{"policy", cmd_policy, "",
	 "what is done with them, and who is over quota"},
	{"events", cmd_events, "[--follow] [filters]", "the journal"},
	{"rules", cmd_rules, "show|diff|install|remove [--dry-run]",
	 "nftables rules and routes"},
	{"bypass", cmd_bypass, "list|add|delete ...",
	 "clients and servers that pass unchecked"},
	{"reload", cmd_reload, "", "read the configuration again"},
	{"stop", cmd_stop, "", "finish what runs, remove the rules, end"},
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static int usage(FILE *to)
{
	fprintf(to, "usage: sluicectl [-s SOCKET] [--json] COMMAND ...\n"
		    "options:\n"
		    "  -s SOCKET  of sluiced, instead of " CTL_SOCKET "\n"
		    "  --json     one JSON object a line\n"
		    "  --help     this text\n"
		    "  --version  print the version\n"
		    "commands:\n");
	for (size_t i = 0; i < NCOMMANDS; i++)
		fprintf(to, "  %-9s%-37s %s\n", commands[i].name,
			commands[i].arguments, commands[i].help);
	return to == stdout ? CTL_DONE : CTL_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	struct ctl ctl = {.socket = CTL_SOCKET};
	int c;

	/* "+": what follows the command is the command's. */
	while ((c = getopt_long(argc, argv, "+s:hV", options, NULL)) != -1) {
		switch (c) {
		case 's':
			ctl.socket = optarg;
			break;
		case 'j':
			ctl.json = true;
			break;
		case 'h':
			return usage(stdout);
		case 'V':
			printf("sluicectl %s\n", SLUICE_VERSION);
			return CTL_DONE;
		default:
			return usage(stderr);
		}
	}
	if (optind == argc)
		return usage(stderr);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < NCOMMANDS; i++) {
		if (strcmp(argv[optind], commands[i].name) != 0)
			continue;
		argc -= optind;
		argv += optind;
		optind = 0; /* the command may use getopt itself */
		return commands[i].run(&ctl, argc, argv);
	}
	fprintf(stderr, "sluicectl: there is no command %s\n", argv[optind]);
	return usage(stderr);
}
