// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/app_policy.h"

#include <stdio.h>
#include <string.h>

#include "policy/app.h"

#define GROUP_PREFIX "group:"

_Static_assert(APP_ID_MAX < APP_SUBJECT_GROUP, "groups are apart from ids");
_Static_assert(sizeof(GROUP_PREFIX) + APP_NAME_MAX <= APP_SUBJECT_TEXT,
	       "room for any subject");

static const struct app_rule *rule_of(const struct app_policy *p,
				      unsigned int subject)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (p->rules[i].subject == subject)
			return &p->rules[i];
	return NULL;
}

const struct app_rule *app_policy_rule(const struct app_policy *p,
				       unsigned int id)
{
	const struct app *app = app_by_id(id);
	const struct app_rule *rule;

	if (app == NULL)
		return NULL;
	rule = rule_of(p, id);
	return rule != NULL ? rule : rule_of(p, APP_SUBJECT_GROUP | app->group);
}

const struct app_rule *app_policy_meter(const struct app_policy *p,
					unsigned int meter)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (meter != 0 && p->rules[i].meter == meter)
			return &p->rules[i];
	return NULL;
}

bool app_policy_acts(const struct app_policy *p)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (p->rules[i].action != APP_ALLOW)
			return true;
	return false;
}

bool app_subject_parse(struct str text, uint16_t *subject)
{
	const size_t skip = strlen(GROUP_PREFIX);
	const struct app *app;
	enum app_group group;

	if (text.len > skip && memcmp(text.p, GROUP_PREFIX, skip) == 0) {
		text.p += skip;
		text.len -= skip;
		if (!app_group_by_name(text, &group))
			return false;
		*subject = (uint16_t)(APP_SUBJECT_GROUP | group);
		return true;
	}
	app = app_by_name(text);
	if (app == NULL)
		return false;
	*subject = app->id;
	return true;
}

const char *app_subject_text(uint16_t subject, char dst[APP_SUBJECT_TEXT])
{
	unsigned int group = subject & ~APP_SUBJECT_GROUP;

	if ((subject & APP_SUBJECT_GROUP) != 0)
		snprintf(dst, APP_SUBJECT_TEXT, GROUP_PREFIX "%s",
			 app_group_name((enum app_group)group));
	else
		snprintf(dst, APP_SUBJECT_TEXT, "%s", app_name(subject));
	return dst;
}

static const char *word(const char *const words[], size_t count, size_t at)
{
	return at < count ? words[at] : "?";
}
#define WORD(words, at) \
	word((words), sizeof(words) / sizeof((words)[0]), (size_t)(at))

const char *app_action_name(enum app_action action)
{
	static const char *const words[] = {"allow", "block", "limit", "quota"};

	return WORD(words, action);
}

const char *app_per_name(enum app_per per)
{
	static const char *const words[] = {"client", "total"};

	return WORD(words, per);
}

const char *app_then_name(enum app_then then)
{
	static const char *const words[] = {"block", "limit"};

	return WORD(words, then);
}
