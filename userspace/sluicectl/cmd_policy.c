// SPDX-License-Identifier: GPL-2.0-or-later
#include "sluicectl/cmd_policy.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "sluicectl/amount.h"

/* "quota 5.0 GiB a day, then block" */
static void show_rule(struct json_object *o)
{
	const char *action = ctl_string(o, "action");
	char rate[AMOUNT_TEXT], amount[AMOUNT_TEXT];

	amount_bytes(rate, ctl_number(o, "rate"));
	amount_bytes(amount, ctl_number(o, "amount"));
	printf("%-26s %s", ctl_string(o, "app"), action);
	if (strcmp(action, "limit") == 0)
		printf(" %s/s %s %s", rate,
		       strcmp(ctl_string(o, "per"), "total") == 0 ? "in"
								  : "per",
		       ctl_string(o, "per"));
	if (strcmp(action, "quota") == 0)
		printf(" %s a %s, then %s", amount, ctl_string(o, "period"),
		       ctl_string(o, "then"));
	if (strcmp(ctl_string(o, "then"), "limit") == 0)
		printf(" %s/s", rate);
	putchar('\n');
}

static void show_client(struct json_object *o)
{
	char used[AMOUNT_TEXT], amount[AMOUNT_TEXT];

	printf("%-26s %-39s %11s of %-11s %s %s\n", ctl_string(o, "app"),
	       ctl_string(o, "client"),
	       amount_bytes(used, ctl_number(o, "used")),
	       amount_bytes(amount, ctl_number(o, "amount")),
	       ctl_bool(o, "over") ? "used up until" : "until",
	       ctl_string(o, "until"));
}

/* Rules come first, then clients; a line of them has its client's address. */
static int print_lines(struct ctl *ctl, struct ctl_answer *answer)
{
	struct json_object *o;
	unsigned int lines = 0;
	bool end = false, complete = false;

	while (!end && (o = ctl_next(answer)) != NULL) {
		end = ctl_bool(o, "end");
		complete = ctl_bool(o, "complete");
		lines += !end;
		if (!end && ctl->json)
			ctl_print_json(o);
		else if (!end && ctl_string(o, "client")[0] != '\0')
			show_client(o);
		else if (!end)
			show_rule(o);
		json_object_put(o);
	}
	if (lines == 0 && !ctl->json)
		puts("no policy: every application is allowed");
	if (complete)
		return CTL_DONE;
	ctl_complain("who has used what of quotas is missing: the app role "
		     "did not answer, see: sluicectl status");
	return CTL_FAILED;
}

int cmd_policy(struct ctl *ctl, int argc, char **argv)
{
	struct json_object *request, *o;
	struct ctl_answer answer;
	int rc = CTL_FAILED;

	if (argc != 1) {
		fprintf(stderr, "sluicectl: %s takes no argument\n", argv[0]);
		return CTL_USAGE;
	}
	request = ctl_request("policy");
	o = ctl_ask(ctl, request, &answer);
	if (o != NULL)
		rc = print_lines(ctl, &answer);
	json_object_put(request);
	json_object_put(o);
	ctl_end(&answer);
	return rc;
}
