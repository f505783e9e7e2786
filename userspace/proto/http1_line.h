/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Request line and status line (RFC 9112 3 and 4). Internal to proto/. */
#ifndef SLUICE_PROTO_HTTP1_LINE_H
#define SLUICE_PROTO_HTTP1_LINE_H

#include <stdbool.h>

#include "proto/http1.h"

/*
 * Whether a message can start with these bytes. Only what no recipient takes
 * for HTTP is ruled out; a caller may pass such a connection through unread, so
 * whatever a lenient server would still answer must not count as "not HTTP".
 */
bool http1_request_possible(struct str start);
bool http1_response_possible(struct str start);

/*
 * Whether a complete first line, without its CRLF or LF, is that of another
 * protocol ("SSH-2.0-OpenSSH_9.2", "NICK me"), and so far from a request that
 * no server serves anything for it. A false answer says nothing.
 */
bool http1_line_of_other(struct str line);

/* @line is the whole line without its CRLF; only its own views are set. */
enum http1_error http1_request_line(struct str line, struct http1_request *req);
enum http1_error http1_status_line(struct str line, struct http1_response *res);

#endif
