/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with a configuration: all of it up to a bound, by line. */
#ifndef SLUICE_CONF_ERRORS_H
#define SLUICE_CONF_ERRORS_H

#define CONFIG_ERRORS	 32
#define CONFIG_ERROR_MAX 768

struct config_error {
	unsigned int line;
	char text
		[CONFIG_ERROR_MAX]; /* "FILE:LINE: what, and what is allowed" */
};

/* Owned by the caller; @list is in the order of lines. */
struct config_errors {
	unsigned int count;
	unsigned int more; /* found when the list was full; not kept */
	struct config_error list[CONFIG_ERRORS];
};

void config_errors_init(struct config_errors *errs);

/*
 * Add "FILE:LINE: " and the formatted text, which is cut at CONFIG_ERROR_MAX.
 * @line 0 (nothing in the file to point at) is shown as 1. Text that comes
 * from the file goes through strbuf_printable() first.
 */
__attribute__((format(printf, 4, 5))) void
config_error_add(struct config_errors *errs, const char *file,
		 unsigned int line, const char *format, ...);

#endif
