// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/event_json.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/event_time.h"
#include "store/utf8.h"

static const char *const protocols[EVENT_PROTOCOL_COUNT] = {
	[EVENT_HTTP] = "http",
	[EVENT_TUNNEL] = "tunnel",
	[EVENT_FTP] = "ftp",
};

/* --- members ----------------------------------------------------------------- */

/* Keys are literals and differ, so json-c needn't copy or look for them. */
static bool add(struct json_object *line, const char *key,
		struct json_object *value)
{
	if (value == NULL)
		return false;
	if (json_object_object_add_ex(line, key, value,
				      JSON_C_OBJECT_ADD_KEY_IS_NEW |
					      JSON_C_OBJECT_ADD_CONSTANT_KEY) ==
	    0)
		return true;
	json_object_put(value);
	return false;
}

static bool add_number(struct json_object *line, const char *key, uint64_t n)
{
	return add(line, key, json_object_new_uint64(n));
}

/* Absent text has no member. */
static bool add_text(struct json_object *line, const char *key, struct str s)
{
	char clean[UTF8_CLEAN_SIZE(EVENT_TEXT_MAX)];

	if (s.len == 0)
		return true;
	if (s.len > EVENT_TEXT_MAX)
		s.len = EVENT_TEXT_MAX;
	s = utf8_clean(s, clean);
	return add(line, key, json_object_new_string_len(s.p, (int)s.len));
}

static bool add_word(struct json_object *line, const char *key,
		     const char *word)
{
	return add_text(line, key, str_of(word));
}

static bool add_endpoint(struct json_object *line, const char *key,
			 const struct ip_endpoint *ep)
{
	char text[IP_TEXT_MAX];

	if (ep->addr.family == 0)
		return true;
	return add_word(line, key, ip_endpoint_format(ep, text, sizeof(text)));
}

static bool add_sha256(struct json_object *line, const struct event *ev)
{
	char hex[2 * MSG_SHA256 + 1];
	struct strbuf sb;

	if (!ev->has_sha256)
		return true;
	strbuf_init(&sb, hex, sizeof(hex));
	strbuf_hex(&sb, ev->sha256, sizeof(ev->sha256));
	return add_word(line, "sha256", hex);
}

/* --- the line ---------------------------------------------------------------- */

static bool add_identity(struct json_object *line, const struct event *ev,
			 uint64_t instance, uint64_t number)
{
	char time[EVENT_TIME_TEXT], id[EVENT_ID_MAX], session[EVENT_ID_MAX];

	event_time_format(ev->time_us, time);
	event_format_id(id, sizeof(id), instance, number);
	event_format_session(session, sizeof(session), instance, ev->session);
	return add_word(line, "time", time) && add_word(line, "id", id) &&
	       (ev->session == 0 || add_word(line, "session", session)) &&
	       add_endpoint(line, "client", &ev->client) &&
	       add_endpoint(line, "server", &ev->server);
}

static bool add_request(struct json_object *line, const struct event *ev)
{
	return add_word(line, "protocol", protocols[ev->protocol]) &&
	       add_text(line, "method", ev->method) &&
	       add_text(line, "url", ev->url) &&
	       add_text(line, "host", ev->host) &&
	       add_text(line, "user", ev->user) &&
	       (ev->status == 0 || add_number(line, "status", ev->status));
}

static bool add_decision(struct json_object *line, const struct event *ev)
{
	return add_word(line, "verdict", verdict_name(ev->verdict)) &&
	       add_word(line, "reason", verdict_reason_name(ev->reason)) &&
	       add_text(line, "name", ev->name) &&
	       add_text(line, "rule", ev->rule);
}

static bool add_rest(struct json_object *line, const struct event *ev)
{
	return add_number(line, "bytes_in", ev->bytes_in) &&
	       add_number(line, "bytes_out", ev->bytes_out) &&
	       add_sha256(line, ev) &&
	       add_number(line, "duration_ms", ev->duration_ms) &&
	       add_word(line, "action", ev->stopped ? "block" : "allow") &&
	       add_word(line, "direction",
			ev->upload ? "upload" : "download") &&
	       add_text(line, "content_type", ev->content_type) &&
	       add_number(line, "first_byte_ms", ev->first_byte_ms) &&
	       add_number(line, "scan_ms", ev->scan_ms);
}

size_t event_json_write(const struct event *ev, uint64_t instance,
			uint64_t number, char *dst, size_t size)
{
	struct json_object *line = json_object_new_object();
	const char *text;
	size_t len = 0;

	if (line == NULL || !add_identity(line, ev, instance, number) ||
	    !add_request(line, ev) || !add_decision(line, ev) ||
	    !add_rest(line, ev))
		goto out;
	text = json_object_to_json_string_length(
		line, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		&len);
	if (text == NULL || len + 1 > size) {
		len = 0;
		goto out;
	}
	memcpy(dst, text, len);
	dst[len++] = '\n';
out:
	json_object_put(line);
	return len;
}

bool event_json_id(const char *id, uint64_t *instance, uint64_t *number)
{
	size_t digits = strspn(id, "0123456789abcdef");

	if (digits == 0 || digits > 16 || id[digits] != '-')
		return false;
	*instance = strtoull(id, NULL, 16);
	return str_to_u64(str_of(id + digits + 1), number);
}
