// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/value.h"

#include <string.h>

#include "base/ip.h"
#include "conf/types.h"

#define ELEMENT_MAX 32 /* bytes of a list's element */
#define PORT_HTTP   3129
#define PORT_FTP    2121

bool value_is_list(const struct config_key *key)
{
	return value_types[key->type].element != 0;
}

size_t value_list_max(const struct config_key *key)
{
	return key->size / value_types[key->type].element;
}

/* The kernel's sets of networks refuse two that overlap. */
static bool overlaps(const struct config_key *key, const void *a, const void *b)
{
	struct ip_net x;
	struct ip_net y;

	if (key->type != KEY_NETS)
		return false;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x.prefix <= y.prefix ? ip_net_contains(&x, &y.addr)
				    : ip_net_contains(&y, &x.addr);
}

static enum value_result check_against(const struct config_key *key,
				       const char *list, uint32_t count,
				       const char *element)
{
	size_t size = value_types[key->type].element;

	for (uint32_t i = 0; i < count; i++) {
		if (memcmp(list + i * size, element, size) == 0)
			return VALUE_TWICE;
		if (overlaps(key, list + i * size, element))
			return VALUE_OVERLAPS;
	}
	return count == value_list_max(key) ? VALUE_FULL : VALUE_OK;
}

static enum value_result append(const struct config_key *key, const char *text,
				char *base)
{
	size_t size = value_types[key->type].element;
	char element[ELEMENT_MAX] = {0};
	char *list = base + key->offset;
	enum value_result result;
	uint32_t count;

	memcpy(&count, base + key->count, sizeof(count));
	result = value_types[key->type].parse(key, text, element);
	if (result == VALUE_OK)
		result = check_against(key, list, count, element);
	if (result != VALUE_OK)
		return result;
	memcpy(list + count * size, element, size);
	count++;
	memcpy(base + key->count, &count, sizeof(count));
	return VALUE_OK;
}

enum value_result value_set(const struct config_key *key, const char *text,
			    void *base)
{
	char value[CONFIG_PATH_MAX] = {0};
	enum value_result result;

	if (value_is_list(key))
		return append(key, text, base);
	result = value_types[key->type].parse(key, text, value);
	if (result == VALUE_OK)
		memcpy((char *)base + key->offset, value, key->size);
	return result;
}

void value_clear(const struct config_key *key, void *base)
{
	memset((char *)base + key->offset, 0, key->size);
	memset((char *)base + key->count, 0, sizeof(uint32_t));
}

void value_allowed(const struct config_key *key, struct strbuf *sb)
{
	value_types[key->type].allowed(key, sb);
}

/* The presets of a list: elements between commas. */
static void preset_list(const struct config_key *key, void *base)
{
	struct str rest = str_of(key->preset);
	struct str element;

	while (str_next_element(&rest, &element)) {
		char text[CONFIG_PATH_MAX];

		str_copy_view(text, sizeof(text), element);
		(void)value_set(key, text, base);
	}
}

static void preset(const struct config_key *key, void *base)
{
	if (value_is_list(key))
		preset_list(key, base);
	else
		(void)value_set(key, key->preset, base);
}

static bool is_service_key(const struct config_key *key)
{
	return strcmp(key->section, CONFIG_SERVICE_SECTION) == 0;
}

void config_set_defaults(struct config *c)
{
	memset(c, 0, sizeof(*c));
	c->size = sizeof(*c);
	for (size_t i = 0; i < config_key_count; i++)
		if (!is_service_key(&config_keys[i]))
			preset(&config_keys[i], c);
}

void config_set_service_defaults(struct config_service *s, const char *name)
{
	memset(s, 0, sizeof(*s));
	str_copy(s->name, sizeof(s->name), name);
	for (size_t i = 0; i < config_key_count; i++)
		if (is_service_key(&config_keys[i]))
			preset(&config_keys[i], s);
}

uint16_t config_service_port(enum config_protocol protocol)
{
	return protocol == PROTOCOL_FTP ? PORT_FTP : PORT_HTTP;
}
