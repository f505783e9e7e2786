// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/eventlog.h"

static struct exchange *exchange_of(const struct session *s)
{
	return s->state;
}

struct http1_limits http_limits(const struct config *config)
{
	return (struct http1_limits){
		.max_line = config->http.max_line,
		.max_head = config->http.max_header,
		.max_fields = config->http.max_fields,
	};
}

/* --- what is known about an exchange ------------------------------- */

/* Clean says more than passed, not scanned is graver, blocked the gravest. */
static const uint8_t gravity[VERDICT_COUNT] = {
	[VERDICT_PASSED] = 0,
	[VERDICT_CLEAN] = 1,
	[VERDICT_NOT_SCANNED] = 2,
	[VERDICT_BLOCKED] = 3,
};

bool exchange_decide(struct exchange *x, enum verdict verdict,
		     enum reason reason, const char *rule, bool stopped)
{
	if (gravity[verdict] < gravity[x->verdict] ||
	    (verdict == x->verdict && x->reason != REASON_NONE))
		return false;
	x->verdict = verdict;
	x->reason = reason;
	x->rule = rule;
	x->stopped = stopped;
	return true;
}

/* Bytes used so far: what waits in the buffer belongs to a later request. */
static uint64_t taken(const struct side *client)
{
	return client->received - buf_len(&client->in);
}

static struct exchange *exchange_new(struct session *s)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return NULL;
	x->session = s;
	x->rule = "";
	x->started_ms = s->relay->loop->now_ms;
	x->delivery =
		config_delivery_mode(s->config->config, &s->client_addr.addr);
	/* The head that begins it was received already. */
	x->client_taken = taken(&s->client);
	x->client_sent = s->client.sent;
	check_init(&x->check, s, verdict_judged);
	s->state = x;
	s->requests++;
	session_set_idle(s, false);
	stats_add(s->relay->stats, RELAY_REQUESTS, 1);
	stats_add(s->relay->stats, RELAY_SESSION_MEMORY, sizeof(*x));
	return x;
}

/* --- the event ----------------------------------------------------- */

void exchange_log(struct exchange *x, uint64_t reply_bytes)
{
	const struct session *s = x->session;
	struct event ev = {
		.protocol = EVENT_HTTP,
		.verdict = x->verdict,
		.reason = x->reason,
		.status = (uint16_t)x->status,
		.stopped = x->stopped,
		.upload = x->told.upload,
		.has_sha256 = x->told.has_hash,
		.bytes_in = taken(&s->client) - x->client_taken,
		.bytes_out = s->client.sent - x->client_sent + reply_bytes,
		.duration_ms = exchange_now(x) - x->started_ms,
		.first_byte_ms = x->first_byte_ms,
		.scan_ms = x->check.waited_ms,
		.method = x->method_text,
		.url = x->url,
		.host = x->host,
		.name = str_of(x->name),
		.rule = str_of(x->rule),
		.content_type = str_of(x->told.content_type),
	};

	if (x->logged)
		return;
	x->logged = true;
	memcpy(ev.sha256, x->told.sha256, sizeof(ev.sha256));
	eventlog_tell(s, &ev);
}

/* --- the end of an exchange ---------------------------------------- */

static void count_unscanned(struct exchange *x, const struct transfer *t,
			    enum reason reason)
{
	if (reason != REASON_NONE)
		stats_add(exchange_relay(x)->stats,
			  RELAY_UNSCANNED_BYTES + reason, t->sent - t->first);
}

void exchange_end_bodies(struct exchange *x)
{
	bool received = x->up.in_done, answered = x->down.in_done;

	range_note(x);
	count_unscanned(x, &x->up, x->up_unscanned);
	count_unscanned(x, &x->down, x->down_unscanned);
	transfer_end(&x->up);
	transfer_end(&x->down);
	x->up.in_done = received;
	x->down.in_done = answered;
}

static void exchange_free(struct session *s)
{
	struct exchange *x = exchange_of(s);

	exchange_log(x, 0);
	check_cancel(&x->check);
	progress_end(x);
	shelved_end(x);
	exchange_end_bodies(x);
	pool_buf_put(&s->relay->buffers, &x->held);
	free(x->text);
	free(x->range);
	stats_sub(s->relay->stats, RELAY_SESSION_MEMORY, sizeof(*x));
	s->state = NULL;
	free(x);
}

void exchange_abort(struct exchange *x, enum session_close why)
{
	session_end(x->session, why, true);
}

/*
 * A body that ends with its connection looks whole as soon as somebody closes
 * that, be it the kernel because we were killed.
 */
static bool ends_by_close(const struct exchange *x)
{
	return x->down.out == HTTP1_BODY_CLOSE;
}

void exchange_release_head(struct exchange *x, struct side *to)
{
	if (to == &x->session->client && ends_by_close(x))
		side_break_off(to, true);
	pool_buf_put(&exchange_relay(x)->buffers, &to->out);
	to->out = x->held;
	buf_init(&x->held, NULL, 0);
}

static void wait_for_request(struct session *s)
{
	session_set_idle(s, true);
	session_deadline(s, s->relay->loop->now_ms +
				    s->config->config->http.idle_timeout);
}

/* The last byte of the answer is with the kernel. */
static void exchange_finish(struct session *s)
{
	const struct exchange *x = exchange_of(s);
	bool keep_client = x->keep_client && x->up.in_done &&
			   !s->relay->stopping;
	/* Bytes behind the answer would be taken for the next one. */
	bool keep_server = x->server_keep_alive && x->request == REQUEST_DONE &&
			   x->down.in_done && buf_len(&s->server.in) == 0;
	/*
	 * A client that sends more, the rest of its request or the next one
	 * (it asked to go on), must not lose the answer to a RST.
	 */
	bool may_send = !x->up.in_done || buf_len(&s->client.in) > 0 ||
			x->client_keep_alive;

	if (ends_by_close(x))
		side_break_off(&s->client, false);
	exchange_free(s);
	if (!keep_client) {
		if (may_send && !s->client.rd_closed)
			session_linger(s);
		else
			session_end(s, CLOSE_DONE, false);
		return;
	}
	if (!keep_server)
		session_disconnect(s);
	side_relax(&s->client);
	side_relax(&s->server);
	s->head_seen = 0;
	s->last_head_ms = s->relay->loop->now_ms; /* of one that waits here */
	wait_for_request(s);
}

/* --- between exchanges --------------------------------------------- */

/* An exchange for a head that is none; ends the session without memory. */
static struct exchange *exchange_without_head(struct session *s)
{
	struct exchange *x = exchange_new(s);

	if (x == NULL)
		session_end(s, CLOSE_NO_RESOURCES, true);
	else /* Nobody can say where another one would begin. */
		buf_consume(&s->client.in, buf_len(&s->client.in));
	return x;
}

/*
 * The connection begins with bytes that are no HTTP: passed on unread, or
 * refused, as http.non_http says. The origin server gets them as they came.
 */
static void not_http(struct session *s)
{
	struct exchange *x;

	if (s->requests == 0 &&
	    s->config->config->http.non_http == NON_HTTP_PASS) {
		session_tunnel(s);
		return;
	}
	x = exchange_without_head(s);
	if (x == NULL)
		return;
	exchange_decide(x, VERDICT_BLOCKED, REASON_NOT_HTTP, "http.non_http",
			true);
	session_end(s, CLOSE_REFUSED, true);
}

/* A head that can't be understood in one way only. */
static void bad_request(struct session *s, enum http1_error error)
{
	struct exchange *x = exchange_without_head(s);

	if (x == NULL)
		return;
	exchange_decide(x, VERDICT_BLOCKED, REASON_BAD_REQUEST, "http", true);
	str_copy(x->name, sizeof(x->name), http1_error_name(error));
	reply_page(x, error == HTTP1_HEAD_TOO_LONG ||
				      error == HTTP1_TOO_MANY_FIELDS
			      ? 431
		      : error == HTTP1_LINE_TOO_LONG ? 414
						     : 400);
}

/* A whole request head is at the start of the buffer: @len bytes of it. */
static void begin_exchange(struct session *s, size_t len)
{
	struct exchange *x = exchange_new(s);

	if (x == NULL) {
		session_end(s, CLOSE_NO_RESOURCES, true);
		return;
	}
	/*
	 * The parsed views point into these bytes, which stay as they are
	 * until something is received: not before request_begin() is done.
	 */
	buf_consume(&s->client.in, len);
	s->head_seen = 0;
	request_begin(x, len);
}

static void parse_request(struct session *s)
{
	struct http1_limits limits = http_limits(s->config->config);
	struct buf *in = &s->client.in;
	ptrdiff_t n = http1_parse_request(buf_head(in), buf_len(in),
					  s->head_seen, &limits,
					  &s->relay->request);

	if (n == 0) {
		s->head_seen = buf_len(in);
		session_deadline(
			s, s->last_head_ms +
				   s->config->config->http.header_timeout);
	} else if (n > 0) {
		begin_exchange(s, (size_t)n);
	} else if (-n == HTTP1_NOT_HTTP) {
		not_http(s);
	} else {
		bad_request(s, (enum http1_error) - n);
	}
}

/* Room for the whole of a head that is larger than a buffer. */
static bool make_room(struct session *s, struct side *sd)
{
	return side_grow_in(sd, s->config->config->http.max_header + 1024);
}

/* Between requests, or while the head of one comes. Progress? */
static bool idle_run(struct session *s)
{
	struct side *client = &s->client;
	bool had = buf_len(&client->in) > 0;
	ssize_t n = side_receive(client);

	if (n == -ENOBUFS && make_room(s, client))
		n = side_receive(client);
	if (n < 0) {
		session_end(s, CLOSE_CLIENT_GONE, false);
		return false;
	}
	if (!had && n > 0)
		s->last_head_ms = s->relay->loop->now_ms;
	if (n > 0 || (had && s->head_seen == 0)) {
		parse_request(s);
		return true;
	}
	/* The client learns it the way it would without us. */
	if (client->rd_closed)
		session_end(s, CLOSE_CLIENT_GONE, false);
	else if (!had && session_server_left(s))
		session_end(s, CLOSE_SERVER_GONE, false);
	return false;
}

/* --- protocol ------------------------------------------------------ */

/* Whether the answer is out and nothing more will come of this exchange. */
static bool exchange_done(const struct exchange *x)
{
	return x->response == RESPONSE_DONE &&
	       side_flushed(&x->session->client);
}

/*
 * The client can't be told anything any more. A browser that closes the window
 * with our page has gone; anybody else who only sends no more may still read.
 */
static bool client_gone(struct exchange *x)
{
	const struct side *client = &x->session->client;

	/* It may be back on another connection before this one ends. */
	if (client->ending)
		range_note(x);
	if (client->error == 0 && !(client->ending && progress_shown(x)))
		return false;
	exchange_decide(x, x->verdict, REASON_CLIENT_CLOSED, "", false);
	exchange_abort(x, CLOSE_CLIENT_GONE);
	return true;
}

/*
 * Whether the exchange that was run is still there. Its address alone says
 * nothing: the state of a tunnel that it became may lie there now.
 */
static bool exchange_lives(const struct session *s)
{
	return !s->dead && s->protocol == &protocol_http && s->state != NULL;
}

static bool exchange_run(struct session *s)
{
	struct exchange *x = exchange_of(s);
	bool progress = request_run(x);

	if (!exchange_lives(s))
		return progress;
	progress |= response_run(x);
	if (!exchange_lives(s) || client_gone(x))
		return progress;
	if (!exchange_done(x))
		return progress;
	exchange_finish(s);
	return true;
}

/* What passes counts on both sides, what is stored or skipped on one. */
static uint64_t bytes_moved(const struct session *s)
{
	return s->client.sent + s->client.received + s->server.sent +
	       s->server.received;
}

static void http_run(struct session *s)
{
	uint64_t before = bytes_moved(s);
	bool progress = true;

	while (progress && !s->dead && s->protocol == &protocol_http) {
		if (bytes_moved(s) - before > 2 * HTTP_BUDGET) {
			session_again(s);
			return;
		}
		progress = s->state != NULL ? exchange_run(s) : idle_run(s);
	}
	if (s->dead || s->protocol != &protocol_http)
		return;
	if (s->state == NULL && s->deadline_ms == 0)
		/* A new connection: its first head must come in time. */
		session_deadline(
			s,
			s->started_ms + s->config->config->http.header_timeout);
}

/* The time that the present state has run out of, or is going to. */
static uint64_t exchange_limit(const struct exchange *x)
{
	const struct session *s = x->session;
	const struct config_http *http = &exchange_config(x)->http;
	uint64_t at = s->last_io_ms + http->idle_timeout;

	if (x->response == RESPONSE_REPLY)
		return at;
	if (progress_shown(x))
		at = progress_limit(x);
	else if (x->check.state == CHECK_PENDING)
		at = exchange_now(x) + http->idle_timeout;
	else if (x->request == REQUEST_CONNECT)
		at = x->sent_ms + http->connect_timeout;
	else if (x->response == RESPONSE_WAIT && x->request == REQUEST_DONE)
		at = x->sent_ms + http->response_timeout;
	if (http->total_timeout > 0 && x->started_ms + http->total_timeout < at)
		at = x->started_ms + http->total_timeout;
	return at;
}

void exchange_set_deadline(struct exchange *x)
{
	uint64_t limit = exchange_limit(x), due = progress_due(x);

	session_deadline(x->session, due < limit ? due : limit);
}

/* What the exchange was waiting for, and the status that says so. */
static enum reason late_for(const struct exchange *x, unsigned int *status)
{
	*status = 504;
	if (x->request == REQUEST_CONNECT)
		return REASON_CONNECT_TIMEOUT;
	if (x->response == RESPONSE_WAIT && x->request == REQUEST_DONE)
		return REASON_RESPONSE_TIMEOUT;
	/* For the client, whose body all went where it should. */
	if (!x->up.in_done && side_flushed(&x->session->server))
		*status = 408;
	return REASON_TIMEOUT;
}

static void exchange_timeout(struct exchange *x)
{
	struct session *s = x->session;
	unsigned int status;

	exchange_decide(x, x->verdict, late_for(x, &status), "", false);
	if (progress_shown(x)) {
		progress_refuse_object(x);
		session_again(s);
		return;
	}
	if (x->started || x->response == RESPONSE_REPLY) {
		exchange_abort(x, CLOSE_TIMEOUT);
		return;
	}
	reply_page(x, status);
	session_again(s);
}

/* The head of a request began to come, and did not end in time. */
static void head_timeout(struct session *s)
{
	struct exchange *x = exchange_without_head(s);

	if (x == NULL)
		return;
	exchange_decide(x, x->verdict, REASON_TIMEOUT, "", false);
	reply_page(x, 408);
	session_again(s);
}

static void http_timeout(struct session *s)
{
	struct exchange *x = exchange_of(s);

	if (x == NULL && buf_len(&s->client.in) > 0) {
		head_timeout(s);
	} else if (x == NULL) {
		session_end(s, CLOSE_IDLE, false);
	} else if (exchange_limit(x) > exchange_now(x)) {
		progress_tick(x);
		if (!s->dead)
			exchange_set_deadline(x);
	} else {
		exchange_timeout(x);
	}
}

static void http_ended(struct session *s, enum session_close why)
{
	struct exchange *x = exchange_of(s);

	if (x == NULL)
		return;
	if (why == CLOSE_SHUTDOWN)
		exchange_decide(x, x->verdict, REASON_SHUTDOWN, "", false);
	exchange_free(s);
}

static const char *state_name(const struct exchange *x)
{
	if (x == NULL)
		return "idle";
	if (x->check.state == CHECK_PENDING)
		return "scanning";
	if (x->request == REQUEST_CONNECT)
		return "connecting";
	if (x->request == REQUEST_STORE || x->request == REQUEST_SEND)
		return "sending";
	if (x->response == RESPONSE_WAIT)
		return "waiting";
	return x->response == RESPONSE_REPLY ? "answering" : "receiving";
}

static void http_describe(const struct session *s, struct msg_session *row)
{
	const struct exchange *x = exchange_of(s);

	str_copy(row->state, sizeof(row->state), state_name(x));
	if (x != NULL)
		str_copy_view(row->url, sizeof(row->url), x->url);
}

const struct protocol protocol_http = {
	.name = "http",
	.run = http_run,
	.timeout = http_timeout,
	.ended = http_ended,
	.describe = http_describe,
};
