// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/check.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "base/units.h"

struct key_name {
	const char *section;
	const char *name;
};

#define RULE_KEYS 4

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
	if (c->intercept.install_rules && !config_intercepts(c) &&
	    !c->apps.enabled)
		strbuf_puts(sb, "intercept.http and intercept.ftp are empty: "
				"want at least one port, or apps.enabled = "
				"true to name and count only, or "
				"intercept.install_rules = false");
}

static bool has_port(const uint16_t *ports, uint32_t count, uint16_t port)
{
	for (uint32_t i = 0; i < count; i++)
		if (ports[i] == port)
			return true;
	return false;
}

/* One listener gets what is sent to a port. */
static void ports_are_apart(const struct config *c, struct strbuf *sb)
{
	const struct config_intercept *ic = &c->intercept;

	for (uint32_t i = 0; i < ic->ftp_count && sb->len == 0; i++)
		if (has_port(ic->http, ic->http_count, ic->ftp[i]))
			strbuf_printf(sb,
				      "port %u is in intercept.http and in "
				      "intercept.ftp: want it in one of them",
				      ic->ftp[i]);
}

/* A connection to the listener itself would be redirected to the listener. */
static void listener_is_apart(const struct config *c, struct strbuf *sb)
{
	const struct config_intercept *ic = &c->intercept;

	for (uint32_t i = 0; i < c->service_count && sb->len == 0; i++) {
		uint16_t port = c->services[i].port;
		bool http = has_port(ic->http, ic->http_count, port);

		if (http || has_port(ic->ftp, ic->ftp_count, port))
			strbuf_printf(sb,
				      "service.port = %u is one of the ports "
				      "of intercept.%s: want another one",
				      port, http ? "http" : "ftp");
	}
}

static void services_are_few(const struct config *c, struct strbuf *sb)
{
	for (unsigned int p = 0; p < PROTOCOL_COUNT && sb->len == 0; p++) {
		unsigned int transparent = 0;

		for (uint32_t i = 0; i < c->service_count; i++)
			if (c->services[i].protocol == p &&
			    c->services[i].mode == MODE_TRANSPARENT)
				transparent++;
		if (transparent > 1)
			strbuf_printf(sb,
				      "%u transparent %s services: this "
				      "version has at most one",
				      transparent,
				      config_protocol_words[p].name);
	}
}

/* Of one protocol, there are too many of them anyway. */
static bool collide(const struct config_service *a,
		    const struct config_service *b)
{
	return a->protocol != b->protocol && a->port == b->port;
}

static void services_are_apart(const struct config *c, struct strbuf *sb)
{
	for (uint32_t i = 0; i < c->service_count; i++) {
		for (uint32_t j = 0; j < i && sb->len == 0; j++)
			if (collide(&c->services[i], &c->services[j]))
				strbuf_printf(sb,
					      "service.port = %u is that of "
					      "services \"%s\" and \"%s\": "
					      "want two",
					      c->services[i].port,
					      c->services[j].name,
					      c->services[i].name);
	}
}

/* One that nobody wrote down is called by its protocol. */
static void services_have_names(const struct config *c, struct strbuf *sb)
{
	for (uint32_t i = 0; i < c->service_count; i++) {
		for (uint32_t j = 0; j < i && sb->len == 0; j++)
			if (strcmp(c->services[i].name, c->services[j].name) ==
			    0)
				strbuf_printf(sb,
					      "service \"%s\" is not of that "
					      "protocol: want another name",
					      c->services[j].name);
	}
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
	  {"intercept", "ftp"},
	  {"apps", "enabled"},
	  {"intercept", "install_rules"}}},
	{ports_are_apart, {{"intercept", "ftp"}, {"intercept", "http"}}},
	{listener_is_apart,
	 {{CONFIG_SERVICE_SECTION, "port"},
	  {"intercept", "http"},
	  {"intercept", "ftp"}}},
	{services_are_few,
	 {{CONFIG_SERVICE_SECTION, "port"},
	  {CONFIG_SERVICE_SECTION, "mode"},
	  {CONFIG_SERVICE_SECTION, "protocol"}}},
	{services_are_apart,
	 {{CONFIG_SERVICE_SECTION, "port"},
	  {CONFIG_SERVICE_SECTION, "protocol"}}},
	{services_have_names, {{CONFIG_SERVICE_SECTION, "protocol"}}},
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
