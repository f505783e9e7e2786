// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/http1_target.h"

#include <string.h>

#include "base/ip.h"
#include "proto/http1_scan.h"

#define SCHEME	     STR("http://")
#define DEFAULT_PORT STR(":80")

static struct str str_skip(struct str s, size_t n)
{
	return (struct str){s.p + n, s.len - n};
}

/* pct-encoded and the characters of a reg-name (RFC 3986 3.2.2). */
static bool reg_name_valid(struct str s)
{
	const char *p = s.p, *end = s.p + s.len;

	while ((p = scan_class(p, end, CLASS_REG_NAME)) < end) {
		if (*p != '%' || end - p < 3 || !class_has(p[1], CLASS_HEX) ||
		    !class_has(p[2], CLASS_HEX))
			return false;
		p += 3;
	}
	return s.len > 0;
}

static bool ipv6_valid(struct str s)
{
	char text[IP_TEXT_MAX];
	struct ip_addr addr;

	/* An IPv4 address has no colon, and a NUL would end the text early. */
	if (s.len >= sizeof(text) || memchr(s.p, ':', s.len) == NULL ||
	    memchr(s.p, '\0', s.len) != NULL)
		return false;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	return ip_addr_parse(text, &addr);
}

static bool port_valid(struct str s)
{
	uint64_t port;

	return s.len <= 5 && str_to_u64(s, &port) && port <= 65535;
}

/* @authority without its port; false when it isn't valid. */
static bool authority_split(struct str authority, struct str *port)
{
	struct str host = authority;
	const char *end;

	*port = (struct str){NULL, 0};
	if (authority.len > 0 && authority.p[0] == '[')
		end = memchr(authority.p, ']', authority.len);
	else
		end = authority.p;
	if (end == NULL)
		return false;
	end = memchr(end, ':', authority.len - (size_t)(end - authority.p));
	if (end != NULL) {
		host.len = (size_t)(end - authority.p);
		*port = str_skip(authority, host.len + 1);
		if (!port_valid(*port))
			return false;
	}
	if (host.len > 2 && host.p[0] == '[' && host.p[host.len - 1] == ']')
		return ipv6_valid((struct str){host.p + 1, host.len - 2});
	return reg_name_valid(host);
}

bool http1_authority_valid(struct str authority)
{
	struct str port;

	return authority_split(authority, &port);
}

/* CONNECT host:port; the port is required (RFC 9112 3.2.3). */
static enum http1_error authority_form(struct http1_request *req)
{
	struct str port;

	req->form = HTTP1_AUTHORITY_FORM;
	req->host = req->target;
	req->path = str_skip(req->target, req->target.len);
	if (!authority_split(req->target, &port) || port.len == 0)
		return HTTP1_BAD_TARGET;
	return HTTP1_OK;
}

static bool is_authority_end(char c)
{
	return c == '/' || c == '?' || c == '#';
}

/*
 * http://authority[path][?query]. Any other scheme would have to be fetched in
 * a way that this connection doesn't say, so it is refused.
 */
static enum http1_error absolute_form(struct http1_request *req)
{
	struct str rest = str_skip(req->target, SCHEME.len);
	size_t n = 0;

	req->form = HTTP1_ABSOLUTE_FORM;
	while (n < rest.len && !is_authority_end(rest.p[n]))
		n++;
	req->host = (struct str){rest.p, n};
	req->path = str_skip(rest, n);
	/* No path: the view of a "/" that is already there, in "http://". */
	if (req->path.len == 0)
		req->path = (struct str){rest.p - 1, 1};
	if (req->path.p[0] == '#' || !http1_authority_valid(req->host))
		return HTTP1_BAD_TARGET;
	return HTTP1_OK;
}

bool http1_target_is_whole_server(const struct http1_request *req)
{
	return req->method == HTTP1_OPTIONS &&
	       req->form == HTTP1_ABSOLUTE_FORM && req->path.p < req->host.p;
}

enum http1_error http1_target_parse(struct http1_request *req)
{
	struct str target = req->target;

	if (req->method == HTTP1_CONNECT)
		return authority_form(req);
	if (target.p[0] == '/') {
		req->form = HTTP1_ORIGIN_FORM;
		req->path = target;
		return HTTP1_OK;
	}
	if (str_eq(target, STR("*"))) {
		req->form = HTTP1_ASTERISK_FORM;
		req->path = target;
		return req->method == HTTP1_OPTIONS ? HTTP1_OK
						    : HTTP1_BAD_TARGET;
	}
	if (target.len > SCHEME.len &&
	    str_eq_nocase((struct str){target.p, SCHEME.len}, SCHEME))
		return absolute_form(req);
	return HTTP1_BAD_TARGET;
}

static struct str without_default_port(struct str a)
{
	size_t n = DEFAULT_PORT.len;

	if (a.len > n && str_eq(str_skip(a, a.len - n), DEFAULT_PORT))
		a.len -= n;
	return a;
}

static bool same_authority(struct str a, struct str b)
{
	return str_eq_nocase(without_default_port(a), without_default_port(b));
}

/*
 * RFC 9112 3.2: exactly one valid Host in HTTP/1.1, at most one in HTTP/1.0. An
 * empty one says "no authority": that is true of OPTIONS *, and harmless where
 * the target names the authority itself; with any other target it makes an
 * http URI without a host, which RFC 9110 4.2.1 has recipients reject.
 */
enum http1_error http1_host_settle(struct http1_request *req,
				   const struct http1_field *host,
				   unsigned int hosts)
{
	bool named = req->host.len > 0;

	if (hosts > 1)
		return HTTP1_SEVERAL_HOSTS;
	if (hosts == 0)
		return req->head.minor == 0 ? HTTP1_OK : HTTP1_NO_HOST;
	if (host->value.len == 0) {
		req->host_differs = named;
		return named || req->form == HTTP1_ASTERISK_FORM
			       ? HTTP1_OK
			       : HTTP1_BAD_HOST;
	}
	if (!http1_authority_valid(host->value))
		return HTTP1_BAD_HOST;
	if (named)
		req->host_differs = !same_authority(req->host, host->value);
	else
		req->host = host->value;
	return HTTP1_OK;
}
