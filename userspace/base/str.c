// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/str.h"

#include <stdio.h>
#include <string.h>

struct str str_of(const char *z)
{
	return (struct str){z, strlen(z)};
}

bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

bool str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len &&
	       str_eq((struct str){s.p, prefix.len}, prefix);
}

static bool is_ows(char c)
{
	return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
	while (s.len > 0 && is_ows(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && is_ows(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* Length of the element at the start of @s: up to a comma outside quotes. */
static size_t element_len(struct str s)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (s.p[i] == ',' && !quoted)
			break;
	}
	return i < s.len ? i : s.len;
}

bool str_next_element(struct str *rest, struct str *element)
{
	while (rest->len > 0) {
		size_t n = element_len(*rest);
		size_t skip = n < rest->len ? n + 1 : n;

		*element = str_trim((struct str){rest->p, n});
		rest->p += skip;
		rest->len -= skip;
		if (element->len > 0)
			return true;
	}
	*element = (struct str){NULL, 0};
	return false;
}

bool str_to_u64(struct str s, uint64_t *value)
{
	uint64_t v = 0;

	*value = 0;
	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned int digit = (unsigned char)s.p[i] - '0';

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*value = v;
	return true;
}

void strbuf_init(struct strbuf *sb, char *data, size_t size)
{
	sb->data = data;
	sb->size = size;
	sb->len = 0;
	sb->cut = size == 0;
	if (size > 0)
		data[0] = '\0';
}

void strbuf_put(struct strbuf *sb, const char *p, size_t n)
{
	size_t room = sb->size > sb->len ? sb->size - sb->len - 1 : 0;

	if (n > room) {
		n = room;
		sb->cut = true;
	}
	if (n == 0)
		return;
	memcpy(sb->data + sb->len, p, n);
	sb->len += n;
	sb->data[sb->len] = '\0';
}

void strbuf_puts(struct strbuf *sb, const char *z)
{
	strbuf_put(sb, z, strlen(z));
}

void strbuf_putc(struct strbuf *sb, char c)
{
	strbuf_put(sb, &c, 1);
}

void strbuf_str(struct strbuf *sb, struct str s)
{
	strbuf_put(sb, s.p, s.len);
}

void strbuf_vprintf(struct strbuf *sb, const char *format, va_list ap)
{
	size_t room = sb->size - sb->len;
	int n;

	if (room == 0)
		return;
	n = vsnprintf(sb->data + sb->len, room, format, ap);
	if (n < 0) {
		sb->data[sb->len] = '\0';
		sb->cut = true;
	} else if ((size_t)n >= room) {
		sb->len = sb->size - 1;
		sb->cut = true;
	} else {
		sb->len += (size_t)n;
	}
}

void strbuf_printf(struct strbuf *sb, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	strbuf_vprintf(sb, format, ap);
	va_end(ap);
}

static const char *html_reference(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void strbuf_html(struct strbuf *sb, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		const char *ref = html_reference(s.p[i]);

		if (ref != NULL)
			strbuf_puts(sb, ref);
		else
			strbuf_putc(sb, s.p[i]);
	}
}

void strbuf_printable(struct strbuf *sb, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 0x20 && c < 0x7f && c != '\\')
			strbuf_putc(sb, (char)c);
		else
			strbuf_printf(sb, "\\x%02x", c);
	}
}

void strbuf_hex(struct strbuf *sb, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		strbuf_putc(sb, digits[p[i] >> 4]);
		strbuf_putc(sb, digits[p[i] & 15]);
	}
}

bool str_copy_view(char *dst, size_t size, struct str s)
{
	size_t n;

	if (size == 0)
		return false;
	n = s.len < size ? s.len : size - 1;
	if (n > 0)
		memcpy(dst, s.p, n);
	dst[n] = '\0';
	return n == s.len;
}

bool str_copy(char *dst, size_t size, const char *z)
{
	return str_copy_view(dst, size, str_of(z));
}
