// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "problem.h"
#include "run.h"

/* Of what came, in a message. */
#define SHOWN 300

/* --- where the script is -------------------------------------------- */

static struct str unseen(const struct peer *p)
{
	return str_from(bytes_str(&p->got), p->seen);
}

/* Read the message at hand again: more of it may be there. */
static void look(struct peer *p)
{
	message_free(&p->message);
	message_read(&p->message, unseen(p), p->end == TCP_FIN, p->client,
		     p->client &&
			     requests_ask_head(peer_requests(p), p->answers));
}

/* The message that was looked at is done with. */
static void move_on(struct peer *p)
{
	if (!p->looking)
		return;
	look(p);
	p->seen += p->message.len;
	p->answers += p->message.status >= 200;
	p->looking = false;
	message_free(&p->message);
}

static const char *end_name(const struct peer *p)
{
	static const char *const names[] = {
		[TCP_NO_END] = "", [TCP_FIN] = " END", [TCP_RST] = " RESET"};

	return names[p->end];
}

static void put_shown(struct strbuf *sb, struct str s)
{
	strbuf_printf(sb, "%zu bytes \"", s.len);
	strbuf_printable(sb, (struct str){s.p, s.len < SHOWN ? s.len : SHOWN});
	strbuf_puts(sb, s.len > SHOWN ? "...\"" : "\"");
}

/* @what was expected, and this came. */
static void unlike(const struct peer *p, const char *what, struct str came)
{
	char text[4 * SHOWN + 64];
	struct strbuf sb;

	strbuf_init(&sb, text, sizeof(text));
	put_shown(&sb, came);
	problem("expected %s, came %s%s", what, text, end_name(p));
}

/* --- heads ---------------------------------------------------------- */

static bool next_head(struct peer *p, const char *what)
{
	move_on(p);
	look(p);
	p->looking = p->message.state != MESSAGE_NONE;
	if (!p->looking)
		unlike(p, what, unseen(p));
	return p->looking;
}

void expect_response(struct run *r, struct peer *p, struct args a)
{
	char want[8], status[8];

	(void)r;
	(void)str_copy_view(want, sizeof(want), a.word[0].text);
	if (!next_head(p, "a response"))
		return;
	snprintf(status, sizeof(status), "%u", p->message.status);
	if (strcmp(want, status) != 0)
		unlike(p, want, p->message.head);
}

void expect_request(struct run *r, struct peer *p, struct args a)
{
	(void)r;
	if (next_head(p, "a request") &&
	    !str_eq(message_line(&p->message), a.word[0].text))
		unlike(p, "another request", p->message.head);
}

void expect_field(struct run *r, struct peer *p, struct args a)
{
	const char *colon = memchr(a.word[0].text.p, ':', a.word[0].text.len);
	struct str name, value;

	(void)r;
	if (colon == NULL || !p->looking) {
		problem("want NAME: VALUE, and a message before it");
		return;
	}
	name = (struct str){a.word[0].text.p,
			    (size_t)(colon - a.word[0].text.p)};
	value = (struct str){colon + 1, a.word[0].text.len - name.len - 1};
	look(p);
	if (!str_eq(message_field(&p->message, name), str_trim(value)))
		unlike(p, "this field", p->message.head);
}

void expect_no_field(struct run *r, struct peer *p, struct args a)
{
	(void)r;
	look(p);
	if (message_field(&p->message, a.word[0].text).p != NULL)
		unlike(p, "no such field", p->message.head);
}

/* --- bodies --------------------------------------------------------- */

/* Of a message, or all that comes over a data connection: its end is the mark. */
static void look_at_body(struct peer *p)
{
	struct message *m = &p->message;

	if (!p->data) {
		look(p);
		m->state = p->looking ? m->state : MESSAGE_NONE;
		return;
	}
	message_free(m);
	bytes_add(&m->body, bytes_head(&p->got), bytes_len(&p->got));
	m->state = p->end == TCP_FIN ? MESSAGE_WHOLE : MESSAGE_CUT;
	p->seen = bytes_len(&p->got);
}

void expect_body(struct run *r, struct peer *p, struct args a)
{
	struct bytes want = {0};

	(void)r;
	if (!scenario_content(a.word, a.n, &want))
		return;
	look_at_body(p);
	if (p->message.state != MESSAGE_WHOLE)
		unlike(p, "a whole body", bytes_str(&p->message.body));
	else if (!str_eq(bytes_str(&p->message.body), bytes_str(&want)))
		unlike(p, "another body", bytes_str(&p->message.body));
	bytes_free(&want);
}

void expect_part(struct run *r, struct peer *p, struct args a)
{
	struct bytes want = {0};

	(void)r;
	if (!scenario_content(a.word, a.n, &want))
		return;
	look_at_body(p);
	if (p->message.state != MESSAGE_CUT ||
	    bytes_len(&p->message.body) == bytes_len(&want) ||
	    (bytes_len(&p->message.body) == 0) != (a.n == 0) ||
	    !str_starts(bytes_str(&want), bytes_str(&p->message.body)))
		unlike(p, "the start of a body", bytes_str(&p->message.body));
	bytes_free(&want);
}

void expect_page(struct run *r, struct peer *p, struct args a)
{
	(void)r, (void)a;
	look(p);
	if (!p->looking || p->message.state != MESSAGE_WHOLE ||
	    !str_starts(bytes_str(&p->message.body), STR(OWN_PAGE)))
		unlike(p, "a page", bytes_str(&p->message.body));
}

/* --- plain bytes, and ends ------------------------------------------ */

void expect_text(struct run *r, struct peer *p, struct args a)
{
	struct bytes want = {0};

	(void)r;
	if (!scenario_content(a.word, a.n, &want))
		return;
	move_on(p);
	if (str_starts(unseen(p), bytes_str(&want)))
		p->seen += bytes_len(&want);
	else
		unlike(p, "this text", unseen(p));
	bytes_free(&want);
}

void expect_nothing(struct run *r, struct peer *p, struct args a)
{
	(void)r, (void)a;
	move_on(p);
	if (unseen(p).len > 0)
		unlike(p, "nothing", unseen(p));
}

static void expect_end_as(const struct peer *p, enum tcp_end end,
			  const char *what)
{
	if (p->end != end)
		unlike(p, what, unseen(p));
}

void expect_open(struct run *r, struct peer *p, struct args a)
{
	(void)r, (void)a;
	expect_end_as(p, TCP_NO_END, "no end");
}

void expect_end(struct run *r, struct peer *p, struct args a)
{
	(void)r, (void)a;
	expect_end_as(p, TCP_FIN, "the end");
}

void expect_reset(struct run *r, struct peer *p, struct args a)
{
	(void)r, (void)a;
	expect_end_as(p, TCP_RST, "a reset");
}

void expect_no_server(struct run *r, struct peer *p, struct args a)
{
	(void)p, (void)a;
	if (r->gateway.server != NULL)
		problem("a server was connected to");
}

/* --- roles ---------------------------------------------------------- */

/* NAME=VALUE */
static void expect_said(const struct event *ev, struct str word)
{
	const char *is = memchr(word.p, '=', word.len);
	char said[400], all[800];
	struct strbuf value, sb;
	struct str name;

	if (is == NULL) {
		problem("want NAME=VALUE");
		return;
	}
	name = (struct str){word.p, (size_t)(is - word.p)};
	strbuf_init(&value, said, sizeof(said));
	strbuf_init(&sb, all, sizeof(all));
	log_event_describe(ev, &sb);
	if (!log_event_field(ev, name, &value))
		problem("an event has no %.*s", (int)name.len, name.p);
	else if (!str_eq(str_of(said),
			 (struct str){is + 1, word.len - name.len - 1}))
		problem("expected %.*s, came%s", (int)word.len, word.p, all);
}

void expect_event(struct run *r, struct peer *p, struct args a)
{
	struct role_log *log = &r->gateway.log;
	struct log_event *e;

	(void)p;
	/* They leave a tenth of a second later, several at once. */
	if (list_empty(&log->events))
		gateway_pass(&r->gateway, 120);
	if (list_empty(&log->events)) {
		problem("expected an event, came none");
		return;
	}
	e = list_entry(log->events.next, struct log_event, node);
	for (unsigned int i = 0; i < a.n; i++)
		expect_said(&e->event, a.word[i].text);
	(void)role_log_drop(log);
}

void expect_no_event(struct run *r, struct peer *p, struct args a)
{
	const struct role_log *log = &r->gateway.log;
	char all[800];
	struct strbuf sb;

	(void)p, (void)a;
	gateway_pass(&r->gateway, 120);
	if (list_empty(&log->events))
		return;
	strbuf_init(&sb, all, sizeof(all));
	log_event_describe(
		&list_entry(log->events.next, struct log_event, node)->event,
		&sb);
	problem("expected no event, came%s", all);
}

void expect_object(struct run *r, struct peer *p, struct args a)
{
	const struct role_scan *scan = &r->gateway.scan;
	const struct list *last = !list_empty(&scan->waiting)
					  ? scan->waiting.prev
					  : scan->judged.prev;
	struct bytes want = {0};

	(void)p;
	if (last == &scan->judged)
		problem("expected a scan, came none");
	else if (scenario_content(a.word, a.n, &want) &&
		 !str_eq(bytes_str(&list_entry(last, struct scan_object, node)
					    ->content),
			 bytes_str(&want)))
		problem("another object came for the scan");
	bytes_free(&want);
}

void expect_cancel(struct run *r, struct peer *p, struct args a)
{
	(void)p, (void)a;
	if (r->gateway.scan.cancelled == 0)
		problem("no scan was cancelled");
	else
		r->gateway.scan.cancelled--;
}

/* --- the end -------------------------------------------------------- */

void expect_no_rest(struct run *r)
{
	struct gateway *g = &r->gateway;
	struct args none = {NULL, 0};
	const struct list *pos;

	expect_no_event(r, NULL, none);
	list_for_each(pos, &g->peers) {
		struct peer *p = list_entry(pos, struct peer, node);

		if (p->data || p == g->client || p == g->server)
			expect_nothing(r, p, none);
	}
	if (g->scan.cancelled > 0)
		problem("a scan was cancelled");
}
