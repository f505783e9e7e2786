// SPDX-License-Identifier: GPL-2.0-or-later
/* The response's way to the client. */
#include <errno.h>
#include <string.h>

#include "proto/http1_write.h"
#include "proxy/http.h"

#define HEAD_EXTRA 512

void response_failed(struct exchange *x, enum verdict verdict,
		     enum reason reason, unsigned int status)
{
	exchange_decide(x, verdict, reason, "", verdict == VERDICT_BLOCKED);
	if (progress_shown(x)) {
		progress_refuse_object(x);
	} else if (!x->started) {
		reply_page(x, status);
	} else if (reason == REASON_ORIGIN_CLOSED &&
		   x->down.out != HTTP1_BODY_CLOSE) {
		/* What came leaves; that it is not all shows by its framing. */
		x->keep_client = false;
		x->response = RESPONSE_DONE;
	} else {
		exchange_abort(x, reason == REASON_ORIGIN_CLOSED
					  ? CLOSE_SERVER_GONE
					  : CLOSE_REFUSED);
	}
}

/*
 * The connection ended before a response began. One that had served earlier
 * requests may close at any time (RFC 9112 9.3.1): the client sees just that,
 * as it would without us, and repeats the request if it is safe to.
 */
static void no_response(struct exchange *x)
{
	struct session *s = x->session;

	if (!x->fresh_server && buf_len(&s->server.in) == 0) {
		exchange_decide(x, x->verdict, REASON_ORIGIN_CLOSED, "", false);
		session_end(s, CLOSE_SERVER_GONE, false);
		return;
	}
	response_failed(x, x->verdict, REASON_ORIGIN_CLOSED, 502);
}

static void bad_response(struct exchange *x, enum http1_error error)
{
	str_copy(x->name, sizeof(x->name), http1_error_name(error));
	response_failed(x, VERDICT_BLOCKED, REASON_BAD_RESPONSE, 502);
}

/* --- heads --------------------------------------------------------- */

bool response_keeps_client(const struct exchange *x)
{
	/* Else what is left of the request would be taken for the next one. */
	return x->client_keep_alive && x->request == REQUEST_DONE &&
	       !exchange_relay(x)->stopping;
}

static struct http1_out framing_out(const struct exchange *x,
				    const struct http1_response *res)
{
	struct http1_out out = {
		.framing = res->head.framing,
		.length = res->head.length,
		.http10_peer = x->client_http10,
	};

	/* HTTP/1.0 knows no chunks. */
	if (out.framing == HTTP1_BODY_CHUNKED && x->client_http10)
		out.framing = HTTP1_BODY_CLOSE;
	out.keep_alive = out.framing != HTTP1_BODY_CLOSE &&
			 response_keeps_client(x);
	return out;
}

static bool write_head(struct exchange *x, const struct http1_response *res,
		       const struct http1_out *out, size_t len)
{
	return pool_buf_get(&exchange_relay(x)->buffers, &x->held,
			    len + HEAD_EXTRA) &&
	       http1_write_response(&x->held, res, out);
}

/* 100, 102, 103: passed on to clients that know them. */
static void interim(struct exchange *x, const struct http1_response *res,
		    size_t len)
{
	struct side *client = &x->session->client;
	struct http1_out out = {.framing = HTTP1_BODY_NONE, .keep_alive = true};

	if (++x->interim > HTTP_INTERIM_MAX) {
		bad_response(x, HTTP1_BAD_STATUS);
		return;
	}
	if (!x->client_http10 && side_out_room(client, len + HEAD_EXTRA) &&
	    http1_write_response(&client->out, res, &out))
		(void)side_flush(client); /* what stays: see wait_head() */
	buf_consume(&x->session->server.in, len);
	x->session->head_seen = 0;
}

/* 101: from here on the connection speaks what both sides agreed on. */
static void switch_protocols(struct exchange *x,
			     const struct http1_response *res, size_t len)
{
	struct session *s = x->session;
	struct http1_out out = {.framing = HTTP1_BODY_NONE,
				.keep_alive = true,
				.upgrade = true};

	if (!x->upgrade || x->request != REQUEST_DONE ||
	    !http_is_websocket(&res->head)) {
		bad_response(x, HTTP1_BAD_STATUS);
		return;
	}
	if (!write_head(x, res, &out, len)) {
		exchange_abort(x, CLOSE_NO_RESOURCES);
		return;
	}
	buf_consume(&s->server.in, len);
	x->status = 101;
	exchange_release_head(x, &s->client);
	exchange_log(x, buf_len(&s->client.out));
	s->protocol->ended(s, CLOSE_DONE); /* the exchange, not the session */
	session_tunnel(s);
}

/* --- the body: pass on or scan ------------------------------------- */

/* A verdict that needs no scan, from the head alone. */
static void judge_head(struct exchange *x, const struct http1_response *res)
{
	const struct config_scan *scan = &exchange_config(x)->scan;

	if (res->status == 206)
		check_not_scanned(&x->check, REASON_PARTIAL);
	else if (res->head.framing == HTTP1_BODY_LENGTH &&
		 res->head.length > scan->max_object)
		check_not_scanned(&x->check, REASON_SIZE);
	else if (transfer_at_hand(&x->down) && !x->check.part)
		check_from_cache(&x->check, buf_head(&x->session->server.in),
				 (size_t)res->head.length);
}

static bool needs_check(const struct exchange *x,
			const struct http1_response *res)
{
	return check_scanning(x->session) &&
	       res->head.framing != HTTP1_BODY_NONE &&
	       !(res->head.framing == HTTP1_BODY_LENGTH &&
		 res->head.length == 0);
}

/* The parsed views are gone; what the check needs was taken from them. */
static void start_body(struct exchange *x, bool check)
{
	struct transfer *t = &x->down;

	if (check && x->check.state == CHECK_WANTED) {
		t->object = object_new(&exchange_relay(x)->objects, t->left);
		t->passing = t->object == NULL;
		if (t->object == NULL)
			check_not_scanned(&x->check, REASON_STORAGE);
	}
	if (t->in == HTTP1_BODY_LENGTH)
		range_settle(x, t->left);
	if (t->object != NULL && x->check.part)
		object_mark(t->object, x->check.job.msg.part.was.length);
	x->response = RESPONSE_BODY;
	exchange_set_deadline(x);
	if (t->object != NULL)
		return;
	if (check && !check_lets_through(&x->check)) {
		reply_page(x, 403);
		return;
	}
	x->started = true;
	exchange_release_head(x, &x->session->client);
}

static void begin_response(struct exchange *x, struct http1_response *res,
			   size_t len)
{
	struct session *s = x->session;
	struct http1_out out = framing_out(x, res);
	const struct http1_field *type;
	bool check = needs_check(x, res);

	x->status = res->status;
	x->first_byte_ms = exchange_now(x) - x->sent_ms;
	x->server_keep_alive = res->head.keep_alive &&
			       res->head.framing != HTTP1_BODY_CLOSE;
	x->keep_client = out.keep_alive;
	type = http1_field(&res->head, HTTP1_F_CONTENT_TYPE);
	x->body = (struct exchange_body){0};
	if (type != NULL)
		str_copy_view(x->body.content_type,
			      sizeof(x->body.content_type), type->value);
	if (x->verdict == VERDICT_PASSED)
		x->told = x->body;
	if (!write_head(x, res, &out, len)) {
		exchange_abort(x, CLOSE_NO_RESOURCES);
		return;
	}
	if (check)
		verdict_begin(x, false, &res->head.codings,
			      (struct str){NULL, 0});
	range_judge(x, res);
	/* What is in the response's head ends here. */
	buf_consume(&s->server.in, len);
	transfer_start(&x->down, &s->server, &s->client, res->head.framing,
		       res->head.length, out.framing, NULL);
	if (check)
		judge_head(x, res);
	if (check && x->check.state == CHECK_WANTED)
		progress_begin(x, res);
	s->head_seen = 0;
	start_body(x, check);
}

/* --- waiting for the head ------------------------------------------ */

static bool parse_head(struct exchange *x)
{
	struct http1_response *res = &exchange_relay(x)->response;
	struct http1_limits limits = http_limits(exchange_config(x));
	struct session *s = x->session;
	struct buf *in = &s->server.in;
	ptrdiff_t n = http1_parse_response(buf_head(in), buf_len(in),
					   s->head_seen, &limits, x->method,
					   res);

	if (n < 0)
		bad_response(x, (enum http1_error) - n);
	else if (n == 0)
		s->head_seen = buf_len(in);
	else if (res->status == 101)
		switch_protocols(x, res, (size_t)n);
	else if (res->status < 200)
		interim(x, res, (size_t)n);
	else
		begin_response(x, res, (size_t)n);
	return n != 0;
}

static bool wait_head(struct exchange *x)
{
	struct side *server = &x->session->server;
	ssize_t n;

	/* A 1xx that the client has not taken: the next head waits behind. */
	if (side_flush(&x->session->client) == -EAGAIN)
		return false;
	n = side_receive(server);
	if (n == -ENOBUFS &&
	    side_grow_in(server, exchange_config(x)->http.max_header + 1024))
		n = side_receive(server);
	if (n < 0 && n != -ENOBUFS) {
		no_response(x);
		return true;
	}
	if ((n > 0 || x->session->head_seen < buf_len(&server->in)) &&
	    parse_head(x))
		return true;
	if (!server->rd_closed && server->error == 0)
		return n > 0;
	no_response(x);
	return true;
}

/* --- the body ------------------------------------------------------ */

static bool body_broken(struct exchange *x)
{
	if (x->down.bad != HTTP1_OK)
		bad_response(x, x->down.bad);
	else if (x->down.error != 0)
		response_failed(x, x->verdict, REASON_ORIGIN_CLOSED, 502);
	else
		return false;
	return true;
}

static bool move_body(struct exchange *x)
{
	const struct session *s = x->session; /* outlives @x */
	bool progress;

	if (x->down.object != NULL)
		progress = delivery_run(x);
	else
		progress = transfer_send(&x->down, HTTP_BUDGET);
	if (s->dead || x->response != RESPONSE_BODY)
		return true;
	/* Its error, if any, is seen by the session's loop. */
	(void)side_flush(&x->session->client);
	if (body_broken(x))
		return true;
	if (!x->down.out_done)
		return progress;
	x->response = RESPONSE_DONE;
	return true;
}

bool response_run(struct exchange *x)
{
	switch (x->response) {
	case RESPONSE_WAIT:
		if (x->request < REQUEST_SEND)
			return false;
		return wait_head(x);
	case RESPONSE_BODY:
		return move_body(x);
	case RESPONSE_REPLY:
		if (side_flush(&x->session->client) != 0)
			return false;
		x->response = RESPONSE_DONE;
		return true;
	default:
		/* The last bytes of the answer. */
		(void)side_flush(&x->session->client);
		return false;
	}
}
