// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "problem.h"

/* --- words ---------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What "\" and the bytes at @p stand for; how many those are, 0 if nothing. */
static size_t escape(const char *p, char *out)
{
	static const char plain[] = "rnt0\\\"", means[] = "\r\n\t\0\\\"";
	const char *at = *p != '\0' ? strchr(plain, *p) : NULL;

	if (at != NULL) {
		*out = means[at - plain];
		return 1;
	}
	if (*p != 'x' || hex_digit(p[1]) < 0 || hex_digit(p[2]) < 0)
		return 0;
	*out = (char)(hex_digit(p[1]) * 16 + hex_digit(p[2]));
	return 3;
}

/* A word in quotes, in place. What follows it, or NULL when it is none. */
static char *take_quoted(char *p, struct word *w)
{
	char *out = p;

	*w = (struct word){.text.p = p, .quoted = true};
	while (*p != '"') {
		char c = *p++;

		if (c == '\0')
			return NULL;
		if (c == '\\') {
			size_t n = escape(p, &c);

			if (n == 0)
				return NULL;
			p += n;
		}
		*out++ = c;
	}
	w->text.len = (size_t)(out - w->text.p);
	return p + 1;
}

static char *take_plain(char *p, struct word *w)
{
	size_t n = strcspn(p, " \t");

	*w = (struct word){.text = {p, n}};
	return p + n;
}

/* The words of one line, which they point into. */
static bool split(char *line, struct step *s)
{
	for (;;) {
		struct word *w = &s->words[s->nwords];

		line += strspn(line, " \t");
		if (*line == '\0' || *line == '#')
			return true;
		if (s->nwords == SCENARIO_WORDS)
			return false;
		line = *line == '"' ? take_quoted(line + 1, w)
				    : take_plain(line, w);
		if (line == NULL)
			return false;
		s->nwords++;
	}
}

/* --- files ---------------------------------------------------------- */

static bool read_file(const char *path, struct bytes *text)
{
	FILE *f = fopen(path, "re");
	char piece[4096];
	size_t n;

	if (f == NULL)
		return false;
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		bytes_add(text, piece, n);
	(void)fclose(f);
	bytes_add(text, "", 1);
	return true;
}

static void set_name(struct scenario *sc, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *file = slash != NULL ? slash + 1 : path;
	const char *dot = strrchr(file, '.');

	(void)str_copy_view(sc->name, sizeof(sc->name),
			    (struct str){file, dot != NULL
						       ? (size_t)(dot - file)
						       : strlen(file)});
}

static unsigned int count_lines(const char *text)
{
	unsigned int n = 1;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

bool scenario_load(struct scenario *sc, const char *path)
{
	unsigned int line = 0;
	char *p, *next;

	*sc = (struct scenario){0};
	set_name(sc, path);
	if (!read_file(path, &sc->text)) {
		problem("%s can't be read", path);
		return false;
	}
	p = (char *)sc->text.data;
	sc->steps = must_alloc(count_lines(p) * sizeof(*sc->steps));
	for (; p != NULL; p = next) {
		struct step *s = &sc->steps[sc->nsteps];

		next = strchr(p, '\n');
		if (next != NULL)
			*next++ = '\0';
		line++;
		*s = (struct step){.line = line};
		if (!split(p, s)) {
			problem_at(sc->name, line);
			problem("the line has too many words, or a string "
				"that does not end");
			return false;
		}
		if (s->nwords > 0)
			sc->nsteps++;
	}
	return true;
}

void scenario_free(struct scenario *sc)
{
	free(sc->steps);
	bytes_free(&sc->text);
}

/* --- content -------------------------------------------------------- */

struct generator {
	const char *name;
	/* @arg: what follows the size. */
	bool (*make)(struct bytes *out, size_t size, const char *arg);
};

static bool make_bytes(struct bytes *out, size_t size, const char *arg)
{
	bytes_noise(out, size, (uint32_t)strtoul(arg, NULL, 10));
	return true;
}

static bool make_fill(struct bytes *out, size_t size, const char *arg)
{
	for (size_t i = 0; i < size; i++)
		bytes_add(out, arg, 1);
	return *arg != '\0';
}

static bool make_chunks(struct bytes *out, size_t size, const char *arg)
{
	struct bytes all = {0};
	const char *colon = strchr(arg, ':');
	uint64_t each = 0;
	char head[24];

	if (colon == NULL || !units_parse_size(colon + 1, &each) || each == 0)
		return false;
	(void)make_bytes(&all, size, arg);
	while (bytes_len(&all) > 0) {
		size_t n = bytes_len(&all) < each ? bytes_len(&all) : each;

		snprintf(head, sizeof(head), "%zx\r\n", n);
		bytes_puts(out, head);
		(void)bytes_move(out, &all, n);
		bytes_puts(out, "\r\n");
	}
	bytes_free(&all);
	return true;
}

static const struct generator generators[] = {
	{"bytes", make_bytes},
	{"fill", make_fill},
	{"chunks", make_chunks},
};

/* NAME:SIZE:ARGUMENT */
static bool generate(struct str word, struct bytes *out)
{
	char text[80];
	char *size, *arg;
	uint64_t n;

	if (!str_copy_view(text, sizeof(text), word) ||
	    (size = strchr(text, ':')) == NULL)
		return false;
	*size++ = '\0';
	arg = strchr(size, ':');
	if (arg == NULL)
		return false;
	*arg++ = '\0';
	if (!units_parse_size(size, &n))
		return false;
	for (size_t i = 0; i < sizeof(generators) / sizeof(generators[0]); i++)
		if (strcmp(generators[i].name, text) == 0)
			return generators[i].make(out, n, arg);
	return false;
}

bool scenario_content(const struct word *words, unsigned int n,
		      struct bytes *out)
{
	for (unsigned int i = 0; i < n; i++) {
		if (words[i].quoted) {
			bytes_add(out, words[i].text.p, words[i].text.len);
		} else if (!generate(words[i].text, out)) {
			problem("no content: %.*s", (int)words[i].text.len,
				words[i].text.p);
			return false;
		}
	}
	return true;
}
