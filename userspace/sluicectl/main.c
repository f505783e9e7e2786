// SPDX-License-Identifier: GPL-2.0-or-later
/* sluicectl: asks sluiced, and tells it what to do. */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/ip.h"
#include "sluicectl/ctl.h"
#include "sluicectl/events.h"
#include "sluicectl/show.h"
#include "sys/clock.h"

#define WATCH_SECONDS 2

struct command {
	const char *name;
	int (*run)(struct ctl *ctl, int argc, char **argv);
	const char *arguments;
	const char *help;
};

/* --- commands ------------------------------------------------------------------ */

static int no_arguments(int argc, char **argv)
{
	if (argc == 1)
		return CTL_DONE;
	fprintf(stderr, "sluicectl: %s takes no argument\n", argv[0]);
	return CTL_USAGE;
}

/* Ask and print; for people @show does it. */
static int ask_and_show(struct ctl *ctl, const char *name,
			void (*show)(struct json_object *answer))
{
	struct json_object *request = ctl_request(name);
	struct ctl_answer answer;
	struct json_object *o = ctl_ask(ctl, request, &answer);

	if (o != NULL && ctl->json)
		ctl_print_json(o);
	else if (o != NULL)
		show(o);
	json_object_put(request);
	json_object_put(o);
	ctl_end(&answer);
	return o != NULL ? CTL_DONE : CTL_FAILED;
}

static int cmd_status(struct ctl *ctl, int argc, char **argv)
{
	int rc = no_arguments(argc, argv);

	return rc != CTL_DONE ? rc : ask_and_show(ctl, "status", show_status);
}

static void show_reload(struct json_object *o)
{
	printf("generation %llu is in force\n", ctl_number(o, "generation"));
	if (ctl_string(o, "note")[0] != '\0')
		printf("%s\n", ctl_string(o, "note"));
}

static int cmd_reload(struct ctl *ctl, int argc, char **argv)
{
	int rc = no_arguments(argc, argv);

	return rc != CTL_DONE ? rc : ask_and_show(ctl, "reload", show_reload);
}

static int list_sessions(struct ctl *ctl)
{
	struct json_object *request = ctl_request("sessions");
	struct ctl_answer answer;
	struct json_object *o = ctl_ask(ctl, request, &answer);
	bool ok = o != NULL;

	if (ok && !ctl->json)
		show_sessions_head();
	json_object_put(o);
	while (ok && (o = ctl_next(&answer)) != NULL) {
		if (ctl->json)
			ctl_print_json(o);
		else
			show_session(o);
		json_object_put(o);
	}
	json_object_put(request);
	ctl_end(&answer);
	return ok ? CTL_DONE : CTL_FAILED;
}

static int cmd_sessions(struct ctl *ctl, int argc, char **argv)
{
	bool watch = argc == 2 && strcmp(argv[1], "--watch") == 0;
	int rc = watch ? CTL_DONE : no_arguments(argc, argv);

	while (rc == CTL_DONE) {
		if (watch && !ctl->json)
			fputs("\033[H\033[2J", stdout); /* clear the screen */
		rc = list_sessions(ctl);
		if (!watch || fflush(stdout) != 0)
			break;
		sleep(WATCH_SECONDS);
	}
	return rc;
}

/* The socket goes when the daemon has ended: wait for that. */
static int wait_for_end(const struct ctl *ctl)
{
	struct timespec pause = {.tv_nsec = 100000000};

	while (access(ctl->socket, F_OK) == 0)
		nanosleep(&pause, NULL);
	if (ctl->json)
		puts("{\"ok\":true}");
	else
		puts("stopped");
	return CTL_DONE;
}

static int cmd_stop(struct ctl *ctl, int argc, char **argv)
{
	struct json_object *request;
	struct ctl_answer answer;
	struct json_object *o;
	int rc = no_arguments(argc, argv);

	if (rc != CTL_DONE)
		return rc;
	request = ctl_request("stop");
	o = ctl_ask(ctl, request, &answer);
	rc = o != NULL ? CTL_DONE : CTL_FAILED;
	json_object_put(request);
	json_object_put(o);
	ctl_end(&answer);
	return rc == CTL_DONE ? wait_for_end(ctl) : rc;
}

static int cmd_events(struct ctl *ctl, int argc, char **argv)
{
	uint64_t now = clock_system.wall_us();
	struct json_object *request, *o;
	struct events_options options;
	struct ctl_answer answer;
	char wrong[256];
	uint64_t bad = 0;
	int rc;

	if (events_parse(argc, argv, now, &options, wrong, sizeof(wrong)) !=
	    0) {
		fprintf(stderr, "sluicectl: events: %s\n%s", wrong,
			events_usage);
		return CTL_USAGE;
	}
	options.json |= ctl->json;
	request = ctl_request("journal");
	o = ctl_ask(ctl, request, &answer);
	rc = o == NULL || answer.passed_fd == -1
		     ? -ENOENT
		     : events_print(answer.passed_fd, &options, stdout, &bad);
	if (o != NULL && rc != 0 && rc != -EPIPE)
		fprintf(stderr, "sluicectl: journal: %s\n", strerror(-rc));
	if (bad > 0)
		fprintf(stderr, "sluicectl: %llu damaged lines were skipped\n",
			(unsigned long long)bad);
	json_object_put(request);
	json_object_put(o);
	ctl_end(&answer);
	return rc == 0 || rc == -EPIPE ? CTL_DONE : CTL_FAILED;
}

/* --- rules and bypasses ------------------------------------------------------------- */

static int ask_rules(struct ctl *ctl, struct json_object *request, bool diff)
{
	struct ctl_answer answer;
	struct json_object *o = ctl_ask(ctl, request, &answer);
	int rc = o != NULL ? CTL_DONE : CTL_FAILED;

	if (o != NULL && ctl->json)
		ctl_print_json(o);
	else if (o != NULL)
		fputs(ctl_string(o, "text"), stdout);
	if (o != NULL && diff && ctl_bool(o, "differ"))
		rc = CTL_FAILED;
	json_object_put(request);
	json_object_put(o);
	ctl_end(&answer);
	return rc;
}

static struct json_object *rules_request(const char *op)
{
	struct json_object *request = ctl_request("rules");

	json_object_object_add(request, "op", json_object_new_string(op));
	return request;
}

static int cmd_rules(struct ctl *ctl, int argc, char **argv)
{
	static const char *const plain[] = {"show", "diff", "install",
					    "remove"};
	bool dry = argc == 3 && strcmp(argv[2], "--dry-run") == 0;
	const char *op = argc > 1 ? argv[1] : "";
	char plan[32];

	if (dry && (strcmp(op, "install") == 0 || strcmp(op, "remove") == 0)) {
		snprintf(plan, sizeof(plan), "plan-%s", op);
		return ask_rules(ctl, rules_request(plan), false);
	}
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (argc == 2 && strcmp(plain[i], op) == 0)
			return ask_rules(ctl, rules_request(op),
					 strcmp(op, "diff") == 0);
	fprintf(stderr, "usage: sluicectl rules show|diff\n"
			"       sluicectl rules install|remove [--dry-run]\n");
	return CTL_USAGE;
}

static int bypass_usage(void)
{
	fprintf(stderr, "usage: sluicectl bypass list\n"
			"       sluicectl bypass add|delete client|server "
			"ADDRESS[/PREFIX]\n");
	return CTL_USAGE;
}

static int cmd_bypass(struct ctl *ctl, int argc, char **argv)
{
	struct json_object *request;
	struct ip_net net;
	bool add;

	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return ask_rules(ctl, rules_request("bypass-list"), false);
	if (argc != 4)
		return bypass_usage();
	add = strcmp(argv[1], "add") == 0;
	if ((!add && strcmp(argv[1], "delete") != 0) ||
	    (strcmp(argv[2], "client") != 0 && strcmp(argv[2], "server") != 0))
		return bypass_usage();
	if (!ip_net_parse(argv[3], &net)) {
		fprintf(stderr,
			"sluicectl: %s is no address or network (host bits "
			"beyond the prefix must be zero)\n",
			argv[3]);
		return CTL_USAGE;
	}
	request = rules_request(add ? "bypass-add" : "bypass-delete");
	json_object_object_add(request, "side",
			       json_object_new_string(argv[2]));
	json_object_object_add(request, "net", json_object_new_string(argv[3]));
	return ask_rules(ctl, request, false);
}

/* --- main ----------------------------------------------------------------------------- */

static const struct command commands[] = {
	{"status", cmd_status, "", "roles, traffic, scanner, fail mode"},
	{"sessions", cmd_sessions, "[--watch]", "connections open now"},
	{"events", cmd_events, "[--follow] [filters]", "the journal"},
	{"rules", cmd_rules, "show|diff|install|remove [--dry-run]",
	 "nftables rules and routes"},
	{"bypass", cmd_bypass, "list|add|delete ...",
	 "clients and servers that pass unchecked, until the next start"},
	{"reload", cmd_reload, "", "read the configuration again"},
	{"stop", cmd_stop, "", "finish what runs, remove the rules, end"},
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static int usage(FILE *to)
{
	fprintf(to, "usage: sluicectl [-s SOCKET] [--json] COMMAND ...\n");
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
