// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What becomes of a server's replies. The client gets them line by line, written
 * anew; but those that name a data connection of the server's own (it would be
 * one that we don't see), those to commands of ours, and those that nobody asked
 * for.
 */
#include <string.h>

#include "proxy/ftp.h"

static void end_badly(struct ftp *f, const char *name)
{
	ftp_log(f, VERDICT_BLOCKED, REASON_BAD_RESPONSE, "ftp", "", name, 421);
	if (ftp_transfer_there(f))
		ftp_transfer_cut_off(f, REASON_BAD_RESPONSE);
	ftp_say(f, 421, "The server's reply makes no sense (%s).", name);
	ftp_end(f, CLOSE_REFUSED);
}

void ftp_reply_bad(struct ftp *f, enum ftp_error error)
{
	end_badly(f, ftp_error_name(error));
}

/* --- lines --------------------------------------------------------- */

static void pass_line(struct ftp *f)
{
	struct side *client = &f->session->client;
	size_t size = f->reply.text.len + 8;
	struct strbuf sb;

	f->no_memory |= !side_out_room(client, size);
	if (f->no_memory)
		return;
	strbuf_init(&sb, (char *)buf_tail(&client->out), size);
	ftp_write_reply(&sb, &f->reply);
	buf_produce(&client->out, sb.len);
}

/* What FEAT must not promise, as we refuse it. */
static bool is_refused_feature(const struct ftp *f)
{
	static const char *const never[] = {"MODE Z", "LPRT", "LPSV", "SPSV",
					    "CPSV",   "SSCN", "RANG", "COMB"};
	static const char *const tls[] = {"AUTH", "PBSZ", "PROT", "CCC"};
	struct str line = str_trim(f->reply.text);
	bool found = false;

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		found |= str_starts(line, str_of(never[i]));
	for (size_t i = 0; i < sizeof(tls) / sizeof(tls[0]); i++)
		found |= ftp_config(f)->ftp.ftps == FTPS_REFUSE &&
			 str_starts(line, str_of(tls[i]));
	return found && f->command == FTP_FEAT && f->reply.open;
}

/* Entering some passive mode: 227, 228, 229. */
static bool is_passive(unsigned int code)
{
	return code >= 227 && code <= 229;
}

static bool asks_passive(const struct ftp *f)
{
	return f->state == FTP_REPLY &&
	       (f->command == FTP_PASV || f->command == FTP_EPSV);
}

/* Whether a line is for the client at all. */
static bool is_passed(const struct ftp *f)
{
	const struct ftp_transfer *t = &f->transfer;
	unsigned int code = f->reply.code;

	if (f->unasked)
		return code == 421; /* it ends the session */
	if (f->asked != FTP_ASKED_BY_CLIENT)
		return false;
	if (asks_passive(f))
		return !is_passive(code) && !f->reply.open;
	if (ftp_transfer_there(f) && code >= 200)
		return ftp_transfer_passes(f, code);
	if (ftp_transfer_there(f) && t->running)
		return false; /* held: it had a 150 of ours */
	return !is_refused_feature(f);
}

/* --- replies ------------------------------------------------------- */

/* Where the server listens; its address is the one that we know. */
static void prepare_passive(struct ftp *f)
{
	struct ip_endpoint ep = {{{0}, 0}, 0};
	bool extended = f->command == FTP_EPSV;
	bool there = extended ? ftp_parse_epsv(f->reply.text, &ep.port)
			      : ftp_parse_pasv(f->reply.text, &ep);

	if (!there || f->reply.code != (extended ? 229 : 227) ||
	    (!extended && f->session->server_addr.addr.family != AF_INET)) {
		end_badly(f, "passive");
		return;
	}
	if (!ftp_data_passive(&f->data, ep.port)) {
		ftp_say(f, 451, "The gateway has no memory.");
		ftp_ready(f);
		return;
	}
	ftp_enter(f, FTP_SETUP);
}

/*
 * From here on both ends speak TLS to each other, also on data connections,
 * which are forwarded: nothing of it can be scanned.
 */
static void pass_tls(struct ftp *f)
{
	struct session *s = f->session;

	ftp_log(f, VERDICT_NOT_SCANNED, REASON_ENCRYPTED, "ftp.ftps", "AUTH",
		"", 234);
	s->protocol->ended(s, CLOSE_DONE); /* FTP, not the session */
	session_tunnel(s);
}

static void followed(struct ftp *f, unsigned int code)
{
	struct str text = f->reply.text;

	if (code >= 300)
		return;
	switch (f->command) {
	case FTP_CWD:
		ftp_path_enter(&f->path, str_of(f->argument));
		break;
	case FTP_CDUP:
		ftp_path_enter(&f->path, STR(".."));
		break;
	case FTP_PWD:
		ftp_path_is(&f->path, text);
		break;
	case FTP_REIN:
		memset(&f->path, 0, sizeof(f->path));
		f->user[0] = '\0';
		break;
	default:
		break;
	}
}

/* The server ends the session with its 421, which the client has or gets. */
static void server_ends(struct ftp *f, bool passed)
{
	if (ftp_transfer_there(f))
		ftp_transfer_cut_off(f, REASON_ORIGIN_CLOSED);
	if (!passed)
		ftp_say(f, 421, "The server closed the connection.");
	ftp_end(f, CLOSE_SERVER_GONE);
}

/* The last reply to what the client asked for, who has it if it was @passed. */
static void answered(struct ftp *f, unsigned int code, bool passed)
{
	bool tls = f->command == FTP_AUTH && code == 234;

	if (is_passive(code)) {
		prepare_passive(f);
	} else if (tls && ftp_config(f)->ftp.ftps == FTPS_PASS) {
		pass_tls(f);
	} else if (ftp_transfer_there(f)) {
		ftp_transfer_replied(f, code);
		if (code == 421 && !ftp_transfer_there(f))
			server_ends(f, passed);
	} else if (f->command == FTP_QUIT) {
		ftp_end(f, CLOSE_DONE);
	} else if (code == 421) {
		server_ends(f, passed);
	} else {
		followed(f, code);
		ftp_ready(f);
	}
}

/*
 * Pure-FTPd ends a download whose data connection broke with one more 150, and
 * nothing after it.
 */
static bool is_last_of_failed(const struct ftp *f)
{
	return ftp_transfer_there(f) && f->transfer.failed;
}

static void answered_us(struct ftp *f, unsigned int code)
{
	if (code >= 200)
		ftp_transfer_went_on(f, code);
}

void ftp_reply_take(struct ftp *f)
{
	unsigned int code = f->reply.code;
	bool passed = is_passed(f);

	/* Whoever is told such an address would leave us out. */
	if (is_passive(code) && !asks_passive(f) && !f->unasked) {
		end_badly(f, "passive");
		return;
	}
	if (passed)
		pass_line(f);
	if (f->reply.open || f->session->dead)
		return;
	if (f->unasked) {
		if (code == 421)
			server_ends(f, passed);
	} else if (f->asked != FTP_ASKED_BY_CLIENT) {
		answered_us(f, code);
	} else if (code >= 200 || is_last_of_failed(f)) {
		answered(f, code, passed);
	} else if (ftp_transfer_there(f)) {
		ftp_transfer_start(f);
	}
}
