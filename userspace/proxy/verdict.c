// SPDX-License-Identifier: GPL-2.0-or-later
/* What verdicts mean for an exchange. */
#include <string.h>

#include "proxy/http.h"

void verdict_begin(struct exchange *x, bool upload,
		   const struct coding_list *codings, struct str boundary)
{
	check_begin(&x->check, codings, boundary);
	x->body.upload = upload;
	if (!upload)
		check_remember_url(&x->check);
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

bool verdict_url_infected(struct exchange *x, const struct http1_request *req)
{
	if ((req->method != HTTP1_GET && req->method != HTTP1_HEAD) ||
	    !check_url_infected(&x->check, req->host, req->path))
		return false;
	exchange_decide(x, VERDICT_BLOCKED, REASON_INFECTED_URL,
			"scan.infected_url_block", true);
	str_copy(x->name, sizeof(x->name), x->check.result.name);
	return true;
}
