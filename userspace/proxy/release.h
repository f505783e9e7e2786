/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much of a body may leave before there is a verdict on it (delivery.mode
 * "tail"): of objects of delivery.hold_below and more all but the last
 * delivery.tail bytes, without which nobody takes the object for complete.
 */
#ifndef SLUICE_PROXY_RELEASE_H
#define SLUICE_PROXY_RELEASE_H

#include "conf/config.h"
#include "proxy/transfer.h"

/* The size that decides whether it is held whole: known, or so far. */
uint64_t release_size(const struct transfer *t);
/* Up to where the stored bytes of @t may leave; 0: none may. */
uint64_t release_before_verdict(const struct config_delivery_options *d,
				enum config_delivery mode,
				const struct transfer *t);
/*
 * Of a body that has begun to leave: whether its receiver keeps up, so that
 * more may be read.
 */
bool release_may_read(const struct config_delivery_options *d,
		      const struct transfer *t);

#endif
