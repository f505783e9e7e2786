// SPDX-License-Identifier: GPL-2.0-or-later
#include "render/page.h"

/*
 * Bytes that are shown of a value, counted before escaping, which makes at
 * most six (&quot;) of one; PAGE_RENDERED_MAX depends on it.
 */
#define SHOWN_MAX  160
#define SHOWN_TAIL 48

_Static_assert((SHOWN_MAX + 3) * 6 <= 1024, "PAGE_RENDERED_MAX is too small");

/* One line of printable ASCII; a URL reads the same as before. */
static void put_byte(struct strbuf *sb, char c)
{
	unsigned char byte = (unsigned char)c;

	if (byte >= 0x20 && byte < 0x7f)
		strbuf_html(sb, (struct str){&c, 1});
	else
		strbuf_printf(sb, "%%%02X", byte);
}

static void put_bytes(struct strbuf *sb, struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		put_byte(sb, s.p[i]);
}

/*
 * The start of a URL says where it goes and the end what it fetches; an
 * overlong middle says nothing.
 */
static void put_value(struct strbuf *sb, struct str s)
{
	if (s.len == 0) {
		strbuf_putc(sb, '-');
	} else if (s.len <= SHOWN_MAX) {
		put_bytes(sb, s);
	} else {
		put_bytes(sb, (struct str){s.p, SHOWN_MAX - SHOWN_TAIL});
		strbuf_puts(sb, "...");
		put_bytes(sb,
			  (struct str){s.p + s.len - SHOWN_TAIL, SHOWN_TAIL});
	}
}

void page_render(struct strbuf *sb, const char *template,
		 const struct page_values *values)
{
	struct str rest = str_of(template);
	enum template_value value;
	enum template_piece kind;
	struct str piece;

	while ((kind = template_next(&rest, &piece, &value)) != TEMPLATE_END) {
		if (kind == TEMPLATE_PLACEHOLDER)
			put_value(sb, values->v[value]);
		else
			strbuf_str(sb, piece);
	}
}
