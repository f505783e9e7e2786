/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario file, read: steps of words. README has the language; which words
 * there are is in steps.c.
 */
#ifndef SLUICE_TESTS_SCENARIO_H
#define SLUICE_TESTS_SCENARIO_H

#include <stdbool.h>

#include "bytes.h"

#define SCENARIO_WORDS 24

struct word {
	struct str text; /* its escapes replaced */
	bool quoted;
};

struct step {
	unsigned int line;
	unsigned int nwords;
	struct word words[SCENARIO_WORDS];
};

struct scenario {
	char name[64]; /* the file's, without folder and ending */
	struct bytes text;
	struct step *steps;
	unsigned int nsteps;
};

/* False, and a problem, when it can't be read. scenario_free() it anyway. */
bool scenario_load(struct scenario *sc, const char *path);
void scenario_free(struct scenario *sc);

/*
 * Content that words stand for, one behind the other: "text" in quotes,
 * bytes:SIZE:SEED, fill:SIZE:C, chunks:SIZE:SEED:EACH (the same bytes as with
 * bytes, as chunks of EACH, without the last one). False, and a problem, for
 * anything else.
 */
bool scenario_content(const struct word *words, unsigned int n,
		      struct bytes *out);

#endif
