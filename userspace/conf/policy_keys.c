// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/policy_keys.h"

#include <stddef.h>

#include "policy/app_policy.h"

#define KIB 1024ULL
#define GIB (KIB * KIB * KIB)
#define FIELD(f)                                \
	.offset = offsetof(struct app_rule, f), \
	.size = sizeof(((struct app_rule *)0)->f)

static const struct config_word action_words[] = {{"allow", APP_ALLOW},
						  {"block", APP_BLOCK},
						  {"limit", APP_LIMIT},
						  {"quota", APP_QUOTA},
						  {NULL, 0}};
static const struct config_word per_words[] = {
	{"client", APP_PER_CLIENT}, {"total", APP_PER_TOTAL}, {NULL, 0}};
static const struct config_word period_words[] = {{"day", PERIOD_DAY},
						  {"week", PERIOD_WEEK},
						  {"month", PERIOD_MONTH},
						  {NULL, 0}};
static const struct config_word then_words[] = {
	{"block", APP_THEN_BLOCK}, {"limit", APP_THEN_LIMIT}, {NULL, 0}};

const struct config_key policy_keys[POLICY_KEYS] = {
	[POLICY_ACTION] = {.section = POLICY_SECTION,
			   .name = "action",
			   .type = KEY_WORD,
			   .words = action_words,
			   FIELD(action)},
	[POLICY_RATE] = {.section = POLICY_SECTION,
			 .name = "rate",
			 .type = KEY_SIZE,
			 .min = KIB,
			 .max = 16 * GIB,
			 FIELD(rate)},
	[POLICY_PER] = {.section = POLICY_SECTION,
			.name = "per",
			.type = KEY_WORD,
			.preset = "client",
			.words = per_words,
			FIELD(per)},
	[POLICY_AMOUNT] = {.section = POLICY_SECTION,
			   .name = "amount",
			   .type = KEY_SIZE,
			   .min = KIB,
			   .max = KIB * KIB * GIB,
			   FIELD(amount)},
	[POLICY_PERIOD] = {.section = POLICY_SECTION,
			   .name = "period",
			   .type = KEY_WORD,
			   .words = period_words,
			   FIELD(period)},
	[POLICY_THEN] = {.section = POLICY_SECTION,
			 .name = "then",
			 .type = KEY_WORD,
			 .preset = "block",
			 .words = then_words,
			 FIELD(then)},
};
