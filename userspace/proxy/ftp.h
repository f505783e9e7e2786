/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FTP on a session (protocol_ftp): one command at a time. Commands that a client
 * sends ahead wait in its buffer, but for ABOR, which ends a transfer.
 *
 *	CONNECT -> REPLY (greeting) -> READY -> REPLY ... -> READY
 *	PASV, PORT	... SETUP: the data connection is prepared first
 *	RETR, STOR	... REPLY (150) -> TRANSFER -> REPLY (226) -> READY
 *	a held upload	READY -> TRANSFER (received, judged) -> REPLY (150) ->
 *			TRANSFER -> REPLY (226) -> READY
 *
 * Files: ftp.c (session: states, words of ours), ftp_lines.c (lines in),
 * ftp_time.c (how long each state may last), ftp_command.c (what becomes of a
 * command), ftp_reply.c (what becomes of a reply), ftp_begin.c, ftp_transfer.c
 * and ftp_end.c (one object on its way), ftp_data.c (data connections).
 *
 * Fails closed: a command that could open a data connection which we would not
 * see is refused, and so is a reply that names one.
 */
#ifndef SLUICE_PROXY_FTP_H
#define SLUICE_PROXY_FTP_H

#include "proto/ftp.h"
#include "proto/ftp_path.h"
#include "proxy/check.h"
#include "proxy/ftp_data.h"
#include "proxy/relay.h"
#include "proxy/session.h"
#include "proxy/transfer.h"

#define FTP_USER_MAX 64
/* Bytes moved for one session before others get their turn. */
#define FTP_BUDGET   (256u << 10)

enum ftp_state {
	FTP_CONNECT,  /* to the server */
	FTP_REPLY,    /* waits for the reply to ftp.command, or the greeting */
	FTP_READY,    /* takes the next command */
	FTP_SETUP,    /* waits for a data connection that is prepared */
	FTP_TRANSFER, /* data may move */
	FTP_LAST      /* the last words leave, then it ends */
};

/* What the reply that is waited for belongs to. */
enum ftp_asked {
	FTP_ASKED_BY_CLIENT, /* the client gets it */
	FTP_ASKED_REST,	     /* our REST before an upload that goes on */
	FTP_ASKED_DELE	     /* our DELE of what must not stay */
};

/*
 * RETR, STOR and their like, from the command to the last reply.
 * Lifetime: at most one a session, part of struct ftp; command FTP_OTHER: none.
 */
struct ftp_transfer {
	enum ftp_command command;
	bool upload;
	bool held;	  /* the server hasn't got the command yet */
	bool running;	  /* @body was started */
	bool aborted;	  /* the client wants no more of it: ABOR */
	uint64_t restart; /* bytes that are left out: REST */
	char *line;	  /* the command as it was sent, for later */
	char *url;
	struct transfer body;
	struct check check;
	bool failed; /* data connections are closed; @says is the last reply */
	uint16_t status;
	char says[256]; /* in place of the server's last reply; "": that */

	/* for the event */
	enum verdict verdict;
	enum reason reason;
	const char *rule;
	bool stopped;
	uint64_t started_ms;
	uint64_t moved; /* bytes on the client's leg */
};

/*
 * Lifetime: from the first run of the session to its end; then its memory lives
 * on until the round is over, as later events of it may name a data connection.
 */
struct ftp {
	struct session *session;
	struct loop_task free;
	enum ftp_state state;
	enum ftp_command command; /* that is with the server; OTHER: greeting */
	enum ftp_asked asked;
	uint64_t asked_ms;
	struct ftp_reply reply; /* that is being read, line by line */
	uint64_t reply_bytes;	/* of it so far */
	bool unasked; /* nobody waited for it when it began: nor for its end */
	size_t seen_command;	/* of the client's bytes: searched so far */
	size_t seen_reply;	/* of the server's */
	unsigned int bad_lines; /* of the client, in a row */
	bool client_eprt;	/* a PORT that waits came as EPRT */
	bool client_epsv;
	bool abort_asked; /* ABOR is with the server, too */
	bool restart_set; /* REST was answered by us */
	uint64_t restart;
	char user[FTP_USER_MAX];
	struct ftp_path path;
	char argument[FTP_PATH_MAX]; /* of CWD, until it is answered */
	struct ftp_data data;
	struct ftp_transfer transfer;
	enum session_close why; /* in FTP_LAST */
	bool no_memory; /* for words of ours: it can't go on, nor say so */
};

static inline const struct config *ftp_config(const struct ftp *f)
{
	return f->session->config->config;
}

static inline uint64_t ftp_now(const struct ftp *f)
{
	return f->session->relay->loop->now_ms;
}

/* --- ftp.c ---------------------------------------------------------------------- */

/* A reply of ours to the client: "@code text" and CRLF, in one line. */
__attribute__((format(printf, 3, 4))) void
ftp_say(struct ftp *f, unsigned int code, const char *format, ...);
/*
 * A line to the server, of which @n bytes with its end are at @line; its reply is
 * waited for, for whom @asked says.
 */
void ftp_ask(struct ftp *f, enum ftp_command command, enum ftp_asked asked,
	     const char *line, size_t n);
/* The next command may come. */
void ftp_ready(struct ftp *f);
void ftp_enter(struct ftp *f, enum ftp_state state);
/* Nothing more but what is said already; then the session ends. */
void ftp_end(struct ftp *f, enum session_close why);
/*
 * An event about the control connection itself, and no transfer. @method and
 * @name may be "".
 */
void ftp_log(struct ftp *f, enum verdict verdict, enum reason reason,
	     const char *rule, const char *method, const char *name,
	     unsigned int status);

/* --- ftp_lines.c ------------------------------------------------------------------ */

/* Take the next command, if it is there and may be taken. Progress? */
bool ftp_lines_client(struct ftp *f);
/* Take the next line of a reply. Progress? */
bool ftp_lines_server(struct ftp *f);

/* --- ftp_time.c ------------------------------------------------------------------- */

/* When the present state has lasted too long. */
uint64_t ftp_time_limit(const struct ftp *f);
/* It has. */
void ftp_time_over(struct ftp *f);

/* --- ftp_command.c ---------------------------------------------------------------- */

/* The views of @req end with this call. */
void ftp_command_take(struct ftp *f, const struct ftp_request *req);
/* The data connection that was prepared for the present command is there. */
void ftp_command_prepared(struct ftp *f);

/* --- ftp_reply.c ------------------------------------------------------------------ */

/* A line of a reply was read: f->reply. */
void ftp_reply_take(struct ftp *f);
/* The server did not send a reply. */
void ftp_reply_bad(struct ftp *f, enum ftp_error error);

/* --- ftp_begin.c ------------------------------------------------------------------ */

/* RETR, STOR and their like were asked for: refuse, hold, or pass it on. */
void ftp_transfer_begin(struct ftp *f, const struct ftp_request *req);
/* Its command goes to the server. */
void ftp_transfer_ask(struct ftp *f);
/* The server is ready for it (1xx). */
void ftp_transfer_start(struct ftp *f);

/* --- ftp_transfer.c --------------------------------------------------------------- */

/* Move what can be moved now. Progress? */
bool ftp_transfer_run(struct ftp *f);
/* Whether all there is was moved, so that the server's last reply can be read. */
bool ftp_transfer_done(const struct ftp *f);
/* Whether the legs that it needs now are open. */
bool ftp_transfer_connected(const struct ftp *f);

/* --- ftp_end.c -------------------------------------------------------------------- */

/* Nothing moved, or no connection came, for too long. */
void ftp_transfer_late(struct ftp *f);
/*
 * It can't be completed: cut both data connections, so that nobody takes what
 * came for whole. The client gets "@code text" as the last reply.
 */
__attribute__((format(printf, 3, 4))) void
ftp_transfer_fail(struct ftp *f, unsigned int code, const char *format, ...);
/* The same for what a verdict says of it: it must not arrive. */
void ftp_transfer_refuse(struct ftp *f);
/* The client sent ABOR. */
void ftp_transfer_abort(struct ftp *f);
/* After that: whether the server's data connection is open yet; close it. */
bool ftp_transfer_lingers(const struct ftp *f);
void ftp_transfer_cut(struct ftp *f);
/* Whether the client gets a last reply of the server's with @code. */
bool ftp_transfer_passes(const struct ftp *f, unsigned int code);
/* The server's last reply to it is read: @code. The client has it, or gets ours. */
void ftp_transfer_replied(struct ftp *f, unsigned int code);
/* It was asked for, and is over: write its event and free it. */
void ftp_transfer_over(struct ftp *f);
/* It failed, and the server does not reply: the client hears why from us. */
void ftp_transfer_unanswered(struct ftp *f);
/* The session ends before the server's last word on it, for @reason. */
void ftp_transfer_cut_off(struct ftp *f, enum reason reason);
/* The reply to our own REST or DELE: @code. */
void ftp_transfer_went_on(struct ftp *f, unsigned int code);
static inline bool ftp_transfer_there(const struct ftp *f)
{
	return f->transfer.command != FTP_OTHER;
}

#endif
