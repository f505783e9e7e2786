// SPDX-License-Identifier: GPL-2.0-or-later
#include "sluicectl/show.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sluicectl/amount.h"
#include "sluicectl/ctl.h"

/* --- status -------------------------------------------------------------------- */

/* Whether new traffic is checked, in one line that can't be misread. */
static const char *fail_mode_text(struct json_object *mode)
{
	bool closed = strcmp(ctl_string(mode, "when_down"), "closed") == 0;

	if (!ctl_bool(mode, "install_rules") &&
	    !ctl_bool(mode, "rules_installed"))
		return "rules are somebody else's (install_rules = false)";
	if (!ctl_bool(mode, "ports_to_intercept"))
		return ctl_bool(mode, "rules_installed")
			       ? "naming and counting only (intercept.http and "
				 "intercept.ftp are empty)"
			       : "NOT COUNTING: the rules are not in place";
	if (ctl_bool(mode, "intercepting"))
		return closed ? "intercepting; if it stops: closed (refused)"
			      : "intercepting; if it stops: open (passes "
				"unchecked)";
	if (!ctl_bool(mode, "rules_installed"))
		return "NOT INTERCEPTING: the rules are not in place";
	return closed ? "NOT INTERCEPTING: new connections are refused"
		      : "NOT INTERCEPTING: traffic passes unchecked";
}

static void show_counts(const char *title, struct json_object *counts,
			bool bytes)
{
	bool first = true;
	char text[32];

	if (counts == NULL || json_object_object_length(counts) == 0)
		return;
	printf("%-12s", title);
	json_object_object_foreach(counts, key, value)
	{
		unsigned long long n = json_object_get_uint64(value);

		if (bytes)
			amount_bytes(text, n);
		else
			snprintf(text, sizeof(text), "%llu", n);
		printf("%s%s %s", first ? "" : ", ", key, text);
		first = false;
	}
	putchar('\n');
}

static void show_totals(struct json_object *totals)
{
	char in[32], out[32], mem[32], body[32];

	printf("%-12s%llu open, %llu in all, %llu requests\n", "sessions",
	       ctl_number(totals, "sessions"),
	       ctl_number(totals, "sessions_total"),
	       ctl_number(totals, "requests"));
	printf("%-12s%s from clients, %s to clients\n", "bytes",
	       amount_bytes(in, ctl_number(totals, "bytes_in")),
	       amount_bytes(out, ctl_number(totals, "bytes_out")));
	printf("%-12s%s of sessions and buffers, %s of objects\n", "memory",
	       amount_bytes(mem, ctl_number(totals, "session_memory") +
					 ctl_number(totals, "buffer_memory")),
	       amount_bytes(body, ctl_number(totals, "body_memory")));
	show_counts("verdicts", ctl_object(totals, "verdicts"), false);
	show_counts("reasons", ctl_object(totals, "reasons"), false);
	show_counts("unscanned", ctl_object(totals, "unscanned_bytes"), true);
	printf("%-12s%llu hits, %llu misses\n", "cache",
	       ctl_number(totals, "cache_hits"),
	       ctl_number(totals, "cache_misses"));
	printf("%-12s%llu wait, %llu left out\n", "events",
	       ctl_number(totals, "events_waiting"),
	       ctl_number(totals, "events_dropped"));
}

/* What the app role knows of connections that are not intercepted. */
static void show_apps(struct json_object *roles)
{
	char text[AMOUNT_TEXT];

	for (size_t i = 0; i < json_object_array_length(roles); i++) {
		struct json_object *role = json_object_array_get_idx(roles, i);
		struct json_object *n = ctl_object(role, "counters");

		if (strcmp(ctl_string(role, "role"), "app") != 0)
			continue;
		printf("%-12s%llu connections labelled, %llu of them unknown; "
		       "%llu packets looked at, %llu missed; %s counted\n",
		       "apps", ctl_number(n, "labelled"),
		       ctl_number(n, "given_up"), ctl_number(n, "queued"),
		       ctl_number(n, "queue_lost"),
		       amount_bytes(text, ctl_number(n, "bytes")));
	}
}

static void show_role(struct json_object *role)
{
	char name[32];
	unsigned long long restarts = ctl_number(role, "restarts");

	if (strcmp(ctl_string(role, "role"), "relay") == 0)
		snprintf(name, sizeof(name), "relay/%llu",
			 ctl_number(role, "index"));
	else
		snprintf(name, sizeof(name), "%s", ctl_string(role, "role"));
	printf("  %-10s%s (pid %llu)", name, ctl_string(role, "state"),
	       ctl_number(role, "pid"));
	if (restarts > 0)
		printf(", started again %llu times, last because it %s",
		       restarts, ctl_string(role, "last_exit"));
	putchar('\n');
	if (ctl_string(role, "note")[0] != '\0')
		printf("            %s\n", ctl_string(role, "note"));
}

static void show_listeners(struct json_object *listeners)
{
	for (size_t i = 0; i < json_object_array_length(listeners); i++) {
		struct json_object *l = json_object_array_get_idx(listeners, i);

		printf("%-12s%s: %s, %s, port %llu\n", i == 0 ? "services" : "",
		       ctl_string(l, "service"), ctl_string(l, "protocol"),
		       ctl_string(l, "mode"), ctl_number(l, "port"));
	}
}

void show_status(struct json_object *status)
{
	struct json_object *config = ctl_object(status, "config");
	struct json_object *roles = ctl_object(status, "roles");
	char text[AMOUNT_TEXT];

	printf("sluiced %s, %s (%s) for %s, pid %llu\n",
	       ctl_string(status, "version"), ctl_string(status, "phase"),
	       ctl_bool(status, "ready") ? "ready" : "not ready",
	       amount_duration(text, ctl_number(status, "uptime_s")),
	       ctl_number(status, "pid"));
	printf("%-12s%s, generation %llu; engine %s, not scanned: %s\n",
	       "config", ctl_string(config, "file"),
	       ctl_number(config, "generation"), ctl_string(config, "engine"),
	       ctl_string(config, "not_scanned"));
	printf("%-12s%s\n", "traffic",
	       fail_mode_text(ctl_object(status, "fail_mode")));
	show_listeners(ctl_object(status, "listeners"));
	show_totals(ctl_object(status, "totals"));
	show_apps(roles);
	printf("roles\n");
	for (size_t i = 0; i < json_object_array_length(roles); i++)
		show_role(json_object_array_get_idx(roles, i));
}

/* --- sessions -------------------------------------------------------------------- */

void show_sessions_head(void)
{
	printf("%-20s %-24s %-24s %-10s %8s %10s %10s  %s\n", "session",
	       "client", "server", "state", "age", "in", "out", "url");
}

void show_session(struct json_object *s)
{
	char in[32], out[32], age[32];

	printf("%-20s %-24s %-24s %-10s %8s %10s %10s  %s\n",
	       ctl_string(s, "session"), ctl_string(s, "client"),
	       ctl_string(s, "server"), ctl_string(s, "state"),
	       amount_duration(age, ctl_number(s, "age_ms") / 1000),
	       amount_bytes(in, ctl_number(s, "bytes_in")),
	       amount_bytes(out, ctl_number(s, "bytes_out")),
	       ctl_string(s, "url"));
}
