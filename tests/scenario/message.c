// SPDX-License-Identifier: GPL-2.0-or-later
#include "message.h"

#include <stdlib.h>
#include <string.h>

static struct str cut_line(struct str *rest)
{
	const char *end = rest->len > 0 ? memmem(rest->p, rest->len, "\r\n", 2)
					: NULL;
	struct str line = {rest->p,
			   end != NULL ? (size_t)(end - rest->p) : rest->len};
	size_t used = line.len + (end != NULL ? 2 : 0);

	*rest = str_from(*rest, used);
	return line;
}

struct str message_line(const struct message *m)
{
	struct str rest = m->head;

	return cut_line(&rest);
}

struct str message_field(const struct message *m, struct str name)
{
	struct str rest = m->head;

	(void)cut_line(&rest);
	while (rest.len > 0) {
		struct str line = cut_line(&rest);
		struct str value = {line.p + name.len + 1,
				    line.len - name.len - 1};

		if (line.len > name.len && line.p[name.len] == ':' &&
		    str_eq_nocase((struct str){line.p, name.len}, name))
			return str_trim(value);
	}
	return (struct str){NULL, 0};
}

static size_t number(struct str digits, int base)
{
	char text[24];

	(void)str_copy_view(text, sizeof(text), digits);
	return strtoul(text, NULL, base);
}

static void read_length(struct message *m, struct str raw, size_t want)
{
	size_t n = raw.len < want ? raw.len : want;

	bytes_add(&m->body, raw.p, n);
	m->len += n;
	m->state = n == want ? MESSAGE_WHOLE : MESSAGE_CUT;
}

static void read_trailers(struct message *m, struct str raw)
{
	struct str rest = raw;

	while (rest.len > 0) {
		struct str line = cut_line(&rest);

		if (line.len == 0 && rest.p >= raw.p + 2) {
			m->len += (size_t)(rest.p - raw.p);
			m->state = MESSAGE_WHOLE;
			return;
		}
	}
	m->len += raw.len;
}

static void read_chunks(struct message *m, struct str raw)
{
	m->state = MESSAGE_CUT;
	while (raw.len > 0 && memmem(raw.p, raw.len, "\r\n", 2) != NULL) {
		struct str rest = raw;
		size_t size = number(cut_line(&rest), 16);
		size_t n = size < rest.len ? size : rest.len;

		m->len += (size_t)(rest.p - raw.p);
		if (size == 0) {
			read_trailers(m, rest);
			return;
		}
		bytes_add(&m->body, rest.p, n);
		m->len += n;
		if (rest.len < size + 2)
			return;
		m->len += 2;
		raw = str_from(rest, size + 2);
	}
}

static bool has_no_body(const struct message *m, bool response, bool head)
{
	return head || (response && (m->status < 200 || m->status == 204 ||
				     m->status == 304));
}

static void read_body(struct message *m, struct str raw, bool ended,
		      bool response)
{
	struct str length = message_field(m, STR("Content-Length"));

	if (message_field(m, STR("Transfer-Encoding")).p != NULL) {
		read_chunks(m, raw);
	} else if (length.p != NULL || !response) {
		read_length(m, raw, length.p != NULL ? number(length, 10) : 0);
	} else {
		read_length(m, raw, raw.len);
		m->state = ended ? MESSAGE_WHOLE : MESSAGE_CUT;
	}
}

/* Empty lines before a request are nothing (RFC 9112 2.2). */
static size_t empty_lines(struct str raw)
{
	size_t n = 0;

	while (raw.len - n >= 2 && memcmp(raw.p + n, "\r\n", 2) == 0)
		n += 2;
	return n;
}

void message_read(struct message *m, struct str raw, bool ended, bool response,
		  bool head)
{
	size_t before = response ? 0 : empty_lines(raw);
	const char *end;

	*m = (struct message){.state = MESSAGE_NONE};
	if (raw.len == before)
		return;
	end = memmem(raw.p + before, raw.len - before, "\r\n\r\n", 4);
	if (end == NULL)
		return;
	m->len = (size_t)(end - raw.p) + 4;
	m->head = (struct str){raw.p + before, m->len - before};
	if (response && m->len > 12)
		m->status =
			(unsigned int)number((struct str){raw.p + 9, 3}, 10);
	m->state = MESSAGE_WHOLE;
	raw = str_from(raw, m->len);
	if (!has_no_body(m, response, head))
		read_body(m, raw, ended, response);
}

void message_free(struct message *m)
{
	bytes_free(&m->body);
	*m = (struct message){.state = MESSAGE_NONE};
}
