// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/errors.h"

#include <stdarg.h>
#include <string.h>

#include "base/str.h"

void config_errors_init(struct config_errors *errs)
{
	memset(errs, 0, sizeof(*errs));
}

/* A place behind all errors of earlier lines and of the same line. */
static struct config_error *open_place(struct config_errors *errs,
				       unsigned int line)
{
	unsigned int at = errs->count;

	while (at > 0 && errs->list[at - 1].line > line)
		at--;
	memmove(&errs->list[at + 1], &errs->list[at],
		(errs->count - at) * sizeof(errs->list[0]));
	errs->count++;
	return &errs->list[at];
}

void config_error_add(struct config_errors *errs, const char *file,
		      unsigned int line, const char *format, ...)
{
	struct config_error *error;
	struct strbuf sb;
	va_list ap;

	if (errs->count == CONFIG_ERRORS) {
		errs->more++;
		return;
	}
	if (line == 0)
		line = 1;
	error = open_place(errs, line);
	error->line = line;
	strbuf_init(&sb, error->text, sizeof(error->text));
	strbuf_printf(&sb, "%s:%u: ", file, line);
	va_start(ap, format);
	strbuf_vprintf(&sb, format, ap);
	va_end(ap);
}
