// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/release.h"

/* How far the sender may be ahead of a receiver that has begun. */
#define READ_AHEAD (4u << 20)
/* Early bytes leave in pieces of this size. */
#define PIECE	   (16u << 10)

uint64_t release_size(const struct transfer *t)
{
	return t->received + (t->in == HTTP1_BODY_LENGTH ? t->left : 0);
}

uint64_t release_before_verdict(const struct config_delivery_options *d,
				enum config_delivery mode,
				const struct transfer *t)
{
	if (mode == DELIVERY_HOLD || release_size(t) < d->hold_below ||
	    t->object->size < d->tail + PIECE)
		return 0;
	return (t->object->size - d->tail) / PIECE * PIECE;
}

bool release_may_read(const struct config_delivery_options *d,
		      const struct transfer *t)
{
	return t->received - t->sent < d->tail + READ_AHEAD;
}
