/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection of the control socket: one line comes in, lines go out, then it
 * is closed. It knows nothing of what the lines say.
 *
 * Nobody on the other side is trusted with our time or memory: a line that is
 * too long or too slow, and an answer that isn't fetched, end the connection.
 * One that only closed its sending direction still gets its answer.
 *
 * Lifetime: conn_open() to conn_end(), which takes it out of the loop at once
 * and frees it after the round, since an event of this round may still name
 * it: until then all calls are harmless.
 */
#ifndef SLUICE_ROLES_CONN_H
#define SLUICE_ROLES_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "sys/loop.h"

#define CONN_REQUEST_MAX 4096	     /* bytes of a line */
#define CONN_REQUEST_MS	 5000	     /* from the start to the line's end */
#define CONN_OUTPUT_MAX	 (32u << 20) /* what may wait for the reader */
#define CONN_OUTPUT_MS	 10000	     /* for a reader to take some of it */

struct conn;
struct json_object;

struct conn_ops {
	/* The line, NUL-terminated; @len may be more than strlen(). Once. */
	void (*request)(struct conn *c, const char *line, size_t len);
	/* It ends now, for whatever cause. Once. */
	void (*ended)(struct conn *c);
};

enum conn_state {
	CONN_READING, /* the line isn't complete */
	CONN_WORKING, /* somebody makes the answer */
	CONN_CLOSING  /* the answer is complete; closed when it is written */
};

struct conn {
	struct list node; /* the owner's */
	void *owner;
	void *work; /* what makes the answer; the owner's */
	struct loop *loop;
	const struct conn_ops *ops;
	enum conn_state state;
	struct loop_fd lfd;
	struct timer deadline; /* of the line, then of its reader */
	struct loop_task reaper;
	char in[CONN_REQUEST_MAX];
	size_t in_len;
	char *out;
	size_t out_len, out_sent, out_size;
	int pass_fd; /* goes with the first byte of the answer, or -1 */
	bool cut;    /* a line did not fit and was left out */
};

/* Takes over @fd (closed on failure). NULL without memory. */
struct conn *conn_open(struct loop *loop, int fd, const struct conn_ops *ops,
		       void *owner);
void conn_end(struct conn *c);
/* For the end of the loop, when no round comes any more. */
void conn_free(struct conn *c);
static inline bool conn_is_open(const struct conn *c)
{
	return c->lfd.fd != -1;
}

/* One more line of the answer; takes over @o. */
void conn_put(struct conn *c, struct json_object *o);
/* Descriptor @fd, which is taken over, goes with the answer. */
void conn_pass(struct conn *c, int fd);
/* The answer is complete. */
void conn_finish(struct conn *c);
/* Write what can be written now. */
void conn_flush(struct conn *c);

/* A whole answer of one line; takes over @o. */
void conn_answer(struct conn *c, struct json_object *o);
/* {"ok": false, "error": @error}, and the end. */
void conn_refuse(struct conn *c, const char *error);
/* {"ok": true}; the caller's. */
struct json_object *conn_ok(void);

#endif
