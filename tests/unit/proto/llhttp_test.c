// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A second opinion: whatever our parser takes, Node's llhttp in strict mode
 * must take too and read in the same way, over a few hundred thousand generated
 * messages. Where it may not, the table of exceptions says why. (That
 * we refuse what llhttp takes is fine, and happens a lot.)
 *
 * llhttp comes as C from Debian's package node-llhttp.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifndef HAVE_LLHTTP

int main(void)
{
	puts("1..1\nok 1 - llhttp # SKIP package node-llhttp is not installed");
	return 0;
}

#else

#include <cmocka.h>
#include <llhttp.h>

#include "gen.h"
#include "proto/chunked.h"
#include "proto/http1.h"
#include "proto/http1_write.h"

#define MESSAGES		   1000000 /* of each kind */

enum result {
	REFUSED,
	INCOMPLETE, /* the head is good, the body goes on */
	COMPLETE
};

/* One parser's reading of a message. */
struct reading {
	enum result result;
	bool has_head;
	char method[40];
	unsigned int status;
	enum http1_framing framing;
	uint64_t length;
	bool keep_alive;
	bool has_extension; /* a chunk has one, or white space behind its size */
	size_t head;	    /* bytes of it */
	size_t end;	    /* COMPLETE: bytes of the message */
	size_t body_len;
	char body[GEN_MAX];
};

static void body_add(struct reading *r, const char *p, size_t n)
{
	assert_true(r->body_len + n <= sizeof(r->body));
	if (n > 0)
		memcpy(r->body + r->body_len, p, n);
	r->body_len += n;
}

/* --- ours -------------------------------------------------------------------- */

static struct http1_request req;
static struct http1_response res;

static void read_chunks(struct reading *r, struct str bytes, size_t at,
			bool padded)
{
	struct chunked c;

	chunked_init(&c, NULL, 0);
	c.padded = padded;
	while (c.state != CHUNKED_DONE) {
		const uint8_t *p = (const uint8_t *)bytes.p + at;
		struct chunked_step s;

		if (at == bytes.len)
			return;
		s = chunked_feed(&c, p, 1);
		if (s.error != HTTP1_OK) {
			r->result = REFUSED;
			return;
		}
		if (c.state == CHUNKED_EXTENSION || c.state == CHUNKED_PADDING)
			r->has_extension = true;
		body_add(r, s.data.p, s.data.len);
		at += s.used;
	}
	r->result = COMPLETE;
	r->end = at;
}

static size_t body_length(const struct http1_head *h)
{
	return h->framing == HTTP1_BODY_LENGTH ? h->length : 0;
}

static void read_body(struct reading *r, const struct http1_head *h,
		      struct str bytes, size_t at)
{
	size_t rest = bytes.len - at;

	r->has_head = true;
	r->head = at;
	r->result = INCOMPLETE;
	r->framing = h->framing;
	r->length = body_length(h);
	r->keep_alive = h->keep_alive;
	if (h->framing == HTTP1_BODY_CHUNKED) {
		read_chunks(r, bytes, at, h == &res.head);
		return;
	}
	if (h->framing != HTTP1_BODY_CLOSE && rest >= body_length(h)) {
		rest = body_length(h);
		r->result = COMPLETE;
		r->end = at + rest;
	}
	body_add(r, bytes.p + at, rest);
}

static const struct http1_limits limits = {GEN_MAX, GEN_MAX, HTTP1_FIELDS_MAX};

static void our_request(struct str bytes, struct reading *r)
{
	ptrdiff_t n = http1_parse_request((const uint8_t *)bytes.p, bytes.len,
					  0, &limits, &req);

	memset(r, 0, offsetof(struct reading, body));
	if (n <= 0)
		return;
	str_copy_view(r->method, sizeof(r->method), req.method_text);
	read_body(r, &req.head, bytes, (size_t)n);
}

static void our_response(struct str bytes, enum http1_method method,
			 struct reading *r)
{
	ptrdiff_t n = http1_parse_response((const uint8_t *)bytes.p, bytes.len,
					   0, &limits, method, &res);

	memset(r, 0, offsetof(struct reading, body));
	if (n <= 0)
		return;
	r->status = res.status;
	read_body(r, &res.head, bytes, (size_t)n);
}

/* --- llhttp's ---------------------------------------------------------------- */

struct ll {
	struct reading *r;
	bool no_body; /* it is the answer to HEAD */
};

static int on_headers_complete(llhttp_t *p)
{
	struct ll *ll = p->data;
	struct reading *r = ll->r;

	r->has_head = true;
	r->result = INCOMPLETE;
	r->status = p->status_code;
	r->keep_alive = llhttp_should_keep_alive(p);
	if (p->type == HTTP_REQUEST)
		str_copy(r->method, sizeof(r->method),
			 llhttp_method_name((llhttp_method_t)p->method));
	if (ll->no_body)
		r->framing = HTTP1_BODY_NONE;
	else if (p->flags & F_CHUNKED)
		r->framing = HTTP1_BODY_CHUNKED;
	else if (p->flags & F_CONTENT_LENGTH)
		r->framing = HTTP1_BODY_LENGTH;
	else
		r->framing = llhttp_message_needs_eof(p) ? HTTP1_BODY_CLOSE
							 : HTTP1_BODY_NONE;
	if (r->framing == HTTP1_BODY_LENGTH)
		r->length = p->content_length;
	return ll->no_body ? 1 : 0;
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
	struct ll *ll = p->data;

	body_add(ll->r, at, n);
	return 0;
}

static int on_message_complete(llhttp_t *p)
{
	struct ll *ll = p->data;

	ll->r->result = COMPLETE;
	/* Only now does it know that the answer to HEAD has no body. */
	ll->r->keep_alive = llhttp_should_keep_alive(p);
	return HPE_PAUSED;
}

static void ll_read(struct str bytes, llhttp_type_t type, bool no_body,
		    struct reading *r)
{
	llhttp_settings_t settings;
	struct ll ll = {r, no_body};
	llhttp_errno_t e;
	llhttp_t p;

	memset(r, 0, offsetof(struct reading, body));
	llhttp_settings_init(&settings);
	settings.on_headers_complete = on_headers_complete;
	settings.on_body = on_body;
	settings.on_message_complete = on_message_complete;
	llhttp_init(&p, type, &settings);
	p.data = &ll;
	e = llhttp_execute(&p, bytes.p, bytes.len);
	if (r->result == COMPLETE)
		r->end = (size_t)(llhttp_get_error_pos(&p) - bytes.p);
	else if (e != HPE_OK)
		r->result = REFUSED;
}

/* --- where they may differ --------------------------------------------------- */

struct message {
	struct str bytes;
	const struct http1_head *head; /* as we read it */
	bool is_request;
	struct reading ours;
	struct reading theirs;
};

/* RFC 9110 9.1: methods are extensible; llhttp knows a list of them. */
static bool unknown_method(const struct message *m)
{
#define METHOD(number, name, text) STR(#text),
	static const struct str methods[] = {HTTP_METHOD_MAP(METHOD)};
#undef METHOD

	if (!m->is_request)
		return false;
	for (size_t i = 0; i < GEN_COUNT(methods); i++)
		if (str_eq(methods[i], req.method_text) &&
		    !str_eq(methods[i], STR("SOURCE")))
			return false;
	return true;
}

/* RFC 9110 2.5: HTTP/1.2 would be a message that HTTP/1.1 can read. */
static bool higher_minor(const struct message *m)
{
	const char *version = m->is_request ? req.target.p + req.target.len + 1
					    : m->bytes.p;

	return version[7] > '1';
}

/* Clients do send UTF-8 in targets, and servers do answer. */
static bool high_target(const struct message *m)
{
	for (size_t i = 0; m->is_request && i < req.target.len; i++)
		if ((uint8_t)req.target.p[i] >= 0x80)
			return true;
	return false;
}

/* RFC 9112 C.2.2 has nobody act on it; llhttp takes it for Connection. */
static bool proxy_connection(const struct message *m)
{
	return http1_field(m->head, HTTP1_F_PROXY_CONNECTION) != NULL;
}

static bool mentions(const struct http1_head *h, struct str option)
{
	for (unsigned int i = 0; i < h->nfields; i++) {
		struct str v = h->fields[i].value;

		if (h->fields[i].id != HTTP1_F_CONNECTION)
			continue;
		for (; v.len >= option.len; v.p++, v.len--)
			if (str_eq_nocase((struct str){v.p, option.len},
					  option))
				return true;
	}
	return false;
}

/* Both options: close wins (RFC 9112 9.3); llhttp heeds it in 1.1 only. */
static bool old_close(const struct message *m)
{
	return m->head->minor == 0 && mentions(m->head, STR("close")) &&
	       mentions(m->head, STR("keep-alive"));
}

/* White space may be a tab (RFC 9110 5.6.3); llhttp only skips spaces. */
static bool tab_at_option(const struct message *m)
{
	const struct http1_head *h = m->head;

	for (unsigned int i = 0; i < h->nfields; i++) {
		const char *line = h->fields[i].name.p;

		if (h->fields[i].id == HTTP1_F_CONNECTION &&
		    memchr(line, '\t', strcspn(line, "\r")) != NULL)
			return true;
	}
	return false;
}

/*
 * RFC 9112 6.3 rule 1: these end with their head, whatever it says. llhttp
 * waits for the body that it announces.
 */
static bool bodyless(const struct message *m)
{
	return (m->ours.status / 100 == 1 || m->ours.status == 204 ||
		m->ours.status == 304) &&
	       (http1_field(m->head, HTTP1_F_CONTENT_LENGTH) != NULL ||
		http1_field(m->head, HTTP1_F_TRANSFER_ENCODING) != NULL);
}

/* RFC 9110 9.3.6: its content has no meaning. Callers refuse CONNECT. */
static bool connect_body(const struct message *m)
{
	return m->is_request && req.method == HTTP1_CONNECT &&
	       m->head->framing != HTTP1_BODY_NONE;
}

/*
 * Extensions are dropped unread, so whatever text they are will do; llhttp
 * wants tokens or quoted strings, and not even all of those.
 */
static bool chunk_extension(const struct message *m)
{
	return m->ours.has_extension && m->theirs.result == REFUSED;
}

/*
 * What servers may do and clients may not: see http1.h. Nobody but us gets to
 * read it; responses_as_written() has what others read.
 */
static bool lenient_line(const struct message *m)
{
	const char *p = m->bytes.p, *end = p + m->ours.head;

	if (m->is_request)
		return false;
	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if (p[-1] != '\r')
			return true;
		p++;
	}
	for (unsigned int i = 0; i < m->head->nfields; i++)
		if (m->head->fields[i].name.p[m->head->fields[i].name.len] !=
		    ':')
			return true;
	return false;
}

static bool said_again(const struct message *m)
{
	unsigned int fields = 0;

	for (unsigned int i = 0; i < m->head->nfields; i++) {
		const struct http1_field *f = &m->head->fields[i];

		if (f->id != HTTP1_F_CONTENT_LENGTH &&
		    f->id != HTTP1_F_TRANSFER_ENCODING)
			continue;
		if (++fields > 1 ||
		    memchr(f->value.p, ',', f->value.len) != NULL ||
		    str_eq_nocase(f->value, STR("identity")))
			return !m->is_request;
	}
	return false;
}

/* What two readings may differ in. */
enum kind { HEAD, METHOD, STATUS, FRAMING, KEEP_ALIVE, BODY, KINDS };

static struct exception {
	bool (*applies)(const struct message *m);
	unsigned int kinds; /* that it excuses */
	unsigned int used;
} exceptions[] = {
	{unknown_method, 1 << HEAD, 0},
	{higher_minor, 1 << HEAD, 0},
	{high_target, 1 << HEAD, 0},
	{proxy_connection, 1 << KEEP_ALIVE, 0},
	{old_close, 1 << KEEP_ALIVE, 0},
	{tab_at_option, 1 << KEEP_ALIVE, 0},
	{bodyless, 1 << FRAMING | 1 << KEEP_ALIVE | 1 << BODY, 0},
	{connect_body, 1 << BODY, 0},
	{chunk_extension, 1 << BODY, 0},
	{lenient_line, 1 << HEAD, 0},
	{said_again, 1 << HEAD, 0},
};

static bool body_differs(const struct reading *a, const struct reading *b)
{
	/* Once we refuse it, it doesn't matter what they make of it. */
	if (a->result == REFUSED)
		return false;
	return a->result != b->result || a->end != b->end ||
	       a->body_len != b->body_len ||
	       memcmp(a->body, b->body, a->body_len) != 0;
}

static bool differs(const struct reading *a, const struct reading *b,
		    enum kind kind)
{
	switch (kind) {
	case HEAD:
		return !b->has_head;
	case METHOD:
		return strcmp(a->method, b->method) != 0;
	case STATUS:
		return a->status != b->status;
	case FRAMING:
		return a->framing != b->framing || a->length != b->length;
	case KEEP_ALIVE:
		return a->keep_alive != b->keep_alive;
	default:
		return body_differs(a, b);
	}
}

static bool is_excepted(const struct message *m, enum kind kind)
{
	for (size_t i = 0; i < GEN_COUNT(exceptions); i++) {
		if (!(exceptions[i].kinds & 1U << kind) ||
		    !exceptions[i].applies(m))
			continue;
		exceptions[i].used++;
		return true;
	}
	return false;
}

static void report(const struct message *m, enum kind kind)
{
	static const char *const names[KINDS] = {
		"head", "method", "status", "framing", "keep-alive", "body"};
	const struct reading *a = &m->ours, *b = &m->theirs;
	static char text[4 * GEN_MAX];
	struct strbuf sb;

	strbuf_init(&sb, text, sizeof(text));
	strbuf_printable(&sb, m->bytes);
	fail_msg("%s of %s\n"
		 "ours   %d: framing %d keep %d end %zu body %zu\n"
		 "theirs %d: framing %d keep %d end %zu body %zu",
		 names[kind], text, a->result, a->framing, a->keep_alive,
		 a->end, a->body_len, b->result, b->framing, b->keep_alive,
		 b->end, b->body_len);
}

static unsigned int accepted, completed;

static void compare(const struct message *m)
{
	accepted++;
	completed += m->ours.result == COMPLETE;
	for (enum kind kind = HEAD; kind < KINDS; kind++) {
		if (!differs(&m->ours, &m->theirs, kind))
			continue;
		if (!is_excepted(m, kind))
			report(m, kind);
		if (kind == HEAD)
			return;
	}
}

static void requests(void **state)
{
	static struct gen g = {.x = 20240506};
	static struct message m;

	(void)state;
	accepted = 0;
	completed = 0;
	for (unsigned int i = 0; i < MESSAGES; i++) {
		m.bytes = gen_request(&g);
		m.head = &req.head;
		m.is_request = true;
		our_request(m.bytes, &m.ours);
		if (!m.ours.has_head)
			continue;
		ll_read(m.bytes, HTTP_REQUEST, false, &m.theirs);
		compare(&m);
	}
	/* A generator that only makes rubbish would prove nothing. */
	assert_true(accepted > MESSAGES / 4);
	assert_true(completed > MESSAGES / 8);
}

static void responses(void **state)
{
	static struct gen g = {.x = 20240507};
	static struct message m;

	(void)state;
	accepted = 0;
	completed = 0;
	for (unsigned int i = 0; i < MESSAGES; i++) {
		enum http1_method method = gen_once_in(&g, 5) ? HTTP1_HEAD
							      : HTTP1_GET;

		m.bytes = gen_response(&g);
		m.head = &res.head;
		m.is_request = false;
		our_response(m.bytes, method, &m.ours);
		if (!m.ours.has_head)
			continue;
		ll_read(m.bytes, HTTP_RESPONSE, method == HTTP1_HEAD,
			&m.theirs);
		compare(&m);
	}
	/* A generator that only makes rubbish would prove nothing. */
	assert_true(accepted > MESSAGES / 4);
	assert_true(completed > MESSAGES / 8);
}

/* What a client gets has none of what a server may do: one reading for all. */
static void responses_as_written(void **state)
{
	static struct gen g = {.x = 20240508};
	static struct reading ours, theirs;
	static uint8_t bytes[2 * GEN_MAX];
	unsigned int written = 0;

	(void)state;
	for (unsigned int i = 0; i < MESSAGES / 4; i++) {
		struct http1_out out = {.keep_alive = true};
		struct buf b;

		our_response(gen_response(&g), HTTP1_GET, &ours);
		if (!ours.has_head || ours.framing == HTTP1_BODY_NONE)
			continue;
		out.framing = ours.framing;
		out.length = ours.length;
		buf_init(&b, bytes, sizeof(bytes));
		assert_true(http1_write_response(&b, &res, &out));
		ll_read((struct str){(char *)bytes, b.tail}, HTTP_RESPONSE,
			false, &theirs);
		if (!theirs.has_head || theirs.framing != ours.framing ||
		    theirs.length != ours.length)
			fail_msg("%.*s", (int)b.tail, (char *)bytes);
		written++;
	}
	assert_true(written > MESSAGES / 16);
}

/* An exception that excuses nothing hides something. */
static void exceptions_are_needed(void **state)
{
	(void)state;
	for (size_t i = 0; i < GEN_COUNT(exceptions); i++)
		if (exceptions[i].used == 0)
			fail_msg("exception %zu is never used", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(responses),
		cmocka_unit_test(responses_as_written),
		cmocka_unit_test(exceptions_are_needed),
	};

	return cmocka_run_group_tests_name("llhttp", tests, NULL, NULL);
}
#endif
