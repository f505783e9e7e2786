// SPDX-License-Identifier: GPL-2.0-or-later
#include "sluicectl/cmd_gateway.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sluicectl/show.h"

#define WATCH_SECONDS 2

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

int cmd_status(struct ctl *ctl, int argc, char **argv)
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

int cmd_reload(struct ctl *ctl, int argc, char **argv)
{
	int rc = no_arguments(argc, argv);

	return rc != CTL_DONE ? rc : ask_and_show(ctl, "reload", show_reload);
}

/* --- sessions --------------------------------------------------------------------- */

/* The lines behind the first, up to the one that says that it is all. */
static int print_sessions(struct ctl *ctl, struct ctl_answer *answer)
{
	struct json_object *o;
	bool end = false, complete = false;

	while (!end && (o = ctl_next(answer)) != NULL) {
		end = ctl_bool(o, "end");
		complete = ctl_bool(o, "complete");
		if (!end && ctl->json)
			ctl_print_json(o);
		else if (!end)
			show_session(o);
		json_object_put(o);
	}
	if (complete)
		return CTL_DONE;
	ctl_complain("the list is not complete: a relay did not answer, or "
		     "there are too many sessions; try again");
	return CTL_FAILED;
}

static int list_sessions(struct ctl *ctl)
{
	struct json_object *request = ctl_request("sessions");
	struct ctl_answer answer;
	struct json_object *o = ctl_ask(ctl, request, &answer);
	int rc = CTL_FAILED;

	if (o != NULL && !ctl->json)
		show_sessions_head();
	if (o != NULL)
		rc = print_sessions(ctl, &answer);
	json_object_put(o);
	json_object_put(request);
	ctl_end(&answer);
	return rc;
}

int cmd_sessions(struct ctl *ctl, int argc, char **argv)
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

/* --- stop --------------------------------------------------------------------------- */

/* sluiced says that it is done with its last breath. */
static int wait_for_end(struct ctl *ctl, struct ctl_answer *answer)
{
	struct json_object *o;
	bool stopped;

	ctl_wait(answer);
	o = ctl_next(answer);
	stopped = ctl_bool(o, "stopped");
	json_object_put(o);
	if (!stopped) {
		ctl_complain("sluiced ended before all was put away; start and "
			     "stop it once more, its log says more");
		return CTL_FAILED;
	}
	puts(ctl->json ? "{\"ok\":true,\"stopped\":true}" : "stopped");
	return CTL_DONE;
}

int cmd_stop(struct ctl *ctl, int argc, char **argv)
{
	struct json_object *request;
	struct ctl_answer answer;
	struct json_object *o;
	int rc = no_arguments(argc, argv);

	if (rc != CTL_DONE)
		return rc;
	request = ctl_request("stop");
	o = ctl_ask(ctl, request, &answer);
	rc = o != NULL ? wait_for_end(ctl, &answer) : CTL_FAILED;
	json_object_put(request);
	json_object_put(o);
	ctl_end(&answer);
	return rc;
}
