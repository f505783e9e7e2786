// SPDX-License-Identifier: GPL-2.0-or-later
#include "sluicectl/cmd_apps.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sluicectl/apps.h"
#include "sluicectl/apps_print.h"
#include "store/event_time.h"
#include "sys/clock.h"

#define WATCH_SECONDS 2
#define US_A_SECOND   1000000

static uint64_t now_s(void)
{
	return clock_system.wall_us() / US_A_SECOND;
}

/* --- what is being counted ---------------------------------------------------------- */

/* What the last line of sluiced's answer says of it. */
struct live {
	bool complete;
	bool counting;
	uint64_t elapsed_ms; /* since it began from nothing */
	uint64_t next;	     /* the record that it begins with one day */
	char instance[24];
};

/* A record as sluiced sent it; its words live as long as @o. */
static bool take_row(struct json_object *o, struct usage_line *u)
{
	uint64_t us;

	*u = (struct usage_line){
		.span_s = USAGE_SPAN_S,
		.app = str_of(ctl_string(o, "app")),
		.group = str_of(ctl_string(o, "group")),
		.client = str_of(ctl_string(o, "client")),
		.bytes = ctl_number(o, "bytes"),
		.packets = ctl_number(o, "packets"),
		.flows = ctl_number(o, "flows"),
	};
	if (strcmp(ctl_string(o, "direction"), "down") == 0)
		u->direction = USAGE_DOWN;
	if (!event_time_parse(str_of(ctl_string(o, "time")), &us))
		return false;
	u->time_s = us / US_A_SECOND;
	return u->app.len > 0 && u->app.len <= USAGE_WORD_MAX &&
	       u->group.len > 0 && u->group.len <= USAGE_WORD_MAX &&
	       u->client.len > 0 && u->client.len <= USAGE_WORD_MAX;
}

/* The lines behind the first, each into the report. */
static void take_live(struct ctl_answer *answer, struct apps_report *r,
		      struct live *live)
{
	struct json_object *o;
	struct usage_line u;
	bool end = false;

	memset(live, 0, sizeof(*live));
	while (!end && (o = ctl_next(answer)) != NULL) {
		end = ctl_bool(o, "end");
		if (end) {
			live->complete = ctl_bool(o, "complete");
			live->counting = ctl_bool(o, "counting");
			live->elapsed_ms = ctl_number(o, "elapsed_ms");
			live->next = ctl_number(o, "next");
			str_copy(live->instance, sizeof(live->instance),
				 ctl_string(o, "instance"));
		} else if (take_row(o, &u)) {
			apps_take(r, &u);
		}
		json_object_put(o);
	}
}

/*
 * Ask, and take what is being counted. False when sluiced can't be reached;
 * @answer is to be ended either way.
 */
static bool ask(struct ctl *ctl, struct apps_report *r, struct live *live,
		struct ctl_answer *answer)
{
	struct json_object *request = ctl_request("usage");
	struct json_object *o = ctl_ask(ctl, request, answer);

	if (o != NULL)
		take_live(answer, r, live);
	json_object_put(request);
	json_object_put(o);
	return o != NULL;
}

/* --- a report ---------------------------------------------------------------------- */

/* What is missing from a report that goes up to now, and whether it failed. */
static int finish(const struct live *live, bool until_now, uint64_t bad, int rc)
{
	if (bad > 0)
		fprintf(stderr, "sluicectl: %llu damaged lines were skipped\n",
			(unsigned long long)bad);
	if (rc == 0 && until_now && !live->complete)
		ctl_complain("what was counted in the last minutes is missing: "
			     "the app role did not answer, see: sluicectl "
			     "status");
	else if (rc == 0 && until_now && !live->counting)
		ctl_complain("nothing is being counted now: applications are "
			     "off (apps.enabled), or the app role is down");
	/* Whoever read has had enough: that is how `| head` ends it. */
	if (rc == 0 || rc == -EPIPE)
		return CTL_DONE;
	fprintf(stderr, "sluicectl: usage: %s\n", strerror(-rc));
	return CTL_FAILED;
}

static int report(struct ctl *ctl, const struct apps_options *options)
{
	struct ctl_answer answer;
	struct apps_report r;
	struct live live = {0};
	int status = CTL_FAILED;
	int rc = apps_begin(&r, options, stdout);

	if (rc != 0) {
		ctl_complain("out of memory");
		return CTL_FAILED;
	}
	if (ask(ctl, &r, &live, &answer)) {
		/* In this order: what is sent meanwhile is not missed. */
		r.live_next = live.next;
		str_copy(r.live_instance, sizeof(r.live_instance),
			 live.instance);
		rc = answer.passed_fd != -1 ? apps_read(&r, answer.passed_fd)
					    : -EBADF;
		if (rc == 0)
			apps_print(&r, now_s());
		status = finish(&live, options->until_s > now_s(), r.bad, rc);
	}
	ctl_end(&answer);
	apps_end(&r);
	return status;
}

/* --- watching ---------------------------------------------------------------------- */

/* One look at the span at hand; its records by what is asked for. */
struct look {
	struct apps_report report;
	struct live live;
};

/* Rows of @now less those of @before (NULL: it is another span's), as rates. */
static void subtract(const struct look *now, const struct look *before,
		     struct tally *rates)
{
	const struct tally *t = &now->report.tally;

	for (size_t i = 0; i < t->size; i++) {
		const struct tally_row *row = &t->rows[i], *old = NULL;

		if (row->word[0] == '\0')
			continue;
		if (before != NULL)
			old = tally_find(&before->report.tally,
					 str_of(row->word));
		for (unsigned int d = 0; d < USAGE_DIRECTIONS; d++) {
			struct usage_line u = {
				.direction = (enum usage_direction)d,
				.bytes = row->sum.bytes[d],
				.packets = row->sum.packets[d],
			};

			if (old != NULL && old->sum.bytes[d] <= u.bytes)
				u.bytes -= old->sum.bytes[d];
			if (old != NULL && old->sum.packets[d] <= u.packets)
				u.packets -= old->sum.packets[d];
			tally_add(rates, str_of(row->word), str_of(row->group),
				  &u);
		}
	}
}

static void print_look(const struct apps_options *o, const struct look *now,
		       const struct look *before)
{
	bool terminal = isatty(STDOUT_FILENO) && !o->json;
	uint64_t ms = now->live.elapsed_ms;
	struct tally rates;

	/* A new span, or a new role, began to count from nothing. */
	if (before != NULL &&
	    (strcmp(before->live.instance, now->live.instance) != 0 ||
	     before->live.elapsed_ms >= now->live.elapsed_ms))
		before = NULL;
	if (before != NULL)
		ms -= before->live.elapsed_ms;
	if (tally_init(&rates) != 0)
		return;
	subtract(now, before, &rates);
	fputs(terminal ? "\033[H\033[2J" : "", stdout); /* clear the screen */
	apps_print_rates(o, stdout, &rates, ms > 0 ? ms : 1, now_s());
	fputs(terminal || o->json ? "" : "\n", stdout);
	tally_free(&rates);
}

/* 0, or what sluicectl ends with, and it is said why. */
static int look(struct ctl *ctl, const struct apps_options *o, struct look *l)
{
	struct ctl_answer answer;
	int status = CTL_FAILED;

	if (apps_begin(&l->report, o, stdout) != 0) {
		ctl_complain("out of memory");
		return CTL_FAILED;
	}
	if (ask(ctl, &l->report, &l->live, &answer)) {
		if (l->live.counting)
			status = CTL_DONE;
		else
			ctl_complain("nothing is being counted now: "
				     "applications are off (apps.enabled), or "
				     "the app role is down, see: sluicectl "
				     "status");
	}
	ctl_end(&answer);
	return status;
}

static int watch(struct ctl *ctl, const struct apps_options *o)
{
	static struct look looks[2];
	const struct look *before = NULL;
	unsigned int at = 0;
	int status;

	while ((status = look(ctl, o, &looks[at])) == CTL_DONE) {
		print_look(o, &looks[at], before);
		if (before != NULL)
			apps_end(&looks[!at].report);
		if (fflush(stdout) != 0)
			break;
		before = &looks[at];
		at = !at;
		sleep(WATCH_SECONDS);
	}
	return status;
}

int cmd_apps(struct ctl *ctl, int argc, char **argv)
{
	struct apps_options options;
	char wrong[256];

	if (apps_parse(argc, argv, clock_system.wall_us(), &options, wrong,
		       sizeof(wrong)) != 0) {
		fprintf(stderr, "sluicectl: apps: %s\n%s", wrong, apps_usage);
		return CTL_USAGE;
	}
	options.json |= ctl->json;
	return options.watch ? watch(ctl, &options) : report(ctl, &options);
}
