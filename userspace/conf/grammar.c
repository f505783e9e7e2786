// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/grammar.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "conf/value.h"

/*
 * Gives each list of options, even one without keys, an option that leads to
 * the owner. No file can have the name: config_text_clean() refuses it.
 */
#define FILLER "\n"

static cfg_opt_t *push(struct grammar *g, cfg_opt_t opt)
{
	cfg_opt_t *place = &g->opts[g->opt_count++];

	*place = opt;
	return place;
}

static void push_value(struct grammar *g, const char *name, bool list,
		       const struct config_key *key)
{
	const cfg_flag_t flags = list ? CFGF_LIST : CFGF_NONE;
	struct binding *b = &g->bindings[g->opt_count];
	cfg_opt_t *opt =
		push(g, (cfg_opt_t)CFG_STR_CB(name, NULL, flags, g->on_value));

	*b = (struct binding){.owner = g->owner, .key = key};
	opt->simple_value.string = &b->text;
}

static void push_section(struct grammar *g, const char *name, bool named,
			 cfg_opt_t *opts)
{
	const cfg_flag_t flags = named ? CFGF_MULTI | CFGF_TITLE : CFGF_NONE;
	cfg_opt_t *opt = push(g, (cfg_opt_t)CFG_SEC(name, opts, flags));

	opt->validcb = g->on_section_end;
}

static void push_end(struct grammar *g)
{
	push(g, (cfg_opt_t)CFG_END());
}

static void push_known(struct grammar *g, const char *section)
{
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];

		if (strcmp(key->section, section) == 0)
			push_value(g, key->name, value_is_list(key), key);
	}
}

/* As lists, which take a single value as well. */
static void push_unknown(struct grammar *g, const char *section)
{
	for (unsigned int i = 0; i < g->unknown_count; i++) {
		const struct unknown *u = &g->unknowns[i];

		if (strcmp(u->section, section) == 0 &&
		    u->form == UNKNOWN_VALUE)
			push_value(g, u->name, true, NULL);
	}
	push_value(g, FILLER, false, NULL);
}

static void push_unknown_sections(struct grammar *g, const char *section)
{
	for (unsigned int i = 0; i < g->unknown_count; i++) {
		const struct unknown *u = &g->unknowns[i];

		if (strcmp(u->section, section) == 0 &&
		    u->form != UNKNOWN_VALUE)
			push_section(g, u->name, u->form == UNKNOWN_NAMED,
				     u->opts);
	}
}

/* Inner lists come first, as an outer one points at them. */
cfg_opt_t *grammar_build(struct grammar *g)
{
	cfg_opt_t *known[CONFIG_SECTIONS_MAX];
	cfg_opt_t *outermost;

	g->opt_count = 0;
	for (unsigned int i = 0; i < g->unknown_count; i++) {
		if (g->unknowns[i].form == UNKNOWN_VALUE)
			continue;
		g->unknowns[i].opts = &g->opts[g->opt_count];
		push_unknown(g, g->unknowns[i].name);
		push_end(g);
	}
	for (size_t i = 0; i < config_section_count; i++) {
		known[i] = &g->opts[g->opt_count];
		push_known(g, config_sections[i].name);
		push_unknown(g, config_sections[i].name);
		push_unknown_sections(g, config_sections[i].name);
		push_end(g);
	}
	outermost = &g->opts[g->opt_count];
	push_known(g, "");
	push_unknown(g, "");
	push_unknown_sections(g, "");
	for (size_t i = 0; i < config_section_count; i++)
		push_section(g, config_sections[i].name,
			     config_sections[i].named, known[i]);
	push_end(g);
	return outermost;
}

void grammar_clear(struct grammar *g)
{
	for (unsigned int i = 0; i < g->opt_count; i++) {
		free(g->bindings[i].text);
		g->bindings[i].text = NULL;
	}
	g->opt_count = 0;
}

struct unknown *grammar_unknown_find(struct grammar *g, const char *section,
				     const char *name)
{
	for (unsigned int i = 0; i < g->unknown_count; i++)
		if (strcmp(g->unknowns[i].section, section) == 0 &&
		    strcmp(g->unknowns[i].name, name) == 0)
			return &g->unknowns[i];
	return NULL;
}

bool grammar_unknown_add(struct grammar *g, const char *section,
			 const char *name, unsigned int line)
{
	struct unknown *u = &g->unknowns[g->unknown_count];

	if (g->unknown_count == GRAMMAR_UNKNOWNS ||
	    !str_copy(u->section, sizeof(u->section), section) ||
	    !str_copy(u->name, sizeof(u->name), name))
		return false;
	u->line = line;
	u->form = unknown_likely_form(section, name);
	u->opts = NULL;
	g->unknown_count++;
	return true;
}

struct binding *binding_of(const cfg_opt_t *opt)
{
	return (struct binding *)(void *)opt->simple_value.string;
}

void *grammar_owner(const cfg_t *cfg)
{
	const cfg_opt_t *opt = cfg->opts;

	while (opt->simple_value.string == NULL)
		opt++;
	return binding_of(opt)->owner;
}
