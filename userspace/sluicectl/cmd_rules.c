// SPDX-License-Identifier: GPL-2.0-or-later
#include "sluicectl/cmd_rules.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/ip.h"

static int ask_rules(struct ctl *ctl, struct json_object *request, bool diff)
{
	struct ctl_answer answer;
	struct json_object *o = ctl_ask(ctl, request, &answer);
	int rc = o != NULL ? CTL_DONE : CTL_FAILED;

	if (o != NULL && ctl->json)
		ctl_print_json(o);
	else if (o != NULL)
		fputs(ctl_string(o, "text"), stdout);
	if (o != NULL && diff && ctl_bool(o, "differ")) {
		ctl_complain("what is in place is not what it should be; "
			     "sluicectl rules install mends it");
		rc = CTL_FAILED;
	}
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

int cmd_rules(struct ctl *ctl, int argc, char **argv)
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

int cmd_bypass(struct ctl *ctl, int argc, char **argv)
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
