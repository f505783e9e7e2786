// SPDX-License-Identifier: GPL-2.0-or-later
/* The request's way to the origin server. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/http1_write.h"
#include "proxy/http.h"

/* What our own fields may add to a head. */
#define HEAD_EXTRA 512

/* --- what the event and the pages tell about it -------------------- */

/*
 * The URL as the client meant it: with the authority it named (or the address
 * that it dialled, if it named none), never one that was looked up.
 */
static bool remember_text(struct exchange *x, const struct http1_request *req)
{
	struct strbuf sb;
	size_t size =
		req->method_text.len + 2 * req->host.len + req->path.len + 16;

	x->text = malloc(size);
	if (x->text == NULL)
		return false;
	strbuf_init(&sb, x->text, size);
	strbuf_str(&sb, req->method_text);
	x->method_text = (struct str){x->text, sb.len};
	x->host = (struct str){x->text + sb.len, req->host.len};
	strbuf_str(&sb, req->host);
	x->url.p = x->text + sb.len;
	strbuf_puts(&sb, "http://");
	strbuf_str(&sb, req->host);
	strbuf_str(&sb, req->path);
	x->url.len = (size_t)(x->text + sb.len - x->url.p);
	return true;
}

bool http_is_websocket(const struct http1_head *head)
{
	const struct http1_field *only = NULL;

	for (unsigned int i = 0; i < head->nfields; i++) {
		if (head->fields[i].id != HTTP1_F_UPGRADE)
			continue;
		if (only != NULL)
			return false;
		only = &head->fields[i];
	}
	return only != NULL && head->upgrade &&
	       head->framing == HTTP1_BODY_NONE &&
	       str_eq_nocase(only->value, STR("websocket"));
}

static bool remember(struct exchange *x, const struct http1_request *req)
{
	x->method = req->method;
	x->client_http10 = req->head.minor == 0;
	x->client_keep_alive = req->head.keep_alive;
	x->expect_continue = req->expect_continue && !x->client_http10;
	/* Any other Upgrade is left out: the exchange stays HTTP/1.1. */
	x->upgrade = http_is_websocket(&req->head);
	x->navigation = progress_wanted(x, req);
	return remember_text(x, req);
}

/* --- decisions ----------------------------------------------------- */

/* True when we answer the request ourselves. */
static bool refused(struct exchange *x, const struct http1_request *req)
{
	if (req->method == HTTP1_CONNECT) {
		exchange_decide(x, VERDICT_BLOCKED, REASON_METHOD, "http",
				true);
		reply_page(x, 405);
		return true;
	}
	if (check_scanning(x->session) && verdict_url_infected(x, req)) {
		reply_page(x, 403);
		return true;
	}
	return range_refused(x, req);
}

/* Whether the body is received and scanned before any of it is sent. */
static bool check_upload(struct exchange *x, const struct http1_head *head)
{
	const struct http1_field *type;
	struct str boundary = {NULL, 0};
	bool form;

	if (!check_scanning(x->session) || head->framing == HTTP1_BODY_NONE ||
	    (head->framing == HTTP1_BODY_LENGTH && head->length == 0))
		return false;
	type = http1_field(head, HTTP1_F_CONTENT_TYPE);
	form = type != NULL && multipart_boundary(type->value, &boundary);
	if (type != NULL)
		str_copy_view(x->body.content_type,
			      sizeof(x->body.content_type), type->value);
	verdict_begin(x, true, &head->codings, boundary);
	if (form && boundary.len == 0)
		check_not_scanned(&x->check, REASON_MULTIPART);
	else if (head->framing == HTTP1_BODY_LENGTH &&
		 head->length > exchange_config(x)->scan.max_object)
		check_not_scanned(&x->check, REASON_SIZE);
	return true;
}

/* --- begin --------------------------------------------------------- */

static bool write_head(struct exchange *x, const struct http1_request *req,
		       size_t len)
{
	struct http1_out out = {
		.framing = req->head.framing,
		.length = req->head.length,
		.keep_alive = true,
		.upgrade = x->upgrade,
		/*
		 * A part of an object can't be judged, so the whole is asked
		 * for, in codings that the scanner can undo; range.c takes the
		 * part out of it.
		 */
		.drop_range = check_scanning(x->session),
		.limit_codings = check_scanning(x->session),
		.drop_expect = x->check.state == CHECK_WANTED,
	};

	return pool_buf_get(&exchange_relay(x)->buffers, &x->held,
			    len + HEAD_EXTRA) &&
	       http1_write_request(&x->held, req, &out);
}

static void start_body(struct exchange *x, const struct http1_head *head)
{
	struct session *s = x->session;
	struct object *object = NULL;
	bool store = x->check.state == CHECK_WANTED;

	if (store)
		object = object_new(&exchange_relay(x)->objects, head->length);
	if (store && object == NULL) {
		check_not_scanned(&x->check, REASON_STORAGE);
		if (!check_lets_through(&x->check)) {
			reply_page(x, 403);
			return;
		}
	}
	transfer_start(&x->up, &s->client, &s->server, head->framing,
		       head->length, head->framing, object);
	x->request = object != NULL ? REQUEST_STORE : REQUEST_CONNECT;
	x->sent_ms = exchange_now(x); /* connecting starts now, or later */
	exchange_set_deadline(x);
	/* The origin server is not asked for it any more. */
	if (store && x->expect_continue && !reply_continue(x))
		exchange_abort(x, CLOSE_NO_RESOURCES);
}

void request_begin(struct exchange *x, size_t len)
{
	struct http1_request *req = &exchange_relay(x)->request;
	char address[IP_TEXT_MAX];

	if (req->host.len == 0) {
		/* HTTP/1.0 without Host: the origin server is what it dialled. */
		ip_endpoint_format(&x->session->server_addr, address,
				   sizeof(address));
		req->host = str_of(address);
	}
	if (!remember(x, req)) {
		exchange_abort(x, CLOSE_NO_RESOURCES);
		return;
	}
	/* Until start_body() nobody knows whether a body waits to be read. */
	x->up.in_done = req->head.framing == HTTP1_BODY_NONE;
	if (refused(x, req) || shelved_asked(x, req))
		return;
	if (check_upload(x, &req->head) && x->check.state == CHECK_DONE &&
	    !check_lets_through(&x->check)) {
		reply_page(x, 403);
		return;
	}
	if (!write_head(x, req, len)) {
		exchange_abort(x, CLOSE_NO_RESOURCES);
		return;
	}
	start_body(x, &req->head);
}

/* --- storing an upload --------------------------------------------- */

/* The client broke its own request off, or broke its framing. */
static bool upload_broken(struct exchange *x)
{
	if (x->up.bad != HTTP1_OK) {
		exchange_decide(x, VERDICT_BLOCKED, REASON_BAD_REQUEST, "http",
				true);
		str_copy(x->name, sizeof(x->name), http1_error_name(x->up.bad));
		if (x->response == RESPONSE_WAIT)
			reply_page(x, 400);
		else
			exchange_abort(x, CLOSE_REFUSED);
		return true;
	}
	if (x->up.error == 0)
		return false;
	exchange_decide(x, x->verdict, REASON_CLIENT_CLOSED, "", false);
	exchange_abort(x, CLOSE_CLIENT_GONE);
	return true;
}

/* The verdict is there: send it, or answer. */
static void upload_judged(struct exchange *x)
{
	if (!check_lets_through(&x->check)) {
		reply_page(x, 403);
		return;
	}
	if (x->up.in_done)
		x->up.release = TRANSFER_ALL;
	else
		transfer_stop_storing(&x->up);
	x->request = REQUEST_CONNECT;
	x->sent_ms = exchange_now(x);
	exchange_set_deadline(x);
}

static bool store_upload(struct exchange *x)
{
	struct transfer *t = &x->up;
	bool progress = transfer_store(t, HTTP_BUDGET);

	/* "100 Continue", if there was no room for it: the client waits. */
	(void)side_flush(&x->session->client);
	if (upload_broken(x))
		return true;
	if (t->object->error != 0) {
		check_not_scanned(&x->check, REASON_STORAGE);
	} else if (t->received > exchange_config(x)->scan.max_object) {
		check_not_scanned(&x->check, REASON_SIZE);
	} else if (t->in_done) {
		object_finish(t->object);
		x->request = REQUEST_VERDICT;
		check_ask(&x->check, t->object);
	}
	if (t->object->lost)
		exchange_abort(x, CLOSE_NO_RESOURCES);
	else if (x->check.state == CHECK_DONE)
		upload_judged(x);
	else
		return progress;
	return true;
}

/* --- sending ------------------------------------------------------- */

static unsigned int connect_status(const struct session *s, enum reason *reason)
{
	*reason = s->server.error == -ETIMEDOUT ? REASON_CONNECT_TIMEOUT
						: REASON_CONNECT;
	return s->server.error == -ETIMEDOUT ? 504 : 502;
}

static bool connect_upstream(struct exchange *x)
{
	struct session *s = x->session;
	enum reason reason;
	unsigned int status;

	/*
	 * Bytes that came before the request was sent answer nothing of it
	 * (response splitting); on a connection of an earlier exchange, only:
	 * a new one may be greeted with "503" by a server that is full.
	 */
	if (!x->fresh_server && session_server_left(s))
		session_disconnect(s);
	if (s->upstream == UPSTREAM_NONE) {
		x->fresh_server = true;
		session_connect(s);
	}
	switch (s->upstream) {
	case UPSTREAM_CONNECTED:
		x->request = REQUEST_SEND;
		exchange_release_head(x, &s->server);
		return true;
	case UPSTREAM_FAILED:
		status = connect_status(s, &reason);
		exchange_decide(x, x->verdict, reason, "", false);
		reply_page(x, status);
		return true;
	default:
		return false;
	}
}

static bool send_request(struct exchange *x)
{
	struct session *s = x->session;
	bool progress = transfer_send(&x->up, HTTP_BUDGET);

	if (upload_broken(x))
		return true;
	/*
	 * A server that closed its end may have answered before: what it sent
	 * is read first, and the response's side deals with the rest.
	 */
	if (side_flush(&s->server) != 0 || !x->up.out_done)
		return progress;
	x->request = REQUEST_DONE;
	x->sent_ms = exchange_now(x);
	exchange_set_deadline(x);
	return true;
}

bool request_run(struct exchange *x)
{
	if (x->response == RESPONSE_REPLY)
		return false;
	switch (x->request) {
	case REQUEST_STORE:
		return store_upload(x);
	case REQUEST_VERDICT:
		if (x->check.state != CHECK_DONE)
			return false;
		upload_judged(x);
		return true;
	case REQUEST_CONNECT:
		return connect_upstream(x);
	case REQUEST_SEND:
		return send_request(x);
	default:
		return false;
	}
}
