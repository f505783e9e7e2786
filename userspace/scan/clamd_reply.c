// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/clamd_reply.h"

#include <string.h>

static bool str_ends(struct str s, struct str end)
{
	return s.len >= end.len &&
	       memcmp(s.p + s.len - end.len, end.p, end.len) == 0;
}

/* What is left of @s before @end and without spaces around it. */
static struct str before(struct str s, struct str end)
{
	return str_trim((struct str){s.p, s.len - end.len});
}

/*
 * Where the text after "fd[7]: " begins. The name of what was scanned is
 * clamd's own, without ": " in it; errors without it come too.
 */
static struct str after_label(struct str s)
{
	for (size_t i = 0; i + 1 < s.len; i++)
		if (s.p[i] == ':' && s.p[i + 1] == ' ')
			return (struct str){s.p + i + 2, s.len - i - 2};
	return s;
}

enum clamd_result clamd_reply_parse(const uint8_t *data, size_t len,
				    struct str *text)
{
	const uint8_t *nul = len > 0 ? memchr(data, '\0', len) : NULL;
	struct str s;

	*text = (struct str){NULL, 0};
	if (nul == NULL)
		return len < CLAMD_REPLY_MAX ? CLAMD_PARTIAL : CLAMD_BAD;
	s = (struct str){(const char *)data, (size_t)(nul - data)};
	if (str_ends(s, STR(" ERROR"))) {
		*text = before(after_label(s), STR(" ERROR"));
		return CLAMD_ERROR;
	}
	if (str_ends(s, STR(" FOUND"))) {
		*text = before(after_label(s), STR(" FOUND"));
		return text->len > 0 ? CLAMD_FOUND : CLAMD_BAD;
	}
	return str_ends(s, STR(": OK")) ? CLAMD_CLEAN : CLAMD_BAD;
}
