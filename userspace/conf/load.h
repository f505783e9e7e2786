/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of sluice.conf to struct config. Reading the file is not done here. */
#ifndef SLUICE_CONF_LOAD_H
#define SLUICE_CONF_LOAD_H

#include "conf/config.h"
#include "conf/errors.h"

#define CONFIG_TEXT_MAX (1U << 20)

/*
 * Fill @out from @text, the content of the file called @name: the values of
 * the file, defaults for the rest, the built-in pages, generation 1. A file
 * with a NUL byte is the caller's to refuse, as @text ends there.
 *
 * 0; or -EINVAL or -ENOMEM, and @errs says what is wrong. Then @out is as it
 * was. Not for two threads at a time: libConfuse's lexer has global state.
 */
__attribute__((warn_unused_result)) int
config_load_text(const char *name, const char *text, struct config *out,
		 struct config_errors *errs);

#endif
