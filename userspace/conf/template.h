/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Templates of the pages that a client gets instead of an object: HTML with
 * placeholders such as {{url}}. Filling them in is render/page.h.
 */
#ifndef SLUICE_CONF_TEMPLATE_H
#define SLUICE_CONF_TEMPLATE_H

#include "base/str.h"
#include "conf/config.h"
#include "conf/errors.h"

/* What a placeholder stands for; template_names has the names. */
enum template_value {
	TEMPLATE_URL,
	TEMPLATE_HOST,
	TEMPLATE_CLIENT,
	TEMPLATE_NAME,	   /* what the scanner found */
	TEMPLATE_REASON,   /* verdict_reason_name() */
	TEMPLATE_SENTENCE, /* verdict_reason_sentence() */
	TEMPLATE_TIME,
	TEMPLATE_EVENT,
	TEMPLATE_STATUS, /* of the response, such as 403 */
	TEMPLATE_STATUS_TEXT,
	TEMPLATE_VERSION,
	TEMPLATE_VALUES
};

extern const char *const template_names[TEMPLATE_VALUES];

/* With more placeholders a page is refused, so that its size has a bound. */
#define TEMPLATE_PLACEHOLDERS 32

enum template_piece {
	TEMPLATE_END,
	TEMPLATE_TEXT,	      /* as it is */
	TEMPLATE_PLACEHOLDER, /* a known one */
	TEMPLATE_UNKNOWN,     /* {{...}} with anything else in it */
	TEMPLATE_OPEN,	      /* {{ without }} on its line */
};

/*
 * Take the next piece off @rest: its bytes, braces included, in @piece; which
 * placeholder it is in @value.
 */
enum template_piece template_next(struct str *rest, struct str *piece,
				  enum template_value *value);

enum config_page {
	CONFIG_PAGE_BLOCK,
	CONFIG_PAGE_ERROR,
	CONFIG_PAGE_PROGRESS, /* left open: more is appended as it comes */
	CONFIG_PAGES
};

/* "block.html", ...: names of the files in the directory c->pages. */
extern const char *const config_page_files[CONFIG_PAGES];

/*
 * Take @text, the content of the file called @name, into @c as @page. What is
 * wrong with it is added to @errs; then @c keeps the page it had. A file with a
 * NUL byte is the caller's to refuse, as @text ends there.
 */
void config_set_page(struct config *c, enum config_page page, const char *name,
		     const char *text, struct config_errors *errs);

/* The pages that are built in. */
void config_set_default_pages(struct config *c);

#endif
