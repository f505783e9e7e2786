/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Applications: what a flow of packets belongs to. Ids and names are stable
 * (policy/app_table.h says how); they are ours and no library's, so that a
 * newer library renames nothing.
 */
#ifndef SLUICE_POLICY_APP_H
#define SLUICE_POLICY_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define APP_ID_MAX   2047 /* eleven bits of the connection's mark */
#define APP_NAME_MAX 32	  /* longest name of an application, with its NUL */
#define APP_HOST_MAX 256 /* longest host name that goes with one, its NUL too */

#define GROUP(symbol, name, text) APP_GROUP_##symbol,
enum app_group {
#include "policy/app_table.h"
	APP_GROUP_COUNT
};
#undef GROUP

/* APP_UNKNOWN was looked at and given up; APP_NONE was not decided yet. */
#define APP(id, symbol, name, group, text) APP_##symbol = (id),
enum app_id {
	APP_NONE = 0,
#include "policy/app_table.h"
	APP_IDS /* every id is less */
};
#undef APP

/* How a label came to be, weakest first. */
enum app_confidence {
	APP_NO_CONFIDENCE,
	APP_BY_GUESS, /* from the port alone */
	APP_BY_HINT,  /* earlier flows to the same server */
	APP_BY_DPI,   /* nDPI recognised the protocol or the name */
	APP_BY_OWN,   /* our own parsers did */
	APP_CONFIDENCES
};

struct app {
	uint16_t id;
	enum app_group group;
	const char *name; /* lower case letters, digits, '-' */
	const char *text; /* one line for a person, no full stop */
};

/* NULL for APP_NONE and for ids that mean nothing (yet). */
const struct app *app_by_id(unsigned int id);
const struct app *app_by_name(struct str name);
/* The application after @app in order of ids, the first one for NULL. */
const struct app *app_next(const struct app *app);
/* Its name, "?" where there is none: ids come from marks others may set. */
const char *app_name(unsigned int id);

/* "web", "streaming", ...; "?" for anything else. */
const char *app_group_name(enum app_group group);
/* What is in it, for a person; "" for anything else. */
const char *app_group_text(enum app_group group);
/* False, @group untouched, when there is no such group. */
bool app_group_by_name(struct str name, enum app_group *group);
/* Where a flow of @group goes that the table has no name for. */
uint16_t app_other(enum app_group group);

/* "own", "dpi", "hint", "guess", "none"; part of the record format. */
const char *app_confidence_name(enum app_confidence confidence);

#endif
