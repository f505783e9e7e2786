/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether somebody sits in front of an exchange: a browser's window asks, and
 * what it gets is a download. Told from the two heads. Pure.
 */
#ifndef SLUICE_PROTO_NAVIGATION_H
#define SLUICE_PROTO_NAVIGATION_H

#include <stdbool.h>

#include "proto/http1.h"

/*
 * Whether a window is going to show the answer to @req. All browsers then send
 * Accept with HTML in it, and for nothing else (Fetch standard, "fetch", step
 * about `Accept`); Sec-Fetch-Mode says it better (Fetch Metadata 2.2), but
 * comes only over connections that count as secure. A request for a part is
 * the browser's download manager.
 */
bool navigation_of(const struct http1_request *req);

/* Whether a window saves @res, and doesn't show it as it comes. */
bool navigation_is_download(const struct http1_response *res);

#endif
