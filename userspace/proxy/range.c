// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Parts of objects that are scanned (http.ranges = serve): the origin server is
 * asked for the whole, the whole is scanned, and the part that the client asked
 * for is cut out of it on its way (docs/adr/0016). Delivery decides when it may
 * leave.
 *
 * This path fails closed: without a part the response is the whole one, which
 * leaves under the same verdict.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/http1_range.h"
#include "proto/http1_write.h"
#include "proxy/http.h"
#include "proxy/parts.h"

/* What our own fields may add to a head. */
#define HEAD_EXTRA 512

/*
 * Lifetime: from the request's head to the moment when the total is known or
 * when it is clear that the whole is sent; at the latest it ends with its
 * exchange.
 */
struct range {
	struct http1_range asked;
	struct str condition; /* If-Range, in @text; p NULL: none */
	char text[];
};

static void forget(struct exchange *x)
{
	free(x->range);
	x->range = NULL;
}

/* --- the request --------------------------------------------------- */

/* Without memory for it, the answer is the whole. */
static void remember(struct exchange *x, const struct http1_range *asked,
		     struct str condition)
{
	struct range *r = malloc(sizeof(*r) + condition.len);

	if (r == NULL)
		return;
	r->asked = *asked;
	r->condition = (struct str){NULL, 0};
	if (condition.p != NULL) {
		memcpy(r->text, condition.p, condition.len);
		r->condition = (struct str){r->text, condition.len};
	}
	x->range = r;
}

/* "bytes=0-", as browsers ask for media: the whole, in other words. */
static bool is_whole(const struct http1_range *asked)
{
	return !asked->suffix && asked->first == 0 && asked->last == UINT64_MAX;
}

bool range_refused(struct exchange *x, const struct http1_request *req)
{
	enum config_ranges ranges = exchange_config(x)->http.ranges;
	struct http1_range asked;
	struct str condition;

	if (!check_scanning(x->session) ||
	    !http1_range_of(req, &asked, &condition))
		return false;
	if (ranges == RANGES_REMOVE) {
		/* With If-Range a client has asked for the whole as well. */
		x->range_removed = condition.p == NULL && !is_whole(&asked);
		return false;
	}
	if (ranges == RANGES_SERVE) {
		remember(x, &asked, condition);
		return false;
	}
	exchange_decide(x, VERDICT_NOT_SCANNED, REASON_PARTIAL, "http.ranges",
			true);
	reply_page(x, 403);
	return true;
}

/* --- the response -------------------------------------------------- */

void range_judge(struct exchange *x, const struct http1_response *res)
{
	const struct range *r = x->range;
	bool known = res->head.framing == HTTP1_BODY_LENGTH;

	/* wget, for one, takes the rest that it wants out of a whole itself. */
	if (x->range_removed && res->status == 200)
		parts_begin(&x->check, x->url);
	if (r == NULL)
		return;
	/* A whole as such needn't wait until its length is known. */
	if (res->status != 200 || (!known && is_whole(&r->asked)) ||
	    (r->condition.p != NULL &&
	     !http1_if_range_holds(r->condition, &res->head)))
		forget(x);
	else if (!is_whole(&r->asked))
		parts_begin(&x->check, x->url);
}

/*
 * The head that waits is the whole's, written by us; read again, it becomes the
 * part's. A 416 has nothing in common with it. False without room for it.
 */
static bool rewrite_head(struct exchange *x, const struct http1_part *part)
{
	struct http1_response *res = &exchange_relay(x)->response;
	struct pool *buffers = &exchange_relay(x)->buffers;
	size_t len = buf_len(&x->held);
	struct http1_limits limits = {len, len, HTTP1_FIELDS_MAX};
	struct http1_out out = {
		.framing = HTTP1_BODY_LENGTH,
		.length = part->end - part->first,
		.keep_alive = response_keeps_client(x),
		.http10_peer = x->client_http10,
		.part = part,
	};
	struct buf head;

	if (http1_parse_response(buf_head(&x->held), len, 0, &limits, x->method,
				 res) <= 0)
		return false;
	res->status = out.length > 0 ? 206 : 416;
	res->reason = out.length > 0 ? STR("Partial Content")
				     : STR("Range Not Satisfiable");
	if (out.length == 0)
		res->head.nfields = 0;
	if (!pool_buf_get(buffers, &head, len + HEAD_EXTRA))
		return false;
	if (!http1_write_response(&head, res, &out)) {
		pool_buf_put(buffers, &head);
		return false;
	}
	pool_buf_put(buffers, &x->held);
	x->held = head;
	x->status = res->status;
	x->keep_client = out.keep_alive;
	return true;
}

void range_settle(struct exchange *x, uint64_t total)
{
	struct http1_part part;
	bool sent = false;

	if (x->range == NULL)
		return;
	if (total > 0) {
		(void)http1_range_resolve(&x->range->asked, total, &part);
		if (rewrite_head(x, &part)) {
			transfer_cut(&x->down, part.first, part.end);
			sent = part.first < part.end;
		}
	}
	x->check.part = x->check.part && sent;
	forget(x);
}

/* --- what the client got ------------------------------------------- */

/* Some of an object left for somebody who can ask for the rest. */
static bool left_some(const struct exchange *x)
{
	const struct transfer *t = &x->down;

	return t->object != NULL && t->object->digest != NULL &&
	       t->sent > t->first && x->method == HTTP1_GET &&
	       (x->status == 200 || x->status == 206) &&
	       exchange_config(x)->http.ranges != RANGES_REFUSE;
}

/*
 * Most exchanges: nothing is missing, so no part is going to be asked for. Who
 * got all of it as a range is going to ask for others.
 */
static bool got_whole(const struct exchange *x)
{
	return x->status == 200 && x->down.out_done &&
	       side_flushed(&x->session->client);
}

void range_note(struct exchange *x)
{
	if (!x->noted && left_some(x) && !got_whole(x))
		x->noted = parts_note(&x->check, x->down.object, x->url);
}
