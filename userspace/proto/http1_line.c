// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/http1_line.h"

#include <string.h>

#include "proto/http1_scan.h"
#include "proto/http1_target.h"

/*
 * The longest registered method, UPDATEREDIRECTREF, has 17 characters. A
 * longer token is more likely another protocol's first line.
 */
#define METHOD_MAX  32
#define VERSION_LEN 8 /* "HTTP/1.1" */

/*
 * What some server somewhere takes for white space in a request line: the
 * controls that RFC 9112 3 lists, and those that Python's str.split() adds.
 */
static bool divides_words(char c)
{
	uint8_t u = (uint8_t)c;

	return (u >= '\t' && u <= '\r') || (u >= 0x1c && u <= ' ') ||
	       u == 0x85 || u == 0xa0;
}

/*
 * The registered methods (IANA, 2024), with QUERY and what UPnP has; in any
 * case, as some servers have it.
 */
static bool is_method(struct str word)
{
	static const char *const names[] = {
		"ACL",
		"BASELINE-CONTROL",
		"BIND",
		"CHECKIN",
		"CHECKOUT",
		"CONNECT",
		"COPY",
		"DELETE",
		"GET",
		"HEAD",
		"LABEL",
		"LINK",
		"LOCK",
		"M-SEARCH",
		"MERGE",
		"MKACTIVITY",
		"MKCALENDAR",
		"MKCOL",
		"MKREDIRECTREF",
		"MKWORKSPACE",
		"MOVE",
		"NOTIFY",
		"OPTIONS",
		"ORDERPATCH",
		"PATCH",
		"POST",
		"PRI",
		"PROPFIND",
		"PROPPATCH",
		"PURGE",
		"PUT",
		"QUERY",
		"REBIND",
		"REPORT",
		"SEARCH",
		"SUBSCRIBE",
		"TRACE",
		"UNBIND",
		"UNCHECKOUT",
		"UNLINK",
		"UNLOCK",
		"UNSUBSCRIBE",
		"UPDATE",
		"UPDATEREDIRECTREF",
		"VERSION-CONTROL",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq_nocase(word, str_of(names[i])))
			return true;
	return false;
}

bool http1_request_possible(struct str start)
{
	size_t n = start.len < METHOD_MAX ? start.len : METHOD_MAX;
	const char *end = start.p + n;
	const char *stop = scan_class(start.p, end, CLASS_TOKEN);

	if (stop == end || divides_words(*stop))
		return true;
	/* Many a small server ends a word at any byte up to the space. */
	if (is_method((struct str){start.p, (size_t)(stop - start.p)}))
		return true;
	return stop > start.p && is_visible(*stop) && (uint8_t)*stop < 0x80;
}

/*
 * What a server needs to find something to serve in a line that it can't have
 * been meant for: old Apaches take "X /page.php" for HTTP/0.9 and any third
 * word for a version, other servers don't look at the method, IIS reads a
 * backslash as a slash. But the path starts with a slash for all of them (none
 * is known to serve "X page"), or comes after the one in "http://"; and no
 * version is without one. So a slash anywhere leaves a line with HTTP, as does
 * a method's name, a "*", and whatever divides words or lines for some and not
 * for others: white space but single spaces, controls, bytes above ASCII.
 *
 * What comes after the line isn't looked at: a server that goes on after one
 * that it can't read would do so after a line of binary, too.
 */
bool http1_line_of_other(struct str line)
{
	const char *end = line.p + line.len;
	const char *stop = scan_class(line.p, end, CLASS_TOKEN);

	if (stop == line.p || (stop < end && *stop != ' ') ||
	    is_method((struct str){line.p, (size_t)(stop - line.p)}))
		return false;
	for (const char *p = line.p; p < end; p++) {
		if (*p < ' ' || *p > '~' || *p == '/' || *p == '\\')
			return false;
		if (*p == ' ' && (p + 1 == end || p[1] == ' ' || p[1] == '*'))
			return false;
	}
	return true;
}

bool http1_response_possible(struct str start)
{
	size_t n = start.len < 5 ? start.len : 5;

	return n == 0 || memcmp(start.p, "HTTP/", n) == 0;
}

static enum http1_method method_of(struct str m)
{
	static const struct {
		struct str name;
		enum http1_method method;
	} methods[] = {
		{{"GET", 3}, HTTP1_GET},
		{{"HEAD", 4}, HTTP1_HEAD},
		{{"POST", 4}, HTTP1_POST},
		{{"PUT", 3}, HTTP1_PUT},
		{{"DELETE", 6}, HTTP1_DELETE},
		{{"CONNECT", 7}, HTTP1_CONNECT},
		{{"OPTIONS", 7}, HTTP1_OPTIONS},
		{{"TRACE", 5}, HTTP1_TRACE},
		{{"PATCH", 5}, HTTP1_PATCH},
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (str_eq(methods[i].name, m))
			return methods[i].method;
	return HTTP1_OTHER;
}

/* Why a word of a start line ends at @stop, where it must not: @other if by
 * nothing that divides lines or words. */
static enum http1_error word_error(const char *stop, const char *end,
				   enum http1_error other)
{
	if (stop == end || *stop == ' ' || *stop == '\t')
		return HTTP1_BAD_LINE;
	return *stop == '\r' ? HTTP1_BARE_CR : other;
}

/*
 * HTTP-version (RFC 9112 2.3) at the start of @s: case-sensitive, one digit
 * each. A higher minor version is a message that HTTP/1.1 can read.
 */
static bool version_parse(struct str s, unsigned int *minor)
{
	if (s.len < VERSION_LEN || memcmp(s.p, "HTTP/1.", 7) != 0 ||
	    !class_has(s.p[7], CLASS_DIGIT))
		return false;
	*minor = s.p[7] == '0' ? 0 : 1;
	return true;
}

/* What is wrong with the rest of a request line that is no version. */
static enum http1_error version_error(struct str rest)
{
	const char *end = rest.p + rest.len;
	const char *stop = scan_visible(rest.p, end);

	if (stop == end && rest.len > 0)
		return HTTP1_BAD_VERSION;
	return word_error(stop, end, HTTP1_BAD_VERSION);
}

enum http1_error http1_request_line(struct str line, struct http1_request *req)
{
	const char *end = line.p + line.len;
	const char *stop = scan_class(line.p, end, CLASS_TOKEN);
	struct str rest;

	if (stop == line.p || stop == end || *stop != ' ')
		return word_error(stop, end, HTTP1_BAD_METHOD);
	req->method_text = (struct str){line.p, (size_t)(stop - line.p)};
	if (req->method_text.len > METHOD_MAX)
		return HTTP1_BAD_METHOD;
	req->method = method_of(req->method_text);

	req->target.p = stop + 1;
	stop = scan_visible(req->target.p, end);
	req->target.len = (size_t)(stop - req->target.p);
	if (req->target.len == 0 || stop == end || *stop != ' ')
		return word_error(stop, end, HTTP1_BAD_TARGET);

	rest = (struct str){stop + 1, (size_t)(end - stop - 1)};
	if (rest.len != VERSION_LEN || !version_parse(rest, &req->head.minor))
		return version_error(rest);
	return http1_target_parse(req);
}

/* Three digits and at least 100; the reason phrase and its SP may be absent. */
enum http1_error http1_status_line(struct str line, struct http1_response *res)
{
	const char *end = line.p + line.len;
	const char *p = line.p + VERSION_LEN;
	const char *stop;

	if (!version_parse(line, &res->head.minor))
		return HTTP1_BAD_VERSION;
	if (p == end || *p != ' ')
		return p == end ? HTTP1_BAD_LINE : HTTP1_BAD_VERSION;
	p++;
	stop = scan_class(p, end, CLASS_DIGIT);
	if (stop == p)
		return word_error(stop, end, HTTP1_BAD_STATUS);
	if (stop - p != 3 || *p == '0')
		return HTTP1_BAD_STATUS;
	if (stop < end && *stop != ' ')
		return word_error(stop, end, HTTP1_BAD_STATUS);
	res->status = (unsigned int)(p[0] - '0') * 100 +
		      (unsigned int)(p[1] - '0') * 10 +
		      (unsigned int)(p[2] - '0');

	p = stop < end ? stop + 1 : end;
	stop = scan_text(p, end);
	if (stop < end)
		return word_error(stop, end, HTTP1_BAD_LINE);
	res->reason = (struct str){p, (size_t)(end - p)};
	return HTTP1_OK;
}
