/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of keys of policy.conf; sluice-policy(5) is held to it by a test. */
#ifndef SLUICE_CONF_POLICY_KEYS_H
#define SLUICE_CONF_POLICY_KEYS_H

#include "conf/keys.h"

#define POLICY_SECTION "app"

enum policy_key {
	POLICY_ACTION,
	POLICY_RATE,
	POLICY_PER,
	POLICY_AMOUNT,
	POLICY_PERIOD,
	POLICY_THEN,
	POLICY_KEYS
};

/*
 * By enum policy_key, in the order of the manual page; offsets are those of
 * struct app_rule. A preset of NULL: none, the key has to be given.
 */
extern const struct config_key policy_keys[POLICY_KEYS];

#endif
