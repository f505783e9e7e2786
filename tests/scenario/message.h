/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An HTTP/1.1 message as a peer takes it that believes everything: nothing of
 * the relay's parsers is used, so that a mistake of theirs shows. Pure.
 */
#ifndef SLUICE_TESTS_MESSAGE_H
#define SLUICE_TESTS_MESSAGE_H

#include <stdbool.h>

#include "bytes.h"

enum message_state {
	MESSAGE_NONE, /* not even its head is there */
	MESSAGE_CUT,  /* the body is not (yet) whole */
	MESSAGE_WHOLE
};

struct message {
	enum message_state state;
	struct str head; /* with the empty line; a view of the input */
	unsigned int status;
	size_t len; /* bytes of the input that are its own */
	struct bytes body;
};

/*
 * The message at the start of @raw. @ended: nothing comes behind. @response:
 * it is one, to a HEAD request if @head says so. message_free() it.
 */
void message_read(struct message *m, struct str raw, bool ended, bool response,
		  bool head);
void message_free(struct message *m);
/* "HTTP/1.1 200 OK" */
struct str message_line(const struct message *m);
/* The value of a field, {NULL, 0} when there is none. */
struct str message_field(const struct message *m, struct str name);

#endif
