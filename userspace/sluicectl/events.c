// SPDX-License-Identifier: GPL-2.0-or-later
#include "sluicectl/events.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/str.h"
#include "policy/verdict.h"
#include "sluicectl/options.h"
#include "sluicectl/when.h"
#include "store/event_time.h"
#include "store/journal_read.h"

#define FOLLOW_POLL_NS 200000000
#define LINE_TEXT      8192
/* Events are written in the order of their ends, give or take this. */
#define ORDER_SLACK_US (3600 * UINT64_C(1000000))

/* --- options ------------------------------------------------------------------- */

const char *const events_usage =
	"  --follow, -f          go on with what is written from now on\n"
	"  --json                lines as they are in the journal\n"
	"  --client ADDR[/BITS]  from this client or network\n"
	"  --server ADDR[/BITS]  to this server or network\n"
	"  --host NAME           this host or one below it\n"
	"  --url TEXT            with TEXT in the URL\n"
	"  --verdict WORD        clean, blocked, not_scanned or passed\n"
	"  --reason WORD         as the journal names it, e.g. signature\n"
	"  --session ID          of this session\n"
	"  --since TIME          from then on: RFC 3339, or a duration ago (2h)\n"
	"  --until TIME          before then\n"
	"  --limit N, -n N       the last N (0: all; without --since: 100)\n";

enum option_id {
	OPT_FOLLOW = 'f',
	OPT_LIMIT = 'n',
	OPT_JSON = 256,
	OPT_CLIENT,
	OPT_SERVER,
	OPT_HOST,
	OPT_URL,
	OPT_VERDICT,
	OPT_REASON,
	OPT_SESSION,
	OPT_SINCE,
	OPT_UNTIL,
};

static const struct option long_options[] = {
	{"follow", no_argument, NULL, OPT_FOLLOW},
	{"json", no_argument, NULL, OPT_JSON},
	{"client", required_argument, NULL, OPT_CLIENT},
	{"server", required_argument, NULL, OPT_SERVER},
	{"host", required_argument, NULL, OPT_HOST},
	{"url", required_argument, NULL, OPT_URL},
	{"verdict", required_argument, NULL, OPT_VERDICT},
	{"reason", required_argument, NULL, OPT_REASON},
	{"session", required_argument, NULL, OPT_SESSION},
	{"since", required_argument, NULL, OPT_SINCE},
	{"until", required_argument, NULL, OPT_UNTIL},
	{"limit", required_argument, NULL, OPT_LIMIT},
	{NULL, 0, NULL, 0},
};

static bool known_verdict(const char *word)
{
	for (unsigned int v = 0; verdict_valid(v); v++)
		if (strcmp(verdict_name(v), word) == 0)
			return true;
	return false;
}

static bool known_reason(const char *word)
{
	for (unsigned int r = REASON_NONE + 1; verdict_reason_valid(r); r++)
		if (strcmp(verdict_reason_name(r), word) == 0)
			return true;
	return false;
}

/* Whether @value is good for the option; it is kept in @o. */
static bool take_option(void *into, int option, char *value, uint64_t now_us)
{
	struct events_options *o = into;

	switch (option) {
	case OPT_FOLLOW:
		o->follow = true;
		return true;
	case OPT_JSON:
		o->json = true;
		return true;
	case OPT_CLIENT:
		return ip_net_parse(value, &o->client);
	case OPT_SERVER:
		return ip_net_parse(value, &o->server);
	case OPT_HOST:
		o->host = value;
		return *value != '\0';
	case OPT_URL:
		o->url = value;
		return true;
	case OPT_VERDICT:
		o->verdict = value;
		return known_verdict(value);
	case OPT_REASON:
		o->reason = value;
		return known_reason(value);
	case OPT_SESSION:
		o->session = value;
		return true;
	case OPT_SINCE:
		return when_parse(value, now_us, &o->since_us);
	case OPT_UNTIL:
		return when_parse(value, now_us, &o->until_us);
	case OPT_LIMIT:
		return str_to_u64(str_of(value), &o->limit);
	default:
		return false;
	}
}

int events_parse(int argc, char *argv[], uint64_t now_us,
		 struct events_options *options, char *wrong, size_t size)
{
	static const struct options known = {"events", "fn:", long_options,
					     take_option};
	int rc;

	memset(options, 0, sizeof(*options));
	options->until_us = UINT64_MAX;
	options->limit = UINT64_MAX;
	rc = options_read(&known, argc, argv, options, now_us, wrong, size);
	if (rc == 0 && options->limit == UINT64_MAX)
		options->limit = options->since_us == 0 ? EVENTS_LIMIT : 0;
	return rc;
}

/* --- filters --------------------------------------------------------------------- */

/* A member's text, or "". */
static const char *text_of(struct json_object *ev, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(ev, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return "";
	return json_object_get_string(value);
}

static uint64_t number_of(struct json_object *ev, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(ev, key, &value)
		       ? json_object_get_uint64(value)
		       : 0;
}

/* The address in "192.0.2.1:80" or "[2001:db8::1]:80". */
static bool address_of(const char *endpoint, struct ip_addr *addr)
{
	const char *colon = strrchr(endpoint, ':');
	char text[IP_TEXT_MAX];
	struct str s = str_of(endpoint);

	if (colon != NULL)
		s.len = (size_t)(colon - endpoint);
	if (s.len > 2 && s.p[0] == '[' && s.p[s.len - 1] == ']')
		s = (struct str){s.p + 1, s.len - 2};
	return str_copy_view(text, sizeof(text), s) &&
	       ip_addr_parse(text, addr);
}

static bool in_net(const struct ip_net *net, const char *endpoint)
{
	struct ip_addr addr;

	if (net->addr.family == 0)
		return true;
	return address_of(endpoint, &addr) && ip_net_contains(net, &addr);
}

/* @host itself or a name below it; a port in the event's host doesn't count. */
static bool is_below(const char *name, const char *host)
{
	size_t wanted = strlen(host), len = strlen(name);
	const char *colon = strrchr(name, ':');

	if (colon != NULL && name[0] != '[')
		len = (size_t)(colon - name);
	if (len < wanted || strncasecmp(name + len - wanted, host, wanted) != 0)
		return false;
	return len == wanted || name[len - wanted - 1] == '.';
}

static bool same(const char *wanted, const char *text)
{
	return wanted == NULL || strcmp(wanted, text) == 0;
}

static bool matches(const struct events_options *o, struct json_object *ev,
		    uint64_t time_us)
{
	return time_us >= o->since_us && time_us < o->until_us &&
	       same(o->verdict, text_of(ev, "verdict")) &&
	       same(o->reason, text_of(ev, "reason")) &&
	       same(o->session, text_of(ev, "session")) &&
	       in_net(&o->client, text_of(ev, "client")) &&
	       in_net(&o->server, text_of(ev, "server")) &&
	       (o->host == NULL || is_below(text_of(ev, "host"), o->host)) &&
	       (o->url == NULL || strstr(text_of(ev, "url"), o->url) != NULL);
}

/* --- one line for a person --------------------------------------------------------- */

/* "999", "1.5K", "64M" */
static void put_size(struct strbuf *sb, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	char text[16];
	double n = (double)bytes;
	int unit = -1;

	while (n >= 1024 && unit < 5) {
		n /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(text, sizeof(text), "%u", (unsigned int)bytes);
	else
		snprintf(text, sizeof(text), n < 10 ? "%.1f%c" : "%.0f%c", n,
			 units[unit]);
	strbuf_printf(sb, "%6s", text);
}

/* The address without its port, which says little about a client. */
static void put_client(struct strbuf *sb, const char *endpoint)
{
	char text[IP_TEXT_MAX];
	struct ip_addr addr;

	if (address_of(endpoint, &addr))
		endpoint = ip_addr_format(&addr, text, sizeof(text));
	strbuf_printf(sb, "%-15s ", endpoint);
}

static void put_words(struct strbuf *sb, const char *before, const char *text,
		      const char *after)
{
	if (*text == '\0')
		return;
	strbuf_puts(sb, before);
	strbuf_printable(sb, str_of(text));
	strbuf_puts(sb, after);
}

static void format(struct strbuf *sb, struct json_object *ev)
{
	const char *url = text_of(ev, "url");
	const char *method = text_of(ev, "method");

	/* 2024-11-21T22:12:00.123456Z: to the millisecond, still in UTC */
	strbuf_printf(sb, "%.10s %.12sZ ", text_of(ev, "time"),
		      strlen(text_of(ev, "time")) > 11
			      ? text_of(ev, "time") + 11
			      : "");
	put_client(sb, text_of(ev, "client"));
	strbuf_printf(sb, "%-5s ", text_of(ev, "action"));
	strbuf_printf(sb, "%-11s ", text_of(ev, "verdict"));
	strbuf_printf(sb, "%3u ", (unsigned int)number_of(ev, "status"));
	put_size(sb, number_of(ev, "bytes_out"));
	strbuf_printf(sb, " %6ums ",
		      (unsigned int)number_of(ev, "duration_ms"));
	put_words(sb, "", *method != '\0' ? method : text_of(ev, "protocol"),
		  " ");
	put_words(sb, "", *url != '\0' ? url : text_of(ev, "server"), "");
	put_words(sb, " [", text_of(ev, "reason"),
		  *text_of(ev, "name") != '\0' ? ": " : "]");
	put_words(sb, *text_of(ev, "reason") != '\0' ? "" : " [",
		  text_of(ev, "name"), "]");
}

/* --- the journal -------------------------------------------------------------------- */

struct events {
	const struct events_options *options;
	struct journal_reader reader;
	struct json_tokener *parser;
	FILE *out;
	uint64_t bad;
};

/* The event in @line and its time, or NULL: the line is none. */
static struct json_object *parse(struct events *e, struct str line,
				 uint64_t *time_us)
{
	struct json_object *ev;

	json_tokener_reset(e->parser);
	ev = json_tokener_parse_ex(e->parser, line.p, (int)line.len);
	if (json_object_is_type(ev, json_type_object) &&
	    event_time_parse(str_of(text_of(ev, "time")), time_us))
		return ev;
	json_object_put(ev);
	return NULL;
}

static void print(struct events *e, struct json_object *ev, struct str line)
{
	char text[LINE_TEXT];
	struct strbuf sb;

	if (!e->options->json) {
		strbuf_init(&sb, text, sizeof(text));
		format(&sb, ev);
		line = (struct str){sb.data, sb.len};
	}
	fwrite(line.p, 1, line.len, e->out);
	fputc('\n', e->out);
}

/* Back from the end to where the last options->limit matches begin. */
static int find_last(struct events *e)
{
	const struct events_options *o = e->options;
	uint64_t found = 0, time_us = UINT64_MAX;
	struct str line;
	int rc = journal_reader_seek_end(&e->reader);

	while (rc == 0 && found < o->limit) {
		struct json_object *ev;

		rc = journal_reader_prev(&e->reader, &line);
		if (rc <= 0)
			return rc;
		rc = 0;
		ev = parse(e, line, &time_us);
		if (ev != NULL && matches(o, ev, time_us))
			found++;
		json_object_put(ev);
		if (ev != NULL && time_us < o->since_us &&
		    o->since_us - time_us > ORDER_SLACK_US)
			break;
	}
	return rc;
}

/* All that is there now. */
static int print_rest(struct events *e)
{
	uint64_t time_us;
	struct str line;
	int rc;

	while ((rc = journal_reader_next(&e->reader, &line)) == 1) {
		struct json_object *ev = parse(e, line, &time_us);

		if (ev == NULL)
			e->bad++;
		else if (matches(e->options, ev, time_us))
			print(e, ev, line);
		json_object_put(ev);
		if (ferror(e->out))
			return -EPIPE;
	}
	return rc == 0 && fflush(e->out) != 0 ? -errno : rc;
}

static int run(struct events *e)
{
	const struct timespec poll = {.tv_nsec = FOLLOW_POLL_NS};
	int rc;

	if (e->options->limit > 0)
		rc = find_last(e);
	else
		rc = journal_reader_seek_time(&e->reader, e->options->since_us);
	/* What is skipped on the way back is counted on the way forward. */
	e->reader.bad = 0;
	if (rc == 0)
		rc = print_rest(e);
	while (rc == 0 && e->options->follow) {
		nanosleep(&poll, NULL);
		rc = print_rest(e);
	}
	return rc;
}

int events_print(int dir_fd, const struct events_options *options, FILE *out,
		 uint64_t *bad)
{
	struct events e = {.options = options, .out = out};
	int rc = journal_reader_init(&e.reader, dir_fd, JOURNAL_EVENTS);

	if (rc != 0)
		return rc;
	e.parser = json_tokener_new();
	rc = e.parser == NULL ? -ENOMEM : run(&e);
	if (e.parser != NULL)
		json_tokener_free(e.parser);
	*bad = e.bad + e.reader.bad;
	journal_reader_close(&e.reader);
	return rc;
}
