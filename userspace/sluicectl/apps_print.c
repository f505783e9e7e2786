// SPDX-License-Identifier: GPL-2.0-or-later
#include "sluicectl/apps_print.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "sluicectl/amount.h"

#define BAR	  20
#define S_AN_HOUR 3600
#define MS_A_S	  1000
#define LOCAL_MAX 32

/* --- JSON ---------------------------------------------------------------------- */

/* Words of records need no escapes: usage_json_read() takes no others. */
static void print_word(FILE *out, const char *key, struct str word)
{
	fprintf(out, ",\"%s\":\"%.*s\"", key, (int)word.len, word.p);
}

void apps_print_record(FILE *out, const struct usage_line *u)
{
	char time[USAGE_TIME_TEXT];

	fprintf(out, "{\"time\":\"%s\"", usage_time_text(u->time_s, time));
	print_word(out, "app", u->app);
	print_word(out, "group", u->group);
	print_word(out, "client", u->client);
	fprintf(out,
		",\"direction\":\"%s\",\"bytes\":%" PRIu64
		",\"packets\":%" PRIu64 ",\"flows\":%" PRIu64 "}\n",
		usage_direction_text((uint8_t)u->direction), u->bytes,
		u->packets, u->flows);
}

/* The keys that a row is summed up by. */
static void print_names(FILE *out, enum apps_by by, const struct tally_row *row)
{
	static const char *const keys[] = {[APPS_BY_APP] = "app",
					   [APPS_BY_CLIENT] = "client",
					   [APPS_BY_GROUP] = "group"};

	print_word(out, keys[by], str_of(row->word));
	if (by == APPS_BY_APP)
		print_word(out, "group", str_of(row->group));
}

/* One line for each direction in which there was anything. */
static void json_sum(FILE *out, uint64_t time_s, const enum apps_by *by,
		     const struct tally_row *row, const struct tally_sum *sum)
{
	char time[USAGE_TIME_TEXT];

	for (unsigned int d = 0; d < USAGE_DIRECTIONS; d++) {
		if (sum->bytes[d] == 0 && sum->flows[d] == 0)
			continue;
		fprintf(out, "{\"time\":\"%s\"", usage_time_text(time_s, time));
		if (by != NULL)
			print_names(out, *by, row);
		fprintf(out,
			",\"direction\":\"%s\",\"bytes\":%" PRIu64
			",\"packets\":%" PRIu64 ",\"flows\":%" PRIu64 "}\n",
			usage_direction_text((uint8_t)d), sum->bytes[d],
			sum->packets[d], sum->flows[d]);
	}
}

/* --- rows of a table -------------------------------------------------------------- */

/* What the rows are of: they have the columns of their kind in common. */
struct table {
	FILE *out;
	enum apps_by by;
	uint64_t total;	 /* bytes: what a share is of */
	uint64_t widest; /* bytes: what the longest bar is of */
	uint64_t ms;	 /* > 0: rates, of what came in this time */
};

static void print_head(const struct table *t)
{
	static const char *const names[] = {[APPS_BY_APP] = "application",
					    [APPS_BY_CLIENT] = "client",
					    [APPS_BY_GROUP] = "group"};

	fprintf(t->out, "%-24s", names[t->by]);
	if (t->by == APPS_BY_APP)
		fprintf(t->out, " %-15s", "group");
	if (t->ms > 0)
		fprintf(t->out, " %7s %13s %13s %10s\n", "share", "up", "down",
			"packets/s");
	else
		fprintf(t->out, " %7s %10s %10s %12s %9s\n", "share", "up",
			"down", "packets", "flows");
}

/* A client without an address is another thing than a flow without a label. */
static const char *row_name(const struct table *t, const char *word)
{
	if (strcmp(word, USAGE_NOBODY) != 0)
		return word;
	return t->by == APPS_BY_CLIENT ? "(no client)" : APPS_UNLABELLED;
}

static void print_amounts(const struct table *t, const struct tally_sum *sum)
{
	char up[AMOUNT_TEXT], down[AMOUNT_TEXT];
	uint64_t packets = sum->packets[USAGE_UP] + sum->packets[USAGE_DOWN];
	double seconds = (double)t->ms / MS_A_S;

	if (t->ms > 0)
		fprintf(t->out, " %13s %13s %10.0f",
			amount_rate(up, (double)sum->bytes[USAGE_UP] / seconds),
			amount_rate(down,
				    (double)sum->bytes[USAGE_DOWN] / seconds),
			(double)packets / seconds);
	else
		fprintf(t->out, " %10s %10s %12" PRIu64 " %9" PRIu64,
			amount_bytes(up, sum->bytes[USAGE_UP]),
			amount_bytes(down, sum->bytes[USAGE_DOWN]), packets,
			sum->flows[USAGE_UP] + sum->flows[USAGE_DOWN]);
}

static void print_row(const struct table *t, const char *name,
		      const char *group, const struct tally_sum *sum, bool bar)
{
	uint64_t bytes = tally_bytes(sum);
	char text[BAR + 1];

	fprintf(t->out, "%-24s", name);
	if (t->by == APPS_BY_APP)
		fprintf(t->out, " %-15s", group);
	fprintf(t->out, " %5.1f %%",
		t->total > 0 ? 100.0 * (double)bytes / (double)t->total : 0.0);
	print_amounts(t, sum);
	if (bar && bytes > 0)
		fprintf(t->out, "  %s",
			amount_bar(text, BAR, bytes, t->widest));
	fputc('\n', t->out);
}

static void add(struct tally_sum *to, const struct tally_sum *sum)
{
	for (size_t d = 0; d < USAGE_DIRECTIONS; d++) {
		to->bytes[d] += sum->bytes[d];
		to->packets[d] += sum->packets[d];
		to->flows[d] += sum->flows[d];
	}
}

/*
 * The rows up to @limit, and what no application was named for wherever it
 * comes; the others as one, so that all of it adds up.
 */
static void print_rows(struct table *t, struct tally *tally, uint64_t limit)
{
	struct tally_sum rest = tally->crowd;
	uint64_t left_out = 0;
	char name[48];

	tally_sort(tally);
	t->total = tally_bytes(&tally->total);
	t->widest = tally->count > 0 ? tally_bytes(&tally->rows[0].sum) : 0;
	print_head(t);
	for (size_t i = 0; i < tally->count; i++) {
		const struct tally_row *row = &tally->rows[i];

		if (i < limit || strcmp(row->word, USAGE_NOBODY) == 0) {
			print_row(t, row_name(t, row->word), row->group,
				  &row->sum, true);
			continue;
		}
		add(&rest, &row->sum);
		left_out++;
	}
	if (tally->crowded)
		print_row(t, "(too many to tell apart)", "", &rest, false);
	else if (left_out > 0) {
		snprintf(name, sizeof(name), "(%" PRIu64 " others)", left_out);
		print_row(t, name, "", &rest, false);
	}
	print_row(t, "total", "", &tally->total, false);
}

/* --- reports ------------------------------------------------------------------- */

/* "2024-11-21 22:10:00" by the local clock; its parts are cut out of it. */
static const char *local_time(uint64_t s, char *dst)
{
	time_t t = (time_t)s;
	struct tm tm = {0};

	localtime_r(&t, &tm);
	if (strftime(dst, LOCAL_MAX, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		dst[0] = '\0';
	return dst;
}

#define DATE_LEN   10
#define MINUTE_LEN 16
#define CLOCK_AT   11
#define CLOCK_LEN  5

static void print_table(struct apps_report *r, uint64_t now_s)
{
	const struct apps_options *o = r->options;
	bool ended = o->until_s <= now_s;
	char since[LOCAL_MAX], until[LOCAL_MAX];
	struct table t = {.out = r->out, .by = o->by};

	fprintf(r->out, "from %.*s to %.*s%s\n", MINUTE_LEN,
		local_time(o->since_s, since), MINUTE_LEN,
		local_time(ended ? o->until_s : now_s, until),
		ended ? "" : " (now)");
	if (r->records == 0) {
		fprintf(r->out, "nothing was counted\n");
		return;
	}
	print_rows(&t, &r->tally, o->limit);
}

static unsigned int hours_of(const struct apps_options *o)
{
	uint64_t hours = (o->until_s - o->since_s + S_AN_HOUR - 1) / S_AN_HOUR;

	return hours < APPS_HOURS ? (unsigned int)hours : APPS_HOURS;
}

static void print_day(const struct apps_report *r)
{
	const struct apps_options *o = r->options;
	char text[LOCAL_MAX], up[AMOUNT_TEXT], down[AMOUNT_TEXT], bar[BAR + 1];
	const struct tally_sum *total = &r->tally.total;
	uint64_t widest = 0;

	for (unsigned int i = 0; i < APPS_HOURS; i++)
		if (tally_bytes(&r->hours[i]) > widest)
			widest = tally_bytes(&r->hours[i]);
	fprintf(r->out, "%-10.*s %10s %10s\n", DATE_LEN,
		local_time(o->since_s, text), "up", "down");
	for (unsigned int i = 0; i < hours_of(o); i++) {
		const struct tally_sum *sum = &r->hours[i];
		uint64_t s = o->since_s + (uint64_t)i * S_AN_HOUR;

		amount_bar(bar, BAR, tally_bytes(sum), widest);
		fprintf(r->out, "%-10.*s %10s %10s%s%s\n", CLOCK_LEN,
			local_time(s, text) + CLOCK_AT,
			amount_bytes(up, sum->bytes[USAGE_UP]),
			amount_bytes(down, sum->bytes[USAGE_DOWN]),
			bar[0] != '\0' ? "  " : "", bar);
	}
	fprintf(r->out, "%-10s %10s %10s\n", "total",
		amount_bytes(up, total->bytes[USAGE_UP]),
		amount_bytes(down, total->bytes[USAGE_DOWN]));
}

static void json_rows(struct apps_report *r)
{
	const struct apps_options *o = r->options;
	const struct tally_row rest = {.word = "?"};

	tally_sort(&r->tally);
	for (size_t i = 0; i < r->tally.count && i < o->limit; i++)
		json_sum(r->out, o->since_s, &o->by, &r->tally.rows[i],
			 &r->tally.rows[i].sum);
	if (r->tally.crowded)
		json_sum(r->out, o->since_s, &o->by, &rest, &r->tally.crowd);
}

void apps_print(struct apps_report *r, uint64_t now_s)
{
	const struct apps_options *o = r->options;

	if (!o->json && !o->day)
		print_table(r, now_s);
	else if (!o->json)
		print_day(r);
	else if (o->day)
		for (unsigned int i = 0; i < hours_of(o); i++)
			json_sum(r->out, o->since_s + (uint64_t)i * S_AN_HOUR,
				 NULL, NULL, &r->hours[i]);
	else if (o->by_given)
		json_rows(r);
}

static void json_rates(const struct apps_options *o, FILE *out,
		       const struct tally_row *row, uint64_t ms, uint64_t now_s)
{
	char time[USAGE_TIME_TEXT];

	for (unsigned int d = 0; d < USAGE_DIRECTIONS; d++) {
		fprintf(out, "{\"time\":\"%s\"", usage_time_text(now_s, time));
		print_names(out, o->by, row);
		fprintf(out,
			",\"direction\":\"%s\",\"bytes_per_s\":%.0f,"
			"\"packets_per_s\":%.0f}\n",
			usage_direction_text((uint8_t)d),
			(double)row->sum.bytes[d] * MS_A_S / (double)ms,
			(double)row->sum.packets[d] * MS_A_S / (double)ms);
	}
}

void apps_print_rates(const struct apps_options *o, FILE *out,
		      struct tally *rates, uint64_t ms, uint64_t now_s)
{
	struct table t = {.out = out, .by = o->by, .ms = ms};
	char text[LOCAL_MAX];

	if (!o->json) {
		fprintf(out, "%s, the last %.1f s\n", local_time(now_s, text),
			(double)ms / MS_A_S);
		print_rows(&t, rates, o->limit);
		return;
	}
	tally_sort(rates);
	for (size_t i = 0; i < rates->count && i < o->limit; i++)
		json_rates(o, out, &rates->rows[i], ms, now_s);
}
