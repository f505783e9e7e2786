// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/multipart.h"

#include <string.h>

#include "proto/http1_field.h"
#include "proto/http1_scan.h"

/* --- the boundary parameter -------------------------------------------------- */

static struct str span(const char *from, const char *to)
{
	return (struct str){from, (size_t)(to - from)};
}

/*
 * A quoted-string at @p, which is the opening quote: its content. Returns the
 * byte after the closing quote; NULL when there is none, or when a backslash
 * makes the content differ from the bytes that stand there.
 */
static const char *quoted(const char *p, const char *end, struct str *content)
{
	const char *stop = p + 1;

	while (stop < end && *stop != '"' && *stop != '\\')
		stop++;
	if (stop == end || *stop != '"')
		return NULL;
	*content = span(p + 1, stop);
	return stop + 1;
}

/*
 * Unquoted values are cut at ';' and white space only, as servers do: many
 * clients leave boundaries unquoted that are no tokens.
 */
static const char *unquoted(const char *p, const char *end, struct str *content)
{
	const char *stop = p;

	while (stop < end && *stop != ';' && *stop != ' ' && *stop != '\t')
		stop++;
	*content = span(p, stop);
	if (memchr(p, ',', content->len) != NULL ||
	    memchr(p, '"', content->len) != NULL)
		return NULL;
	return stop;
}

/*
 * One parameter at @p, past the ';' and white space. Returns where the next
 * ';' or the end is, or NULL when it is malformed.
 */
static const char *parameter(const char *p, const char *end, struct str *name,
			     struct str *value)
{
	const char *stop = scan_class(p, end, CLASS_TOKEN);

	*name = span(p, stop);
	if (name->len == 0 || stop == end || *stop != '=')
		return NULL;
	p = stop + 1;
	if (p < end && *p == '"')
		stop = quoted(p, end, value);
	else
		stop = unquoted(p, end, value);
	if (stop == NULL)
		return NULL;
	stop = scan_ows(stop, end);
	return stop == end || *stop == ';' ? stop : NULL;
}

/* RFC 2046 5.1.1: bchars, the last of them no space. */
static bool is_boundary(struct str b)
{
	if (b.len == 0 || b.len > MULTIPART_BOUNDARY_MAX)
		return false;
	for (size_t i = 0; i < b.len; i++)
		if (!class_has(b.p[i], CLASS_BOUNDARY) &&
		    (b.p[i] != ' ' || i == b.len - 1))
			return false;
	return true;
}

#define BOUNDARY STR("boundary")

static bool mentions_boundary(struct str s)
{
	for (; s.len >= BOUNDARY.len; s.p++, s.len--)
		if (str_eq_nocase((struct str){s.p, BOUNDARY.len}, BOUNDARY))
			return true;
	return false;
}

/*
 * The boundary among the parameters at @p, or an empty view. Another parameter
 * that so much as mentions the word makes it malformed: RFC 2231's "boundary*0"
 * does, and so does a quoted "boundary=" that a server which only searches for
 * the word would take for the real one.
 */
static struct str find_boundary(const char *p, const char *end)
{
	const struct str none = {p, 0};
	struct str name, value, found = none;

	while (p < end) {
		/* @p is at a ';' */
		p = scan_ows(p + 1, end);
		if (p == end || *p == ';')
			continue;
		p = parameter(p, end, &name, &value);
		if (p == NULL)
			return none;
		if (str_eq_nocase(name, BOUNDARY)) {
			if (found.len > 0 || !is_boundary(value))
				return none;
			found = value;
		} else if (mentions_boundary(name) ||
			   mentions_boundary(value)) {
			return none;
		}
	}
	return found;
}

bool multipart_boundary(struct str content_type, struct str *boundary)
{
	const struct str type = STR("multipart/form-data");
	const char *p = content_type.p, *end;

	*boundary = (struct str){p, 0};
	if (content_type.len < type.len ||
	    !str_eq_nocase((struct str){p, type.len}, type))
		return false;
	end = p + content_type.len;
	if (p + type.len < end && class_has(p[type.len], CLASS_TOKEN))
		return false;
	p = scan_ows(p + type.len, end);
	if (p < end && *p == ';')
		*boundary = find_boundary(p, end);
	return true;
}

/* --- the parts --------------------------------------------------------------- */

/* The first "--" boundary in [p, end), or NULL. */
static const char *find_delimiter(const char *p, const char *end,
				  struct str boundary)
{
	char needle[2 + MULTIPART_BOUNDARY_MAX] = "--";

	memcpy(needle + 2, boundary.p, boundary.len);
	return memmem(p, (size_t)(end - p), needle, 2 + boundary.len);
}

static bool is_crlf(const char *p, const char *end)
{
	return end - p >= 2 && p[0] == '\r' && p[1] == '\n';
}

/*
 * The rest of a delimiter line from @p, just behind the boundary: "--" if it
 * closes the body, then white space, then CRLF or the body's end. Returns the
 * byte after it, or NULL.
 */
static const char *delimiter_end(const char *p, const char *end, bool *close)
{
	*close = end - p >= 2 && p[0] == '-' && p[1] == '-';
	p = scan_ows(*close ? p + 2 : p, end);
	if (is_crlf(p, end))
		return p + 2;
	return *close && p == end ? p : NULL;
}

static void read_encoding(const struct http1_field *f,
			  struct multipart_part *part)
{
	static const struct {
		struct str name;
		int encoding;
	} known[] = {
		{{"7bit", 4}, MULTIPART_IDENTITY},
		{{"8bit", 4}, MULTIPART_IDENTITY},
		{{"binary", 6}, MULTIPART_IDENTITY},
		{{"base64", 6}, MULTIPART_BASE64},
		{{"quoted-printable", 16}, MULTIPART_QUOTED_PRINTABLE},
	};

	part->encoding = MULTIPART_UNKNOWN;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (str_eq_nocase(f->value, known[i].name))
			part->encoding = known[i].encoding;
}

/*
 * The header section at @p into @part. Returns where the data begins, or NULL.
 * A repeated Content-Transfer-Encoding is unknown: who knows which one counts.
 */
static const char *read_fields(const char *p, const char *end,
			       struct multipart_part *part)
{
	const struct str name = STR("Content-Transfer-Encoding");
	const char *start = p;
	bool repeated = false;

	part->encoding = MULTIPART_IDENTITY;
	while (!is_crlf(p, end)) {
		struct http1_field f;
		ptrdiff_t n = http1_field_parse(p, end, false, &f);

		if (n <= 0)
			return NULL;
		if (str_eq_nocase(f.name, name)) {
			read_encoding(&f, part);
			if (repeated)
				part->encoding = MULTIPART_UNKNOWN;
			repeated = true;
		}
		p += n;
	}
	part->fields = span(start, p);
	return p + 2;
}

/*
 * The data from @p to the next delimiter. A part whose header section is
 * followed by a delimiter at once has none: the empty line's CRLF is also the
 * delimiter's.
 */
static const char *read_data(const char *p, const char *end,
			     struct str boundary, struct multipart_part *part)
{
	const char *delimiter = find_delimiter(p, end, boundary);
	const char *stop = delimiter;

	if (delimiter == NULL)
		return NULL;
	if (delimiter > p) {
		if (delimiter - p < 2)
			return NULL;
		stop -= 2;
		if (!is_crlf(stop, end))
			return NULL;
	}
	part->data = span(p, stop);
	return delimiter;
}

enum multipart_result multipart_next(struct str body, struct str boundary,
				     size_t *offset,
				     struct multipart_part *part)
{
	const char *p, *end;
	bool close;

	memset(part, 0, sizeof(*part));
	if (boundary.len == 0 || boundary.len > MULTIPART_BOUNDARY_MAX ||
	    body.len == 0 || *offset > body.len)
		return MULTIPART_BAD;
	end = body.p + body.len;
	p = find_delimiter(body.p + *offset, end, boundary);
	if (p == NULL)
		return MULTIPART_BAD;
	if (p > body.p && (p - body.p < 2 || !is_crlf(p - 2, end)))
		return MULTIPART_BAD;
	*offset = (size_t)(p - body.p);
	p = delimiter_end(p + 2 + boundary.len, end, &close);
	if (p == NULL)
		return MULTIPART_BAD;
	if (close)
		return find_delimiter(p, end, boundary) == NULL ? MULTIPART_END
								: MULTIPART_BAD;
	p = read_fields(p, end, part);
	if (p == NULL)
		return MULTIPART_BAD;
	p = read_data(p, end, boundary, part);
	if (p == NULL)
		return MULTIPART_BAD;
	*offset = (size_t)(p - body.p);
	return MULTIPART_PART;
}
