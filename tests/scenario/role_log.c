// SPDX-License-Identifier: GPL-2.0-or-later
#include "role_log.h"

#include <stdlib.h>
#include <string.h>

#include "problem.h"

void role_log_init(struct role_log *log)
{
	*log = (struct role_log){0};
	list_init(&log->events);
}

static void event_free(struct log_event *e)
{
	bytes_free(&e->packed);
	free(e);
}

bool role_log_drop(struct role_log *log)
{
	struct list *node = list_pop(&log->events);

	if (node != NULL)
		event_free(list_entry(node, struct log_event, node));
	return node != NULL;
}

void role_log_close(struct role_log *log)
{
	if (log->chan != NULL)
		chan_leave(log->chan);
	log->chan = NULL;
	while (role_log_drop(log))
		;
}

/* --- blocks --------------------------------------------------------- */

/* One event off the front of @packed. */
static void keep(struct role_log *log, struct bytes *packed, bool known)
{
	struct log_event *e = must_alloc(sizeof(*e));
	size_t n;

	bytes_add(&e->packed, bytes_head(packed), bytes_len(packed));
	n = event_unpack(bytes_head(&e->packed), bytes_len(&e->packed),
			 &e->event);
	if (n == 0)
		problem("an event can't be unpacked");
	bytes_drop(packed, n > 0 ? n : bytes_len(packed));
	if (known || n == 0)
		event_free(e);
	else
		list_add_tail(&log->events, &e->node);
}

static void take(struct role_log *log, struct sim_packet *p)
{
	struct msg_events block;
	struct msg_events_stored stored;

	bytes_drop(&p->bytes, sizeof(struct msg_header));
	(void)bytes_take(&p->bytes, &block, sizeof(block));
	if (block.first > log->next)
		problem("events were left out between %llu and %llu",
			(unsigned long long)log->next,
			(unsigned long long)block.first);
	/* A block that was sent to one that died comes again. */
	for (uint64_t n = block.first; bytes_len(&p->bytes) > 0; n++) {
		keep(log, &p->bytes, n < log->next);
		if (n >= log->next)
			log->next = n + 1;
	}
	stored.instance = block.instance;
	stored.next = log->next;
	chan_tell(log->chan, MSG_EVENTS_STORED, &stored, sizeof(stored), NULL,
		  0);
}

bool role_log_turn(struct role_log *log)
{
	struct sim_packet *p;
	bool progress = false;

	while (log->chan != NULL && (p = chan_hear(log->chan)) != NULL) {
		take(log, p);
		sim_packet_free(p);
		progress = true;
	}
	return progress;
}

/* --- what an event says --------------------------------------------- */

static void put_verdict(const struct event *ev, struct strbuf *sb)
{
	strbuf_puts(sb, verdict_name(ev->verdict));
}

static void put_reason(const struct event *ev, struct strbuf *sb)
{
	strbuf_puts(sb, ev->reason == REASON_NONE
				? "none"
				: verdict_reason_name(ev->reason));
}

static void put_status(const struct event *ev, struct strbuf *sb)
{
	strbuf_printf(sb, "%u", ev->status);
}

static void put_protocol(const struct event *ev, struct strbuf *sb)
{
	static const char *const names[EVENT_PROTOCOL_COUNT] = {
		[EVENT_HTTP] = "http",
		[EVENT_TUNNEL] = "tunnel",
		[EVENT_FTP] = "ftp",
	};

	strbuf_puts(sb, names[ev->protocol]);
}

static void put_stopped(const struct event *ev, struct strbuf *sb)
{
	strbuf_puts(sb, ev->stopped ? "yes" : "no");
}

static void put_upload(const struct event *ev, struct strbuf *sb)
{
	strbuf_puts(sb, ev->upload ? "yes" : "no");
}

static void put_method(const struct event *ev, struct strbuf *sb)
{
	strbuf_str(sb, ev->method);
}

static void put_url(const struct event *ev, struct strbuf *sb)
{
	strbuf_str(sb, ev->url);
}

static void put_name(const struct event *ev, struct strbuf *sb)
{
	strbuf_str(sb, ev->name);
}

static void put_rule(const struct event *ev, struct strbuf *sb)
{
	strbuf_str(sb, ev->rule);
}

static void put_user(const struct event *ev, struct strbuf *sb)
{
	strbuf_str(sb, ev->user);
}

static void put_in(const struct event *ev, struct strbuf *sb)
{
	strbuf_printf(sb, "%llu", (unsigned long long)ev->bytes_in);
}

static void put_out(const struct event *ev, struct strbuf *sb)
{
	strbuf_printf(sb, "%llu", (unsigned long long)ev->bytes_out);
}

static const struct {
	const char *name;
	void (*put)(const struct event *ev, struct strbuf *sb);
} fields[] = {
	{"protocol", put_protocol}, {"verdict", put_verdict},
	{"reason", put_reason},	    {"status", put_status},
	{"stopped", put_stopped},   {"upload", put_upload},
	{"method", put_method},	    {"url", put_url},
	{"name", put_name},	    {"rule", put_rule},
	{"user", put_user},	    {"bytes_in", put_in},
	{"bytes_out", put_out},
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

bool log_event_field(const struct event *ev, struct str name,
		     struct strbuf *value)
{
	for (size_t i = 0; i < FIELDS; i++) {
		if (!str_eq(name, str_of(fields[i].name)))
			continue;
		fields[i].put(ev, value);
		return true;
	}
	return false;
}

void log_event_describe(const struct event *ev, struct strbuf *sb)
{
	for (size_t i = 0; i < FIELDS; i++) {
		strbuf_printf(sb, " %s=", fields[i].name);
		fields[i].put(ev, sb);
	}
}
