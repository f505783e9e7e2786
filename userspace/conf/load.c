// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/load.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "conf/check.h"
#include "conf/keys.h"
#include "conf/syntax.h"
#include "conf/template.h"
#include "conf/text.h"
#include "conf/value.h"

#define VALUE_SHOWN 60 /* bytes of a value in a message */

struct loader {
	const char *file;
	struct config_errors *errs;
	struct config_source source;
	bool seen[CONFIG_KEYS_MAX];
	struct config draft;
	struct config_service service; /* the section being read */
};

static bool is_service_key(const struct config_key *key)
{
	return strcmp(key->section, CONFIG_SERVICE_SECTION) == 0;
}

static void put_key(struct strbuf *sb, const struct config_key *key)
{
	if (key->section[0] != '\0')
		strbuf_printf(sb, "%s.", key->section);
	strbuf_puts(sb, key->name);
}

static void put_shown(struct strbuf *sb, const char *text)
{
	struct str shown = {text, strnlen(text, VALUE_SHOWN)};

	strbuf_printable(sb, shown);
	if (text[shown.len] != '\0')
		strbuf_puts(sb, "...");
}

static void put_refusal(struct strbuf *sb, const struct config_key *key,
			enum value_result result)
{
	switch (result) {
	case VALUE_LATER:
		strbuf_puts(sb, "this version does not have it yet; want ");
		value_allowed(key, sb);
		break;
	case VALUE_TWICE:
		strbuf_puts(sb, "the list has it already");
		break;
	case VALUE_OVERLAPS:
		strbuf_puts(sb, "it overlaps another network in the list");
		break;
	case VALUE_FULL:
		strbuf_printf(sb, "the list is full: want at most %zu elements",
			      value_list_max(key));
		break;
	default:
		strbuf_puts(sb, "want ");
		value_allowed(key, sb);
	}
}

static void refuse(struct loader *l, const struct config_key *key,
		   unsigned int line, const char *text,
		   enum value_result result)
{
	char message[CONFIG_ERROR_MAX];
	struct strbuf sb;

	strbuf_init(&sb, message, sizeof(message));
	put_key(&sb, key);
	strbuf_puts(&sb, text[0] != '\0' ? " = " : " = \"\"");
	put_shown(&sb, text);
	strbuf_puts(&sb, ": ");
	put_refusal(&sb, key, result);
	config_error_add(l->errs, l->file, line, "%s", message);
	l->source.bad[config_key_index(key)] = true;
}

/* libConfuse would take the last of several in silence. */
static void note_line(struct loader *l, const struct config_key *key,
		      unsigned int line)
{
	size_t at = config_key_index(key);
	char name[CONFIG_ERROR_MAX];
	struct strbuf sb;

	if (!l->seen[at]) {
		l->seen[at] = true;
		l->source.line[at] = line;
		return;
	}
	strbuf_init(&sb, name, sizeof(name));
	put_key(&sb, key);
	config_error_add(l->errs, l->file, line,
			 "%s: given a second time; the first is on line %u",
			 name, l->source.line[at]);
}

static void on_begin(void *ctx)
{
	struct loader *l = ctx;

	memset(&l->source, 0, sizeof(l->source));
	memset(l->seen, 0, sizeof(l->seen));
	l->source.file = l->file;
	config_set_defaults(&l->draft);
	config_set_service_defaults(&l->service, "");
}

static void on_value(void *ctx, const struct config_key *key, unsigned int line,
		     const char *text, bool first)
{
	struct loader *l = ctx;
	void *base = is_service_key(key) ? (void *)&l->service
					 : (void *)&l->draft;
	enum value_result result;

	if (first) {
		note_line(l, key, line);
		if (value_is_list(key))
			value_clear(key, base);
	}
	result = value_set(key, text, base);
	if (result != VALUE_OK)
		refuse(l, key, line, text, result);
}

static void on_empty(void *ctx, const struct config_key *key)
{
	struct loader *l = ctx;

	value_clear(key, &l->draft);
}

static bool service_name_ok(const char *name)
{
	for (const char *p = name; *p != '\0'; p++) {
		char c = ascii_lower(*p);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '_' && c != '-')
			return false;
	}
	return name[0] != '\0' && strlen(name) < CONFIG_NAME_MAX;
}

static bool service_exists(const struct config *c, const char *name)
{
	for (uint32_t i = 0; i < c->service_count; i++)
		if (strcmp(c->services[i].name, name) == 0)
			return true;
	return false;
}

/* What is wrong with one more service called @name, or NULL. */
static const char *service_problem(const struct loader *l, const char *name)
{
	if (!service_name_ok(name))
		return "want a name of at most 31 letters, digits, _ and -";
	if (service_exists(&l->draft, name))
		return "there is another one of this name";
	if (l->draft.service_count == CONFIG_SERVICES)
		return "want at most 8 services";
	return NULL;
}

/* The table has one default; a port that isn't given is the protocol's. */
static void set_port(struct loader *l)
{
	const struct config_key *port =
		config_key_find(CONFIG_SERVICE_SECTION, "port");

	if (!l->seen[config_key_index(port)])
		l->service.port = config_service_port(l->service.protocol);
}

static void on_service(void *ctx, unsigned int line, const char *name)
{
	struct loader *l = ctx;
	struct config *c = &l->draft;
	const char *problem = service_problem(l, name);
	char shown[CONFIG_ERROR_MAX];
	struct strbuf sb;

	set_port(l);
	if (problem == NULL) {
		str_copy(l->service.name, sizeof(l->service.name), name);
		c->services[c->service_count++] = l->service;
	} else {
		strbuf_init(&sb, shown, sizeof(shown));
		put_shown(&sb, name);
		config_error_add(l->errs, l->file, line, "service \"%s\": %s",
				 shown, problem);
	}
	for (size_t i = 0; i < config_key_count; i++)
		if (is_service_key(&config_keys[i]))
			l->seen[i] = false;
	config_set_service_defaults(&l->service, "");
}

static const struct syntax_ops ops = {
	.begin = on_begin,
	.value = on_value,
	.empty = on_empty,
	.service = on_service,
};

/*
 * Each protocol has a service. Those that the file doesn't have come in the
 * order of the protocols, so that a reload finds the same ones.
 */
static void add_services(struct config *c)
{
	for (unsigned int p = 0; p < PROTOCOL_COUNT; p++) {
		struct config_service *s = &c->services[c->service_count];

		if (c->service_count == CONFIG_SERVICES ||
		    config_service(c, p, MODE_TRANSPARENT) != NULL)
			continue;
		config_set_service_defaults(s, config_protocol_words[p].name);
		s->protocol = p;
		s->port = config_service_port(p);
		c->service_count++;
	}
}

static int load(struct loader *l, const char *text, char *clean)
{
	int ret;

	if (!config_text_clean(l->file, text, clean, l->errs))
		return -EINVAL;
	ret = syntax_parse(l->file, clean, &ops, l, l->errs);
	if (ret != 0)
		return ret;
	add_services(&l->draft);
	config_check(&l->draft, &l->source, l->errs);
	if (l->errs->count > 0)
		return -EINVAL;
	l->draft.generation = 1;
	str_copy(l->draft.file, sizeof(l->draft.file), l->file);
	config_set_default_pages(&l->draft);
	return 0;
}

int config_load_text(const char *name, const char *text, struct config *out,
		     struct config_errors *errs)
{
	size_t len = strnlen(text, CONFIG_TEXT_MAX + 1);
	struct loader *l;
	char *clean;
	int ret = -ENOMEM;

	config_errors_init(errs);
	if (len > CONFIG_TEXT_MAX) {
		config_error_add(errs, name, 1,
				 "too large: want at most %u bytes",
				 CONFIG_TEXT_MAX);
		return -EINVAL;
	}
	l = calloc(1, sizeof(*l));
	clean = malloc(len + 1);
	if (l != NULL && clean != NULL) {
		l->file = name;
		l->errs = errs;
		ret = load(l, text, clean);
		if (ret == 0)
			memcpy(out, &l->draft, sizeof(*out));
	}
	if (ret == -ENOMEM)
		config_error_add(errs, name, 0, "out of memory");
	free(clean);
	free(l);
	return ret;
}
