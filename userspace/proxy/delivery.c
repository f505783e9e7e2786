// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * When a response that is scanned may leave.
 *
 * hold: nothing before the verdict, so a block page is always possible.
 * tail: objects of delivery.hold_below and more start to leave as they come,
 *	 but the last delivery.tail bytes stay until the verdict. Without them
 *	 no client takes the object for complete; a detected one ends in a RST.
 *	 A range that ends before its object does is held whole: ranges of
 *	 several requests could make up the object ahead of its verdict. So is
 *	 one that doesn't go on with an object that is known (parts.c).
 * progress: a browser gets a page meanwhile (progress.c), and fetches the object
 *	 when it is judged; all others as with tail.
 *
 * This path fails closed: whatever has no verdict that lets it through stays.
 */
#include <errno.h>

#include "proxy/http.h"
#include "proxy/parts.h"
#include "proxy/release.h"

static void start(struct exchange *x)
{
	const struct transfer *t = &x->down;

	if (x->started)
		return;
	range_settle(x, t->in_done ? t->received : 0);
	x->started = true;
	exchange_release_head(x, &x->session->client);
}

/* All that is asked for, up to the object's last byte. */
static bool reaches_end(const struct exchange *x)
{
	return x->range == NULL && x->down.end >= release_size(&x->down);
}

/* A whole that is sent where a part was asked for, and nothing is known yet. */
static bool is_first_whole(const struct exchange *x)
{
	return x->range_removed && x->check.job.msg.part.was.length == 0;
}

/* Without a verdict: everything but the tail, of what is large enough. */
static void release_early(struct exchange *x)
{
	struct transfer *t = &x->down;
	uint64_t until;

	if (x->progress != NULL || !reaches_end(x) ||
	    (!is_first_whole(x) &&
	     !parts_may_leave_early(&x->check, t->object)))
		return;
	until = release_before_verdict(&exchange_config(x)->delivery,
				       x->delivery, t);
	if (until <= t->sent)
		return;
	start(x);
	t->release = until;
}

static void release_judged(struct exchange *x)
{
	struct transfer *t = &x->down;

	start(x);
	if (t->in_done)
		t->release = TRANSFER_ALL;
	else if (!t->passing)
		transfer_stop_storing(t);
}

/* It must not arrive: a page if nothing has left yet, else a cut. */
static void refuse(struct exchange *x)
{
	if (progress_shown(x))
		progress_refuse_object(x);
	else if (x->started)
		exchange_abort(x, CLOSE_REFUSED);
	else
		reply_page(x, 403);
}

static bool may_receive(const struct exchange *x)
{
	const struct transfer *t = &x->down;

	return !t->passing && !t->in_done && t->error == 0 &&
	       t->bad == HTTP1_OK &&
	       (!x->started || progress_shown(x) ||
		release_may_read(&exchange_config(x)->delivery, t));
}

bool delivery_run(struct exchange *x)
{
	struct transfer *t = &x->down;
	bool progress = false;

	if (may_receive(x))
		progress = transfer_store(t, HTTP_BUDGET);
	if (t->object->lost) {
		exchange_abort(x, CLOSE_NO_RESOURCES);
		return true;
	}
	if (t->error != 0 || t->bad != HTTP1_OK)
		return progress; /* the caller ends it */
	if (x->check.state == CHECK_WANTED)
		check_received(&x->check, t);
	if (x->check.state == CHECK_DONE && !check_lets_through(&x->check)) {
		refuse(x);
		return true;
	}
	if (progress_shown(x))
		return progress_deliver(x) || progress;
	if (x->check.state == CHECK_DONE)
		release_judged(x);
	else
		release_early(x);
	return transfer_send(t, HTTP_BUDGET) || progress;
}
