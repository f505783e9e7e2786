/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may be done with each application: the content of policy.conf, flat, a
 * part of struct config. conf/policy.h fills it in, render/ruleset.c makes
 * rules of it, the app role counts for its quotas. Pure.
 */
#ifndef SLUICE_POLICY_APP_POLICY_H
#define SLUICE_POLICY_APP_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "policy/period.h"

#define APP_RULES	 64 /* sections of policy.conf */
/* Of them, limits and quotas: each has a chain and sets of its own. */
#define APP_METERS	 16
#define APP_SUBJECT_TEXT 48 /* "group:" and a name, with its NUL */

enum app_action { APP_ALLOW, APP_BLOCK, APP_LIMIT, APP_QUOTA };
enum app_per { APP_PER_CLIENT, APP_PER_TOTAL };
enum app_then { APP_THEN_BLOCK, APP_THEN_LIMIT };

/* One section. What its action doesn't speak of is zero. */
struct app_rule {
	uint16_t
		subject; /* an application's id, or APP_SUBJECT_GROUP | group */
	uint16_t meter;	 /* limit, quota: 1..APP_METERS, else 0 */
	enum app_action action;
	enum app_per per;
	enum period_kind period;
	enum app_then then;
	uint64_t rate;	 /* bytes a second, each way */
	uint64_t amount; /* bytes in a period, both ways */
};

/* Above any application's id. */
#define APP_SUBJECT_GROUP 0x8000U

struct app_policy {
	uint32_t count;
	struct app_rule rules[APP_RULES]; /* in the order of the file */
};

/*
 * The rule for application @id: one that names it, otherwise one that names
 * its group, otherwise NULL: allowed.
 */
const struct app_rule *app_policy_rule(const struct app_policy *p,
				       unsigned int id);
/* The rule of that number of meter, or NULL. */
const struct app_rule *app_policy_meter(const struct app_policy *p,
					unsigned int meter);
/* Whether anything but "allow" is in it. */
bool app_policy_acts(const struct app_policy *p);

/* "ssh" or "group:streaming"; false when there is no such thing. */
bool app_subject_parse(struct str text, uint16_t *subject);
/* The text of it in @dst, which is returned. */
const char *app_subject_text(uint16_t subject, char dst[APP_SUBJECT_TEXT]);

/* The words of policy.conf; "?" for anything else. */
const char *app_action_name(enum app_action action);
const char *app_per_name(enum app_per per);
const char *app_then_name(enum app_then then);

#endif
