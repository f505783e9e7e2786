// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/check.h"

#include <stddef.h>

#include "base/str.h"
#include "base/units.h"

struct key_name {
	const char *section;
	const char *name;
};

#define RULE_KEYS 3

/*
 * @check writes a sentence when it finds something wrong. It looks at @keys
 * alone; the complaint points at the first of them that the file has.
 */
struct rule {
	void (*check)(const struct config *c, struct strbuf *sb);
	struct key_name keys[RULE_KEYS];
};

static void lan_is_there(const struct config *c, struct strbuf *sb)
{
	if (c->intercept.install_rules && c->intercept.lan_count == 0)
		strbuf_puts(sb, "intercept.lan is empty: want the interfaces "
				"that clients come from, or "
				"intercept.install_rules = false");
}

static void ports_are_there(const struct config *c, struct strbuf *sb)
{
	if (c->intercept.install_rules && c->intercept.http_count == 0 &&
	    !c->apps.enabled)
		strbuf_puts(sb, "intercept.http is empty: want at least one "
				"port, or apps.enabled = true to name and "
				"count only, or intercept.install_rules = "
				"false");
}

static bool is_intercepted(const struct config *c, uint16_t port)
{
	for (uint32_t i = 0; i < c->intercept.http_count; i++)
		if (c->intercept.http[i] == port)
			return true;
	return false;
}

/* A connection to the listener itself would be redirected to the listener. */
static void listener_is_apart(const struct config *c, struct strbuf *sb)
{
	for (uint32_t i = 0; i < c->service_count && sb->len == 0; i++)
		if (is_intercepted(c, c->services[i].port))
			strbuf_printf(sb,
				      "service.port = %u is one of the ports "
				      "of intercept.http: want another one",
				      c->services[i].port);
}

static void services_are_few(const struct config *c, struct strbuf *sb)
{
	unsigned int transparent = 0;

	for (uint32_t i = 0; i < c->service_count; i++)
		if (c->services[i].protocol == PROTOCOL_HTTP &&
		    c->services[i].mode == MODE_TRANSPARENT)
			transparent++;
	if (transparent > 1)
		strbuf_printf(sb,
			      "%u transparent http services: this version has "
			      "at most one",
			      transparent);
}

static void line_fits_header(const struct config *c, struct strbuf *sb)
{
	char line[UNITS_TEXT_MAX];
	char header[UNITS_TEXT_MAX];

	if (c->http.max_line <= c->http.max_header)
		return;
	units_format_size(line, sizeof(line), c->http.max_line);
	units_format_size(header, sizeof(header), c->http.max_header);
	strbuf_printf(sb,
		      "http.max_line = %s: want at most http.max_header (%s), "
		      "which includes the line",
		      line, header);
}

static void hold_covers_tail(const struct config *c, struct strbuf *sb)
{
	char hold[UNITS_TEXT_MAX];
	char tail[UNITS_TEXT_MAX];

	if (c->delivery.hold_below >= c->delivery.tail)
		return;
	units_format_size(hold, sizeof(hold), c->delivery.hold_below);
	units_format_size(tail, sizeof(tail), c->delivery.tail);
	strbuf_printf(sb,
		      "delivery.hold_below = %s: want at least delivery.tail "
		      "(%s), which is kept back anyway",
		      hold, tail);
}

static const struct rule rules[] = {
	{lan_is_there, {{"intercept", "lan"}, {"intercept", "install_rules"}}},
	{ports_are_there,
	 {{"intercept", "http"},
	  {"apps", "enabled"},
	  {"intercept", "install_rules"}}},
	{listener_is_apart,
	 {{CONFIG_SERVICE_SECTION, "port"}, {"intercept", "http"}}},
	{services_are_few,
	 {{CONFIG_SERVICE_SECTION, "port"},
	  {CONFIG_SERVICE_SECTION, "mode"},
	  {CONFIG_SERVICE_SECTION, "protocol"}}},
	{line_fits_header, {{"http", "max_line"}, {"http", "max_header"}}},
	{hold_covers_tail, {{"delivery", "hold_below"}, {"delivery", "tail"}}},
};

/* False when one of the keys was refused; @line is where to point. */
static bool rule_applies(const struct rule *rule,
			 const struct config_source *source, unsigned int *line)
{
	*line = 0;
	for (size_t i = 0; i < RULE_KEYS && rule->keys[i].name != NULL; i++) {
		const struct key_name *k = &rule->keys[i];
		size_t at =
			config_key_index(config_key_find(k->section, k->name));

		if (source->bad[at])
			return false;
		if (*line == 0)
			*line = source->line[at];
	}
	return true;
}

void config_check(const struct config *c, const struct config_source *source,
		  struct config_errors *errs)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		char text[CONFIG_ERROR_MAX];
		struct strbuf sb;
		unsigned int line;

		if (!rule_applies(&rules[i], source, &line))
			continue;
		strbuf_init(&sb, text, sizeof(text));
		rules[i].check(c, &sb);
		if (sb.len > 0)
			config_error_add(errs, source->file, line, "%s", text);
	}
}
