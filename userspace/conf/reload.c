// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/reload.h"

#include <string.h>

static bool field_differs(const struct config_key *key, const void *a,
			  const void *b)
{
	return memcmp((const char *)a + key->offset,
		      (const char *)b + key->offset, key->size) != 0;
}

/*
 * Byte by byte: what is not in use is zero, in lists, behind the end of a text
 * and in services that are not there.
 */
static bool key_differs(const struct config_key *key, const struct config *a,
			const struct config *b)
{
	if (strcmp(key->section, CONFIG_SERVICE_SECTION) != 0)
		return field_differs(key, a, b);
	if (a->service_count != b->service_count)
		return true;
	for (size_t i = 0; i < CONFIG_SERVICES; i++)
		if (field_differs(key, &a->services[i], &b->services[i]))
			return true;
	return false;
}

const struct config_key *config_restart_key(const struct config *running,
					    const struct config *wanted,
					    const struct config_key *after)
{
	size_t i = after != NULL ? config_key_index(after) + 1 : 0;

	for (; i < config_key_count; i++)
		if (!config_keys[i].live &&
		    key_differs(&config_keys[i], running, wanted))
			return &config_keys[i];
	return NULL;
}

static void keep_services(struct config *wanted, const struct config *running)
{
	wanted->service_count = running->service_count;
	memcpy(wanted->services, running->services, sizeof(wanted->services));
}

void config_keep_restart_keys(struct config *wanted,
			      const struct config *running)
{
	const struct config_key *key = NULL;

	while ((key = config_restart_key(running, wanted, key)) != NULL) {
		if (strcmp(key->section, CONFIG_SERVICE_SECTION) == 0)
			keep_services(wanted, running);
		else
			memcpy((char *)wanted + key->offset,
			       (const char *)running + key->offset, key->size);
	}
}
