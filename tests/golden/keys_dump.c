// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of conf/keys.c, one key a line:
 * SECTION|NAME|DEFAULT|ALLOWED|RELOAD|MEANING
 * With an argument, the placeholders that pages may have, or with "policy" the
 * keys of policy.conf: NAME|DEFAULT|ALLOWED.
 */
#include <stdio.h>
#include <string.h>

#include "conf/keys.h"
#include "conf/policy_keys.h"
#include "conf/template.h"
#include "conf/value.h"

static void dump(const struct config_key *key)
{
	bool list = value_is_list(key);
	char allowed[256];
	struct strbuf sb;

	strbuf_init(&sb, allowed, sizeof(allowed));
	if (list)
		strbuf_printf(&sb, "up to %zu elements, each ",
			      value_list_max(key));
	value_allowed(key, &sb);
	printf("%s|%s|%s%s%s|%s|%s|%s\n", key->section, key->name,
	       list ? "{" : "", key->preset, list ? "}" : "", allowed,
	       key->live ? "live" : "restart", key->meaning);
}

static void dump_policy(const struct config_key *key)
{
	char allowed[256];
	struct strbuf sb;

	strbuf_init(&sb, allowed, sizeof(allowed));
	value_allowed(key, &sb);
	printf("%s|%s|%s\n", key->name,
	       key->preset != NULL ? key->preset : "none", allowed);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "policy") == 0) {
		for (size_t i = 0; i < POLICY_KEYS; i++)
			dump_policy(&policy_keys[i]);
		return 0;
	}
	for (size_t i = 0; argc == 1 && i < config_key_count; i++)
		dump(&config_keys[i]);
	for (size_t i = 0; argc > 1 && i < TEMPLATE_VALUES; i++)
		printf("{{%s}}\n", template_names[i]);
	return 0;
}
