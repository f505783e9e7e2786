// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/sniff.h"

#include <string.h>

/* --- DNS ----------------------------------------------------------------------- */

#define DNS_HEADER   12
#define DNS_QUESTION 4 /* type and class */
#define DNS_RESPONSE 0x8000
#define DNS_OPCODE   0x7800
#define DNS_TC	     0x0200
#define DNS_Z	     0x0040
#define DNS_RCODE    0x000f
#define DNS_RECORDS  64 /* more than any real answer holds in a section */
#define TYPE_OPT     41
#define TYPE_MAX     260
#define TYPE_ANY     255
#define CLASS_IN     1

static unsigned int be16(const char *p)
{
	return (unsigned int)(uint8_t)p[0] << 8 | (uint8_t)p[1];
}

/*
 * The name at @at as text; its end, or 0 when it is none. Not compressed: it
 * is the first name of the message.
 */
static size_t dns_name(struct str m, size_t at, char name[SNIFF_DNS_NAME_MAX])
{
	size_t out = 0;

	while (at < m.len && m.p[at] != 0) {
		size_t n = (uint8_t)m.p[at++];

		if (n > 63 || n > m.len - at ||
		    out + n + 1 >= SNIFF_DNS_NAME_MAX)
			return 0;
		if (out > 0)
			name[out++] = '.';
		for (; n > 0; n--, at++) {
			if (m.p[at] <= ' ' || m.p[at] > '~')
				return 0;
			name[out++] = ascii_lower(m.p[at]);
		}
	}
	name[out] = '\0';
	return at < m.len ? at + 1 : 0;
}

/* Flags and counts of an ordinary query, or of an answer to one. */
static bool dns_header(struct str m)
{
	unsigned int flags = be16(m.p + 2);

	if ((flags & (DNS_OPCODE | DNS_Z)) || be16(m.p + 4) != 1)
		return false;
	if (flags & DNS_RESPONSE)
		return (flags & DNS_RCODE) <= 10 &&
		       be16(m.p + 6) < DNS_RECORDS &&
		       be16(m.p + 8) < DNS_RECORDS &&
		       be16(m.p + 10) < DNS_RECORDS;
	return !(flags & (DNS_TC | DNS_RCODE)) && be16(m.p + 6) == 0 &&
	       be16(m.p + 8) == 0 && be16(m.p + 10) <= 2;
}

/* Behind the question: nothing, or what the counts announce (RFC 6891). */
static bool dns_rest(struct str m, size_t at)
{
	bool more = be16(m.p + 6) + be16(m.p + 8) + be16(m.p + 10) > 0;

	if (!more)
		return at == m.len;
	if (be16(m.p + 2) & DNS_RESPONSE)
		return m.len - at >= 11;
	return m.len - at >= 11 && m.p[at] == 0 &&
	       be16(m.p + at + 1) == TYPE_OPT;
}

bool sniff_dns(struct str m, char name[SNIFF_DNS_NAME_MAX])
{
	unsigned int type;
	size_t at;

	name[0] = '\0';
	if (m.len < DNS_HEADER + 1 + DNS_QUESTION || !dns_header(m))
		return false;
	at = dns_name(m, DNS_HEADER, name);
	if (at == 0 || m.len - at < DNS_QUESTION)
		return false;
	type = be16(m.p + at);
	return type > 0 && type <= TYPE_MAX && be16(m.p + at + 2) == CLASS_IN &&
	       dns_rest(m, at + DNS_QUESTION);
}

bool sniff_dns_tcp(struct str segment, char name[SNIFF_DNS_NAME_MAX])
{
	name[0] = '\0';
	if (segment.len < 2 || be16(segment.p) != segment.len - 2)
		return false;
	return sniff_dns((struct str){segment.p + 2, segment.len - 2}, name);
}

/* --- BitTorrent ---------------------------------------------------------------- */

#define UTP_HEADER 20
#define UTP_DATA   0x01 /* type 0, version 1 */

bool sniff_bittorrent_utp(struct str d)
{
	static const struct str shake = {"\023BitTorrent protocol", 20};

	/* No extension (byte 1): none comes with a handshake. */
	if (d.len < UTP_HEADER + shake.len || d.p[0] != UTP_DATA || d.p[1] != 0)
		return false;
	return memcmp(d.p + UTP_HEADER, shake.p, shake.len) == 0;
}

/* --- FTP ----------------------------------------------------------------------- */

enum ftp_stage { FTP_START, FTP_GREETED, FTP_USER, FTP_NO };

/* A line that begins with @word, to its end: the first one may be of many. */
static bool line_of(struct str segment, struct str word)
{
	return segment.len > word.len + 1 &&
	       segment.p[segment.len - 1] == '\n' &&
	       str_eq_nocase((struct str){segment.p, word.len}, word);
}

static bool ftp_answer(struct str segment)
{
	return line_of(segment, STR("331")) || line_of(segment, STR("230")) ||
	       line_of(segment, STR("234")) || line_of(segment, STR("530"));
}

bool sniff_ftp(struct sniff_ftp *s, unsigned int end, struct str segment)
{
	switch (s->stage) {
	case FTP_START:
		s->server = (uint8_t)end;
		s->stage = line_of(segment, STR("220")) ? FTP_GREETED : FTP_NO;
		return false;
	case FTP_GREETED:
		/* More of the greeting. */
		if (end == s->server)
			return false;
		s->stage = line_of(segment, STR("USER ")) ||
					   line_of(segment, STR("AUTH "))
				   ? FTP_USER
				   : FTP_NO;
		return false;
	case FTP_USER:
		/* SMTP has AUTH too, but no such answer to it. */
		return end == s->server && ftp_answer(segment);
	default:
		return false;
	}
}
