// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/ftp_line.h"

#define CODE_LEN 3

/* The code at the start of @line; 0 when there is none. */
static uint16_t code_of(struct str line)
{
	if (line.len < CODE_LEN || line.p[0] < '1' || line.p[0] > '5' ||
	    !ftp_is_digit(line.p[1]) || !ftp_is_digit(line.p[2]))
		return 0;
	return (uint16_t)((line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 +
			  (line.p[2] - '0'));
}

static struct str behind(struct str line, size_t n)
{
	n = n < line.len ? n : line.len;
	return (struct str){line.p + n, line.len - n};
}

/* What follows the code; some servers leave it at "226". */
static char sign_of(struct str line)
{
	if (line.len > CODE_LEN)
		return line.p[CODE_LEN];
	return ' ';
}

/* "226 text", "226-text" */
static enum ftp_error first_line(struct str line, struct ftp_reply *reply)
{
	char sign = sign_of(line);

	reply->code = code_of(line);
	if (reply->code == 0 || (sign != ' ' && sign != '-'))
		return FTP_BAD_REPLY;
	reply->open = sign == '-';
	reply->marked = true;
	reply->text = behind(line, CODE_LEN + 1);
	return FTP_OK;
}

/*
 * Up to the line with the same code and a space. Lines between may begin with
 * the code and a hyphen, with other numbers, or with anything.
 */
static void further_line(struct str line, struct ftp_reply *reply)
{
	bool same = code_of(line) == reply->code;
	char sign = sign_of(line);

	reply->open = !(same && sign == ' ');
	reply->marked = same && (sign == ' ' || sign == '-');
	reply->text = reply->marked ? behind(line, CODE_LEN + 1) : line;
}

ptrdiff_t ftp_parse_reply(const uint8_t *data, size_t len, size_t seen,
			  size_t max_line, struct ftp_reply *reply)
{
	struct str bytes = {(const char *)data, len}, line;
	ptrdiff_t n = ftp_line(bytes, seen, max_line, &line);

	if (n <= 0)
		return n;
	if (reply->open)
		further_line(line, reply);
	else if (first_line(line, reply) != FTP_OK)
		return -(ptrdiff_t)FTP_BAD_REPLY;
	return n;
}

/*
 * A client that ends lines at a CR, or strips what is invisible before it looks
 * for the code, would read another reply than we did.
 */
static void put_harmless(struct strbuf *sb, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = (uint8_t)text.p[i];
		bool obeyed = (c < ' ' && c != '\t') || c == 0x7f;

		strbuf_put(sb, obeyed ? " " : &text.p[i], 1);
	}
}

/*
 * A line within a reply that begins with its code is kept from being its end by
 * one byte, which may be one that becomes a space: so a space comes before it,
 * as RFC 959 4.2 has servers do.
 */
void ftp_write_reply(struct strbuf *sb, const struct ftp_reply *reply)
{
	if (reply->marked)
		strbuf_printf(sb, "%03u%c", reply->code,
			      reply->open ? '-' : ' ');
	else if (code_of(reply->text) == reply->code)
		strbuf_putc(sb, ' ');
	put_harmless(sb, reply->text);
	strbuf_puts(sb, "\r\n");
}
