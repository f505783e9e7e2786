// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/ftp_line.h"

#include <string.h>

ptrdiff_t ftp_line(struct str bytes, size_t seen, size_t max_line,
		   struct str *line)
{
	const char *lf = NULL;
	size_t n = bytes.len;

	if (seen < n)
		lf = memchr(bytes.p + seen, '\n', n - seen);
	if (lf != NULL)
		n = (size_t)(lf - bytes.p);
	/* Of an unfinished one the last byte may be a CR that doesn't count. */
	if (n > 0 && bytes.p[n - 1] == '\r')
		n--;
	if (n > max_line)
		return -(ptrdiff_t)FTP_LINE_TOO_LONG;
	if (lf == NULL)
		return 0;
	*line = (struct str){bytes.p, n};
	return lf + 1 - bytes.p;
}

const char *ftp_error_name(enum ftp_error error)
{
	static const char *const names[FTP_ERROR_COUNT] = {
		[FTP_OK] = "ok",
		[FTP_LINE_TOO_LONG] = "line_too_long",
		[FTP_BAD_BYTE] = "bad_byte",
		[FTP_BAD_VERB] = "bad_verb",
		[FTP_BAD_REPLY] = "bad_reply",
	};

	return names[error];
}
