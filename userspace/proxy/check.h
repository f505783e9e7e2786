/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One body that has to be judged before all of it may leave: asks the verdict
 * cache and the scan role, and keeps the answer. Whatever protocol the body came
 * by, and whichever way it goes.
 *
 * Fails closed: without an answer the body is not scanned, which is let through
 * only where scan.not_scanned says so.
 */
#ifndef SLUICE_PROXY_CHECK_H
#define SLUICE_PROXY_CHECK_H

#include "proto/coding.h"
#include "proxy/scanner.h"

struct session;
struct transfer;

enum check_state {
	CHECK_NONE,    /* policy does not ask for a scan */
	CHECK_WANTED,  /* the body is still coming */
	CHECK_PENDING, /* the scan role has it */
	CHECK_DONE     /* there is a verdict */
};

struct check;
/* c->result is there, and c->state is CHECK_DONE. */
typedef void (*check_fn)(struct check *c);

/* Lifetime: part of what the body belongs to; check_cancel() before it goes. */
struct check {
	struct session *session;
	check_fn judged;
	enum check_state state;
	struct scan_job job;	    /* job.msg: what is asked */
	struct vcache_entry result; /* of the present body */
	bool has_hash;
	uint8_t sha256[MSG_SHA256];
	uint64_t asked_ms;
	uint64_t waited_ms; /* for the scan role, in all */
	/* parts.c */
	bool part; /* what leaves is, or is used as, a part of the object */
	uint8_t claims; /* times that the table had another object */
	/* Of the URL, when a detection there is to be remembered. */
	bool has_url_key;
	uint8_t url_key[MSG_SHA256];
};

void check_init(struct check *c, struct session *s, check_fn judged);
/* Whether bodies are scanned at all. */
bool check_scanning(const struct session *s);
/*
 * Whether the object that the server has under @name and @path delivered malware
 * lately: then c->result says what. Also prepares check_remember_url().
 */
bool check_url_infected(struct check *c, struct str name, struct str path);
/*
 * A body of these codings (form data has a @boundary) is coming: CHECK_WANTED.
 * What is still to be asked for an earlier one must have been cancelled.
 */
void check_begin(struct check *c, const struct coding_list *codings,
		 struct str boundary);
/* After check_begin(): what is found counts for that URL. */
void check_remember_url(struct check *c);
/*
 * The object is complete: CHECK_DONE (from the cache) or CHECK_PENDING (the
 * scan role has it; the session is run when it answers).
 */
void check_ask(struct check *c, struct object *object);
/*
 * Of a body that is stored and CHECK_WANTED: what was received of it may settle
 * it (too large, no room), or be complete: then it is asked for.
 */
void check_received(struct check *c, struct transfer *t);
/* The whole body is @n bytes at @data: CHECK_DONE if the cache knows it. */
void check_from_cache(struct check *c, const uint8_t *data, size_t n);
/* CHECK_DONE: it can't be scanned, for @reason. */
void check_not_scanned(struct check *c, enum reason reason);
/* With CHECK_DONE: whether the body may be delivered. */
bool check_lets_through(const struct check *c);
/* Nobody waits for the answer any more. */
void check_cancel(struct check *c);

#endif
