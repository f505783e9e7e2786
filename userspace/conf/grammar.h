/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libConfuse is told to expect: the keys of this version, and the names
 * met so far that are none, so that the rest of the file can be read.
 */
#ifndef SLUICE_CONF_GRAMMAR_H
#define SLUICE_CONF_GRAMMAR_H

#include <confuse.h>
#include <stdbool.h>

#include "conf/keys.h"
#include "conf/unknown.h"

#define GRAMMAR_UNKNOWNS 32
#define GRAMMAR_NAME_MAX 64 /* of an unknown name that can be passed over */
/* Everything that has a name, and for each list of options two that end it. */
#define GRAMMAR_OPTS                                                \
	(CONFIG_KEYS_MAX + GRAMMAR_UNKNOWNS + CONFIG_SECTIONS_MAX + \
	 2 * (1 + CONFIG_SECTIONS_MAX + GRAMMAR_UNKNOWNS))

/*
 * What an option belongs to. libConfuse has no user pointer, but it puts the
 * last value of a "simple option" where the option says: in @text, whose
 * address leads its callbacks back here. @text is freed by grammar_clear().
 */
struct binding {
	char *text;
	void *owner;
	const struct config_key *key; /* NULL: read, but nobody's */
};

struct unknown {
	char section[GRAMMAR_NAME_MAX];
	char name[GRAMMAR_NAME_MAX];
	unsigned int line;
	enum unknown_form form;
	cfg_opt_t *opts; /* of a section: what is expected in it */
};

struct grammar {
	void *owner;
	cfg_callback_t on_value;
	cfg_validate_callback_t on_section_end;
	unsigned int unknown_count;
	struct unknown unknowns[GRAMMAR_UNKNOWNS];
	unsigned int opt_count;
	cfg_opt_t opts[GRAMMAR_OPTS];
	struct binding bindings[GRAMMAR_OPTS]; /* of the option of that index */
};

/* Options for cfg_init(); they live in @g and until grammar_clear(). */
cfg_opt_t *grammar_build(struct grammar *g);
/* Undo grammar_build(), after cfg_free(); the unknown names stay. */
void grammar_clear(struct grammar *g);

struct unknown *grammar_unknown_find(struct grammar *g, const char *section,
				     const char *name);
/* False when there is no room or a name is too long for it. */
bool grammar_unknown_add(struct grammar *g, const char *section,
			 const char *name, unsigned int line);

struct binding *binding_of(const cfg_opt_t *opt);
/* The owner of the grammar that @cfg, a section or the whole, was made from. */
void *grammar_owner(const cfg_t *cfg);

#endif
