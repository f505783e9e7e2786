/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request of the control socket: one line that is one JSON object. Pure. */
#ifndef SLUICE_ROLES_REQUEST_H
#define SLUICE_ROLES_REQUEST_H

#include <stddef.h>

struct json_object;

/* Objects in objects: ours have none. */
#define REQUEST_DEPTH 4

/*
 * The object in @len bytes (the caller's), or NULL with @wrong saying what the
 * line is instead.
 */
struct json_object *request_parse(const char *line, size_t len,
				  const char **wrong);
/* Member @key, or "" when there is no text of that name. */
const char *request_text(struct json_object *request, const char *key);

#endif
