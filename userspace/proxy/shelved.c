// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests for objects on the shelf: what a progress page offered. They come
 * under the origin server's name, so that a browser takes the object for that
 * server's, and never reach it.
 */
#include <stdlib.h>
#include <string.h>

#include "proxy/http.h"

/* RFC 8615 keeps these paths free of what servers have. */
#define PREFIX	  "/.well-known/sluice/"
#define HEX	  (2 * MSG_TOKEN)
#define FILE_NAME 100 /* bytes of it in the path */

_Static_assert(sizeof(PREFIX) + HEX + 1 + FILE_NAME <= SHELVED_PATH_MAX,
	       "SHELVED_PATH_MAX is too small");

struct shelved {
	struct exchange *exchange;
	struct shelf_ask ask;
};

/* --- paths ----------------------------------------------------------------- */

/* The last segment of the path: browsers name the file after it. */
static struct str file_name(struct str url)
{
	size_t end = 0, start;

	while (end < url.len && url.p[end] != '?' && url.p[end] != '#')
		end++;
	start = end;
	while (start > 0 && url.p[start - 1] != '/')
		start--;
	return (struct str){url.p + start, end - start};
}

/* Only what needs no escaping in a path, nor in HTML. */
static char plain(char c)
{
	bool is = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		  (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
		  c == '~' || c == '%';

	if (!is)
		c = '_';
	return c;
}

void shelved_path(char *dst, size_t size, const uint8_t token[MSG_TOKEN],
		  struct str url)
{
	struct str name = file_name(url);
	struct strbuf sb;

	strbuf_init(&sb, dst, size);
	strbuf_puts(&sb, PREFIX);
	strbuf_hex(&sb, token, MSG_TOKEN);
	strbuf_putc(&sb, '/');
	if (name.len > FILE_NAME) {
		/* The end has the extension. */
		name.p += name.len - FILE_NAME;
		name.len = FILE_NAME;
	}
	for (size_t i = 0; i < name.len; i++)
		strbuf_putc(&sb, plain(name.p[i]));
	if (name.len == 0)
		strbuf_puts(&sb, "download");
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False: @path is another one. */
static bool path_token(struct str path, uint8_t token[MSG_TOKEN])
{
	struct str prefix = STR(PREFIX);

	if (path.len < prefix.len + HEX + 1 || !str_starts(path, prefix) ||
	    path.p[prefix.len + HEX] != '/')
		return false;
	for (size_t i = 0; i < MSG_TOKEN; i++) {
		int high = digit(path.p[prefix.len + 2 * i]);
		int low = digit(path.p[prefix.len + 2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		token[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* --- the answer ------------------------------------------------------------ */

static bool put_head(struct exchange *x, const struct msg_shelve *item)
{
	char text[MSG_FIELDS + 256];
	struct strbuf sb;

	strbuf_init(&sb, text, sizeof(text));
	strbuf_puts(&sb, "HTTP/1.1 200 OK\r\n");
	strbuf_puts(&sb, item->fields);
	strbuf_printf(&sb,
		      "Content-Length: %llu\r\n"
		      "Cache-Control: no-store\r\n%s\r\n",
		      (unsigned long long)item->size,
		      x->keep_client ? "" : "Connection: close\r\n");
	return pool_buf_get(&exchange_relay(x)->buffers, &x->held, sb.len) &&
	       buf_append(&x->held, text, sb.len);
}

/* Its verdict is the one that it was put there with. */
static void take_verdict(struct exchange *x, const struct msg_shelve *item)
{
	x->check.state = CHECK_DONE;
	x->body = (struct exchange_body){.has_hash = true};
	memcpy(x->body.sha256, item->sha256, sizeof(x->body.sha256));
	x->check.result = (struct vcache_entry){.verdict = item->verdict,
						.reason = item->reason};
	exchange_decide(x, x->check.result.verdict, x->check.result.reason, "",
			false);
	x->told = x->body;
	if (x->check.result.verdict == VERDICT_NOT_SCANNED)
		x->down_unscanned = x->check.result.reason;
}

/* The body comes from the shelf instead of the origin server. */
static void start(struct exchange *x, const struct msg_shelve *item, int fd)
{
	struct session *s = x->session;
	struct object *object =
		object_of_file(&exchange_relay(x)->objects, fd, item->size);

	if (object == NULL || !put_head(x, item)) {
		object_free(object);
		exchange_abort(x, CLOSE_NO_RESOURCES);
		return;
	}
	if (x->method == HTTP1_HEAD) {
		object_free(object);
		object = NULL;
	}
	take_verdict(x, item);
	transfer_start(&x->down, &s->server, &s->client, HTTP1_BODY_NONE, 0,
		       HTTP1_BODY_LENGTH, object);
	x->status = 200;
	x->request = REQUEST_DONE;
	x->response = RESPONSE_BODY;
	if (object == NULL) {
		x->started = true;
		exchange_release_head(x, &s->client);
	}
	exchange_set_deadline(x);
}

static void on_answer(struct shelf_ask *ask)
{
	struct exchange *x = list_entry(ask, struct shelved, ask)->exchange;
	struct session *s = x->session;

	if (ask->ok) {
		start(x, &ask->item, ask->fd);
	} else {
		exchange_decide(x, x->verdict, REASON_EXPIRED, "", false);
		reply_page(x, 410);
	}
	if (!s->dead)
		s->protocol->run(s);
}

bool shelved_asked(struct exchange *x, const struct http1_request *req)
{
	uint8_t token[MSG_TOKEN];

	if ((req->method != HTTP1_GET && req->method != HTTP1_HEAD) ||
	    !check_scanning(x->session) || !path_token(req->path, token))
		return false;
	x->shelved = calloc(1, sizeof(*x->shelved));
	if (x->shelved == NULL) {
		exchange_abort(x, CLOSE_NO_RESOURCES);
		return true;
	}
	x->shelved->exchange = x;
	x->request = REQUEST_SHELF;
	x->keep_client = x->client_keep_alive && x->up.in_done &&
			 !x->client_http10;
	shelf_ask_init(&x->shelved->ask, on_answer);
	shelf_ask_want(&exchange_relay(x)->scanner.shelf, &x->shelved->ask,
		       token, &x->session->client_addr.addr);
	exchange_set_deadline(x);
	return true;
}

void shelved_end(struct exchange *x)
{
	if (x->shelved == NULL)
		return;
	shelf_ask_cancel(&x->shelved->ask);
	free(x->shelved);
	x->shelved = NULL;
}
