// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A transfer begins: what the client asks for, whether it may have it, and what
 * the server is asked for.
 *
 * An upload is held: the server does not even get the command before there is a
 * verdict, since that alone would destroy a file of that name (docs/adr/0023).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/ftp.h"
#include "proxy/parts.h"

static void judged(struct check *c)
{
	struct ftp_transfer *t = list_entry(c, struct ftp_transfer, check);

	t->verdict = c->result.verdict;
	t->reason = c->result.reason;
	t->stopped = !check_lets_through(c);
	t->rule = t->verdict == VERDICT_NOT_SCANNED ? "scan.not_scanned"
						    : "scan";
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

void ftp_transfer_ask(struct ftp *f)
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
		ftp_transfer_refuse(f);
	else if (t->check.state == CHECK_WANTED &&
		 ftp_config(f)->ftp.uploads == DELIVERY_HOLD)
		hold(f);
	else if (t->restart > 0)
		ask_restart(f);
	else
		ftp_transfer_ask(f);
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
	ftp_transfer_refuse(f);
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
		ftp_transfer_ask(f);
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
		ftp_transfer_refuse(f);
	else
		ftp_data_call_client(&f->data);
}
