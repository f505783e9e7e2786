// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/unknown.h"

#include <stdbool.h>
#include <string.h>

#include "conf/keys.h"

#define NAME_LONGEST 32 /* longer names resemble none of ours */
#define DISTANCE_MAX 2

struct later {
	const char *section;
	const char *name;
	enum unknown_form form;
};

/* Names that the manual of a later version has. Nobody may believe that they
 * work when they are passed over in silence. */
static const struct later later[] = {
	{"", "tls", UNKNOWN_SECTION},
	{"intercept", "https", UNKNOWN_VALUE},
	{CONFIG_SERVICE_SECTION, "address", UNKNOWN_VALUE},
	{CONFIG_SERVICE_SECTION, "upstream", UNKNOWN_VALUE},
	{CONFIG_SERVICE_SECTION, "server", UNKNOWN_VALUE},
	{CONFIG_SERVICE_SECTION, "certificate", UNKNOWN_VALUE},
	{CONFIG_SERVICE_SECTION, "key", UNKNOWN_VALUE},
	{"store", "url", UNKNOWN_VALUE},
};

#define LATER_COUNT (sizeof(later) / sizeof(later[0]))

static const struct later *later_find(const char *section, const char *name)
{
	for (size_t i = 0; i < LATER_COUNT; i++)
		if (strcmp(later[i].section, section) == 0 &&
		    strcmp(later[i].name, name) == 0)
			return &later[i];
	return NULL;
}

enum unknown_form unknown_likely_form(const char *section, const char *name)
{
	const struct later *l = later_find(section, name);

	return l != NULL ? l->form : UNKNOWN_VALUE;
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int min = a < b ? a : b;

	return min < c ? min : c;
}

/*
 * Optimal string alignment: how many letters must be inserted, removed,
 * changed or swapped with a neighbour. Both names at most NAME_LONGEST long.
 */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int rows[3][NAME_LONGEST + 1];
	size_t la = strlen(a);
	size_t lb = strlen(b);

	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= la; i++) {
		const unsigned int *above = rows[(i - 1) % 3];
		unsigned int *row = rows[i % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= lb; j++) {
			row[j] = min3(above[j] + 1, row[j - 1] + 1,
				      above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] &&
			    rows[(i - 2) % 3][j - 2] + 1 < row[j])
				row[j] = rows[(i - 2) % 3][j - 2] + 1;
		}
	}
	return rows[la % 3][lb];
}

struct nearest {
	const char *name;
	unsigned int distance;
};

static void consider(struct nearest *best, const char *name, const char *known)
{
	unsigned int d = distance(name, known);

	/* A short name is near to everything: half of it must be right. */
	if (d < best->distance && (size_t)d * 2 <= strlen(name)) {
		best->name = known;
		best->distance = d;
	}
}

/* A key of @section (at the top level, or a section) spelled much like @name. */
static const char *nearest_name(const char *section, const char *name)
{
	struct nearest best = {NULL, DISTANCE_MAX + 1};

	if (strlen(name) > NAME_LONGEST)
		return NULL;
	for (size_t i = 0; i < config_key_count; i++)
		if (strcmp(config_keys[i].section, section) == 0)
			consider(&best, name, config_keys[i].name);
	if (section[0] == '\0')
		for (size_t i = 0; i < config_section_count; i++)
			consider(&best, name, config_sections[i].name);
	return best.name;
}

/* The right name in the wrong place; false when no section has it. */
static bool describe_place(const char *name, struct strbuf *sb)
{
	const char *before = "; it belongs in ";

	for (size_t i = 0; i < config_key_count; i++) {
		const char *section = config_keys[i].section;

		if (strcmp(config_keys[i].name, name) != 0)
			continue;
		strbuf_puts(sb, before);
		if (section[0] == '\0')
			strbuf_puts(sb, "no section");
		else
			strbuf_printf(sb, "section %s", section);
		before = " or ";
	}
	return before[0] == ' ';
}

static void describe_unknown(const char *section, const char *name,
			     enum unknown_form form, struct strbuf *sb)
{
	const char *nearest = nearest_name(section, name);

	if (form != UNKNOWN_VALUE && config_is_section(name)) {
		strbuf_puts(sb, ": sections can't be inside others");
		return;
	}
	strbuf_puts(sb, form == UNKNOWN_VALUE ? ": unknown key"
					      : ": unknown section");
	if (form == UNKNOWN_VALUE && describe_place(name, sb))
		return;
	if (nearest != NULL)
		strbuf_printf(sb, "; did you mean %s?", nearest);
	else
		strbuf_puts(sb, "; sluice.conf(5) lists them all");
}

void unknown_describe(const char *section, const char *name,
		      enum unknown_form form, struct strbuf *sb)
{
	if (section[0] != '\0') {
		strbuf_printable(sb, str_of(section));
		strbuf_putc(sb, '.');
	}
	strbuf_printable(sb, str_of(name));
	if (later_find(section, name) != NULL)
		strbuf_puts(sb, ": this version does not have it yet; "
				"remove it");
	else
		describe_unknown(section, name, form, sb);
}
