// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One object, or a listing, on its way through a data connection.
 *
 * A download is passed on as delivery says (proxy/release.h). Its end is its only
 * mark of being whole, so the client sees an orderly end only when there is a
 * verdict that lets it through and the server said that it was all; anything
 * else ends in a reset and an error.
 *
 * An upload is held: the server does not even get the command before there is a
 * verdict, since that alone would destroy a file of that name. With
 * ftp.uploads = "tail" it goes on as it comes, and what is found at its end is
 * deleted.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/eventlog.h"
#include "proxy/ftp.h"
#include "proxy/parts.h"
#include "proxy/release.h"

static struct side *client_side(struct ftp *f)
{
	return &f->data.client.side;
}

/* --- what is found ------------------------------------------------- */

static void judged(struct check *c)
{
	struct ftp_transfer *t = list_entry(c, struct ftp_transfer, check);

	t->verdict = c->result.verdict;
	t->reason = c->result.reason;
	t->stopped = !check_lets_through(c);
	t->rule = t->verdict == VERDICT_NOT_SCANNED ? "scan.not_scanned"
						    : "scan";
}

/* It must not arrive. */
static void refuse(struct ftp *f)
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

/* --- begin --------------------------------------------------------- */

static char *make_line(const struct ftp_request *req)
{
	size_t size = req->verb.len + req->argument.len + 4;
	char *line = malloc(size);
	struct strbuf sb;

	if (line == NULL)
		return NULL;
	strbuf_init(&sb, line, size);
	ftp_write_command(&sb, req);
	return line;
}

static char *make_url(const struct ftp *f, struct str argument)
{
	const struct ip_endpoint *server = &f->session->server_addr;
	size_t size = 3 * (FTP_PATH_MAX + argument.len) + IP_TEXT_MAX + 16;
	char *url = malloc(size), host[IP_TEXT_MAX];
	struct strbuf sb;

	if (url == NULL)
		return NULL;
	strbuf_init(&sb, url, size);
	strbuf_puts(&sb, "ftp://");
	if (server->addr.family == AF_INET6 || server->port != 21)
		strbuf_puts(&sb,
			    ip_endpoint_format(server, host, sizeof(host)));
	else
		strbuf_puts(&sb,
			    ip_addr_format(&server->addr, host, sizeof(host)));
	ftp_path_url(&sb, &f->path, argument);
	return url;
}

static bool is_upload(enum ftp_command command)
{
	return command == FTP_STOR || command == FTP_STOU ||
	       command == FTP_APPE;
}

static void ask(struct ftp *f)
{
	const struct ftp_transfer *t = &f->transfer;

	ftp_ask(f, t->command, FTP_ASKED_BY_CLIENT, t->line, strlen(t->line));
}

static void ask_restart(struct ftp *f)
{
	char line[40];
	int n = snprintf(line, sizeof(line), "REST %llu\r\n",
			 (unsigned long long)f->transfer.restart);

	ftp_ask(f, FTP_REST, FTP_ASKED_REST, line, (size_t)n);
}

static void hold(struct ftp *f)
{
	f->transfer.held = true;
	ftp_say(f, 150, "Ready for data; it is scanned before it is stored.");
	ftp_transfer_start(f);
}

/* What is added to a file can't be judged: what it becomes is not here. */
static bool is_partial(const struct ftp_transfer *t)
{
	return t->upload && (t->command == FTP_APPE || t->restart > 0);
}

static void begin_upload(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;

	if (is_partial(t))
		check_not_scanned(&t->check, REASON_PARTIAL);
	if (t->stopped)
		refuse(f);
	else if (t->check.state == CHECK_WANTED &&
		 ftp_config(f)->ftp.uploads == DELIVERY_HOLD)
		hold(f);
	else if (t->restart > 0)
		ask_restart(f);
	else
		ask(f);
}

/* @object: not a listing. REST is of the next transfer, and of no other. */
static bool remember(struct ftp *f, const struct ftp_request *req, bool object)
{
	struct ftp_transfer *t = &f->transfer;

	memset(t, 0, sizeof(*t));
	t->line = make_line(req);
	t->url = make_url(f, req->argument);
	if (t->line == NULL || t->url == NULL) {
		free(t->line);
		free(t->url);
		memset(t, 0, sizeof(*t));
		return false;
	}
	t->command = req->command;
	t->upload = is_upload(req->command);
	t->rule = "";
	t->started_ms = ftp_now(f);
	t->restart = object ? f->restart : 0;
	f->restart = 0;
	check_init(&t->check, f->session, judged);
	stats_add(f->session->relay->stats, RELAY_REQUESTS, 1);
	return true;
}

/*
 * Before the server is asked: a client that begins a download again and again,
 * as some do when it breaks off, would get its beginning each time.
 */
static bool is_infected(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;

	if (!check_url_infected(&t->check, STR(""), str_of(t->url))) {
		check_remember_url(&t->check);
		return false;
	}
	t->verdict = VERDICT_BLOCKED;
	t->reason = REASON_INFECTED_URL;
	t->stopped = true;
	t->rule = "scan.infected_url_block";
	refuse(f);
	return true;
}

/* What can't come about any more is refused here, and not asked for. */
static bool has_data(struct ftp *f)
{
	int rc = ftp_data_ready(&f->data);

	if (f->data.mode == FTP_DATA_NONE) {
		ftp_say(f, 425, "Use PORT or PASV first.");
		return false;
	}
	if (rc < 0) {
		ftp_data_close(&f->data, true);
		ftp_say(f, 425, "No data connection can be made: %s.",
			strerror(-rc));
	}
	return rc >= 0;
}

void ftp_transfer_begin(struct ftp *f, const struct ftp_request *req)
{
	static const struct coding_list none;
	struct ftp_transfer *t = &f->transfer;
	bool object = is_upload(req->command) || req->command == FTP_RETR;

	if (!has_data(f)) {
		f->restart = 0;
		return;
	}
	if (!remember(f, req, object)) {
		ftp_say(f, 451, "The gateway has no memory.");
		return;
	}
	if (object && check_scanning(f->session))
		check_begin(&t->check, &none, (struct str){NULL, 0});
	if (t->command == FTP_RETR && t->check.state == CHECK_WANTED &&
	    is_infected(f))
		return;
	if (t->upload && t->check.state == CHECK_WANTED)
		begin_upload(f);
	else
		ask(f);
}

/* --- start --------------------------------------------------------- */

static struct object *make_object(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;
	struct object *object = NULL;

	if (t->check.state == CHECK_WANTED) {
		object = object_new(&f->session->relay->objects, 0);
		if (object == NULL)
			check_not_scanned(&t->check, REASON_STORAGE);
	}
	return object;
}

/* The whole comes, and the client has what is before @restart. */
static void cut(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;

	if (t->body.object != NULL) {
		parts_begin(&t->check, str_of(t->url));
		object_mark(t->body.object, t->check.job.msg.part.was.length);
	}
	transfer_cut(&t->body, t->restart, TRANSFER_ALL);
}

static void start_body(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;
	struct side *client = &f->data.client.side;
	struct side *server = &f->data.server.side;

	transfer_start(&t->body, t->upload ? client : server,
		       t->upload ? server : client, HTTP1_BODY_CLOSE, 0,
		       HTTP1_BODY_CLOSE, make_object(f));
	t->running = true;
	if (!t->upload && t->restart > 0)
		cut(f);
}

void ftp_transfer_start(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;

	t->held &= !t->running;
	ftp_enter(f, FTP_TRANSFER);
	if (!t->running)
		start_body(f);
	/* What needs no scan is only missing when the client sent REST. */
	if (t->stopped)
		refuse(f);
	else
		ftp_data_call_client(&f->data);
}

/* --- on its way ---------------------------------------------------- */

bool ftp_transfer_connected(const struct ftp *f)
{
	return f->data.client.state == LEG_OPEN &&
	       (f->transfer.held || f->data.server.state == LEG_OPEN);
}

/* Up to its verdict a held upload goes nowhere. */
static bool may_receive(const struct ftp *f)
{
	const struct ftp_transfer *t = &f->transfer;
	const struct transfer *b = &t->body;

	return !b->passing && !b->in_done && b->error == 0 &&
	       (t->held || b->sent <= b->first ||
		release_may_read(&ftp_config(f)->delivery, b));
}

static void judge(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;
	struct object *o = t->body.object;

	if (o->error != 0) {
		check_not_scanned(&t->check, REASON_STORAGE);
	} else if (t->body.received > ftp_config(f)->scan.max_object) {
		check_not_scanned(&t->check, REASON_SIZE);
	} else if (t->body.in_done) {
		if (!o->finished)
			object_finish(o);
		switch (parts_compare(&t->check, o)) {
		case PARTS_FIT:
			check_ask(&t->check, o);
			break;
		case PARTS_DIFFER:
			check_not_scanned(&t->check, REASON_PARTIAL);
			break;
		case PARTS_BUSY:
			session_again(f->session);
		}
	}
}

static void release_early(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;
	const struct config *c = ftp_config(f);
	enum config_delivery mode =
		t->upload ? DELIVERY_TAIL
			  : config_delivery_mode(c,
						 &f->session->client_addr.addr);
	uint64_t until = release_before_verdict(&c->delivery, mode, &t->body);

	if (!t->held && until > t->body.sent &&
	    parts_may_leave_early(&t->check, t->body.object))
		t->body.release = until;
}

/* There is a verdict that lets it through. */
static void release_judged(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;

	if (t->held) {
		/* Now it is the server's turn; it goes on when that is ready. */
		t->held = false;
		ask(f);
	} else if (t->body.in_done) {
		t->body.release = TRANSFER_ALL;
	} else if (!t->body.passing) {
		transfer_stop_storing(&t->body);
	}
}

/* Store what came, and let leave what may. Progress? */
static bool deliver(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;
	bool progress = false;

	if (may_receive(f))
		progress = transfer_store(&t->body, FTP_BUDGET);
	if (t->body.object->lost) {
		f->no_memory = true;
		return true;
	}
	if (t->body.error != 0)
		return progress; /* the caller ends it */
	if (t->check.state == CHECK_WANTED)
		judge(f);
	if (t->check.state != CHECK_DONE) {
		release_early(f);
	} else if (t->stopped) {
		refuse(f);
		return true;
	} else {
		release_judged(f);
	}
	if (f->state != FTP_TRANSFER || t->held)
		return progress || f->state != FTP_TRANSFER;
	return transfer_send(&t->body, FTP_BUDGET) || progress;
}

/* Which leg broke, and what that means. True when one did. */
static bool broken(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;
	const struct ftp_leg *client = &f->data.client;
	const struct ftp_leg *server = &f->data.server;

	if (client->state == LEG_FAILED) {
		t->reason = REASON_CLIENT_CLOSED;
		ftp_transfer_fail(f, 425, "No data connection to you: %s.",
				  strerror(-client->side.error));
	} else if (server->state == LEG_FAILED && !t->held) {
		t->reason = REASON_CONNECT;
		ftp_transfer_fail(f, 425,
				  "No data connection to the server: "
				  "%s.",
				  strerror(-server->side.error));
	} else if (client->side.error != 0) {
		t->reason = REASON_CLIENT_CLOSED;
		ftp_transfer_fail(f, 426, "You closed the data connection.");
	} else if (server->side.error != 0 && !t->held) {
		t->reason = REASON_ORIGIN_CLOSED;
		ftp_transfer_fail(f, 426,
				  "The server's data connection "
				  "broke.");
	} else {
		return false;
	}
	return true;
}

/*
 * The server's leg ends when all was received or sent, whatever the client's
 * does: of an upload the server learns its end by it, and of a download some
 * wait for ours before they say that it was all.
 */
static void say_end(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;
	struct side *server = &f->data.server.side;
	bool ends = t->upload ? t->body.out_done && side_flushed(server)
			      : server->rd_closed && t->body.in_done;

	if (!ends || server->wr_closed)
		return;
	side_break_off(server, false);
	side_shutdown(server);
}

bool ftp_transfer_run(struct ftp *f)
{
	struct ftp_transfer *t = &f->transfer;
	const struct session *s = f->session;
	bool progress;

	if (!t->running || t->failed)
		return false;
	if (broken(f))
		return true;
	if (t->body.object != NULL)
		progress = deliver(f);
	else
		progress = transfer_send(&t->body, FTP_BUDGET);
	if (s->dead || f->state != FTP_TRANSFER || !t->running)
		return true;
	if (side_open(t->body.to))
		(void)side_flush(t->body.to);
	say_end(f);
	return broken(f) || progress;
}

bool ftp_transfer_done(const struct ftp *f)
{
	const struct ftp_transfer *t = &f->transfer;

	return t->failed ||
	       (t->running && t->body.out_done && ftp_transfer_connected(f) &&
		side_flushed(t->body.to));
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
		ask(f);
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
