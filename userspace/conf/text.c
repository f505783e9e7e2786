// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/text.h"

#include <string.h>

#include "base/str.h"

#define DEPTH_MAX 8 /* two are of use: a section and a list in it */

struct cursor {
	const char *file;
	struct config_errors *errs;
	const char *in;
	char *out;
	char *start; /* of the output */
	unsigned int line;
	unsigned int depth;
	unsigned int opened[DEPTH_MAX]; /* lines of the open braces */
	bool ok;
};

static void complain(struct cursor *c, unsigned int line, const char *what)
{
	c->ok = false;
	config_error_add(c->errs, c->file, line, "%s", what);
}

static void copy(struct cursor *c, size_t n)
{
	while (n-- > 0)
		*c->out++ = *c->in++;
}

/* Step over one byte of a comment; only the line ends stay. */
static void blank(struct cursor *c)
{
	if (*c->in == '\n')
		c->line++;
	*c->out++ = *c->in == '\n' ? '\n' : ' ';
	c->in++;
}

static void skip_line(struct cursor *c)
{
	while (*c->in != '\0' && *c->in != '\n')
		blank(c);
}

static void skip_block(struct cursor *c)
{
	unsigned int line = c->line;

	blank(c);
	blank(c);
	while (*c->in != '\0' && strncmp(c->in, "*/", 2) != 0)
		blank(c);
	if (*c->in == '\0') {
		complain(c, line, "a comment without its end: want */");
		return;
	}
	blank(c);
	blank(c);
}

static void bad_byte(struct cursor *c, const char *where)
{
	char shown[8];
	struct strbuf sb;

	strbuf_init(&sb, shown, sizeof(shown));
	strbuf_printable(&sb, (struct str){c->in, 1});
	c->ok = false;
	config_error_add(c->errs, c->file, c->line,
			 "unexpected character '%s' %s", shown, where);
}

static bool is_control(char ch)
{
	return ((unsigned char)ch < 0x20 && ch != '\t') || ch == 0x7f;
}

/*
 * One byte, or a backslash and what it protects, between quotes; false when it
 * has no place there. A '|' would be taken for a path into another section if
 * the string is where libConfuse wants a key.
 */
static bool string_byte(struct cursor *c, char quote)
{
	if (*c->in == '\\') {
		if (c->in[1] != '\\' && c->in[1] != quote) {
			complain(c, c->line,
				 "a backslash in a string: only a quote or "
				 "another backslash may follow it");
			return false;
		}
		copy(c, 2);
		return true;
	}
	if (quote == '"' && c->in[0] == '$' && c->in[1] == '{') {
		complain(c, c->line,
			 "environment variables are not expanded here: write "
			 "the value, or single quotes around a literal ${");
		return false;
	}
	if (is_control(*c->in) || *c->in == '|') {
		bad_byte(c, "in a string");
		return false;
	}
	copy(c, 1);
	return true;
}

static void take_string(struct cursor *c)
{
	char quote = *c->in;

	copy(c, 1);
	while (*c->in != quote) {
		if (*c->in == '\0' || *c->in == '\n') {
			complain(c, c->line,
				 "a string without its closing quote: strings "
				 "end on the line they start on");
			return;
		}
		if (!string_byte(c, quote)) {
			skip_line(c);
			return;
		}
	}
	copy(c, 1);
}

static void take_brace(struct cursor *c)
{
	bool open = *c->in == '{';

	if (open && c->depth == DEPTH_MAX) {
		complain(c, c->line, "braces nested too deeply");
		skip_line(c);
		return;
	}
	if (!open && c->depth == 0) {
		complain(c, c->line, "a } without its {");
		skip_line(c);
		return;
	}
	if (open)
		c->opened[c->depth++] = c->line;
	else
		c->depth--;
	copy(c, 1);
}

/* Nothing that would make a // at this place part of a word. */
static bool word_starts(const struct cursor *c)
{
	return c->out == c->start ||
	       strchr(" \t\r\n{}=,\"'", c->out[-1]) != NULL;
}

static bool is_plain(char ch)
{
	return (ch >= '0' && ch <= '9') ||
	       (ascii_lower(ch) >= 'a' && ascii_lower(ch) <= 'z') ||
	       strchr(" \t\r=,_-.:/", ch) != NULL;
}

static void take_plain(struct cursor *c)
{
	if (strncmp(c->in, "/*", 2) == 0) {
		skip_block(c);
	} else if (strncmp(c->in, "//", 2) == 0 && word_starts(c)) {
		skip_line(c);
	} else if (is_plain(*c->in)) {
		copy(c, 1);
	} else {
		bad_byte(c, "outside quotes");
		skip_line(c);
	}
}

static void take(struct cursor *c)
{
	switch (*c->in) {
	case '\n':
		blank(c);
		break;
	case '#':
		skip_line(c);
		break;
	case '"':
	case '\'':
		take_string(c);
		break;
	case '{':
	case '}':
		take_brace(c);
		break;
	default:
		take_plain(c);
	}
}

bool config_text_clean(const char *file, const char *text, char *clean,
		       struct config_errors *errs)
{
	struct cursor c = {.file = file,
			   .errs = errs,
			   .in = text,
			   .out = clean,
			   .start = clean,
			   .line = 1,
			   .ok = true};

	while (*c.in != '\0')
		take(&c);
	*c.out = '\0';
	if (c.depth > 0 && c.ok)
		complain(&c, c.opened[c.depth - 1], "a { without its }");
	return c.ok;
}
