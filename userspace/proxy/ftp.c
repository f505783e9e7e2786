// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/ftp.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "proxy/eventlog.h"

/* Lines of a client that are no commands, one after the other: no FTP. */
#define BAD_LINES_MAX 20
/* For the second of the two replies that ABOR gets; some servers send one. */
#define ABOR_MS	      5000
/* For the first one, until the data connection is cut. */
#define CUT_MS	      1000
/* For the last reply to a transfer that failed: Pure-FTPd often sends none. */
#define FAILED_MS     10000
/* For a client to take the last words. */
#define LAST_MS	      10000
/* Steps of a session before others get their turn. */
#define STEPS_A_TURN  64

static struct ftp *ftp_of(const struct session *s)
{
	return s->state;
}

/* --- words of ours ------------------------------------------------- */

/*
 * Without memory for it the session ends, as it can't be told either; not here,
 * where whoever says something is in the middle of it.
 */
static bool room(struct ftp *f, struct side *sd, size_t n)
{
	f->no_memory |= !side_out_room(sd, n);
	return !f->no_memory;
}

void ftp_say(struct ftp *f, unsigned int code, const char *format, ...)
{
	struct side *client = &f->session->client;
	struct ftp_reply reply = {.code = (uint16_t)code, .marked = true};
	char text[512], line[sizeof(text) + 8];
	struct strbuf sb;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	reply.text = str_of(text);
	strbuf_init(&sb, line, sizeof(line));
	ftp_write_reply(&sb, &reply);
	if (room(f, client, sb.len))
		(void)buf_append(&client->out, line, sb.len);
}

void ftp_ask(struct ftp *f, enum ftp_command command, enum ftp_asked asked,
	     const char *line, size_t n)
{
	struct side *server = &f->session->server;

	if (!room(f, server, n))
		return;
	(void)buf_append(&server->out, line, n);
	f->command = command;
	f->asked = asked;
	ftp_enter(f, FTP_REPLY);
}

void ftp_enter(struct ftp *f, enum ftp_state state)
{
	f->state = state;
	f->asked_ms = ftp_now(f);
	session_set_idle(f->session, state == FTP_READY);
}

void ftp_ready(struct ftp *f)
{
	f->command = FTP_OTHER;
	f->asked = FTP_ASKED_BY_CLIENT;
	ftp_enter(f, FTP_READY);
	if (!f->session->relay->stopping)
		return;
	ftp_say(f, 421, "The gateway stops.");
	ftp_end(f, CLOSE_SHUTDOWN);
}

void ftp_end(struct ftp *f, enum session_close why)
{
	f->why = why;
	ftp_data_close(&f->data, true);
	ftp_enter(f, FTP_LAST);
}

/* --- events -------------------------------------------------------- */

void ftp_log_refused(struct ftp *f, enum verdict verdict, enum reason reason,
		     const char *rule, const char *method, const char *name,
		     unsigned int status)
{
	char host[IP_TEXT_MAX];
	struct event ev = {
		.protocol = EVENT_FTP,
		.verdict = verdict,
		.reason = reason,
		.stopped = verdict == VERDICT_BLOCKED,
		.status = (uint16_t)status,
		.method = str_of(method),
		.name = str_of(name),
		.rule = str_of(rule),
		.user = str_of(f->user),
		.duration_ms = ftp_now(f) - f->session->started_ms,
	};

	ev.host = str_of(ip_addr_format(&f->session->server_addr.addr, host,
					sizeof(host)));
	stats_add(f->session->relay->stats, RELAY_REQUESTS, 1);
	eventlog_tell(f->session, &ev);
}

/* --- the client's lines -------------------------------------------- */

/* More bytes of @sd, for lines that may need more room than a buffer has. */
static ssize_t receive(struct ftp *f, struct side *sd)
{
	ssize_t n = side_receive(sd);

	if (n == -ENOBUFS &&
	    side_grow_in(sd, (size_t)ftp_config(f)->ftp.max_line + 1024))
		n = side_receive(sd);
	return n;
}

/* Up to and with its LF; all there is when none is in sight. */
static void skip_line(struct buf *in)
{
	const uint8_t *lf = memchr(buf_head(in), '\n', buf_len(in));

	buf_consume(in,
		    lf != NULL ? (size_t)(lf - buf_head(in)) + 1 : buf_len(in));
}

static void bad_line(struct ftp *f, enum ftp_error error)
{
	const char *name = ftp_error_name(error);

	if (error != FTP_LINE_TOO_LONG && ++f->bad_lines < BAD_LINES_MAX) {
		skip_line(&f->session->client.in);
		ftp_say(f, 500, "Syntax error (%s).", name);
		return;
	}
	ftp_log_refused(f, VERDICT_BLOCKED, REASON_BAD_REQUEST, "ftp", "", name,
			500);
	ftp_say(f, 500, "This is no FTP (%s).", name);
	ftp_end(f, CLOSE_REFUSED);
}

/* While an object moves, ABOR is obeyed at once, and all else waits. */
static bool waits(const struct ftp *f, const struct ftp_request *req)
{
	return f->state != FTP_READY && req->command != FTP_ABOR;
}

/* The next command, if it is there and may be taken. Progress? */
static bool take_command(struct ftp *f)
{
	struct side *client = &f->session->client;
	struct buf *in = &client->in;
	struct ftp_request req;
	ssize_t received;
	ptrdiff_t n;

	/* Who does not take replies gives no more commands. */
	if (!side_flushed(client))
		return false;
	received = f->state == FTP_READY ? receive(f, client)
					 : side_receive(client);
	if (buf_len(in) == 0)
		return false; /* nor need there be a buffer */
	n = ftp_parse_command(buf_head(in), buf_len(in), f->seen_command,
			      ftp_config(f)->ftp.max_line, &req);
	if (n == 0)
		f->seen_command = buf_len(in);
	if (n == 0 || (n > 0 && waits(f, &req)) ||
	    (n < 0 && f->state != FTP_READY))
		return received > 0;
	f->seen_command = 0;
	if (n < 0) {
		bad_line(f, (enum ftp_error) - n);
		return true;
	}
	/* Its views last until something is received again. */
	buf_consume(in, (size_t)n);
	f->bad_lines = 0;
	f->session->requests++;
	if (f->state == FTP_READY)
		ftp_command_take(f, &req);
	else
		ftp_transfer_abort(f);
	return true;
}

/* --- the server's lines -------------------------------------------- */

static bool read_line(struct ftp *f)
{
	struct side *server = &f->session->server;
	struct buf *in = &server->in;
	bool first = !f->reply.open;
	ptrdiff_t n = ftp_parse_reply(buf_head(in), buf_len(in), f->seen_reply,
				      ftp_config(f)->ftp.max_line, &f->reply);

	f->seen_reply = n == 0 ? buf_len(in) : 0;
	if (n == 0)
		return false;
	if (n > 0)
		f->reply_bytes += (uint64_t)n;
	if (n < 0) {
		ftp_reply_bad(f, (enum ftp_error) - n);
		return true;
	}
	buf_consume(in, (size_t)n);
	if (first)
		f->unasked = f->state != FTP_REPLY;
	if (f->reply_bytes > ftp_config(f)->ftp.max_reply) {
		ftp_reply_bad(f, FTP_LINE_TOO_LONG);
		return true;
	}
	ftp_reply_take(f);
	if (!f->session->dead && f->session->state == f && !f->reply.open)
		f->reply_bytes = 0;
	return true;
}

/*
 * What the server says about a transfer that is under way is left where it is
 * until all of that was moved; but when it gave up, so do we.
 */
static bool replied_early(struct ftp *f)
{
	const struct buf *in = &f->session->server.in;
	struct ftp_reply reply = {0};
	ptrdiff_t n = ftp_parse_reply(buf_head(in), buf_len(in), 0,
				      ftp_config(f)->ftp.max_line, &reply);

	if (n == 0 || (n > 0 && reply.code >= 200 && reply.code < 400 &&
		       !ftp_transfer_done(f)))
		return false;
	if (n > 0 && reply.code < 200)
		return read_line(f); /* one more */
	ftp_enter(f, FTP_REPLY);
	return true;
}

static bool take_reply(struct ftp *f)
{
	struct side *server = &f->session->server;
	ssize_t received;

	if (!side_flushed(&f->session->client))
		return false;
	received = receive(f, server);
	if (buf_len(&server->in) == 0)
		return received > 0;
	if (f->state == FTP_TRANSFER && !f->transfer.held && !f->reply.open)
		return replied_early(f) || received > 0;
	return read_line(f) || received > 0;
}

/* --- ends ---------------------------------------------------------- */

/* Nothing more comes of the server, and what came was read. */
static bool server_left(struct ftp *f)
{
	const struct side *server = &f->session->server;
	bool quit = f->state == FTP_REPLY && f->command == FTP_QUIT;
	bool unread = buf_len(&server->in) > 0 && f->state == FTP_TRANSFER;

	if ((server->error == 0 && !server->rd_closed) || unread ||
	    !side_flushed(&f->session->client))
		return false;
	if (ftp_transfer_there(f))
		ftp_transfer_cut_off(f, REASON_ORIGIN_CLOSED);
	if (!quit)
		ftp_say(f, 421, "The server closed the connection.");
	ftp_end(f, CLOSE_SERVER_GONE);
	return true;
}

static bool client_left(struct ftp *f)
{
	const struct side *client = &f->session->client;
	bool done = f->state == FTP_READY && client->rd_closed &&
		    side_flushed(client);

	if (client->error == 0 && !done)
		return false;
	session_end(f->session, CLOSE_CLIENT_GONE, client->error != 0);
	return true;
}

static void ftp_free(struct loop_task *task)
{
	struct ftp *f = list_entry(task, struct ftp, free);

	free(f);
}

/* The session goes on without us: what it has of ours is given back. */
static void release(struct session *s)
{
	struct ftp *f = ftp_of(s);

	if (ftp_transfer_there(f))
		ftp_transfer_over(f);
	ftp_data_end(&f->data);
	stats_sub(s->relay->stats, RELAY_SESSION_MEMORY, sizeof(*f));
	s->state = NULL;
	loop_defer(s->relay->loop, &f->free);
}

/* The client may be sending yet: it must not lose our last words to a RST. */
static bool say_last(struct ftp *f)
{
	struct session *s = f->session;

	if (!side_flushed(&s->client))
		return false;
	release(s);
	session_linger(s);
	return false;
}

/* --- steps --------------------------------------------------------- */

static bool connect_server(struct ftp *f)
{
	struct session *s = f->session;
	bool late = s->server.error == -ETIMEDOUT;

	switch (s->upstream) {
	case UPSTREAM_NONE:
		session_connect(s);
		return s->upstream != UPSTREAM_WAITING;
	case UPSTREAM_CONNECTED:
		ftp_enter(f, FTP_REPLY);
		return true;
	case UPSTREAM_FAILED:
		ftp_log_refused(f, VERDICT_PASSED,
				late ? REASON_CONNECT_TIMEOUT : REASON_CONNECT,
				"", "", "", 421);
		ftp_say(f, 421, "The server can't be reached: %s.",
			strerror(-s->server.error));
		ftp_end(f, CLOSE_SERVER_GONE);
		return true;
	default:
		return false;
	}
}

/* Both control connections as far as they go, then what the state does. */
static bool step(struct ftp *f)
{
	struct session *s = f->session;
	bool progress = false;

	(void)side_flush(&s->client);
	(void)side_flush(&s->server);
	if (f->state == FTP_LAST)
		return s->client.error != 0 ? client_left(f) : say_last(f);
	if (f->state == FTP_CONNECT)
		return client_left(f) ? false : connect_server(f);
	if (f->state == FTP_SETUP && ftp_data_ready(&f->data) != 0) {
		ftp_command_prepared(f);
		return true;
	}
	if (f->state == FTP_TRANSFER)
		progress = ftp_transfer_run(f);
	if (!s->dead && s->state == f && f->state != FTP_SETUP &&
	    f->state != FTP_LAST)
		progress |= take_reply(f);
	if (!s->dead && s->state == f &&
	    (f->state == FTP_READY || f->state == FTP_TRANSFER))
		progress |= take_command(f);
	if (progress || s->dead || s->state != f || f->state == FTP_LAST)
		return progress;
	return client_left(f) ? false : server_left(f);
}

/* --- time ---------------------------------------------------------- */

/* The reply to a transfer that failed is waited for. */
static bool is_last_word(const struct ftp *f)
{
	return f->transfer.failed && f->asked == FTP_ASKED_BY_CLIENT;
}

/* When the present state has lasted too long. */
static uint64_t limit(const struct ftp *f)
{
	const struct config_ftp *c = &ftp_config(f)->ftp;
	uint64_t moved = f->session->last_io_ms;

	switch (f->state) {
	case FTP_CONNECT:
		return f->session->started_ms + c->connect_timeout;
	case FTP_REPLY:
		if (f->command == FTP_ABOR)
			return f->asked_ms + ABOR_MS;
		if (ftp_transfer_lingers(f))
			return f->asked_ms + CUT_MS;
		if (is_last_word(f))
			return f->asked_ms + FAILED_MS;
		return (moved > f->asked_ms ? moved : f->asked_ms) +
		       c->reply_timeout;
	case FTP_SETUP:
		return f->asked_ms + c->data_timeout;
	case FTP_TRANSFER:
		if (f->transfer.check.state == CHECK_PENDING)
			return ftp_now(f) + c->transfer_timeout;
		if (!ftp_transfer_connected(f))
			return f->asked_ms + c->data_timeout;
		return moved + c->transfer_timeout;
	case FTP_LAST:
		return f->asked_ms + LAST_MS;
	default:
		return moved + c->idle_timeout;
	}
}

static void say_late(struct ftp *f, enum reason reason, const char *text,
		     enum session_close why)
{
	if (ftp_transfer_there(f)) {
		ftp_transfer_cut_off(f, reason);
	} else if (why != CLOSE_IDLE) {
		ftp_log_refused(f, VERDICT_PASSED, reason, "", "", "", 421);
	}
	ftp_say(f, 421, "%s", text);
	ftp_end(f, why);
}

/* The client waits for two replies, and the server sent one. */
static void aborted(struct ftp *f)
{
	ftp_say(f, 226, "Abort successful.");
	ftp_ready(f);
}

static void is_late(struct ftp *f)
{
	switch (f->state) {
	case FTP_CONNECT:
		say_late(f, REASON_CONNECT_TIMEOUT,
			 "The server did not answer in time.", CLOSE_TIMEOUT);
		break;
	case FTP_REPLY:
		if (f->command == FTP_ABOR)
			aborted(f);
		else if (ftp_transfer_lingers(f))
			ftp_transfer_cut(f);
		else if (is_last_word(f))
			ftp_transfer_unanswered(f);
		else
			say_late(f, REASON_RESPONSE_TIMEOUT,
				 "The server did not reply in time.",
				 CLOSE_TIMEOUT);
		break;
	case FTP_SETUP:
		ftp_data_close(&f->data, true);
		ftp_say(f, 425, "No data connection could be made in time.");
		ftp_ready(f);
		break;
	case FTP_TRANSFER:
		ftp_transfer_late(f);
		break;
	case FTP_LAST:
		session_end(f->session, f->why, true);
		break;
	case FTP_READY:
		say_late(f, REASON_TIMEOUT, "Idle for too long.", CLOSE_IDLE);
	}
}

/* --- protocol ------------------------------------------------------ */

static struct ftp *begin(struct session *s)
{
	static const int one = 1;
	struct ftp *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->session = s;
	loop_task_init(&f->free, ftp_free);
	ftp_data_init(&f->data, s);
	s->state = f;
	stats_add(s->relay->stats, RELAY_SESSION_MEMORY, sizeof(*f));
	/* The data mark of a Synch (RFC 959 4.1.3) comes with the rest. */
	s->client.urgent = setsockopt(s->client.lfd.fd, SOL_SOCKET,
				      SO_OOBINLINE, &one, sizeof(one)) == 0;
	ftp_enter(f, FTP_CONNECT);
	return f;
}

static bool lives(const struct session *s, const struct ftp *f)
{
	return !s->dead && s->state == f;
}

static void ftp_run(struct session *s)
{
	struct ftp *f = s->state != NULL ? ftp_of(s) : begin(s);
	unsigned int steps = 0;

	if (f == NULL) {
		session_end(s, CLOSE_NO_RESOURCES, true);
		return;
	}
	while (lives(s, f) && !f->no_memory && steps < STEPS_A_TURN && step(f))
		/* One that moved data took as long as many others. */
		steps += f->state == FTP_TRANSFER ? STEPS_A_TURN / 2 : 1;
	if (lives(s, f) && f->no_memory)
		session_end(s, CLOSE_NO_RESOURCES, true);
	if (!lives(s, f))
		return;
	if (steps >= STEPS_A_TURN)
		session_again(s);
	if (f->state == FTP_READY) {
		side_relax(&s->client);
		side_relax(&s->server);
	}
	session_deadline(s, limit(f));
}

static void ftp_timeout(struct session *s)
{
	struct ftp *f = ftp_of(s);

	if (s->relay->stopping && f->state == FTP_READY)
		ftp_ready(f); /* says so */
	else if (limit(f) <= ftp_now(f))
		is_late(f);
	if (lives(s, f))
		ftp_run(s);
}

static enum reason reason_of(enum session_close why)
{
	switch (why) {
	case CLOSE_CLIENT_GONE:
		return REASON_CLIENT_CLOSED;
	case CLOSE_SERVER_GONE:
		return REASON_ORIGIN_CLOSED;
	case CLOSE_SHUTDOWN:
		return REASON_SHUTDOWN;
	default:
		return REASON_TIMEOUT;
	}
}

static void ftp_ended(struct session *s, enum session_close why)
{
	struct ftp *f = ftp_of(s);

	if (f == NULL)
		return;
	if (ftp_transfer_there(f) && f->transfer.reason == REASON_NONE)
		f->transfer.reason = reason_of(why);
	if (f->state == FTP_READY &&
	    (why == CLOSE_SHUTDOWN || why == CLOSE_MAKE_ROOM)) {
		/* If it can be said: nobody waits for it. */
		ftp_say(f, 421, "%s",
			why == CLOSE_SHUTDOWN ? "The gateway stops."
					      : "Others need the room.");
		(void)side_flush(&s->client);
	}
	release(s);
}

static const char *state_name(const struct ftp *f)
{
	if (f == NULL || f->state == FTP_CONNECT)
		return "connecting";
	if (f->state == FTP_READY)
		return "idle";
	if (f->state == FTP_LAST)
		return "closing";
	if (f->state != FTP_TRANSFER)
		return "waiting";
	if (f->transfer.check.state == CHECK_PENDING)
		return "scanning";
	return f->transfer.upload ? "sending" : "receiving";
}

static void ftp_describe(const struct session *s, struct msg_session *row)
{
	const struct ftp *f = ftp_of(s);

	str_copy(row->state, sizeof(row->state), state_name(f));
	if (f != NULL && f->transfer.url != NULL)
		str_copy(row->url, sizeof(row->url), f->transfer.url);
}

const struct protocol protocol_ftp = {
	.name = "ftp",
	.run = ftp_run,
	.timeout = ftp_timeout,
	.ended = ftp_ended,
	.describe = ftp_describe,
};
