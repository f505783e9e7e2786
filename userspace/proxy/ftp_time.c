// SPDX-License-Identifier: GPL-2.0-or-later
/* How long each state may last, and what becomes of one that lasts longer. */
#include "proxy/ftp.h"

/* For the second of the two replies that ABOR gets; some servers send one. */
#define ABOR_MS	  5000
/* For the first one, until the data connection is cut. */
#define CUT_MS	  1000
/* For the last reply to a transfer that failed: Pure-FTPd often sends none. */
#define FAILED_MS 10000
/* For a client to take the last words. */
#define LAST_MS	  10000

/* The reply to a transfer that failed is waited for. */
static bool is_last_word(const struct ftp *f)
{
	return f->transfer.failed && f->asked == FTP_ASKED_BY_CLIENT;
}

uint64_t ftp_time_limit(const struct ftp *f)
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
		ftp_log(f, VERDICT_PASSED, reason, "", "", "", 421);
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

static void reply_is_late(struct ftp *f)
{
	if (f->command != FTP_ABOR && ftp_transfer_lingers(f)) {
		ftp_transfer_cut(f);
		return;
	}
	/* What has come of it, and what still does, answers nothing any more. */
	f->unasked = true;
	if (f->command == FTP_ABOR)
		aborted(f);
	else if (is_last_word(f))
		ftp_transfer_unanswered(f);
	else
		say_late(f, REASON_RESPONSE_TIMEOUT,
			 "The server did not reply in time.", CLOSE_TIMEOUT);
}

void ftp_time_over(struct ftp *f)
{
	switch (f->state) {
	case FTP_CONNECT:
		say_late(f, REASON_CONNECT_TIMEOUT,
			 "The server did not answer in time.", CLOSE_TIMEOUT);
		break;
	case FTP_REPLY:
		reply_is_late(f);
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
