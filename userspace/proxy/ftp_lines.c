// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of both control connections: commands, and replies. */
#include <errno.h>
#include <string.h>

#include "proxy/ftp.h"

/* Lines of a client that are no commands, one after the other: no FTP. */
#define BAD_LINES_MAX 20

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
	ftp_log(f, VERDICT_BLOCKED, REASON_BAD_REQUEST, "ftp", "", name, 500);
	ftp_say(f, 500, "This is no FTP (%s).", name);
	ftp_end(f, CLOSE_REFUSED);
}

/* While an object moves, ABOR is obeyed at once, and all else waits. */
static bool waits(const struct ftp *f, const struct ftp_request *req)
{
	return f->state != FTP_READY && req->command != FTP_ABOR;
}

bool ftp_lines_client(struct ftp *f)
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

bool ftp_lines_server(struct ftp *f)
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
