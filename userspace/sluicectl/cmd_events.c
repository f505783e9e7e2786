// SPDX-License-Identifier: GPL-2.0-or-later
#include "sluicectl/cmd_events.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "sluicectl/events.h"
#include "sys/clock.h"

/* The journal in @dir_fd to standard output. */
static int print(int dir_fd, const struct events_options *options)
{
	uint64_t bad = 0;
	int rc = dir_fd != -1 ? events_print(dir_fd, options, stdout, &bad)
			      : -EBADF;

	if (bad > 0)
		fprintf(stderr, "sluicectl: %llu damaged lines were skipped\n",
			(unsigned long long)bad);
	/* Whoever read has had enough: that is how `| head` ends it. */
	if (rc == 0 || rc == -EPIPE)
		return CTL_DONE;
	fprintf(stderr, "sluicectl: journal: %s\n", strerror(-rc));
	return CTL_FAILED;
}

int cmd_events(struct ctl *ctl, int argc, char **argv)
{
	struct json_object *request, *o;
	struct events_options options;
	struct ctl_answer answer;
	char wrong[256];
	int rc;

	if (events_parse(argc, argv, clock_system.wall_us(), &options, wrong,
			 sizeof(wrong)) != 0) {
		fprintf(stderr, "sluicectl: events: %s\n%s", wrong,
			events_usage);
		return CTL_USAGE;
	}
	options.json |= ctl->json;
	request = ctl_request("journal");
	o = ctl_ask(ctl, request, &answer);
	rc = o != NULL ? print(answer.passed_fd, &options) : CTL_FAILED;
	json_object_put(request);
	json_object_put(o);
	ctl_end(&answer);
	return rc;
}
