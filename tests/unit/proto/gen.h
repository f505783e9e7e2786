/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP messages by the thousand, the same for the same seed: drawn from a
 * grammar in which each word has likely and odd spellings, then, more often
 * than not, damaged in a few places.
 */
#ifndef SLUICE_TESTS_PROTO_GEN_H
#define SLUICE_TESTS_PROTO_GEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

#define GEN_MAX	     2048
#define GEN_COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct gen {
	uint64_t x;
	char bytes[GEN_MAX];
	struct strbuf sb;
};

/* 0 .. n-1 */
static inline unsigned int gen_below(struct gen *g, unsigned int n)
{
	g->x ^= g->x << 13;
	g->x ^= g->x >> 7;
	g->x ^= g->x << 17;
	return (unsigned int)((g->x * 2685821657736338717ULL >> 33) % n);
}

/* True once in @n. */
static inline bool gen_once_in(struct gen *g, unsigned int n)
{
	return gen_below(g, n) == 0;
}

#define gen_pick(g, list) ((list)[gen_below((g), GEN_COUNT(list))])

/* One of @list, but most of the time one of its first @likely. */
#define gen_put(g, list, likely)                             \
	strbuf_str(&(g)->sb, gen_once_in((g), 12)            \
				     ? gen_pick((g), (list)) \
				     : (list)[gen_below((g), (likely))])

static inline void gen_number(struct gen *g, unsigned int n)
{
	strbuf_printf(&g->sb, "%u", n);
}

static inline void gen_line_end(struct gen *g)
{
	strbuf_puts(&g->sb, gen_once_in(g, 200) ? "\n" : "\r\n");
}

static inline void gen_field(struct gen *g, struct str name)
{
	static const struct str separators[] = {
		STR(": "), STR(":"), STR(":\t "), STR(" : "), STR("")};

	strbuf_str(&g->sb, name);
	gen_put(g, separators, 2);
}

static inline void gen_connection(struct gen *g)
{
	static const struct str options[] = {
		STR("keep-alive"), STR("close"),       STR("upgrade"),
		STR("Keep-Alive"), STR("Close"),       STR("Upgrade"),
		STR("te"),	   STR("x-a"),	       STR(""),
		STR("closed"),	   STR("keep-alives"), STR("close x"),
		STR("\"close\""),  STR(";close")};

	gen_field(g, STR("Connection"));
	do {
		gen_put(g, options, 3);
		if (gen_once_in(g, 3))
			strbuf_puts(&g->sb, gen_once_in(g, 2) ? ", " : " ,");
		else
			break;
	} while (true);
}

static inline void gen_other_field(struct gen *g)
{
	static const struct str fields[] = {
		STR("Accept: */*"),
		STR("User-Agent: x/1.0"),
		STR("X-A: b"),
		STR("Cookie: a=b; c=d"),
		STR("Upgrade: websocket"),
		STR("Upgrade: h2c"),
		STR("Upgrade:"),
		STR("Content-Type: text/plain"),
		STR("Expect: 100-continue"),
		STR("TE: trailers"),
		STR("Proxy-Connection: close"),
		STR("Proxy-Connection: keep-alive"),
		STR("Keep-Alive: timeout=5"),
		STR("Content-Encoding: gzip"),
		STR("X-Empty:"),
		STR("X-High: \xff\x80"),
		STR("X-Tab: \ta\tb"),
		STR("!#$%&'*+-.^_`|~: x"),
		STR("Content-Lengthy: 1"),
		STR("Transfer-Encodings: chunked"),
		STR(" folded"),
		STR("no-colon"),
	};

	gen_put(g, fields, 20);
}

/* Content-Length about right for a body of @n bytes. */
static inline void gen_length(struct gen *g, unsigned int n)
{
	static const struct str odd[] = {STR("+1"),
					 STR("1,1"),
					 STR("0x1"),
					 STR(""),
					 STR("1 1"),
					 STR("9223372036854775808"),
					 STR("99999999999999999999")};

	gen_field(g, STR("Content-Length"));
	if (gen_once_in(g, 20))
		strbuf_str(&g->sb, gen_pick(g, odd));
	else if (gen_once_in(g, 10))
		strbuf_printf(&g->sb, "%03u", n);
	else
		gen_number(g, gen_once_in(g, 10) ? gen_below(g, 40) : n);
}

static inline void gen_coding(struct gen *g)
{
	static const struct str codings[] = {
		STR("chunked"),		 STR("Chunked"),     STR("chunked "),
		STR("gzip, chunked"),	 STR("identity"),    STR("xchunked"),
		STR("chunked, chunked"), STR("chunked;q=1"), STR("")};

	gen_field(g, STR("Transfer-Encoding"));
	gen_put(g, codings, 3);
}

static inline void gen_data(struct gen *g, unsigned int n)
{
	static const struct str odd[] = {STR("\r"), STR("\n"), STR("0\r\n\r\n"),
					 STR("\0")};

	while (n > 0) {
		if (n >= 5 && gen_once_in(g, 20)) {
			struct str s = gen_pick(g, odd);

			strbuf_str(&g->sb, s);
			n -= (unsigned int)s.len;
			continue;
		}
		strbuf_putc(&g->sb, (char)('a' + gen_below(g, 26)));
		n--;
	}
}

static inline void gen_chunks(struct gen *g)
{
	static const struct str ends[] = {STR("\r\n"),
					  STR(";a=b\r\n"),
					  STR(";a\r\n"),
					  STR(";a=\"b;c\"\r\n"),
					  STR(";\r\n"),
					  STR("; a = b\r\n"),
					  STR(" \r\n"),
					  STR("\n"),
					  STR(";a\n"),
					  STR(";a=b;c=d\r\n"),
					  STR(";a=\"\\\"\"\r\n"),
					  STR(";\xff\r\n")};
	static const struct str trailers[] = {
		STR(""), STR("X-T: 1\r\n"), STR("A: b\r\nC:\r\n"),
		STR("Content-Length: 5\r\n"), STR("x\r\n")};

	for (unsigned int i = gen_below(g, 4); i > 0; i--) {
		unsigned int n = 1 + gen_below(g, 20);

		strbuf_printf(&g->sb, gen_once_in(g, 2) ? "%x" : "%04X",
			      gen_once_in(g, 30) ? n + 1 : n);
		gen_put(g, ends, 2);
		gen_data(g, n);
		strbuf_puts(&g->sb, gen_once_in(g, 100) ? "\n" : "\r\n");
	}
	strbuf_puts(&g->sb, gen_once_in(g, 8) ? "000" : "0");
	gen_put(g, ends, 2);
	gen_put(g, trailers, 3);
	strbuf_puts(&g->sb, "\r\n");
}

static inline void gen_body(struct gen *g)
{
	unsigned int n = gen_below(g, 30);
	bool chunked = gen_once_in(g, 3), length = !chunked;

	if (gen_once_in(g, 4))
		length = false;
	if (gen_once_in(g, 50))
		length = chunked = true;
	for (unsigned int i = gen_below(g, 3); i > 0; i--) {
		gen_other_field(g);
		gen_line_end(g);
	}
	if (length) {
		do {
			gen_length(g, n);
			gen_line_end(g);
		} while (gen_once_in(g, 50));
	}
	if (chunked) {
		gen_coding(g);
		gen_line_end(g);
	}
	if (gen_once_in(g, 3)) {
		gen_connection(g);
		gen_line_end(g);
	}
	gen_line_end(g);
	if (chunked)
		gen_chunks(g);
	else if (length || gen_once_in(g, 4))
		gen_data(g, n);
	if (gen_once_in(g, 4))
		strbuf_puts(&g->sb, "GET /next HTTP/1.1\r\nHost: b\r\n\r\n");
}

/* Replace, remove, repeat or add something at a few places. */
static inline void gen_damage(struct gen *g)
{
	static const char odd[] = "\0\t\n\r :;,\"/0159aZ-_%#@[]\x7f\x80\xff";
	char *p = g->bytes;

	for (unsigned int i = 1 + gen_below(g, 3); i > 0 && g->sb.len > 1;
	     i--) {
		size_t n = g->sb.len, at = gen_below(g, (unsigned int)n);
		char c = odd[gen_below(g, sizeof(odd) - 1)];

		switch (gen_below(g, 4)) {
		case 0:
			p[at] = c;
			break;
		case 1:
			memmove(p + at, p + at + 1, n - at - 1);
			g->sb.len--;
			break;
		case 2:
			if (n + 1 >= GEN_MAX)
				break;
			memmove(p + at + 1, p + at, n - at);
			g->sb.len++;
			p[at] = c;
			break;
		default:
			g->sb.len = gen_once_in(g, 4) ? at + 1 : n;
			break;
		}
	}
}

static inline void gen_start(struct gen *g)
{
	strbuf_init(&g->sb, g->bytes, sizeof(g->bytes));
}

static inline struct str gen_end(struct gen *g)
{
	if (!gen_once_in(g, 3))
		gen_damage(g);
	return (struct str){g->bytes, g->sb.len};
}

static inline void gen_target(struct gen *g)
{
	static const struct str targets[] = {
		STR("/"),
		STR("/a/b?c=d&e"),
		STR("/%20;x=y/[z]|{}\"<>^`\\"),
		STR("http://a.example/x"),
		STR("http://a.example:8080"),
		STR("HTTP://192.0.2.1?q"),
		STR("http://[2001:db8::1]:80/"),
		STR("*"),
		STR("a.example:443"),
		STR("/\xc3\xa4"),
		STR("/a#b"),
		STR("?q"),
		STR("x"),
		STR("http://u@a/"),
		STR("https://a/"),
	};

	gen_put(g, targets, 7);
}

/* A request, its body, and perhaps something after it. */
static inline struct str gen_request(struct gen *g)
{
	static const struct str methods[] = {
		STR("GET"),	 STR("POST"),	  STR("PUT"),
		STR("HEAD"),	 STR("OPTIONS"),  STR("DELETE"),
		STR("PATCH"),	 STR("TRACE"),	  STR("CONNECT"),
		STR("PROPFIND"), STR("M-SEARCH"), STR("FOO"),
		STR("get"),	 STR("PRI"),	  STR("SOURCE"),
		STR("DESCRIBE"), STR("GE"),	  STR("GETS")};
	static const struct str versions[] = {
		STR(" HTTP/1.1"),  STR(" HTTP/1.0"),  STR(" HTTP/1.2"),
		STR(" HTTP/2.0"),  STR(" HTTP/0.9"),  STR(""),
		STR("  HTTP/1.1"), STR(" HTTP/1.1 "), STR(" ICE/1.0"),
		STR(" RTSP/1.0"),  STR(" http/1.1")};
	static const struct str hosts[] = {
		STR("Host: a.example"), STR("Host: b:80"), STR("Host: [::1]"),
		STR("Host:"), STR("Host: a b")};

	gen_start(g);
	if (gen_once_in(g, 20))
		strbuf_puts(&g->sb, "\r\n");
	gen_put(g, methods, 9);
	strbuf_putc(&g->sb, ' ');
	gen_target(g);
	gen_put(g, versions, 2);
	gen_line_end(g);
	if (!gen_once_in(g, 20)) {
		gen_put(g, hosts, 3);
		gen_line_end(g);
	}
	gen_body(g);
	return gen_end(g);
}

static inline struct str gen_response(struct gen *g)
{
	static const struct str lines[] = {
		STR("HTTP/1.1 200 OK"),
		STR("HTTP/1.1 200 OK"),
		STR("HTTP/1.0 200 OK"),
		STR("HTTP/1.1 204 No Content"),
		STR("HTTP/1.1 304 Not Modified"),
		STR("HTTP/1.1 404"),
		STR("HTTP/1.1 500 "),
		STR("HTTP/1.1 100 Continue"),
		STR("HTTP/1.1 101 Switching"),
		STR("HTTP/1.1 999 \xff\t!"),
		STR("HTTP/1.2 200 OK"),
		STR("HTTP/1.1 99 x"),
		STR("HTTP/1.1 1000 x"),
		STR("HTTP/1.1  200 OK"),
		STR("HTTP/2.0 200 OK"),
		STR("ICY 200 OK"),
	};

	gen_start(g);
	gen_put(g, lines, 10);
	gen_line_end(g);
	gen_body(g);
	return gen_end(g);
}

#endif
