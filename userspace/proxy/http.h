/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP/1.x on a session (protocol_http): one exchange at a time. Pipelined
 * requests wait in the client's buffer for their turn.
 *
 *	request  CONNECT -> SEND -> DONE		passed on as it comes
 *		 STORE -> VERDICT -> CONNECT ...	scanned first, then sent
 *	response WAIT -> BODY -> DONE			passed on or scanned
 *		 ... -> REPLY				a page of ours instead
 *
 * Files: http.c (session: heads in, exchanges begin and end), request.c (the
 * request's way), response.c (the response's way), delivery.c (what may leave
 * when), range.c (parts of objects), progress.c (a page meanwhile), shelved.c
 * (fetching what it offered), verdict.c (what verdicts mean), reply.c (our
 * pages).
 */
#ifndef SLUICE_PROXY_HTTP_H
#define SLUICE_PROXY_HTTP_H

#include "ipc/event.h"
#include "proxy/relay.h"
#include "proxy/check.h"
#include "proxy/session.h"
#include "proxy/transfer.h"

/* 1xx answers to one request; more are an attempt to keep us busy. */
#define HTTP_INTERIM_MAX 16
/* Bytes moved for one session before others get their turn. */
#define HTTP_BUDGET	 (256u << 10)

struct range;

enum request_state {
	REQUEST_STORE,	 /* its body is received to be scanned */
	REQUEST_VERDICT, /* waits for the verdict on it */
	REQUEST_SHELF,	 /* is for the shelf, which is asked */
	REQUEST_CONNECT, /* waits for the connection */
	REQUEST_SEND,	 /* leaves, head and body */
	REQUEST_DONE
};

enum response_state {
	RESPONSE_WAIT, /* for its head */
	RESPONSE_BODY,
	RESPONSE_REPLY, /* a page of ours leaves */
	RESPONSE_DONE
};

/* A body that can be told about in an event. */
struct exchange_body {
	bool upload; /* the request's, else the response's */
	bool has_hash;
	uint8_t sha256[MSG_SHA256];
	char content_type[96];
};

/*
 * Lifetime: from a complete request head to the last byte of the answer; at
 * most one a session (session->state). Pointers into it are held only by its
 * own scan job.
 */
struct exchange {
	struct session *session;
	enum request_state request;
	enum response_state response;

	/* of the request */
	enum http1_method method;
	bool client_http10;
	bool client_keep_alive;
	bool expect_continue;
	bool upgrade;
	bool navigation; /* shows its answer in a browser's window */
	enum config_delivery delivery; /* the mode for this client */
	char *text;		       /* memory of the views that follow */
	struct str method_text;
	struct str url;
	struct str host;

	/* of the response */
	unsigned int status; /* that the client gets; 0 = none yet */
	unsigned int interim;
	bool server_keep_alive;
	bool fresh_server; /* first request on this connection */

	struct transfer up;   /* the request's body */
	struct transfer down; /* the response's body */
	struct buf held;      /* a head that may not leave yet */
	struct range *range;  /* asked for and not settled yet; else NULL */
	bool range_removed;   /* one was asked for; the answer is the whole */
	bool noted;	      /* the table was told what left */
	bool keep_client;     /* the answer's head promised it */
	bool started;	      /* the response head is on its way */

	struct progress *progress; /* a page may leave first; else NULL */
	struct shelved *shelved;   /* it is for the shelf; else NULL */

	/* scanning */
	struct check check; /* of the request's body, then the response's */
	struct exchange_body body; /* the one in hand */
	/* Why a body was let through without a scan. */
	enum reason up_unscanned;
	enum reason down_unscanned;

	/* for the event: the gravest finding */
	enum verdict verdict;
	enum reason reason;
	bool stopped;
	struct exchange_body told; /* that it is about */
	char name[MSG_NAME_MAX];
	const char *rule;
	uint64_t started_ms;
	uint64_t sent_ms; /* request complete */
	uint64_t first_byte_ms;
	uint64_t client_taken; /* counters of the side at the start */
	uint64_t client_sent;
	bool logged;
};

static inline struct relay *exchange_relay(const struct exchange *x)
{
	return x->session->relay;
}

static inline const struct config *exchange_config(const struct exchange *x)
{
	return x->session->config->config;
}

static inline uint64_t exchange_now(const struct exchange *x)
{
	return x->session->relay->loop->now_ms;
}

/* The limits for heads as the parser wants them. */
struct http1_limits http_limits(const struct config *config);

/* --- http.c ------------------------------------------------------------------- */

/*
 * Remember a finding for the event. A graver verdict replaces a lesser one;
 * of one gravity the first reason stands. Whether it is the event's now.
 */
bool exchange_decide(struct exchange *x, enum verdict verdict,
		     enum reason reason, const char *rule, bool stopped);
/*
 * The exchange can't go on and the client can't be told: cut both
 * connections so that nothing looks complete. The session is over.
 */
void exchange_abort(struct exchange *x, enum session_close why);
/*
 * Write the event, once. @reply_bytes: what of the answer is still to be sent.
 * At the end of each exchange, or earlier with an answer that names it.
 */
void exchange_log(struct exchange *x, uint64_t reply_bytes);
/*
 * Count what of the bodies went by unscanned, and free them. Whether all of
 * them was received stays known.
 */
void exchange_end_bodies(struct exchange *x);
/* Let the held head leave on @to, whose output is empty. */
void exchange_release_head(struct exchange *x, struct side *to);
/* A new state was entered: from now on its time runs. */
void exchange_set_deadline(struct exchange *x);

/* --- request.c ------------------------------------------------------------------ */

/*
 * A request head of @len bytes was parsed (relay->request, whose views end
 * with this call): decide what becomes of it and start its way.
 */
void request_begin(struct exchange *x, size_t len);
/* Go on as far as possible now. Progress? */
bool request_run(struct exchange *x);
/*
 * Whether a head changes to WebSocket, and to nothing else (h2c!) that the
 * other end could choose. Only WebSocket may take a connection over: its
 * frames are nobody's objects.
 */
bool http_is_websocket(const struct http1_head *head);

/* --- response.c ------------------------------------------------------------------ */

bool response_run(struct exchange *x);
/*
 * The response can't be had or can't be used, for @reason: a page while it was
 * not started, else a cut that no client takes for its end.
 */
void response_failed(struct exchange *x, enum verdict verdict,
		     enum reason reason, unsigned int status);

/* Whether the client's connection goes on after a body whose end shows. */
bool response_keeps_client(const struct exchange *x);

/* --- range.c ---------------------------------------------------------------------- */

/*
 * If @req asks for a part of an object that is scanned: remember it, or answer
 * with a page as http.ranges says. True when it was answered.
 */
bool range_refused(struct exchange *x, const struct http1_request *req);
/* The head of the response is there: is it one to take a part of? */
void range_judge(struct exchange *x, const struct http1_response *res);
/*
 * The whole has @total bytes; 0: none, or that will not be known. Make the
 * response, of which nothing has left, the one that was asked for; where that
 * can't be done it stays the whole.
 */
void range_settle(struct exchange *x, uint64_t total);
/*
 * The exchange ends, or its client is about to leave: if that has a part of an
 * object, asked for or not, the rest must be of the same (proxy/parts.h).
 */
void range_note(struct exchange *x);

/* --- delivery.c ------------------------------------------------------------------- */

/* Move a response that is scanned: store, ask, release. Progress? */
bool delivery_run(struct exchange *x);

/* --- progress.c ------------------------------------------------------------------ */

/* Whether what @req asks for is shown in a browser's window. */
bool progress_wanted(const struct exchange *x, const struct http1_request *req);
/* A response that is to be scanned began: a page may leave before it. */
void progress_begin(struct exchange *x, const struct http1_response *res);
/* Whether the client has the page, and its end is still to come. */
bool progress_shown(const struct exchange *x);
/* When something about the page is due; UINT64_MAX: never. */
uint64_t progress_due(const struct exchange *x);
/* When the origin server is late, whatever moved on the client's side. */
uint64_t progress_limit(const struct exchange *x);
/* It is due: show the page, or say how far it is. */
void progress_tick(struct exchange *x);
/* There is a verdict that lets the object through. Progress? */
bool progress_deliver(struct exchange *x);
/* The object does not come, for what is known of the exchange. */
void progress_refuse_object(struct exchange *x);
void progress_end(struct exchange *x);

/* --- shelved.c ------------------------------------------------------------------- */

/* Room for any path that shelved_path() writes, with its NUL. */
#define SHELVED_PATH_MAX 192

/* The path under which the object of @url is fetched. */
void shelved_path(char *dst, size_t size, const uint8_t token[MSG_TOKEN],
		  struct str url);
/* Whether the request is for an object on the shelf; then it is under way. */
bool shelved_asked(struct exchange *x, const struct http1_request *req);
void shelved_end(struct exchange *x);

/* --- verdict.c -------------------------------------------------------------------- */

/* Start a check of a body with these codings; form data has a @boundary. */
void verdict_begin(struct exchange *x, bool upload,
		   const struct coding_list *codings, struct str boundary);
/* There is a verdict: what it means for the exchange. */
void verdict_judged(struct check *c);
/*
 * Whether this URL delivered malware lately; then that is the finding. Also
 * prepares remembering it.
 */
bool verdict_url_infected(struct exchange *x, const struct http1_request *req);

/* --- reply.c ---------------------------------------------------------------------- */

/*
 * Answer with a page of ours: @status 403 for what was blocked (the block
 * page), else the error page. Closes the server's side. Only before the
 * response was started.
 */
void reply_page(struct exchange *x, unsigned int status);
/* A template filled in: text (the caller's) of *@len bytes, or NULL. */
char *reply_render(const struct exchange *x, const char *template, size_t *len);
/* Whatever was under way with the origin server is over. */
void reply_drop_upstream(struct exchange *x);
/* "100 Continue", for an upload that we receive ourselves. */
bool reply_continue(struct exchange *x);

#endif
