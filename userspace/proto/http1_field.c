// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/http1_field.h"

#include <string.h>

#include "proto/http1_scan.h"

struct known_name {
	const char *lower;
	enum http1_field_id id;
};

/* By length: a name is compared with at most three others. */
static const struct known_name known[HTTP1_KNOWN_NAME_MAX + 1][3] = {
	[2] = {{"te", HTTP1_F_TE}},
	[4] = {{"host", HTTP1_F_HOST},
	       {"date", HTTP1_F_DATE},
	       {"etag", HTTP1_F_ETAG}},
	[5] = {{"range", HTTP1_F_RANGE}},
	[6] = {{"expect", HTTP1_F_EXPECT}},
	[7] = {{"upgrade", HTTP1_F_UPGRADE}, {"trailer", HTTP1_F_TRAILER}},
	[8] = {{"if-range", HTTP1_F_IF_RANGE}},
	[10] = {{"connection", HTTP1_F_CONNECTION},
		{"user-agent", HTTP1_F_USER_AGENT},
		{"keep-alive", HTTP1_F_KEEP_ALIVE}},
	[11] = {{"content-md5", HTTP1_F_CONTENT_MD5}},
	[12] = {{"content-type", HTTP1_F_CONTENT_TYPE}},
	[13] = {{"content-range", HTTP1_F_CONTENT_RANGE},
		{"last-modified", HTTP1_F_LAST_MODIFIED}},
	[14] = {{"content-length", HTTP1_F_CONTENT_LENGTH},
		{"content-digest", HTTP1_F_CONTENT_DIGEST},
		{"http2-settings", HTTP1_F_HTTP2_SETTINGS}},
	[15] = {{"accept-encoding", HTTP1_F_ACCEPT_ENCODING}},
	[16] = {{"content-encoding", HTTP1_F_CONTENT_ENCODING},
		{"proxy-connection", HTTP1_F_PROXY_CONNECTION}},
	[17] = {{"transfer-encoding", HTTP1_F_TRANSFER_ENCODING}},
	[19] = {{"content-disposition", HTTP1_F_CONTENT_DISPOSITION}},
};

/*
 * Setting bit 5 lowers letters and leaves '-' and digits alone; no other byte
 * of a token turns into one of them, so this is an exact comparison.
 */
static bool name_is(struct str name, const char *lower)
{
	for (size_t i = 0; i < name.len; i++)
		if ((name.p[i] | 0x20) != lower[i])
			return false;
	return true;
}

enum http1_field_id http1_field_id_of(struct str name)
{
	const struct known_name *k;

	if (name.len > HTTP1_KNOWN_NAME_MAX)
		return HTTP1_F_OTHER;
	k = known[name.len];
	for (size_t i = 0; i < 3 && k[i].lower != NULL; i++)
		if (name_is(name, k[i].lower))
			return k[i].id;
	return HTTP1_F_OTHER;
}

#define BIT(id) (1U << (id))

bool http1_field_is_hop(enum http1_field_id id)
{
	const unsigned int hop =
		BIT(HTTP1_F_CONNECTION) | BIT(HTTP1_F_HTTP2_SETTINGS) |
		BIT(HTTP1_F_KEEP_ALIVE) | BIT(HTTP1_F_PROXY_CONNECTION) |
		BIT(HTTP1_F_TE) | BIT(HTTP1_F_TRANSFER_ENCODING) |
		BIT(HTTP1_F_UPGRADE);

	return (hop & BIT(id)) != 0;
}

/* @e once the line's LF is among the bytes at @from; 0 until then. */
static ptrdiff_t refuse(const char *from, const char *end, enum http1_error e)
{
	if (memchr(from, '\n', (size_t)(end - from)) == NULL)
		return 0;
	return -(ptrdiff_t)e;
}

/* Why the name that starts at @p can't end at @stop. */
static enum http1_error name_error(const char *p, const char *stop,
				   const char *end)
{
	const char *next = scan_ows(stop, end);

	if (*stop == '\r' && (end - stop < 2 || stop[1] != '\n'))
		return HTTP1_BARE_CR;
	if (next == stop)
		return HTTP1_BAD_FIELD;
	if (stop == p)
		return HTTP1_FOLDED;
	return next < end && *next == ':' ? HTTP1_SPACE_BEFORE_COLON
					  : HTTP1_BAD_FIELD;
}

/*
 * Why a value can't go on with the byte at @stop. In a request a bare LF is
 * refused though RFC 9112 2.2 lets a recipient take it: one that does sees a
 * line more than one that doesn't.
 */
static enum http1_error value_error(const char *stop)
{
	switch (*stop) {
	case '\r':
		return HTTP1_BARE_CR;
	case '\n':
		return HTTP1_BAD_FIELD;
	default:
		return HTTP1_NUL;
	}
}

/* Where the line goes on whose value ends at @stop, or NULL. */
static const char *after_value(const char *stop, const char *end, bool lenient)
{
	if (*stop == '\r' && end - stop >= 2 && stop[1] == '\n')
		return stop + 2;
	return lenient && *stop == '\n' ? stop + 1 : NULL;
}

ptrdiff_t http1_field_parse(const char *p, const char *end, bool lenient,
			    struct http1_field *f)
{
	const char *name_end = scan_class(p, end, CLASS_TOKEN);
	const char *colon = name_end;
	const char *value, *stop, *last, *next;

	if (lenient)
		colon = scan_ows(name_end, end);
	if (colon == end)
		return 0;
	if (*colon != ':' || name_end == p)
		return refuse(name_end, end, name_error(p, name_end, end));
	value = scan_ows(colon + 1, end);
	stop = scan_text(value, end);
	if (stop == end)
		return 0;
	next = after_value(stop, end, lenient);
	if (next == NULL)
		return refuse(stop, end, value_error(stop));
	for (last = stop; last > value; last--)
		if (last[-1] != ' ' && last[-1] != '\t')
			break;
	f->name = (struct str){p, (size_t)(name_end - p)};
	f->value = (struct str){value, (size_t)(last - value)};
	f->id = http1_field_id_of(f->name);
	f->hop = http1_field_is_hop(f->id);
	return next - p;
}
