/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A look at the raw text of sluice.conf before libConfuse gets it.
 *
 * libConfuse 3.3 does the syntax, but it also expands ${VARIABLES}, takes the
 * end of the file for a closing brace, skips characters it doesn't know, lets
 * a string run on over lines and miscounts lines after a comment. All of that
 * would surprise the administrator, so it is refused or mended here.
 */
#ifndef SLUICE_CONF_TEXT_H
#define SLUICE_CONF_TEXT_H

#include <stdbool.h>

#include "conf/errors.h"

/*
 * Copy @text to @clean (strlen(@text) + 1 bytes, owned by the caller) with
 * blanks in place of comments; line numbers stay. False when something was
 * wrong; then @errs says what in @file, and @clean is of no use.
 */
bool config_text_clean(const char *file, const char *text, char *clean,
		       struct config_errors *errs);

#endif
