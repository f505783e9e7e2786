// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A transfer ends: what the client and the server are told, what must not stay,
 * and the event. Up to that, the last word is the server's only if it fits what
 * became of the object.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/eventlog.h"
#include "proxy/ftp.h"
#include "proxy/parts.h"

static struct side *client_side(struct ftp *f)
{
	return &f->data.client.side;
}

/* --- the end ------------------------------------------------------- */

/* The counters of the client's leg go with it. */
static void note_moved(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;

	t->moved += t->upload ? client_side(f)->received : client_side(f)->sent;
}

/*
 * A client that got nothing sees an orderly end of nothing, and reads the reply
 * that says why; at a reset many begin anew.
 */
static void close_data(struct ftp *f, bool reset)
{
	const struct ftp_transfer *t = &f->transfer;

	note_moved(f);
	ftp_data_close_client(&f->data, reset && !t->upload && t->moved > 0);
	ftp_data_close(&f->data, reset);
}

static void over_and_ready(struct ftp *f)
{
	bool aborting = f->abort_asked;

	ftp_transfer_over(f);
	if (!aborting) {
		ftp_ready(f);
		return;
	}
	f->command = FTP_ABOR;
	f->asked = FTP_ASKED_BY_CLIENT;
	ftp_enter(f, FTP_REPLY);
}

static void say_result(struct ftp *f)
{
	ftp_say(f, f->transfer.status, "%s", f->transfer.says);
	over_and_ready(f);
}

void ftp_transfer_fail(struct ftp *f, unsigned int code, const char *format,
		       ...)
{
	struct ftp_transfer *t = &f->transfer;
	bool unknown = t->held || !t->running;
	va_list ap;

	va_start(ap, format);
	vsnprintf(t->says, sizeof(t->says), format, ap);
	va_end(ap);
	t->failed = true;
	t->status = (uint16_t)code;
	check_cancel(&t->check);
	close_data(f, true);
	if (unknown)
		say_result(f); /* the server knows nothing of it */
	else
		ftp_enter(f, FTP_REPLY);
}

void ftp_transfer_late(struct ftp *f)
{
	if (f->transfer.stopped) {
		ftp_transfer_refuse(f);
		return;
	}
	f->transfer.reason = REASON_TIMEOUT;
	if (ftp_transfer_connected(f))
		ftp_transfer_fail(f, 426, "Nothing moved for too long.");
	else
		ftp_transfer_fail(f, 425, "No data connection came in time.");
}

static void abort_held(struct ftp *f)
{
	ftp_transfer_fail(f, 426, "Transfer aborted.");
	if (!f->session->dead)
		ftp_say(f, 226, "Abort successful.");
}

/*
 * Two replies (RFC 959 4.1.3): for the transfer, and for ABOR. The server's data
 * connection stays a moment, so that it sees ABOR, and not a connection that
 * broke (ftp_transfer_cut()).
 */
void ftp_transfer_abort(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;
	struct side *server = &f->session->server;

	t->aborted = true;
	t->reason = REASON_CLIENT_CLOSED;
	if (t->held) {
		abort_held(f);
		return;
	}
	if (side_out_room(server, 6)) {
		(void)buf_append(&server->out, "ABOR\r\n", 6);
		f->abort_asked = true;
	}
	str_copy(t->says, sizeof(t->says), "Transfer aborted.");
	t->failed = true;
	t->status = 426;
	check_cancel(&t->check);
	note_moved(f);
	ftp_data_close_client(&f->data, true);
	ftp_enter(f, FTP_REPLY);
}

/* It doesn't look at its control connection while it sends. */
void ftp_transfer_cut(struct ftp *f)
{
	close_data(f, true);
	ftp_enter(f, FTP_REPLY);
}

bool ftp_transfer_lingers(const struct ftp *f)
{
	return f->transfer.aborted && f->data.mode != FTP_DATA_NONE;
}

/* A file of which the server has a part that must not stay. */
static bool must_delete(const struct ftp_transfer *t)
{
	return t->failed && t->stopped && t->upload && t->command == FTP_STOR;
}

/* "DELE" and what was behind "STOR". */
static void ask_delete(struct ftp *f)
{
	static const char verb[] = {'D', 'E', 'L', 'E'};
	char *line = f->transfer.line;

	memcpy(line, verb, sizeof(verb));
	ftp_ask(f, FTP_DELE, FTP_ASKED_DELE, line, strlen(line));
}

/*
 * To be done with what hasn't been moved, or not even begun (1xx), is a word that
 * the client must not get: what it has, or the server, is not all.
 */
static bool is_believed(const struct ftp *f, unsigned int code)
{
	return code >= 300 || ftp_transfer_done(f);
}

bool ftp_transfer_passes(const struct ftp *f, unsigned int code)
{
	const struct ftp_transfer *t = &f->transfer;

	if (t->failed)
		return t->aborted && code >= 400;
	return is_believed(f, code);
}

/* It is told 451 instead of the server's "done". */
static void doubt(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;

	t->failed = true;
	t->reason = REASON_BAD_RESPONSE;
	t->status = 451;
	str_copy(t->says, sizeof(t->says),
		 "The server was done before it began.");
	check_cancel(&t->check);
	close_data(f, true);
}

void ftp_transfer_unanswered(struct ftp *f)
{
	if (must_delete(&f->transfer))
		ask_delete(f);
	else
		say_result(f);
}

void ftp_transfer_replied(struct ftp *f, unsigned int code)
{
	struct ftp_transfer *t = &f->transfer;

	if (!t->failed && !is_believed(f, code))
		doubt(f);
	if (must_delete(t) && code != 421) {
		ask_delete(f);
	} else if (!ftp_transfer_passes(f, code)) {
		say_result(f);
	} else {
		t->status = (uint16_t)code;
		close_data(f, t->failed || (t->running && code >= 300));
		over_and_ready(f);
	}
}

void ftp_transfer_went_on(struct ftp *f, unsigned int code)
{
	if (f->asked == FTP_ASKED_DELE)
		say_result(f);
	else if (code == 350)
		ftp_transfer_ask(f);
	else
		ftp_transfer_fail(f, 550, "The server can't restart there.");
}

void ftp_transfer_cut_off(struct ftp *f, enum reason reason)
{
	struct ftp_transfer *t = &f->transfer;

	if (t->failed) {
		ftp_say(f, t->status, "%s", t->says);
	} else {
		t->reason = reason;
		t->status = 421;
	}
	ftp_transfer_over(f);
}

/* The client has some of it, and may ask for the rest. */
static bool left_some(const struct ftp_transfer *t)
{
	const struct transfer *b = &t->body;

	return !t->upload && b->object != NULL && b->object->digest != NULL &&
	       b->sent > b->first &&
	       (t->failed || t->status >= 300 || t->restart > 0);
}

static void log_transfer(struct ftp *f)
{
	const struct ftp_transfer *t = &f->transfer;
	char host[IP_TEXT_MAX];
	struct event ev = {
		.protocol = EVENT_FTP,
		.verdict = t->verdict,
		.reason = t->reason,
		.status = t->status,
		.stopped = t->stopped,
		.upload = t->upload,
		.has_sha256 = t->check.has_hash,
		.bytes_in = t->upload ? t->moved : 0,
		.bytes_out = t->upload ? 0 : t->moved,
		.duration_ms = ftp_now(f) - t->started_ms,
		.scan_ms = t->check.waited_ms,
		.method = str_of(ftp_command_name(t->command)),
		.url = str_of(t->url),
		.user = str_of(f->user),
		.rule = str_of(t->rule),
		.name = str_of(t->check.result.name),
	};

	ev.host = str_of(ip_addr_format(&f->session->server_addr.addr, host,
					sizeof(host)));
	memcpy(ev.sha256, t->check.sha256, sizeof(ev.sha256));
	eventlog_tell(f->session, &ev);
}

void ftp_transfer_over(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;

	if (t->running && f->data.mode != FTP_DATA_NONE)
		close_data(f, true);
	if (left_some(t) && ftp_config(f)->ftp.restart == RESTART_SERVE)
		(void)parts_note(&t->check, t->body.object, str_of(t->url));
	if (t->verdict == VERDICT_NOT_SCANNED && !t->stopped)
		stats_add(f->session->relay->stats,
			  RELAY_UNSCANNED_BYTES + t->reason, t->moved);
	log_transfer(f);
	check_cancel(&t->check);
	transfer_end(&t->body);
	free(t->line);
	free(t->url);
	memset(t, 0, sizeof(*t));
	f->abort_asked = false;
}

void ftp_transfer_refuse(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;
	const struct outbox *events = &f->session->relay->events;
	char id[EVENT_ID_MAX];

	eventlog_next_id(events, id, sizeof(id));
	if (t->check.result.name[0] != '\0')
		ftp_transfer_fail(f, 550, "Blocked: %s found. Event %s.",
				  t->check.result.name, id);
	else
		ftp_transfer_fail(f, 550, "Blocked. %s Event %s.",
				  verdict_reason_sentence(t->reason), id);
}
