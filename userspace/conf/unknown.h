/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to say about a name in sluice.conf that is no key of this version. */
#ifndef SLUICE_CONF_UNKNOWN_H
#define SLUICE_CONF_UNKNOWN_H

#include "base/str.h"

/* The form that an unknown name takes in the file. */
enum unknown_form {
	UNKNOWN_VALUE,	 /* name = value, or a list of them */
	UNKNOWN_SECTION, /* name { ... } */
	UNKNOWN_NAMED,	 /* name "title" { ... } */
};

/*
 * How @name in @section ("" is the top level) is written in the version that
 * knows it; UNKNOWN_VALUE, the commonest, when none does.
 */
enum unknown_form unknown_likely_form(const char *section, const char *name);

/*
 * "scan.wokers: unknown key; did you mean workers?", or that the name is for a
 * later version, or which section it belongs in. Any bytes in the names are safe.
 */
void unknown_describe(const char *section, const char *name,
		      enum unknown_form form, struct strbuf *sb);

#endif
