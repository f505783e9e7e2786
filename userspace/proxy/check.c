// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/check.h"

#include <openssl/evp.h>
#include <string.h>

#include "proxy/parts.h"
#include "proxy/relay.h"
#include "proxy/session.h"
#include "proxy/transfer.h"

/* Parts of one URL that are judged at the same time take turns. */
#define CLAIMS_MAX 8

static void on_answer(struct scan_job *job);

static struct relay *relay_of(const struct check *c)
{
	return c->session->relay;
}

void check_init(struct check *c, struct session *s, check_fn judged)
{
	memset(c, 0, sizeof(*c));
	c->session = s;
	c->judged = judged;
	scan_job_init(&c->job, on_answer);
}

bool check_scanning(const struct session *s)
{
	return s->config->config->scan.engine != ENGINE_NONE;
}

/* --- URLs ---------------------------------------------------------- */

/*
 * Which object an URL names depends on who answers: the address that was
 * dialled is part of the key, since a client can put any name into its request.
 */
static bool make_key(const struct check *c, struct str name, struct str path,
		     uint8_t key[MSG_SHA256])
{
	const struct ip_endpoint *server = &c->session->server_addr;
	struct relay *r = relay_of(c);
	EVP_MD_CTX *digest = r->url_digest;

	return EVP_DigestInit_ex2(digest, r->objects.digest_type, NULL) == 1 &&
	       EVP_DigestUpdate(digest, server->addr.bytes,
				sizeof(server->addr.bytes)) == 1 &&
	       EVP_DigestUpdate(digest, &server->port, sizeof(server->port)) ==
		       1 &&
	       EVP_DigestUpdate(digest, name.p, name.len) == 1 &&
	       EVP_DigestUpdate(digest, path.p, path.len) == 1 &&
	       EVP_DigestFinal_ex(digest, key, NULL) == 1;
}

bool check_url_infected(struct check *c, struct str name, struct str path)
{
	const struct config *config = c->session->config->config;
	struct relay *r = relay_of(c);
	uint64_t now_s = r->loop->clock->wall_us() / 1000000;

	if (r->vcache == NULL || config->scan.infected_url_block == 0)
		return false;
	c->has_url_key = make_key(c, name, path, c->url_key);
	return c->has_url_key &&
	       vcache_find_url(r->vcache, c->url_key, now_s, &c->result);
}

void check_remember_url(struct check *c)
{
	struct msg_scan *msg = &c->job.msg;

	if (!c->has_url_key)
		return;
	msg->remember_url = 1;
	memcpy(msg->url_key, c->url_key, sizeof(msg->url_key));
}

/* --- life ---------------------------------------------------------- */

void check_begin(struct check *c, const struct coding_list *codings,
		 struct str boundary)
{
	struct msg_scan *msg = &c->job.msg;

	c->state = CHECK_WANTED;
	c->has_hash = false;
	memset(msg, 0, sizeof(*msg));
	msg->codings = *codings;
	msg->boundary_len = (uint8_t)boundary.len;
	if (boundary.len > 0)
		memcpy(msg->boundary, boundary.p, boundary.len);
}

bool check_lets_through(const struct check *c)
{
	const struct config *config = c->session->config->config;

	switch (c->result.verdict) {
	case VERDICT_CLEAN:
		return true;
	case VERDICT_NOT_SCANNED:
		return config->scan.not_scanned == ACTION_ALLOW;
	default:
		return false;
	}
}

void check_cancel(struct check *c)
{
	scanner_cancel(&c->job);
}

/* --- answers ------------------------------------------------------- */

/* c->result is there. */
static void finish(struct check *c)
{
	c->state = CHECK_DONE;
	c->judged(c);
}

void check_not_scanned(struct check *c, enum reason reason)
{
	c->result = (struct vcache_entry){.verdict = VERDICT_NOT_SCANNED,
					  .reason = reason};
	finish(c);
}

/*
 * A part of a clean object leaves only while the table says that it is of that
 * object. Another part may have been faster: then it is compared anew, but not
 * for ever.
 */
static bool compare_again(struct check *c)
{
	return c->result.verdict == VERDICT_CLEAN && !parts_known(c) &&
	       c->claims++ < CLAIMS_MAX;
}

static void on_answer(struct scan_job *job)
{
	struct check *c = list_entry(job, struct check, job);
	struct session *s = c->session;

	c->result = job->result;
	c->waited_ms += s->relay->loop->now_ms - c->asked_ms;
	if (compare_again(c))
		c->state = CHECK_WANTED;
	else if (c->claims > CLAIMS_MAX)
		check_not_scanned(c, REASON_PARTIAL);
	else
		finish(c);
	s->last_io_ms = s->relay->loop->now_ms;
	s->protocol->run(s);
}

/* --- questions ----------------------------------------------------- */

static uint32_t variant(const struct msg_scan *msg)
{
	return vcache_variant(&msg->codings,
			      (struct str){msg->boundary, msg->boundary_len});
}

/*
 * What is in the cache doesn't spare the scan role the question when it would
 * have to remember something, too, since nobody else writes these tables: the
 * URL of a detection, or what object a part is of.
 */
static bool look_up(struct check *c, const uint8_t sha256[MSG_SHA256])
{
	struct relay *r = relay_of(c);
	bool hit;

	memcpy(c->sha256, sha256, sizeof(c->sha256));
	c->has_hash = true;
	hit = r->vcache != NULL &&
	      vcache_find(r->vcache, sha256, variant(&c->job.msg),
			  &c->result) &&
	      (c->result.verdict != VERDICT_BLOCKED ||
	       !c->job.msg.remember_url) &&
	      parts_known(c);
	if (hit)
		finish(c);
	return hit;
}

void check_from_cache(struct check *c, const uint8_t *data, size_t n)
{
	struct relay *r = relay_of(c);
	uint8_t sha256[MSG_SHA256];

	if (EVP_Digest(data, n, sha256, NULL, r->objects.digest_type, NULL) ==
		    1 &&
	    look_up(c, sha256))
		stats_add(r->stats, RELAY_CACHE_HITS, 1);
}

void check_ask(struct check *c, struct object *object)
{
	struct relay *r = relay_of(c);

	if (look_up(c, object->sha256)) {
		stats_add(r->stats, RELAY_CACHE_HITS, 1);
		return;
	}
	stats_add(r->stats, RELAY_CACHE_MISSES, 1);
	c->state = CHECK_PENDING;
	c->asked_ms = r->loop->now_ms;
	scanner_submit(&r->scanner, &c->job, object);
}

static void ask_whole(struct check *c, struct object *o)
{
	if (!o->finished)
		object_finish(o);
	switch (parts_compare(c, o)) {
	case PARTS_FIT:
		check_ask(c, o);
		break;
	case PARTS_DIFFER:
		check_not_scanned(c, REASON_PARTIAL);
		break;
	case PARTS_BUSY:
		session_again(c->session);
	}
}

void check_received(struct check *c, struct transfer *t)
{
	const struct config *config = c->session->config->config;

	if (t->object->error != 0)
		check_not_scanned(c, REASON_STORAGE);
	else if (t->received > config->scan.max_object)
		check_not_scanned(c, REASON_SIZE);
	else if (t->in_done)
		ask_whole(c, t->object);
}
