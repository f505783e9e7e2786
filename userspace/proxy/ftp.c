// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/ftp.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "proxy/eventlog.h"

/* Steps of a session before others get their turn. */
#define STEPS_A_TURN 64

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

void ftp_log(struct ftp *f, enum verdict verdict, enum reason reason,
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
		ftp_log(f, VERDICT_PASSED,
			late ? REASON_CONNECT_TIMEOUT : REASON_CONNECT, "", "",
			"", 421);
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
		progress |= ftp_lines_server(f);
	if (!s->dead && s->state == f &&
	    (f->state == FTP_READY || f->state == FTP_TRANSFER))
		progress |= ftp_lines_client(f);
	if (progress || s->dead || s->state != f || f->state == FTP_LAST)
		return progress;
	return client_left(f) ? false : server_left(f);
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
	(void)setsockopt(s->client.lfd.fd, SOL_SOCKET, SO_OOBINLINE, &one,
			 sizeof(one));
	stock_expect(&s->relay->stock, SOCKETS_DATA_CLIENT,
		     s->server_addr.addr.family);
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
	session_deadline(s, ftp_time_limit(f));
}

static void ftp_timeout(struct session *s)
{
	struct ftp *f = ftp_of(s);

	if (s->relay->stopping && f->state == FTP_READY)
		ftp_ready(f); /* says so */
	else if (ftp_time_limit(f) <= ftp_now(f))
		ftp_time_over(f);
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
