// SPDX-License-Identifier: GPL-2.0-or-later
/* Asking for verdicts, and what they mean for an exchange. */
#include <openssl/evp.h>
#include <string.h>

#include "proxy/http.h"

/* Parts of one URL that are judged at the same time take turns. */
#define CLAIMS_MAX 8

static const struct config_scan *scan_config(const struct exchange *x)
{
	return &exchange_config(x)->scan;
}

bool verdict_scanning(const struct exchange *x)
{
	return scan_config(x)->engine != ENGINE_NONE;
}

void verdict_begin(struct exchange *x, bool upload,
		   const struct coding_list *codings, struct str boundary)
{
	struct msg_scan *msg = &x->job.msg;

	x->check = CHECK_WANTED;
	x->body.upload = upload;
	memset(msg, 0, sizeof(*msg));
	msg->codings = *codings;
	msg->boundary_len = (uint8_t)boundary.len;
	if (boundary.len > 0)
		memcpy(msg->boundary, boundary.p, boundary.len);
	if (!upload && x->remember_url) {
		msg->remember_url = 1;
		memcpy(msg->url_key, x->url_key, sizeof(msg->url_key));
	}
}

bool verdict_lets_through(const struct exchange *x)
{
	switch (x->result.verdict) {
	case VERDICT_CLEAN:
		return true;
	case VERDICT_NOT_SCANNED:
		return scan_config(x)->not_scanned == ACTION_ALLOW;
	default:
		return false;
	}
}

/* x->result is there. */
static void finish(struct exchange *x)
{
	bool unscanned = x->result.verdict == VERDICT_NOT_SCANNED;
	bool passes = verdict_lets_through(x);

	x->check = CHECK_DONE;
	if (unscanned && passes && x->body.upload)
		x->up_unscanned = x->result.reason;
	else if (unscanned && passes)
		x->down_unscanned = x->result.reason;
	if (!exchange_decide(x, x->result.verdict, x->result.reason,
			     unscanned ? "scan.not_scanned" : "scan", !passes))
		return;
	x->told = x->body;
	str_copy(x->name, sizeof(x->name), x->result.name);
}

void verdict_not_scanned(struct exchange *x, enum reason reason)
{
	x->result = (struct vcache_entry){.verdict = VERDICT_NOT_SCANNED,
					  .reason = reason};
	finish(x);
}

/*
 * A part of a clean object leaves only while the table says that it is of that
 * object. Another part may have been faster: then it is compared anew, but not
 * for ever.
 */
static bool compare_again(struct exchange *x)
{
	return x->result.verdict == VERDICT_CLEAN && !parts_known(x) &&
	       x->claims++ < CLAIMS_MAX;
}

void verdict_answered(struct scan_job *job)
{
	struct exchange *x = list_entry(job, struct exchange, job);

	x->result = job->result;
	x->scan_ms += exchange_now(x) - x->scan_started_ms;
	if (compare_again(x))
		x->check = CHECK_WANTED;
	else if (x->claims > CLAIMS_MAX)
		verdict_not_scanned(x, REASON_PARTIAL);
	else
		finish(x);
	x->session->last_io_ms = exchange_now(x);
	x->session->protocol->run(x->session);
}

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
static bool look_up(struct exchange *x, const uint8_t sha256[MSG_SHA256])
{
	struct relay *r = exchange_relay(x);
	bool hit;

	memcpy(x->body.sha256, sha256, sizeof(x->body.sha256));
	x->body.has_hash = true;
	hit = r->vcache != NULL &&
	      vcache_find(r->vcache, sha256, variant(&x->job.msg),
			  &x->result) &&
	      (x->result.verdict != VERDICT_BLOCKED ||
	       !x->job.msg.remember_url) &&
	      parts_known(x);
	if (hit)
		finish(x);
	return hit;
}

void verdict_from_cache(struct exchange *x, const uint8_t *data, size_t n)
{
	struct relay *r = exchange_relay(x);
	uint8_t sha256[MSG_SHA256];

	if (EVP_Digest(data, n, sha256, NULL, r->objects.digest_type, NULL) ==
		    1 &&
	    look_up(x, sha256))
		stats_add(r->stats, RELAY_CACHE_HITS, 1);
}

void verdict_ask(struct exchange *x, struct object *object)
{
	struct relay *r = exchange_relay(x);

	if (look_up(x, object->sha256)) {
		stats_add(r->stats, RELAY_CACHE_HITS, 1);
		return;
	}
	stats_add(r->stats, RELAY_CACHE_MISSES, 1);
	x->check = CHECK_PENDING;
	x->scan_started_ms = exchange_now(x);
	scanner_submit(&r->scanner, &x->job, object);
}

/*
 * Which object an URL names depends on who answers: the address that was
 * dialled is part of the key, since a client can put any name into Host.
 */
static void url_key(struct exchange *x, const struct http1_request *req)
{
	const struct ip_endpoint *server = &x->session->server_addr;
	struct relay *r = exchange_relay(x);

	x->remember_url =
		EVP_DigestInit_ex2(r->url_digest, r->objects.digest_type,
				   NULL) == 1 &&
		EVP_DigestUpdate(r->url_digest, server->addr.bytes,
				 sizeof(server->addr.bytes)) == 1 &&
		EVP_DigestUpdate(r->url_digest, &server->port,
				 sizeof(server->port)) == 1 &&
		EVP_DigestUpdate(r->url_digest, req->host.p, req->host.len) ==
			1 &&
		EVP_DigestUpdate(r->url_digest, req->path.p, req->path.len) ==
			1 &&
		EVP_DigestFinal_ex(r->url_digest, x->url_key, NULL) == 1;
}

bool verdict_url_infected(struct exchange *x, const struct http1_request *req)
{
	struct relay *r = exchange_relay(x);
	uint64_t now_s = r->loop->clock->wall_us() / 1000000;

	if ((req->method != HTTP1_GET && req->method != HTTP1_HEAD) ||
	    r->vcache == NULL || scan_config(x)->infected_url_block == 0)
		return false;
	url_key(x, req);
	if (!x->remember_url ||
	    !vcache_find_url(r->vcache, x->url_key, now_s, &x->result))
		return false;
	exchange_decide(x, VERDICT_BLOCKED, REASON_INFECTED_URL,
			"scan.infected_url_block", true);
	str_copy(x->name, sizeof(x->name), x->result.name);
	return true;
}
