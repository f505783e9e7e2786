// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One object, or a listing, on its way through a data connection.
 *
 * A download is passed on as delivery says (proxy/release.h). Its end is its only
 * mark of being whole, so the client sees an orderly end only when there is a
 * verdict that lets it through and the server said that it was all; anything
 * else ends in a reset and an error.
 */
#include <errno.h>
#include <string.h>

#include "proxy/ftp.h"
#include "proxy/parts.h"
#include "proxy/release.h"

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
		ftp_transfer_ask(f);
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
		check_received(&t->check, &t->body);
	if (t->check.state != CHECK_DONE) {
		release_early(f);
	} else if (t->stopped && f->data.client.state >= LEG_OPEN) {
		ftp_transfer_refuse(f);
		return true;
	} else if (t->stopped) {
		/* It was told 150: many wait for it before they read on. */
		return progress;
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
	if (t->upload) {
		side_break_off(server, false);
		side_shutdown(server);
	} else {
		ftp_data_end_server(&f->data);
	}
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
