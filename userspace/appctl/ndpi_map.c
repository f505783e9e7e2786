// SPDX-License-Identifier: GPL-2.0-or-later
#include "appctl/ndpi_map.h"

#include <stddef.h>
#include <string.h>

#include "appctl/ndpi_map_table.h"
#include "policy/app.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool counts(char c)
{
	c = ascii_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The next character that counts, lower case; NUL at the end. */
static char next_letter(const char **z)
{
	while (**z != '\0') {
		char c = *(*z)++;

		if (counts(c))
			return ascii_lower(c);
	}
	return '\0';
}

static bool same_name(const char *a, const char *b)
{
	char c;

	do {
		c = next_letter(&a);
		if (c != next_letter(&b))
			return false;
	} while (c != '\0');
	return true;
}

static uint16_t named(const char *name)
{
	for (size_t i = 0; i < COUNT(ndpi_names); i++)
		if (same_name(ndpi_names[i].name, name))
			return ndpi_names[i].app;
	return APP_NONE;
}

bool ndpi_map_knows(const char *name)
{
	return named(name) != APP_NONE;
}

uint16_t ndpi_map_app(const char *name, const char *category)
{
	uint16_t app = named(name);

	if (app != APP_NONE)
		return app;
	for (size_t i = 0; i < COUNT(ndpi_categories); i++)
		if (same_name(ndpi_categories[i].name, category))
			return app_other(ndpi_categories[i].group);
	return APP_UNKNOWN;
}

uint16_t ndpi_map_pair(uint16_t master, uint16_t app)
{
	const struct app *m = app_by_id(master);

	if (app == APP_NONE || app == APP_UNKNOWN)
		return master != APP_NONE ? master : app;
	/* What carries names (DNS, DHCP, NetBIOS...) is not what they name. */
	if (m != NULL &&
	    (m->group == APP_GROUP_NAME_SERVICE ||
	     m->group == APP_GROUP_NETWORK || m->group == APP_GROUP_MAIL))
		return master;
	return app;
}
