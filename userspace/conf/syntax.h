/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libConfuse, wrapped: sections and values in the order of the file. */
#ifndef SLUICE_CONF_SYNTAX_H
#define SLUICE_CONF_SYNTAX_H

#include <stdbool.h>

#include "conf/errors.h"
#include "conf/keys.h"

/* What the file says. Nothing that is passed outlives the call. */
struct syntax_ops {
	/* Forget everything: the file is read (again) from its start. */
	void (*begin)(void *ctx);
	/*
	 * @key has the value @text. Of a list, an element, @first being true
	 * for the one after the equal sign.
	 */
	void (*value)(void *ctx, const struct config_key *key,
		      unsigned int line, const char *text, bool first);
	/* The list @key was set to {}; called at the end. */
	void (*empty)(void *ctx, const struct config_key *key);
	/* A service section ended; its values came before. */
	void (*service)(void *ctx, unsigned int line, const char *name);
};

/*
 * Parse @text, which config_text_clean() made, of @file. @errs is emptied
 * first, also for what the callbacks add to it.
 *
 * 0 when the whole file was read, even if names in it were refused; -EINVAL
 * when the syntax is such that the rest could not be read; -ENOMEM.
 */
__attribute__((warn_unused_result)) int
syntax_parse(const char *file, const char *text, const struct syntax_ops *ops,
	     void *ctx, struct config_errors *errs);

#endif
