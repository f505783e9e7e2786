// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/app.h"

#define GROUP(symbol, name, text) {name, text},
static const struct {
	const char *name;
	const char *text;
} groups[] = {
#include "policy/app_table.h"
};
#undef GROUP

/* By id; holes have no name. */
#define APP(id, symbol, name, group, text) \
	[id] = {id, APP_GROUP_##group, name, text},
static const struct app apps[] = {
#include "policy/app_table.h"
};
#undef APP

#define APP(id, symbol, name, group, text)                             \
	_Static_assert((id) > 0 && (id) <= APP_ID_MAX, "id of " name); \
	_Static_assert(sizeof(name) <= APP_NAME_MAX, "length of " name);
#include "policy/app_table.h"
#undef APP

_Static_assert(APP_OTHER_P2P == APP_OTHER_WEB + APP_GROUP_COUNT - 2,
	       "each group but unknown has its other-, in order");

static const char *const confidences[APP_CONFIDENCES] = {
	[APP_NO_CONFIDENCE] = "none", [APP_BY_GUESS] = "guess",
	[APP_BY_HINT] = "hint",	      [APP_BY_DPI] = "dpi",
	[APP_BY_OWN] = "own",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const struct app *app_by_id(unsigned int id)
{
	if (id >= COUNT(apps) || apps[id].name == NULL)
		return NULL;
	return &apps[id];
}

const struct app *app_next(const struct app *app)
{
	size_t id = app == NULL ? 1 : app->id + 1u;

	while (id < COUNT(apps) && apps[id].name == NULL)
		id++;
	return id < COUNT(apps) ? &apps[id] : NULL;
}

/* Names are asked for when policy is read, not for each packet. */
const struct app *app_by_name(struct str name)
{
	const struct app *app = app_next(NULL);

	while (app != NULL && !str_eq(str_of(app->name), name))
		app = app_next(app);
	return app;
}

const char *app_name(unsigned int id)
{
	const struct app *app = app_by_id(id);

	return app != NULL ? app->name : "?";
}

const char *app_group_name(enum app_group group)
{
	return (unsigned int)group < COUNT(groups) ? groups[group].name : "?";
}

const char *app_group_text(enum app_group group)
{
	return (unsigned int)group < COUNT(groups) ? groups[group].text : "";
}

bool app_group_by_name(struct str name, enum app_group *group)
{
	for (size_t i = 0; i < COUNT(groups); i++)
		if (str_eq(str_of(groups[i].name), name)) {
			*group = (enum app_group)i;
			return true;
		}
	return false;
}

uint16_t app_other(enum app_group group)
{
	if (group == APP_GROUP_UNKNOWN || (unsigned int)group >= COUNT(groups))
		return APP_UNKNOWN;
	return (uint16_t)(APP_OTHER_WEB + group - APP_GROUP_WEB);
}

const char *app_confidence_name(enum app_confidence confidence)
{
	return (unsigned int)confidence < COUNT(confidences)
		       ? confidences[confidence]
		       : "?";
}
