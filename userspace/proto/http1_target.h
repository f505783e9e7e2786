/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Request target and Host (RFC 9112 3.2, RFC 3986 3.2). Internal to proto/. */
#ifndef SLUICE_PROTO_HTTP1_TARGET_H
#define SLUICE_PROTO_HTTP1_TARGET_H

#include <stdbool.h>

#include "proto/http1.h"

/*
 * A host and an optional port: reg-name, IPv4 address or [IPv6 address], then
 * ":" and 1 to 5 digits up to 65535. No userinfo, zone, IPvFuture or empty
 * host.
 */
bool http1_authority_valid(struct str authority);

/* Sets form, path and, where the target has one, host from method and target. */
enum http1_error http1_target_parse(struct http1_request *req);

/* Settles host and host_differs from the Host fields, of which @host is one. */
enum http1_error http1_host_settle(struct http1_request *req,
				   const struct http1_field *host,
				   unsigned int hosts);

/* OPTIONS with an absolute-form that has neither path nor query. */
bool http1_target_is_whole_server(const struct http1_request *req);

#endif
