// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/template.h"

#include <string.h>

#include "pages.inc"

_Static_assert(sizeof(PAGE_BLOCK) <= CONFIG_PAGE_MAX &&
		       sizeof(PAGE_ERROR) <= CONFIG_PAGE_MAX &&
		       sizeof(PAGE_PROGRESS) <= CONFIG_PAGE_MAX,
	       "a built-in page is too large");

const char *const template_names[TEMPLATE_VALUES] = {
	[TEMPLATE_URL] = "url",		[TEMPLATE_HOST] = "host",
	[TEMPLATE_CLIENT] = "client",	[TEMPLATE_NAME] = "name",
	[TEMPLATE_REASON] = "reason",	[TEMPLATE_SENTENCE] = "sentence",
	[TEMPLATE_TIME] = "time",	[TEMPLATE_EVENT] = "event",
	[TEMPLATE_STATUS] = "status",	[TEMPLATE_STATUS_TEXT] = "status_text",
	[TEMPLATE_VERSION] = "version",
};

const char *const config_page_files[CONFIG_PAGES] = {
	[CONFIG_PAGE_BLOCK] = "block.html",
	[CONFIG_PAGE_ERROR] = "error.html",
	[CONFIG_PAGE_PROGRESS] = "progress.html",
};

static const char *find_in_line(struct str s, const char *pair)
{
	for (size_t i = 0; i + 1 < s.len && s.p[i] != '\n'; i++)
		if (s.p[i] == pair[0] && s.p[i + 1] == pair[1])
			return s.p + i;
	return NULL;
}

static const char *find(struct str s, const char *pair)
{
	return s.len > 0 ? memmem(s.p, s.len, pair, 2) : NULL;
}

static enum template_piece lookup(struct str name, enum template_value *value)
{
	for (unsigned int i = 0; i < TEMPLATE_VALUES; i++) {
		if (str_eq(name, str_of(template_names[i]))) {
			*value = (enum template_value)i;
			return TEMPLATE_PLACEHOLDER;
		}
	}
	return TEMPLATE_UNKNOWN;
}

static void take(struct str *rest, size_t n, struct str *piece)
{
	*piece = (struct str){rest->p, n};
	rest->p += n;
	rest->len -= n;
}

enum template_piece template_next(struct str *rest, struct str *piece,
				  enum template_value *value)
{
	const char *open = find(*rest, "{{");
	const char *close;

	*value = TEMPLATE_URL;
	*piece = (struct str){NULL, 0};
	if (rest->len == 0)
		return TEMPLATE_END;
	if (open != rest->p) {
		take(rest, open != NULL ? (size_t)(open - rest->p) : rest->len,
		     piece);
		return TEMPLATE_TEXT;
	}
	close = find_in_line(*rest, "}}");
	if (close == NULL) {
		take(rest, 2, piece);
		return TEMPLATE_OPEN;
	}
	take(rest, (size_t)(close + 2 - rest->p), piece);
	return lookup((struct str){piece->p + 2, piece->len - 4}, value);
}

/* --- taking a page in ------------------------------------------------------*/

struct reader {
	const char *file;
	struct config_errors *errs;
	unsigned int line;
	unsigned int placeholders;
};

static void count_lines(struct reader *r, struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] == '\n')
			r->line++;
}

static void refuse_placeholder(const struct reader *r, struct str piece)
{
	char text[CONFIG_ERROR_MAX];
	struct strbuf sb;

	if (piece.len > 40)
		piece.len = 40;
	strbuf_init(&sb, text, sizeof(text));
	strbuf_printable(&sb, piece);
	strbuf_puts(&sb, ": want one of");
	for (unsigned int i = 0; i < TEMPLATE_VALUES; i++)
		strbuf_printf(&sb, " {{%s}}", template_names[i]);
	config_error_add(r->errs, r->file, r->line, "%s", text);
}

static void check_piece(struct reader *r, enum template_piece kind,
			struct str piece)
{
	if (kind == TEMPLATE_UNKNOWN)
		refuse_placeholder(r, piece);
	else if (kind == TEMPLATE_OPEN)
		config_error_add(r->errs, r->file, r->line,
				 "{{ without }}: want both on one line");
	else if (kind == TEMPLATE_PLACEHOLDER &&
		 ++r->placeholders == TEMPLATE_PLACEHOLDERS + 1)
		config_error_add(r->errs, r->file, r->line,
				 "too many placeholders: want at most %d",
				 TEMPLATE_PLACEHOLDERS);
}

static void check_pieces(struct reader *r, struct str text)
{
	enum template_value value;
	enum template_piece kind;
	struct str piece;

	while ((kind = template_next(&text, &piece, &value)) != TEMPLATE_END) {
		check_piece(r, kind, piece);
		count_lines(r, piece);
	}
}

static void check_size(struct reader *r, struct str text)
{
	if (text.len == 0)
		config_error_add(r->errs, r->file, 1,
				 "the page is empty: want HTML, or no file "
				 "for the built-in page");
	else if (text.len >= CONFIG_PAGE_MAX)
		config_error_add(r->errs, r->file, 1,
				 "the page is too large: want at most %d bytes",
				 CONFIG_PAGE_MAX - 1);
	else
		check_pieces(r, text);
}

static char *page_of(struct config *c, enum config_page page)
{
	switch (page) {
	case CONFIG_PAGE_BLOCK:
		return c->page_block;
	case CONFIG_PAGE_PROGRESS:
		return c->page_progress;
	default:
		return c->page_error;
	}
}

void config_set_page(struct config *c, enum config_page page, const char *name,
		     const char *text, struct config_errors *errs)
{
	struct reader r = {.file = name, .errs = errs, .line = 1};
	unsigned int before = errs->count + errs->more;

	check_size(&r, str_of(text));
	if (errs->count + errs->more != before)
		return;
	memset(page_of(c, page), 0, CONFIG_PAGE_MAX);
	str_copy(page_of(c, page), CONFIG_PAGE_MAX, text);
}

void config_set_default_pages(struct config *c)
{
	str_copy(c->page_block, sizeof(c->page_block), PAGE_BLOCK);
	str_copy(c->page_error, sizeof(c->page_error), PAGE_ERROR);
	str_copy(c->page_progress, sizeof(c->page_progress), PAGE_PROGRESS);
}
