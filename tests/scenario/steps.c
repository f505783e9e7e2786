// SPDX-License-Identifier: GPL-2.0-or-later
/* What a scenario can say: the table at the end, one row a kind of step. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "conf/keys.h"
#include "conf/value.h"
#include "fault.h"
#include "problem.h"
#include "run.h"

static bool is(const struct word *w, const char *text)
{
	return !w->quoted && str_eq(w->text, str_of(text));
}

/* The word as text of its own, cut to @size. */
static const char *text_of(const struct word *w, char *dst, size_t size)
{
	(void)str_copy_view(dst, size, w->text);
	return dst;
}

static bool size_of(const struct word *w, uint64_t *size)
{
	char text[UNITS_TEXT_MAX];

	if (units_parse_size(text_of(w, text, sizeof(text)), size))
		return true;
	problem("%s is no size", text);
	return false;
}

/* --- configuration -------------------------------------------------- */

static void set_key(struct config *config, const struct step *s)
{
	char name[64], value[64];
	const struct config_key *key = NULL;
	char *dot;

	(void)text_of(&s->words[1], name, sizeof(name));
	(void)text_of(&s->words[2], value, sizeof(value));
	dot = strchr(name, '.');
	if (dot != NULL) {
		*dot = '\0';
		key = config_key_find(name, dot + 1);
	}
	if (key == NULL || value_set(key, value, config) != VALUE_OK)
		problem("no such key, or not for this value");
}

static bool step_service(struct config *config, const struct step *s)
{
	if (s->nwords != 2 || !is(&s->words[0], "service") ||
	    !is(&s->words[1], "ftp"))
		return false;
	config->services[0].protocol = PROTOCOL_FTP;
	config->services[0].port = config_service_port(PROTOCOL_FTP);
	return true;
}

bool step_config(struct config *config, const struct step *s)
{
	if (step_service(config, s))
		return true;
	if (!is(&s->words[0], "config"))
		return false;
	if (s->nwords == 3)
		set_key(config, s);
	else
		problem("want config KEY VALUE");
	return true;
}

/* --- peers ---------------------------------------------------------- */

static void do_connect(struct run *r, struct peer *p, struct args a)
{
	(void)p, (void)a;
	gateway_dial(&r->gateway);
}

static void do_addresses(struct run *r, struct peer *p, struct args a)
{
	(void)p;
	gateway_addresses(&r->gateway, is(&a.word[0], "ipv6"));
}

static void do_say(struct run *r, struct peer *p, struct args a)
{
	(void)r;
	(void)scenario_content(a.word, a.n, &p->to_send);
}

static void do_end(struct run *r, struct peer *p, struct args a)
{
	(void)r, (void)a;
	p->fin = true;
}

static void do_close(struct run *r, struct peer *p, struct args a)
{
	do_end(r, p, a);
	p->gone = true;
}

static void do_reset(struct run *r, struct peer *p, struct args a)
{
	(void)r, (void)a;
	p->rst = true;
}

static void do_stop_reading(struct run *r, struct peer *p, struct args a)
{
	(void)r, (void)a;
	p->reads = 0;
}

static void do_read(struct run *r, struct peer *p, struct args a)
{
	uint64_t more = READ_ALL;

	(void)r;
	if (a.n > 0 && !size_of(&a.word[0], &more))
		return;
	p->reads = (size_t)more;
}

static void do_connect_how(struct run *r, struct peer *p, struct args a)
{
	static const char *const names[CONNECT_KINDS] = {
		"ok", "refused", "timeout", "never", "unreachable"};

	(void)p;
	for (int i = 0; i < CONNECT_KINDS; i++) {
		if (is(&a.word[0], names[i])) {
			r->gateway.sim->connect = (enum sim_connect)i;
			return;
		}
	}
	problem("no such way to answer a SYN");
}

/* --- roles ---------------------------------------------------------- */

static void scan_says(struct run *r, enum verdict verdict, enum reason reason)
{
	r->gateway.scan.waits = false;
	r->gateway.scan.verdict = verdict;
	r->gateway.scan.reason = reason;
	r->gateway.scan.name = "";
}

static void do_scan_clean(struct run *r, struct peer *p, struct args a)
{
	(void)p, (void)a;
	scan_says(r, VERDICT_CLEAN, REASON_NONE);
}

static void do_scan_blocked(struct run *r, struct peer *p, struct args a)
{
	(void)p, (void)a;
	scan_says(r, VERDICT_BLOCKED, REASON_SIGNATURE);
	r->gateway.scan.name = "Test.Signature";
}

static void do_scan_not(struct run *r, struct peer *p, struct args a)
{
	(void)p;
	for (unsigned int i = REASON_NONE + 1; i < REASON_COUNT; i++) {
		if (!is(&a.word[0], verdict_reason_name((enum reason)i)))
			continue;
		scan_says(r, VERDICT_NOT_SCANNED, (enum reason)i);
		return;
	}
	problem("no such reason");
}

static void do_scan_remembers(struct run *r, struct peer *p, struct args a)
{
	(void)p, (void)a;
	role_scan_remember(&r->gateway.scan);
	r->gateway.relay.vcache = r->gateway.scan.cache;
}

static void do_scan_waits(struct run *r, struct peer *p, struct args a)
{
	(void)p, (void)a;
	r->gateway.scan.waits = true;
}

static void do_scan_dies(struct run *r, struct peer *p, struct args a)
{
	(void)p, (void)a;
	r->gateway.scan.down = true;
	role_scan_die(&r->gateway.scan);
}

static void do_scan_returns(struct run *r, struct peer *p, struct args a)
{
	(void)p, (void)a;
	r->gateway.scan.down = false;
}

static void do_net_silent(struct run *r, struct peer *p, struct args a)
{
	(void)p, (void)a;
	r->gateway.net.silent = true;
}

static void do_net_answers(struct run *r, struct peer *p, struct args a)
{
	(void)p, (void)a;
	r->gateway.net.silent = false;
	r->gateway.net.refuses = 0;
}

static void do_net_refuses(struct run *r, struct peer *p, struct args a)
{
	char error[24];

	(void)p;
	if (!fault_errno(text_of(&a.word[0], error, sizeof(error)),
			 &r->gateway.net.refuses))
		problem("no such error");
}

static void do_net_dies(struct run *r, struct peer *p, struct args a)
{
	(void)p, (void)a;
	r->gateway.net.down = true;
	role_net_die(&r->gateway.net);
}

static void do_net_returns(struct run *r, struct peer *p, struct args a)
{
	(void)p, (void)a;
	r->gateway.net.down = false;
}

static void do_stop(struct run *r, struct peer *p, struct args a)
{
	char text[UNITS_TEXT_MAX];
	uint64_t ms;

	(void)p;
	if (units_parse_duration(text_of(&a.word[0], text, sizeof(text)), &ms))
		relay_stop(&r->gateway.relay, ms);
	else
		problem("%s is no time", text);
}

/* --- the machine ---------------------------------------------------- */

static void do_time(struct run *r, struct peer *p, struct args a)
{
	char text[UNITS_TEXT_MAX];
	uint64_t ms;

	(void)p;
	if (units_parse_duration(text_of(&a.word[0], text, sizeof(text)), &ms))
		gateway_pass(&r->gateway, ms);
	else
		problem("%s is no time", text);
}

static void do_disk(struct run *r, struct peer *p, struct args a)
{
	(void)p;
	(void)size_of(&a.word[0], &r->gateway.sim->disk_free);
}

static void do_sessions(struct run *r, struct peer *p, struct args a)
{
	(void)p;
	(void)size_of(&a.word[0], &r->gateway.relay.max_sessions);
}

/* Buffers of connections that are made from now on. */
static void do_buffer(struct run *r, struct peer *p, struct args a)
{
	uint64_t size;

	(void)p;
	if (r->mode == RUN_PIECES || !size_of(&a.word[0], &size))
		return;
	r->gateway.sim->send_buffer = (size_t)size;
	r->gateway.sim->receive_buffer = (size_t)size;
}

static void do_fail(struct run *r, struct peer *p, struct args a)
{
	char name[24], error[24];
	enum call call;
	int number = 0;

	(void)r, (void)p;
	if (fault_find(text_of(&a.word[0], name, sizeof(name)), &call) &&
	    (a.n == 1 ||
	     fault_errno(text_of(&a.word[1], error, sizeof(error)), &number)))
		fault_always(call, number);
	else
		problem("no such call, or no such error");
}

/* --- the table ------------------------------------------------------ */

struct step_kind {
	/* PEER stands for client, server, client-data or server-data. */
	const char *words;
	unsigned int args_min;
	unsigned int args_max;
	void (*run)(struct run *r, struct peer *p, struct args a);
	bool looks; /* does nothing, and is no part of a run with failures */
};

static const struct step_kind kinds[] = {
	{"client connects", 0, 0, do_connect, false},
	{"client-data connects", 0, 3, step_client_data, false},
	{"server-data connects", 0, 3, step_server_data, false},
	{"addresses", 1, 1, do_addresses, false},
	{"PEER>", 1, SCENARIO_WORDS, do_say, false},
	{"PEER ends", 0, 0, do_end, false},
	{"PEER closes", 0, 0, do_close, false},
	{"PEER resets", 0, 0, do_reset, false},
	{"PEER stops reading", 0, 0, do_stop_reading, false},
	{"PEER reads", 0, 1, do_read, false},
	{"connect", 1, 1, do_connect_how, false},
	{"scan clean", 0, 0, do_scan_clean, false},
	{"scan blocked", 0, 0, do_scan_blocked, false},
	{"scan not_scanned", 1, 1, do_scan_not, false},
	{"scan remembers", 0, 0, do_scan_remembers, false},
	{"scan waits", 0, 0, do_scan_waits, false},
	{"scan dies", 0, 0, do_scan_dies, false},
	{"scan returns", 0, 0, do_scan_returns, false},
	{"net silent", 0, 0, do_net_silent, false},
	{"net answers", 0, 0, do_net_answers, false},
	{"net refuses", 1, 1, do_net_refuses, false},
	{"net dies", 0, 0, do_net_dies, false},
	{"net returns", 0, 0, do_net_returns, false},
	{"stop", 1, 1, do_stop, false},
	{"time", 1, 1, do_time, false},
	{"disk", 1, 1, do_disk, false},
	{"sessions", 1, 1, do_sessions, false},
	{"buffer", 1, 1, do_buffer, false},
	{"fail", 2, 2, do_fail, false},
	{"mend", 1, 1, do_fail, false},
	{"client< response", 1, 1, expect_response, true},
	{"server< request", 1, 1, expect_request, true},
	{"PEER< field", 1, 1, expect_field, true},
	{"PEER< no field", 1, 1, expect_no_field, true},
	{"PEER< body", 0, SCENARIO_WORDS, expect_body, true},
	{"PEER< part", 0, SCENARIO_WORDS, expect_part, true},
	{"client< page", 0, 0, expect_page, true},
	{"PEER< from", 1, 1, expect_from, true},
	{"PEER< to", 1, 1, expect_to, true},
	{"PEER< text", 1, SCENARIO_WORDS, expect_text, true},
	{"PEER< nothing", 0, 0, expect_nothing, true},
	{"PEER< open", 0, 0, expect_open, true},
	{"PEER< end", 0, 0, expect_end, true},
	{"PEER< reset", 0, 0, expect_reset, true},
	{"no server", 0, 0, expect_no_server, true},
	{"event", 1, SCENARIO_WORDS, expect_event, true},
	{"no event", 0, 0, expect_no_event, true},
	{"scan< object", 0, SCENARIO_WORDS, expect_object, true},
	{"scan< cancel", 0, 0, expect_cancel, true},
};

/* Whom a step is about. */
enum who { CLIENT, SERVER, CLIENT_DATA, SERVER_DATA, WHO_COUNT };

static const char *const who_names[WHO_COUNT] = {"client", "server",
						 "client-data", "server-data"};

static struct peer *who_is(const struct gateway *g, enum who who)
{
	struct peer *const peers[WHO_COUNT] = {g->client, g->server,
					       g->client_data, g->server_data};

	return peers[who];
}

/* Whether @w is the pattern's word of @len bytes; it may name a peer. */
static bool fits(const struct word *w, const char *pattern, size_t len,
		 enum who *who)
{
	struct str rest = {pattern, len};

	if (w->quoted)
		return false;
	if (!str_starts(rest, STR("PEER")))
		return str_eq(w->text, rest);
	rest = (struct str){pattern + 4, len - 4};
	for (unsigned int i = 0; i < WHO_COUNT; i++) {
		struct str name = str_of(who_names[i]);

		if (w->text.len != name.len + rest.len ||
		    !str_starts(w->text, name) ||
		    memcmp(w->text.p + name.len, rest.p, rest.len) != 0)
			continue;
		*who = (enum who)i;
		return true;
	}
	return false;
}

/* The number of words that name the step, 0 when it is another one. */
static unsigned int matches(const struct step *s, const struct step_kind *k,
			    enum who *who)
{
	const char *p = k->words;
	unsigned int n = 0;

	*who = strncmp(p, "server", 6) == 0 ? SERVER : CLIENT;
	while (*p != '\0') {
		size_t len = strcspn(p, " ");

		if (n == s->nwords || !fits(&s->words[n], p, len, who))
			return 0;
		n++;
		p += len + (p[len] == ' ');
	}
	return n;
}

/* Whether the step has somebody to do it; a scenario that goes wrong has not */
static bool present(struct run *r, const struct step_kind *k,
		    const struct peer *p, enum who who)
{
	bool needed = strstr(k->words, "PEER") == k->words ||
		      strstr(k->words, "client<") == k->words ||
		      strstr(k->words, "server<") == k->words;

	if (!needed || p != NULL)
		return true;
	if (r->mode != RUN_FAULT)
		problem("there is no %s", who_names[who]);
	return false;
}

static void do_kind(struct run *r, const struct step_kind *k, enum who who,
		    struct args a, bool settle)
{
	struct peer *p = who_is(&r->gateway, who);

	if (a.n < k->args_min || a.n > k->args_max) {
		problem("wrong number of words for \"%s\"", k->words);
		return;
	}
	if (k->looks && r->mode == RUN_FAULT)
		return;
	if (!present(r, k, p, who))
		return;
	k->run(r, p, a);
	if (!k->looks && settle)
		gateway_settle(&r->gateway);
}

bool step_follows(const struct step *s)
{
	return s->nwords > 1 && is(&s->words[0], "and");
}

/* Without the "and" before it. */
static struct step plain(const struct step *s)
{
	struct step rest = *s;

	if (!step_follows(s))
		return rest;
	rest.nwords--;
	memmove(rest.words, s->words + 1, rest.nwords * sizeof(s->words[0]));
	return rest;
}

void step_do(struct run *r, const struct step *s, bool settle)
{
	struct step step = plain(s);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		enum who who;
		unsigned int n = matches(&step, &kinds[i], &who);

		if (n == 0)
			continue;
		do_kind(r, &kinds[i], who,
			(struct args){step.words + n, step.nwords - n}, settle);
		return;
	}
	problem("no such step");
}
