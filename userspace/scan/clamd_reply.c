// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/clamd_reply.h"

#include <string.h>

static bool str_ends(struct str s, struct str end)
{
	return s.len >= end.len &&
	       memcmp(s.p + s.len - end.len, end.p, end.len) == 0;
}

/*
 * Take "fd[7]: " off the start of @s, what clamd calls the object; false when
 * there is no such label.
 */
static bool take_label(struct str *s)
{
	for (size_t i = 0; i + 1 < s->len; i++) {
		if (s->p[i] != ':' || s->p[i + 1] != ' ')
			continue;
		s->p += i + 2;
		s->len -= i + 2;
		return true;
	}
	return false;
}

enum clamd_result clamd_reply_parse(const uint8_t *data, size_t len,
				    struct str *text)
{
	const uint8_t *nul = len > 0 ? memchr(data, '\0', len) : NULL;
	struct str found = STR(" FOUND"), error = STR(" ERROR");
	struct str s;

	*text = (struct str){NULL, 0};
	if (nul == NULL)
		return len < CLAMD_REPLY_MAX ? CLAMD_PARTIAL : CLAMD_BAD;
	s = (struct str){(const char *)data, (size_t)(nul - data)};
	if (str_ends(s, STR(": OK")))
		return CLAMD_CLEAN;
	if (str_ends(s, error)) {
		s.len -= error.len;
		(void)take_label(&s); /* some errors come without */
		*text = str_trim(s);
		return CLAMD_ERROR;
	}
	if (!str_ends(s, found))
		return CLAMD_BAD;
	s.len -= found.len;
	if (!take_label(&s) || str_trim(s).len == 0)
		return CLAMD_BAD;
	*text = str_trim(s);
	return CLAMD_FOUND;
}
