// SPDX-License-Identifier: GPL-2.0-or-later
#include "sluicectl/apps.h"

#include <errno.h>
#include <string.h>

#include "policy/app.h"
#include "sluicectl/apps_print.h"
#include "sluicectl/options.h"
#include "sluicectl/when.h"
#include "store/journal_read.h"

#define US_A_SECOND UINT64_C(1000000)
#define S_AN_HOUR   3600

/* --- options ------------------------------------------------------------------- */

const char *const apps_usage =
	"  --by WORD             sums by app, client or group\n"
	"  --client ADDR[/BITS]  of this client or network\n"
	"  --app NAME            of this application; unlabelled: of none\n"
	"  --since TIME          from then on: RFC 3339, or a duration ago (7d)\n"
	"  --until TIME          before then\n"
	"  --day                 hour by hour, the day of --since or today\n"
	"  --watch               what flows now, every 2 seconds\n"
	"  --limit N, -n N       the N rows with most bytes, the rest as one\n"
	"  --json                records, or sums with --by, one a line\n";

enum option_id {
	OPT_LIMIT = 'n',
	OPT_BY = 256,
	OPT_CLIENT,
	OPT_APP,
	OPT_SINCE,
	OPT_UNTIL,
	OPT_DAY,
	OPT_WATCH,
	OPT_JSON,
};

static const struct option long_options[] = {
	{"by", required_argument, NULL, OPT_BY},
	{"client", required_argument, NULL, OPT_CLIENT},
	{"app", required_argument, NULL, OPT_APP},
	{"since", required_argument, NULL, OPT_SINCE},
	{"until", required_argument, NULL, OPT_UNTIL},
	{"day", no_argument, NULL, OPT_DAY},
	{"watch", no_argument, NULL, OPT_WATCH},
	{"limit", required_argument, NULL, OPT_LIMIT},
	{"json", no_argument, NULL, OPT_JSON},
	{NULL, 0, NULL, 0},
};

static bool take_by(struct apps_options *o, const char *word)
{
	static const char *const words[] = {[APPS_BY_APP] = "app",
					    [APPS_BY_CLIENT] = "client",
					    [APPS_BY_GROUP] = "group"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i], word) != 0)
			continue;
		o->by = (enum apps_by)i;
		o->by_given = true;
		return true;
	}
	return false;
}

/* A name that nobody ever has would give an empty report, and no hint why. */
static bool take_app(struct apps_options *o, const char *name)
{
	if (strcmp(name, APPS_UNLABELLED) == 0)
		name = USAGE_NOBODY;
	o->app = name;
	return app_by_name(str_of(name)) != NULL ||
	       strcmp(name, USAGE_NOBODY) == 0 || strcmp(name, "?") == 0;
}

static bool take_time(const char *text, uint64_t now_us, uint64_t *s)
{
	uint64_t us;

	if (!when_parse(text, now_us, &us))
		return false;
	*s = us / US_A_SECOND;
	return true;
}

/* Whether @value is good for the option; it is kept in @o. */
static bool take_option(void *into, int option, char *value, uint64_t now_us)
{
	struct apps_options *o = into;

	switch (option) {
	case OPT_BY:
		return take_by(o, value);
	case OPT_CLIENT:
		return ip_net_parse(value, &o->client);
	case OPT_APP:
		return take_app(o, value);
	case OPT_SINCE:
		return take_time(value, now_us, &o->since_s);
	case OPT_UNTIL:
		return take_time(value, now_us, &o->until_s);
	case OPT_DAY:
		o->day = true;
		return true;
	case OPT_WATCH:
		o->watch = true;
		return true;
	case OPT_LIMIT:
		return str_to_u64(str_of(value), &o->limit) && o->limit > 0;
	case OPT_JSON:
		o->json = true;
		return true;
	default:
		return false;
	}
}

/* What options mean together; NULL, or what is wrong. */
static const char *settle(struct apps_options *o, uint64_t now_s)
{
	if (o->day && o->watch)
		return "--day and --watch exclude each other";
	if (o->day && (o->by_given || o->until_s != UINT64_MAX))
		return "--day goes neither with --by nor with --until";
	if (o->watch && (o->since_s != UINT64_MAX || o->until_s != UINT64_MAX))
		return "--watch shows what flows now: no --since, no --until";
	if (o->since_s == UINT64_MAX)
		o->since_s = when_midnight(now_s, 0);
	if (o->day) {
		o->since_s = when_midnight(o->since_s, 0);
		o->until_s = when_midnight(o->since_s, 1);
	}
	return o->since_s < o->until_s ? NULL : "--until is not after --since";
}

int apps_parse(int argc, char *argv[], uint64_t now_us,
	       struct apps_options *options, char *wrong, size_t size)
{
	static const struct options known = {"apps", "n:", long_options,
					     take_option};
	const char *together;
	int rc;

	memset(options, 0, sizeof(*options));
	options->since_s = options->until_s = options->limit = UINT64_MAX;
	rc = options_read(&known, argc, argv, options, now_us, wrong, size);
	if (rc != 0)
		return rc;
	together = settle(options, now_us / US_A_SECOND);
	if (together == NULL)
		return 0;
	snprintf(wrong, size, "%s", together);
	return -EINVAL;
}

/* --- the report ---------------------------------------------------------------- */

int apps_begin(struct apps_report *r, const struct apps_options *options,
	       FILE *out)
{
	memset(r, 0, sizeof(*r));
	r->options = options;
	r->out = out;
	return tally_init(&r->tally);
}

void apps_end(struct apps_report *r)
{
	tally_free(&r->tally);
}

static bool in_net(const struct ip_net *net, struct str client)
{
	char text[IP_TEXT_MAX];
	struct ip_addr addr;

	if (net->addr.family == 0)
		return true;
	return str_copy_view(text, sizeof(text), client) &&
	       ip_addr_parse(text, &addr) && ip_net_contains(net, &addr);
}

/*
 * A span belongs to the report when part of it does: what is asked for is
 * seldom a whole number of spans.
 */
static bool matches(const struct apps_options *o, const struct usage_line *u)
{
	return u->time_s + u->span_s > o->since_s && u->time_s < o->until_s &&
	       (o->app == NULL || str_eq(u->app, str_of(o->app))) &&
	       in_net(&o->client, u->client);
}

static void take_hour(struct apps_report *r, const struct usage_line *u)
{
	uint64_t hour = 0;

	if (u->time_s > r->options->since_s)
		hour = (u->time_s - r->options->since_s) / S_AN_HOUR;
	if (hour < APPS_HOURS)
		tally_sum_add(&r->hours[hour], u);
	tally_sum_add(&r->tally.total, u);
}

void apps_take(struct apps_report *r, const struct usage_line *u)
{
	const struct apps_options *o = r->options;
	static const struct str none = {"", 0};

	if (!matches(o, u))
		return;
	r->records++;
	if (o->day)
		take_hour(r, u);
	else if (o->json && !o->by_given && !o->watch)
		apps_print_record(r->out, u);
	else if (o->by == APPS_BY_APP)
		tally_add(&r->tally, u->app, u->group, u);
	else
		tally_add(&r->tally,
			  o->by == APPS_BY_CLIENT ? u->client : u->group, none,
			  u);
}

/* apps_take() had it, when the app role was asked what it is counting. */
static bool is_live(const struct apps_report *r, const struct usage_line *u)
{
	size_t len = strlen(r->live_instance);
	struct str number;
	uint64_t n;

	if (len == 0 || u->id.len <= len ||
	    memcmp(u->id.p, r->live_instance, len) != 0 || u->id.p[len] != '-')
		return false;
	number = (struct str){u->id.p + len + 1, u->id.len - len - 1};
	return str_to_u64(number, &n) && n >= r->live_next;
}

static int read_all(struct apps_report *r, struct journal_reader *reader)
{
	struct usage_line u = {0};
	struct str line;
	int rc;

	while ((rc = journal_reader_next(reader, &line)) == 1) {
		if (!usage_json_read(line, &u))
			r->bad++;
		else if (!is_live(r, &u))
			apps_take(r, &u);
		if (ferror(r->out))
			return -EPIPE;
	}
	r->bad += reader->bad;
	return rc;
}

int apps_read(struct apps_report *r, int dir_fd)
{
	struct journal_reader reader;
	int rc = journal_reader_init(&reader, dir_fd, JOURNAL_USAGE);

	if (rc != 0)
		return rc;
	rc = journal_reader_seek_time(&reader,
				      r->options->since_s * US_A_SECOND);
	if (rc == 0)
		rc = read_all(r, &reader);
	journal_reader_close(&reader);
	return rc;
}
