/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text: a view of bytes that are not ours (str), and a bounded builder of text
 * that is (strbuf).
 */
#ifndef SLUICE_BASE_STR_H
#define SLUICE_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* @len bytes at @p; not terminated, may hold any byte; {NULL, 0} is absent. */
struct str {
	const char *p;
	size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})

struct str str_of(const char *z);
bool str_eq(struct str a, struct str b);
/* ASCII letters compare without case; all other bytes exactly. */
bool str_eq_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
/* Without spaces and tabs (RFC 9110 OWS) at both ends. */
struct str str_trim(struct str s);
/*
 * Next element of a comma separated list (RFC 9110 5.6.1), trimmed, empty
 * elements skipped; quoted strings keep their commas. Takes it off @rest.
 * False when none is left.
 */
bool str_next_element(struct str *rest, struct str *element);
/* Decimal digits only, the whole of @s, no sign, at most UINT64_MAX. */
bool str_to_u64(struct str s, uint64_t *value);

static inline char ascii_lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c | 0x20);
	return c;
}

/*
 * Text is built in @size bytes at @data (owned by the caller), always ends in
 * NUL, and is cut at the end when it does not fit: then @cut is set.
 */
struct strbuf {
	char *data;
	size_t size;
	size_t len;
	bool cut;
};

void strbuf_init(struct strbuf *sb, char *data, size_t size);
void strbuf_put(struct strbuf *sb, const char *p, size_t n);
void strbuf_puts(struct strbuf *sb, const char *z);
void strbuf_putc(struct strbuf *sb, char c);
void strbuf_str(struct strbuf *sb, struct str s);
__attribute__((format(printf, 2, 3))) void
strbuf_printf(struct strbuf *sb, const char *format, ...);
void strbuf_vprintf(struct strbuf *sb, const char *format, va_list ap);
/* @s as HTML text or a quoted attribute value: & < > " ' are references. */
void strbuf_html(struct strbuf *sb, struct str s);
/* @s for a log line: bytes outside printable ASCII and \ become \xHH. */
void strbuf_printable(struct strbuf *sb, struct str s);
void strbuf_hex(struct strbuf *sb, const uint8_t *p, size_t n);

/*
 * Copy @z into @dst of @size bytes, its NUL included; false (and a cut copy) if
 * it does not fit.
 */
bool str_copy(char *dst, size_t size, const char *z);
/* The same from a view; NUL bytes in @s are copied as they are. */
bool str_copy_view(char *dst, size_t size, struct str s);

#endif
