// SPDX-License-Identifier: GPL-2.0-or-later
#include "problem.h"

#include <stdarg.h>
#include <stddef.h>

#include "base/str.h"

static char text[PROBLEM_MAX];
static struct strbuf found;
static const char *at_file;
static unsigned int at_line;

void problem_clear(void)
{
	strbuf_init(&found, text, sizeof(text));
	at_file = NULL;
}

void problem_at(const char *file, unsigned int line)
{
	at_file = file;
	at_line = line;
}

void problem(const char *format, ...)
{
	va_list ap;

	if (found.len > 0)
		return;
	if (at_file != NULL)
		strbuf_printf(&found, "%s:%u: ", at_file, at_line);
	va_start(ap, format);
	strbuf_vprintf(&found, format, ap);
	va_end(ap);
}

const char *problem_text(void)
{
	return found.len > 0 ? text : NULL;
}
