// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What becomes of a client's commands. Most go on as they are. Refused are those
 * that would open a data connection that we don't see (and with it a way past
 * the scanner), and those that say how data is sent that we couldn't read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/ftp.h"

/* Below it, services of other kinds listen (RFC 2577 3). */
#define PORT_MIN  1024
#define REPLY_MAX 128

typedef void (*take_fn)(struct ftp *f, const struct ftp_request *req);

static void forward(struct ftp *f, const struct ftp_request *req)
{
	size_t size = req->verb.len + req->argument.len + 4;
	char *line = malloc(size);
	struct strbuf sb;

	if (line == NULL) {
		ftp_say(f, 451, "The gateway has no memory.");
		return;
	}
	strbuf_init(&sb, line, size);
	ftp_write_command(&sb, req);
	ftp_ask(f, req->command, FTP_ASKED_BY_CLIENT, line, sb.len);
	free(line);
}

static void refuse(struct ftp *f, const struct ftp_request *req,
		   enum reason reason, const char *rule, unsigned int code)
{
	char verb[16];

	str_copy_view(verb, sizeof(verb), req->verb);
	for (char *p = verb; *p != '\0'; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p & ~0x20);
	ftp_log(f, VERDICT_BLOCKED, reason, rule, verb, "", code);
	ftp_say(f, code, "%s", verdict_reason_sentence(reason));
}

/* --- who and where ------------------------------------------------- */

static void take_user(struct ftp *f, const struct ftp_request *req)
{
	str_copy_view(f->user, sizeof(f->user), req->argument);
	forward(f, req);
}

/* What has no room is not followed: then the path is that of before. */
static void take_cwd(struct ftp *f, const struct ftp_request *req)
{
	if (!str_copy_view(f->argument, sizeof(f->argument), req->argument))
		f->argument[0] = '\0';
	forward(f, req);
}

static void take_rein(struct ftp *f, const struct ftp_request *req)
{
	ftp_data_close(&f->data, true);
	f->restart = 0;
	forward(f, req);
}

/* --- how data is sent ---------------------------------------------- */

static void take_mode(struct ftp *f, const struct ftp_request *req)
{
	if (str_eq_nocase(req->argument, STR("S")))
		forward(f, req);
	else
		ftp_say(f, 504, "Only MODE S can be scanned.");
}

static void take_stru(struct ftp *f, const struct ftp_request *req)
{
	if (str_eq_nocase(req->argument, STR("F")))
		forward(f, req);
	else
		ftp_say(f, 504, "Only STRU F can be scanned.");
}

static void take_type(struct ftp *f, const struct ftp_request *req)
{
	struct str type = {req->argument.p, req->argument.len > 0};

	if (str_eq_nocase(type, STR("A")) || str_eq_nocase(type, STR("I")) ||
	    str_eq_nocase(req->argument, STR("L 8")))
		forward(f, req);
	else
		ftp_say(f, 504, "Only TYPE A, I and L 8 can be scanned.");
}

/*
 * A part of an object can't be judged, so the whole is asked for, and where it
 * begins is the client's alone (ftp_transfer.c).
 */
static void take_rest(struct ftp *f, const struct ftp_request *req)
{
	uint64_t at;

	if (!check_scanning(f->session)) {
		forward(f, req);
	} else if (ftp_config(f)->ftp.restart == RESTART_REFUSE) {
		ftp_say(f, 502, "Parts of files are not sent: begin anew.");
	} else if (!str_to_u64(req->argument, &at) || at > INT64_MAX) {
		ftp_say(f, 501, "REST wants a number of bytes.");
	} else {
		f->restart = at;
		ftp_say(f, 350, "Restarting at %llu.", (unsigned long long)at);
	}
}

/* --- data connections ---------------------------------------------- */

/* FTP bounce (RFC 2577 3): a server made to talk to somebody else. */
static bool is_own(const struct ftp *f, const struct ip_endpoint *ep)
{
	return ip_addr_equal(&ep->addr, &f->session->client_addr.addr) &&
	       ep->port >= PORT_MIN;
}

static void take_port(struct ftp *f, const struct ftp_request *req)
{
	bool old = req->command == FTP_PORT;
	struct ip_endpoint ep;

	if (!(old ? ftp_parse_port(req->argument, &ep)
		  : ftp_parse_eprt(req->argument, &ep))) {
		ftp_say(f, 501, "This is no address.");
		return;
	}
	if (!is_own(f, &ep)) {
		refuse(f, req, REASON_BOUNCE, "ftp", 500);
		return;
	}
	if (!ftp_data_active(&f->data, &ep)) {
		ftp_say(f, 451, "The gateway has no memory.");
		return;
	}
	f->command = req->command;
	ftp_enter(f, FTP_SETUP);
}

/* The address in the answer is ours to write, so it is looked at there. */
static void take_pasv(struct ftp *f, const struct ftp_request *req)
{
	ftp_data_close(&f->data, true);
	forward(f, req);
}

static void say_passive(struct ftp *f)
{
	const struct ip_endpoint *ep = ftp_data_told(&f->data);
	char text[REPLY_MAX];
	struct strbuf sb;

	strbuf_init(&sb, text, sizeof(text));
	if (f->command == FTP_EPSV) {
		ftp_say(f, 229, "Entering Extended Passive Mode (|||%u|)",
			ep->port);
	} else {
		ftp_write_port(&sb, ep);
		ftp_say(f, 227, "Entering Passive Mode (%s).", text);
	}
	ftp_ready(f);
}

static void ask_active(struct ftp *f)
{
	const struct ip_endpoint *ep = ftp_data_told(&f->data);
	char line[REPLY_MAX];
	struct strbuf sb;

	strbuf_init(&sb, line, sizeof(line));
	strbuf_puts(&sb, f->command == FTP_PORT ? "PORT " : "EPRT ");
	if (f->command == FTP_PORT)
		ftp_write_port(&sb, ep);
	else
		ftp_write_eprt(&sb, ep);
	strbuf_puts(&sb, "\r\n");
	ftp_ask(f, f->command, FTP_ASKED_BY_CLIENT, line, sb.len);
}

void ftp_command_prepared(struct ftp *f)
{
	int rc = ftp_data_ready(&f->data);

	if (rc < 0) {
		ftp_data_close(&f->data, true);
		ftp_say(f, 425, "No data connection can be made: %s.",
			strerror(-rc));
		ftp_ready(f);
	} else if (f->data.mode == FTP_DATA_PASSIVE) {
		say_passive(f);
	} else {
		ask_active(f);
	}
}

/* --- TLS ----------------------------------------------------------- */

static void take_auth(struct ftp *f, const struct ftp_request *req)
{
	if (ftp_config(f)->ftp.ftps == FTPS_PASS)
		forward(f, req);
	else
		refuse(f, req, REASON_TLS, "ftp.ftps", 534);
}

/* On a connection that isn't encrypted there is nothing to set. */
static void take_tls_option(struct ftp *f, const struct ftp_request *req)
{
	(void)req;
	ftp_say(f, 503, "Security data exchange not complete.");
}

/* --- the rest ------------------------------------------------------ */

/* Of commands that no RFC above names, those that open no data connection. */
static const char *const passed[] = {
	"AVBL", "CLNT", "CSID", "DSIZ", "HASH", "MFCT", "MFF", "XCRC",
};

static void take_other(struct ftp *f, const struct ftp_request *req)
{
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
		if (str_eq_nocase(req->verb, str_of(passed[i]))) {
			forward(f, req);
			return;
		}
	}
	refuse(f, req, REASON_METHOD, "ftp", 502);
}

static const take_fn takers[FTP_COMMAND_COUNT] = {
	[FTP_OTHER] = take_other,
	[FTP_APPE] = ftp_transfer_begin,
	[FTP_AUTH] = take_auth,
	[FTP_CCC] = take_tls_option,
	[FTP_CWD] = take_cwd,
	[FTP_EPRT] = take_port,
	[FTP_LIST] = ftp_transfer_begin,
	[FTP_MLSD] = ftp_transfer_begin,
	[FTP_MODE] = take_mode,
	[FTP_NLST] = ftp_transfer_begin,
	[FTP_PASV] = take_pasv,
	[FTP_PBSZ] = take_tls_option,
	[FTP_PORT] = take_port,
	[FTP_PROT] = take_tls_option,
	[FTP_REIN] = take_rein,
	[FTP_REST] = take_rest,
	[FTP_RETR] = ftp_transfer_begin,
	[FTP_STOR] = ftp_transfer_begin,
	[FTP_STOU] = ftp_transfer_begin,
	[FTP_STRU] = take_stru,
	[FTP_TYPE] = take_type,
	[FTP_USER] = take_user,
};

/* "EPSV ALL" (RFC 2428 4) opens nothing. */
static bool is_epsv_all(const struct ftp_request *req)
{
	return str_eq_nocase(req->argument, STR("ALL"));
}

void ftp_command_take(struct ftp *f, const struct ftp_request *req)
{
	take_fn take = takers[req->command];

	if (req->command == FTP_EPSV && !is_epsv_all(req))
		take = take_pasv;
	if (take != NULL)
		take(f, req);
	else
		forward(f, req);
}
