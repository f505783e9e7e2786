// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/http1_framing.h"

#include <string.h>

#include "proto/http1_target.h"

/* The fields that decide, gathered in one walk over the head. */
struct tally {
	const struct http1_field *length;
	const struct http1_field *coding;
	const struct http1_field *host;
	unsigned int lengths;
	unsigned int codings;
	unsigned int hosts;
	unsigned int options;
	bool close;
	bool keep_alive;
	bool upgrade_option;
	bool upgrade_field;
	bool expect_continue;
};

/*
 * Connection names a field that is for this hop only. None that we know is
 * dropped for that: those that are for one hop have their mark already, and
 * taking off one that frames, addresses or describes the message would change
 * what the next recipient makes of it.
 */
static void mark_hop(struct http1_head *h, struct str name)
{
	for (unsigned int i = 0; i < h->nfields; i++) {
		struct http1_field *f = &h->fields[i];

		if (f->id == HTTP1_F_OTHER && str_eq_nocase(f->name, name))
			f->hop = true;
	}
}

/*
 * The next of a comma separated list of tokens, which no quotes hold together:
 * what stands between two commas is an option to somebody, whatever it is.
 */
static bool next_option(struct str *rest, struct str *option)
{
	const char *comma;

	if (rest->len == 0)
		return false;
	comma = memchr(rest->p, ',', rest->len);
	if (comma == NULL) {
		*option = str_trim(*rest);
		rest->len = 0;
		return true;
	}
	*option = str_trim((struct str){rest->p, (size_t)(comma - rest->p)});
	rest->len -= (size_t)(comma + 1 - rest->p);
	rest->p = comma + 1;
	return true;
}

/*
 * Each unknown option costs a walk over the fields, so their number is bounded:
 * a long list of them buys nothing but work.
 */
static enum http1_error connection_options(struct http1_head *h,
					   struct str value, struct tally *t)
{
	struct str option;

	while (next_option(&value, &option)) {
		if (++t->options > HTTP1_OPTIONS_MAX)
			return HTTP1_BAD_FIELD;
		if (str_eq_nocase(option, STR("close")))
			t->close = true;
		else if (str_eq_nocase(option, STR("keep-alive")))
			t->keep_alive = true;
		else if (str_eq_nocase(option, STR("upgrade")))
			t->upgrade_option = true;
		else
			mark_hop(h, option);
	}
	return HTTP1_OK;
}

static enum http1_error tally_field(struct http1_head *h, struct tally *t,
				    const struct http1_field *f)
{
	switch (f->id) {
	case HTTP1_F_CONNECTION:
		return connection_options(h, f->value, t);
	case HTTP1_F_CONTENT_ENCODING:
		coding_list_add(&h->codings, f->value);
		break;
	case HTTP1_F_CONTENT_LENGTH:
		t->length = f;
		t->lengths++;
		break;
	case HTTP1_F_TRANSFER_ENCODING:
		t->coding = f;
		t->codings++;
		break;
	case HTTP1_F_HOST:
		t->host = f;
		t->hosts++;
		break;
	case HTTP1_F_UPGRADE:
		t->upgrade_field |= f->value.len > 0;
		break;
	case HTTP1_F_EXPECT:
		t->expect_continue |=
			str_eq_nocase(f->value, STR("100-continue"));
		break;
	default:
		break;
	}
	return HTTP1_OK;
}

static enum http1_error tally_fields(struct http1_head *h, struct tally *t)
{
	memset(t, 0, sizeof(*t));
	for (unsigned int i = 0; i < h->nfields; i++) {
		enum http1_error e;

		if (h->fields[i].id == HTTP1_F_OTHER)
			continue;
		e = tally_field(h, t, &h->fields[i]);
		if (e != HTTP1_OK)
			return e;
	}
	return HTTP1_OK;
}

/*
 * White space around a value is no part of it, and a tab is white space. Some
 * recipients don't know that (llhttp sees no "chunked" before a tab), so around
 * the two values that frame a message it is refused. The bytes looked at are the
 * line's own: a colon comes before a value and its CR or LF after it.
 */
static bool has_tab_around(struct str value)
{
	const char *p = value.p, *end = value.p + value.len;

	while (p[-1] == ' ')
		p--;
	while (*end == ' ')
		end++;
	return p[-1] == '\t' || *end == '\t';
}

/* RFC 9112 6.2: one run of digits, and few enough for a signed 64-bit count. */
static bool length_parse(struct str value, uint64_t *length)
{
	return str_to_u64(value, length) && *length <= INT64_MAX;
}

/* --- a request: one field, one value ----------------------------------------- */

static enum http1_error length_check(struct str value, uint64_t *length)
{
	if (has_tab_around(value))
		return HTTP1_BAD_LENGTH;
	if (memchr(value.p, ',', value.len) != NULL)
		return HTTP1_SEVERAL_LENGTHS;
	return length_parse(value, length) ? HTTP1_OK : HTTP1_BAD_LENGTH;
}

/*
 * RFC 9112 6.1: Transfer-Encoding in HTTP/1.0 is faulty framing whatever it
 * says: somebody on the way may have passed it on without knowing it.
 */
static enum http1_error coding_check(const struct http1_head *h,
				     const struct tally *t)
{
	if (h->minor == 0 || t->codings > 1 ||
	    has_tab_around(t->coding->value) ||
	    !str_eq_nocase(t->coding->value, STR("chunked")))
		return HTTP1_BAD_TRANSFER_CODING;
	return HTTP1_OK;
}

static enum http1_error frame_request(struct http1_head *h,
				      const struct tally *t)
{
	if (t->lengths > 0 && t->codings > 0)
		return HTTP1_LENGTH_AND_CODING;
	if (t->lengths > 1)
		return HTTP1_SEVERAL_LENGTHS;
	if (t->codings > 0) {
		h->framing = HTTP1_BODY_CHUNKED;
		return coding_check(h, t);
	}
	if (t->lengths > 0) {
		h->framing = HTTP1_BODY_LENGTH;
		return length_check(t->length->value, &h->length);
	}
	return HTTP1_OK;
}

/* --- a response: the same thing may be said again ----------------------------- */

/* A list that every client reads alike, as far as its edges go. */
static bool has_clean_edges(struct str list)
{
	return list.len > 0 && list.p[list.len - 1] != ',' &&
	       !has_tab_around(list);
}

/*
 * RFC 9110 8.6: several lengths, or a list of them, as happens where fields are
 * copied or merged on the way, when they are all the same.
 */
static enum http1_error lengths_agree(struct http1_head *h)
{
	bool known = false;

	for (unsigned int i = 0; i < h->nfields; i++) {
		struct str member, rest = h->fields[i].value;
		uint64_t length;

		if (h->fields[i].id != HTTP1_F_CONTENT_LENGTH)
			continue;
		if (!has_clean_edges(rest))
			return HTTP1_BAD_LENGTH;
		while (next_option(&rest, &member)) {
			if (!length_parse(member, &length))
				return HTTP1_BAD_LENGTH;
			if (known && length != h->length)
				return HTTP1_SEVERAL_LENGTHS;
			h->length = length;
			known = true;
		}
	}
	return HTTP1_OK;
}

/*
 * Some servers still say "identity", which did nothing (RFC 2616 3.6), with a
 * length or in front of "chunked", and some say "chunked" twice, having copied
 * the fields of another server. Nobody sends chunks in chunks, and nobody takes
 * them for that. What stands behind "chunked", be it a comma, is another matter:
 * some (llhttp) look for it at the end only.
 */
static enum http1_error codings_agree(const struct http1_head *h, bool *chunked)
{
	*chunked = false;
	for (unsigned int i = 0; i < h->nfields; i++) {
		struct str member, rest = h->fields[i].value;

		if (h->fields[i].id != HTTP1_F_TRANSFER_ENCODING)
			continue;
		if (!has_clean_edges(rest))
			return HTTP1_BAD_TRANSFER_CODING;
		while (next_option(&rest, &member)) {
			if (str_eq_nocase(member, STR("chunked")))
				*chunked = true;
			else if (*chunked ||
				 !str_eq_nocase(member, STR("identity")))
				return HTTP1_BAD_TRANSFER_CODING;
		}
	}
	return HTTP1_OK;
}

static enum http1_error frame_response(struct http1_head *h,
				       const struct tally *t)
{
	enum http1_error e;
	bool chunked;

	h->framing = HTTP1_BODY_CLOSE;
	e = codings_agree(h, &chunked);
	if (e != HTTP1_OK)
		return e;
	if (h->minor == 0 && t->codings > 0)
		return HTTP1_BAD_TRANSFER_CODING;
	if (t->lengths > 0 && chunked)
		return HTTP1_LENGTH_AND_CODING;
	if (chunked)
		h->framing = HTTP1_BODY_CHUNKED;
	if (t->lengths == 0)
		return HTTP1_OK;
	h->framing = HTTP1_BODY_LENGTH;
	return lengths_agree(h);
}

/* --- heads --------------------------------------------------------------------- */

/* RFC 9112 9.3; Upgrade in HTTP/1.0 is ignored (RFC 9110 7.8). */
static void settle_connection(struct http1_head *h, const struct tally *t)
{
	h->keep_alive = !t->close && (h->minor > 0 || t->keep_alive);
	h->upgrade = h->minor > 0 && t->upgrade_option && t->upgrade_field;
}

enum http1_error http1_settle_request(struct http1_request *req)
{
	struct http1_head *h = &req->head;
	enum http1_error e;
	struct tally t;

	e = tally_fields(h, &t);
	if (e != HTTP1_OK)
		return e;
	e = http1_host_settle(req, t.host, t.hosts);
	if (e != HTTP1_OK)
		return e;
	e = frame_request(h, &t);
	if (e != HTTP1_OK)
		return e;
	settle_connection(h, &t);
	/* RFC 9110 10.1.1: not from an HTTP/1.0 client. */
	req->expect_continue = h->minor > 0 && t.expect_continue;
	return HTTP1_OK;
}

/* RFC 9110 6.4.1: a 1xx or 204 never has content and says nothing about it. */
static bool is_bare_status(unsigned int status)
{
	return status < 200 || status == 204;
}

/* RFC 9112 6.3, rules 1 and 2. */
static bool is_bodyless(unsigned int status, enum http1_method method)
{
	return is_bare_status(status) || status == 304 ||
	       method == HTTP1_HEAD ||
	       (method == HTTP1_CONNECT && status < 300);
}

/*
 * A body announced where none can be: servers do send "Content-Length: 0" with
 * 204, but one that announces more, or chunks, may well send it. The message
 * ends with its head all the same; what comes after it can't be trusted to be
 * another message.
 */
static bool is_out_of_step(const struct http1_response *res)
{
	const struct http1_head *h = &res->head;

	return is_bare_status(res->status) &&
	       (h->framing == HTTP1_BODY_CHUNKED ||
		(h->framing == HTTP1_BODY_LENGTH && h->length > 0));
}

enum http1_error http1_settle_response(struct http1_response *res,
				       enum http1_method method)
{
	struct http1_head *h = &res->head;
	enum http1_error e;
	struct tally t;

	e = tally_fields(h, &t);
	if (e != HTTP1_OK)
		return e;
	e = frame_response(h, &t);
	if (e != HTTP1_OK)
		return e;
	settle_connection(h, &t);
	if (is_out_of_step(res))
		h->keep_alive = false;
	if (is_bodyless(res->status, method))
		h->framing = HTTP1_BODY_NONE;
	if (h->framing == HTTP1_BODY_CLOSE)
		h->keep_alive = false;
	return HTTP1_OK;
}
