/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of FTP's control connection, for the parsers of both directions. */
#ifndef SLUICE_PROTO_FTP_LINE_H
#define SLUICE_PROTO_FTP_LINE_H

#include "proto/ftp.h"

/*
 * The line at the start of @bytes, of which @seen were looked at before: its
 * length with its end, and it without in @line. 0: the end isn't there;
 * -FTP_LINE_TOO_LONG: it has more than @max_line bytes.
 */
ptrdiff_t ftp_line(struct str bytes, size_t seen, size_t max_line,
		   struct str *line);

static inline bool ftp_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

#endif
