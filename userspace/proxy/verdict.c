// SPDX-License-Identifier: GPL-2.0-or-later
/* What verdicts mean for an exchange. */
#include <openssl/evp.h>
#include <string.h>

#include "proxy/http.h"

static const struct config_scan *scan_config(const struct exchange *x)
{
	return &exchange_config(x)->scan;
}

void verdict_begin(struct exchange *x, bool upload,
		   const struct coding_list *codings, struct str boundary)
{
	struct msg_scan *msg = &x->check.job.msg;

	check_begin(&x->check, codings, boundary);
	x->body.upload = upload;
	if (!upload && x->remember_url) {
		msg->remember_url = 1;
		memcpy(msg->url_key, x->url_key, sizeof(msg->url_key));
	}
}

void verdict_judged(struct check *c)
{
	struct exchange *x = list_entry(c, struct exchange, check);
	bool unscanned = c->result.verdict == VERDICT_NOT_SCANNED;
	bool passes = check_lets_through(c);

	if (unscanned && passes && x->body.upload)
		x->up_unscanned = c->result.reason;
	else if (unscanned && passes)
		x->down_unscanned = c->result.reason;
	x->body.has_hash = c->has_hash;
	memcpy(x->body.sha256, c->sha256, sizeof(x->body.sha256));
	if (!exchange_decide(x, c->result.verdict, c->result.reason,
			     unscanned ? "scan.not_scanned" : "scan", !passes))
		return;
	x->told = x->body;
	str_copy(x->name, sizeof(x->name), c->result.name);
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
	    !vcache_find_url(r->vcache, x->url_key, now_s, &x->check.result))
		return false;
	exchange_decide(x, VERDICT_BLOCKED, REASON_INFECTED_URL,
			"scan.infected_url_block", true);
	str_copy(x->name, sizeof(x->name), x->check.result.name);
	return true;
}
