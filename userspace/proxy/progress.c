// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A page for somebody who waits. A download that a person started in a browser
 * and that takes longer than delivery.progress_after is not let out early:
 * the browser gets a page that stays open and shows how far it is, and when
 * there is a verdict, the object, from the shelf (shelf.h), or the reason why
 * not. Scripts, download managers and the parts of pages don't see any of it:
 * they get their objects as with delivery.mode = tail.
 *
 * Fails closed: nothing of the object leaves on this connection.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "proto/navigation.h"
#include "proxy/eventlog.h"
#include "proxy/http.h"
#include "render/progress.h"

#define TICK_MS 1000

enum progress_state {
	PROGRESS_HIDDEN,
	PROGRESS_SHOWN,
	PROGRESS_SHELVING, /* the shelf is asked to take the object */
	PROGRESS_OVER	   /* the end of the page is on its way */
};

struct progress {
	struct exchange *exchange;
	enum progress_state state;
	uint64_t due_ms;
	uint64_t total;
	uint64_t seen;	  /* bytes that were here at the last look */
	uint64_t seen_ms; /* when they were more than before */
	struct shelf_ask ask;
	bool answered;
};

bool progress_wanted(const struct exchange *x, const struct http1_request *req)
{
	/* A page that goes on as it comes needs chunks: not for HTTP/1.0. */
	return x->delivery == DELIVERY_PROGRESS && req->head.minor > 0 &&
	       navigation_of(req);
}

/* --- its life -------------------------------------------------------------- */

static void on_shelved(struct shelf_ask *ask)
{
	struct progress *p = list_entry(ask, struct progress, ask);
	struct session *s = p->exchange->session;

	p->answered = true;
	s->protocol->run(s);
}

/* The fields that say what the object is, as the client would have got them. */
static bool keep_fields(struct msg_shelve *item, const struct http1_head *head)
{
	static const struct str names[] = {
		STR("Content-Type"), STR("Content-Disposition"),
		STR("Content-Encoding"), STR("Content-Language"),
		STR("Last-Modified")};
	struct strbuf sb;

	strbuf_init(&sb, item->fields, sizeof(item->fields));
	for (unsigned int i = 0; i < head->nfields; i++) {
		const struct http1_field *f = &head->fields[i];

		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
			if (!str_eq_nocase(f->name, names[k]))
				continue;
			strbuf_str(&sb, f->name);
			strbuf_puts(&sb, ": ");
			strbuf_str(&sb, f->value);
			strbuf_puts(&sb, "\r\n");
		}
	}
	return !sb.cut;
}

void progress_begin(struct exchange *x, const struct http1_response *res)
{
	struct progress *p;

	/* Without a length nobody can tell how far it is. */
	if (!x->navigation || res->status != 200 ||
	    res->head.framing != HTTP1_BODY_LENGTH ||
	    !navigation_is_download(res))
		return;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return; /* as with mode tail, then */
	p->exchange = x;
	p->total = res->head.length;
	p->seen_ms = exchange_now(x);
	p->due_ms = x->sent_ms + exchange_config(x)->delivery.progress_after;
	shelf_ask_init(&p->ask, on_shelved);
	if (!keep_fields(&p->ask.item, &res->head) ||
	    getrandom(p->ask.item.token, MSG_TOKEN, 0) != MSG_TOKEN)
		free(p);
	else
		x->progress = p;
}

void progress_end(struct exchange *x)
{
	if (x->progress == NULL)
		return;
	shelf_ask_cancel(&x->progress->ask);
	free(x->progress);
	x->progress = NULL;
}

bool progress_shown(const struct exchange *x)
{
	return x->progress != NULL && (x->progress->state == PROGRESS_SHOWN ||
				       x->progress->state == PROGRESS_SHELVING);
}

uint64_t progress_due(const struct exchange *x)
{
	if (x->progress == NULL || x->progress->state >= PROGRESS_SHELVING)
		return UINT64_MAX;
	return x->progress->due_ms;
}

uint64_t progress_limit(const struct exchange *x)
{
	uint64_t idle = exchange_config(x)->http.idle_timeout;

	return x->check.state == CHECK_WANTED ? x->progress->seen_ms + idle
					      : exchange_now(x) + idle;
}

/* --- the page -------------------------------------------------------------- */

/* One chunk (RFC 9112 7.1). */
static bool put_chunk(struct side *to, const char *p, size_t len)
{
	char size[24];
	int n = snprintf(size, sizeof(size), "%zx\r\n", len);

	return side_out_room(to, len + (size_t)n + 2) &&
	       buf_append(&to->out, size, (size_t)n) &&
	       buf_append(&to->out, p, len) && buf_append(&to->out, "\r\n", 2);
}

static bool put_head(const struct exchange *x, struct side *to)
{
	char head[256];
	struct strbuf sb;

	strbuf_init(&sb, head, sizeof(head));
	strbuf_puts(&sb, "HTTP/1.1 200 OK\r\n"
			 "Content-Type: text/html; charset=utf-8\r\n"
			 "Transfer-Encoding: chunked\r\n"
			 "Cache-Control: no-store\r\n"
			 "X-Content-Type-Options: nosniff\r\n");
	strbuf_puts(&sb, x->keep_client ? "\r\n" : "Connection: close\r\n\r\n");
	return side_out_room(to, sb.len) && buf_append(&to->out, head, sb.len);
}

static bool put_state(struct exchange *x)
{
	char piece[PROGRESS_PIECE_MAX];
	struct strbuf sb;

	strbuf_init(&sb, piece, sizeof(piece));
	progress_state(&sb, x->down.received, x->progress->total);
	return put_chunk(&x->session->client, piece, sb.len);
}

static bool put_page(struct exchange *x)
{
	struct side *client = &x->session->client;
	char script[PROGRESS_PIECE_MAX];
	struct strbuf sb;
	size_t len = 0;
	char *page = reply_render(x, exchange_config(x)->page_progress, &len);
	bool done;

	strbuf_init(&sb, script, sizeof(script));
	progress_start(&sb);
	done = page != NULL && put_head(x, client) &&
	       put_chunk(client, page, len) &&
	       put_chunk(client, script, sb.len) && put_state(x);
	free(page);
	return done;
}

static void show(struct exchange *x)
{
	pool_buf_put(&exchange_relay(x)->buffers, &x->held);
	x->started = true;
	x->progress->state = PROGRESS_SHOWN;
	if (!put_page(x))
		exchange_abort(x, CLOSE_NO_RESOURCES);
}

void progress_tick(struct exchange *x)
{
	struct session *s = x->session;
	struct progress *p = x->progress;
	bool more;

	if (p == NULL || p->due_ms > exchange_now(x))
		return;
	more = x->down.received > p->seen;
	p->due_ms = exchange_now(x) + TICK_MS;
	if (more) {
		p->seen = x->down.received;
		p->seen_ms = exchange_now(x);
	}
	if (p->state == PROGRESS_HIDDEN && !x->started &&
	    x->response == RESPONSE_BODY)
		show(x);
	/* A client that doesn't read gets the next one. */
	else if (p->state == PROGRESS_SHOWN && more && side_flushed(&s->client))
		(void)put_state(x);
	if (!s->dead)
		session_again(s);
}

/* --- its end --------------------------------------------------------------- */

/* The last chunk; then there is nothing left but to send it. */
static void finish(struct exchange *x, const struct strbuf *piece)
{
	struct side *client = &x->session->client;

	x->progress->state = PROGRESS_OVER;
	x->status = 200; /* of the page */
	x->response = RESPONSE_REPLY;
	exchange_log(x, buf_len(&client->out) + piece->len);
	if (!put_chunk(client, piece->data, piece->len) ||
	    !side_out_room(client, 5) ||
	    !buf_append(&client->out, "0\r\n\r\n", 5))
		exchange_abort(x, CLOSE_NO_RESOURCES);
	else
		exchange_set_deadline(x);
}

void progress_refuse_object(struct exchange *x)
{
	bool blocked = x->verdict == VERDICT_BLOCKED || x->stopped;
	char piece[PROGRESS_PIECE_MAX], event[EVENT_ID_MAX];
	struct strbuf sb;

	/* The shelf may still be asked, for an object that goes now. */
	shelf_ask_cancel(&x->progress->ask);
	reply_drop_upstream(x);
	x->server_keep_alive = false;
	strbuf_init(&sb, piece, sizeof(piece));
	progress_refuse(&sb,
			blocked ? "Your download was blocked"
				: "Your download failed",
			verdict_reason_sentence(x->reason),
			eventlog_next_id(&exchange_relay(x)->events, event,
					 sizeof(event)));
	finish(x, &sb);
}

static void offer(struct exchange *x)
{
	const struct msg_shelve *item = &x->progress->ask.item;
	char piece[PROGRESS_PIECE_MAX], path[SHELVED_PATH_MAX];
	struct strbuf sb;

	strbuf_init(&sb, piece, sizeof(piece));
	shelved_path(path, sizeof(path), item->token, x->url);
	progress_offer(&sb,
		       item->verdict == VERDICT_CLEAN
			       ? "Nothing harmful was found."
			       : verdict_reason_sentence(item->reason),
		       path);
	exchange_end_bodies(x);
	finish(x, &sb);
}

/* Ask the shelf; false when there is nothing that could be given to it. */
static bool shelve(struct exchange *x)
{
	struct msg_shelve *item = &x->progress->ask.item;
	int fd;

	if (!x->down.object->finished)
		return false; /* it could not be stored to its end */
	fd = object_descriptor(x->down.object);
	if (fd < 0)
		return false;
	item->size = x->down.object->size;
	item->verdict = x->check.result.verdict;
	item->reason = x->check.result.reason;
	item->client = x->session->client_addr.addr;
	memcpy(item->sha256, x->down.object->sha256, sizeof(item->sha256));
	shelf_ask_put(&exchange_relay(x)->scanner.shelf, &x->progress->ask, fd);
	return true;
}

bool progress_deliver(struct exchange *x)
{
	struct progress *p = x->progress;

	if (x->check.state != CHECK_DONE ||
	    (p->state == PROGRESS_SHELVING && !p->answered))
		return false;
	if (p->state == PROGRESS_SHOWN && shelve(x)) {
		p->state = PROGRESS_SHELVING;
		return false;
	}
	if (p->ask.ok) {
		offer(x);
		return true;
	}
	exchange_decide(x, VERDICT_NOT_SCANNED,
			p->answered ? REASON_SCANNER_FAILED : REASON_STORAGE,
			"delivery.mode", true);
	progress_refuse_object(x);
	return true;
}
