/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each type of value looks like: text to bytes, and in words. */
#ifndef SLUICE_CONF_TYPES_H
#define SLUICE_CONF_TYPES_H

#include "base/str.h"
#include "conf/keys.h"
#include "conf/value.h"

struct value_type {
	/*
	 * Write @text's value to @dst, zeroed memory of @key's size (for a
	 * list, of @element bytes). VALUE_OK, VALUE_BAD or VALUE_LATER.
	 */
	enum value_result (*parse)(const struct config_key *key,
				   const char *text, void *dst);
	/* What @parse takes, as it follows "want ". */
	void (*allowed)(const struct config_key *key, struct strbuf *sb);
	size_t element; /* bytes of a list's element, 0 for what is no list */
};

extern const struct value_type value_types[KEY_TYPES];

#endif
