// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libConfuse does the syntax, as for sluice.conf (conf/syntax.c), but of one
 * kind of section: each value comes by a callback, while its line is known; at
 * the end of a section it is looked at as a whole. The first thing that
 * libConfuse itself can't read ends it.
 */
#include "conf/policy.h"

#include <confuse.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "conf/load.h"
#include "conf/policy_keys.h"
#include "conf/text.h"
#include "conf/value.h"
#include "policy/app.h"

#define SHOWN  60 /* bytes of a value in a message */
/* As in conf/grammar.c: a name that no file can have, to find the reader by. */
#define FILLER "\n"

#define BIT(key) (1U << (key))

struct reader {
	const char *file;
	struct config_errors *errs;
	cfg_t *cfg;
	bool stop;
	struct app_policy draft;
	uint16_t meters;
	/* the section being read */
	struct app_rule rule;
	unsigned int line[POLICY_KEYS]; /* 0: not given */
	bool bad;			/* something was said of it already */
};

/* What leads from libConfuse's option back to the reader; see conf/grammar.h. */
struct binding {
	char *text;
	struct reader *reader;
	size_t key;
};

#define BINDINGS (POLICY_KEYS + 2) /* and a filler in each of two lists */

static struct binding *binding_of(const cfg_opt_t *opt)
{
	return (struct binding *)(void *)opt->simple_value.string;
}

static struct reader *reader_of(const cfg_t *cfg)
{
	const cfg_opt_t *opt = cfg->opts;

	while (opt->simple_value.string == NULL)
		opt++;
	return binding_of(opt)->reader;
}

static void put_shown(struct strbuf *sb, const char *text)
{
	strbuf_printable(sb, (struct str){text, strnlen(text, SHOWN)});
}

/* --- values ---------------------------------------------------------------------- */

static void refuse_value(struct reader *r, const struct config_key *key,
			 unsigned int line, const char *text)
{
	char message[CONFIG_ERROR_MAX];
	struct strbuf sb;

	strbuf_init(&sb, message, sizeof(message));
	strbuf_printf(&sb, POLICY_SECTION ".%s = ", key->name);
	put_shown(&sb, text[0] != '\0' ? text : "\"\"");
	strbuf_puts(&sb, ": want ");
	value_allowed(key, &sb);
	config_error_add(r->errs, r->file, line, "%s", message);
	r->bad = true;
}

static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	const struct binding *b = binding_of(opt);
	struct reader *r = b->reader;
	const struct config_key *key = &policy_keys[b->key];
	unsigned int line = (unsigned int)cfg->line;

	if (r->line[b->key] != 0) {
		config_error_add(r->errs, r->file, line,
				 POLICY_SECTION
				 ".%s: given a second time; the first "
				 "is on line %u",
				 key->name, r->line[b->key]);
		r->bad = true;
	} else if (value_set(key, value, &r->rule) != VALUE_OK) {
		refuse_value(r, key, line, value);
	}
	r->line[b->key] = line;
	*(const char **)result = value;
	return 0;
}

/* --- sections -------------------------------------------------------------------- */

/* Keys that each action takes, and those of them that it can't do without. */
static void keys_of(const struct app_rule *rule, unsigned int *takes,
		    unsigned int *needs)
{
	*takes = BIT(POLICY_ACTION);
	*needs = BIT(POLICY_ACTION);
	if (rule->action == APP_LIMIT) {
		*takes |= BIT(POLICY_RATE) | BIT(POLICY_PER);
		*needs |= BIT(POLICY_RATE);
	} else if (rule->action == APP_QUOTA) {
		*takes |= BIT(POLICY_AMOUNT) | BIT(POLICY_PERIOD) |
			  BIT(POLICY_THEN);
		*needs |= BIT(POLICY_AMOUNT) | BIT(POLICY_PERIOD);
		if (rule->then == APP_THEN_LIMIT) {
			*takes |= BIT(POLICY_RATE);
			*needs |= BIT(POLICY_RATE);
		}
	}
}

__attribute__((format(printf, 4, 5))) static void
refuse_section(struct reader *r, unsigned int line, const char *name,
	       const char *format, ...)
{
	char message[CONFIG_ERROR_MAX];
	struct strbuf sb;
	va_list ap;

	strbuf_init(&sb, message, sizeof(message));
	strbuf_puts(&sb, POLICY_SECTION " \"");
	put_shown(&sb, name);
	strbuf_puts(&sb, "\": ");
	va_start(ap, format);
	strbuf_vprintf(&sb, format, ap);
	va_end(ap);
	config_error_add(r->errs, r->file, line, "%s", message);
	r->bad = true;
}

static void refuse_missing(struct reader *r, unsigned int line,
			   const char *name, const struct config_key *key)
{
	char allowed[256];
	struct strbuf sb;

	strbuf_init(&sb, allowed, sizeof(allowed));
	value_allowed(key, &sb);
	refuse_section(r, line, name, "%s is missing: want %s", key->name,
		       allowed);
}

static void check_keys(struct reader *r, unsigned int line, const char *name)
{
	unsigned int takes, needs;

	/* Without an action, nobody knows what the others are for. */
	if (r->line[POLICY_ACTION] == 0) {
		refuse_missing(r, line, name, &policy_keys[POLICY_ACTION]);
		return;
	}
	keys_of(&r->rule, &takes, &needs);
	for (size_t k = 0; k < POLICY_KEYS; k++) {
		if (r->line[k] != 0 && (takes & BIT(k)) == 0)
			refuse_section(r, r->line[k], name,
				       "%s has no meaning here: remove it, or "
				       "change action%s",
				       policy_keys[k].name,
				       r->rule.action == APP_QUOTA ? " or then"
								   : "");
		else if (r->line[k] == 0 && (needs & BIT(k)) != 0)
			refuse_missing(r, line, name, &policy_keys[k]);
	}
}

static void check_subject(struct reader *r, unsigned int line, const char *name)
{
	if (!app_subject_parse(str_of(name), &r->rule.subject))
		refuse_section(r, line, name,
			       "there is no such application: want a name or "
			       "group:NAME of sluice-apps(7)");
	else if (r->rule.subject == APP_GATEWAY)
		refuse_section(r, line, name,
			       "traffic of the gateway itself is not subject "
			       "to policy: want another application");
}

static bool is_metered(const struct app_rule *rule)
{
	return rule->action == APP_LIMIT || rule->action == APP_QUOTA;
}

static void check_room(struct reader *r, unsigned int line, const char *name)
{
	if (r->draft.count == APP_RULES)
		refuse_section(r, line, name, "want at most %d sections",
			       APP_RULES);
	else if (is_metered(&r->rule) && r->meters == APP_METERS)
		refuse_section(r, line, name,
			       "want at most %d limits and quotas", APP_METERS);
}

static int on_section_end(cfg_t *cfg, cfg_opt_t *opt)
{
	struct reader *r = reader_of(cfg);
	const char *name =
		cfg_title(cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1));
	unsigned int line = (unsigned int)cfg->line;

	check_subject(r, line, name);
	if (!r->bad) /* else half of what is said would follow from it */
		check_keys(r, line, name);
	check_room(r, line, name);
	if (!r->bad) {
		if (is_metered(&r->rule))
			r->rule.meter = ++r->meters;
		r->draft.rules[r->draft.count++] = r->rule;
	}
	memset(&r->rule, 0, sizeof(r->rule));
	memset(r->line, 0, sizeof(r->line));
	r->bad = false;
	return 0;
}

/* --- syntax ---------------------------------------------------------------------- */

static void put_what_to_do(const struct reader *r, const cfg_t *cfg,
			   struct strbuf *sb)
{
	if (cfg == r->cfg) {
		strbuf_puts(sb, "want sections " POLICY_SECTION
				" \"NAME\" { ... }, each NAME once");
		return;
	}
	strbuf_puts(sb, "want KEY = VALUE, the keys ");
	for (size_t k = 0; k < POLICY_KEYS; k++)
		strbuf_printf(sb, "%s%s", policy_keys[k].name,
			      k + 2 < POLICY_KEYS    ? ", "
			      : k + 1 == POLICY_KEYS ? ""
						     : " and ");
}

static void on_error(cfg_t *cfg, const char *format, va_list ap)
{
	struct reader *r = reader_of(cfg);
	char said[CONFIG_ERROR_MAX], text[CONFIG_ERROR_MAX];
	struct strbuf sb;

	strbuf_init(&sb, said, sizeof(said));
	strbuf_vprintf(&sb, format, ap);
	strbuf_init(&sb, text, sizeof(text));
	strbuf_printable(&sb, (struct str){said, strnlen(said, 3 * SHOWN)});
	strbuf_puts(&sb, ": ");
	put_what_to_do(r, cfg, &sb);
	config_error_add(r->errs, r->file, (unsigned int)cfg->line,
			 "%s; the rest of the file was not checked", text);
	r->stop = true;
}

static cfg_opt_t option(const char *name, struct binding *b)
{
	cfg_opt_t opt = CFG_STR_CB(name, NULL, CFGF_NONE, on_value);

	opt.simple_value.string = &b->text;
	return opt;
}

static int parse(struct reader *r, const char *clean)
{
	struct binding bindings[BINDINGS] = {{0}};
	cfg_opt_t keys[POLICY_KEYS + 2] = {{0}};
	cfg_opt_t top[] = {
		CFG_SEC(POLICY_SECTION, keys,
			CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
		option(FILLER, &bindings[POLICY_KEYS]),
		CFG_END(),
	};
	int ret = 0;

	for (size_t k = 0; k < BINDINGS; k++) {
		bindings[k].reader = r;
		bindings[k].key = k < POLICY_KEYS ? k : 0;
	}
	for (size_t k = 0; k < POLICY_KEYS; k++)
		keys[k] = option(policy_keys[k].name, &bindings[k]);
	keys[POLICY_KEYS] = option(FILLER, &bindings[POLICY_KEYS + 1]);
	keys[POLICY_KEYS + 1] = (cfg_opt_t)CFG_END();
	top[0].validcb = on_section_end;
	r->cfg = cfg_init(top, CFGF_NONE);
	if (r->cfg == NULL)
		return -ENOMEM;
	cfg_set_error_function(r->cfg, on_error);
	if (cfg_parse_buf(r->cfg, clean) != CFG_SUCCESS && !r->stop)
		config_error_add(r->errs, r->file, (unsigned int)r->cfg->line,
				 "syntax error");
	if (r->errs->count > 0)
		ret = -EINVAL;
	cfg_free(r->cfg);
	for (size_t k = 0; k < BINDINGS; k++)
		free(bindings[k].text);
	return ret;
}

int config_load_policy(const char *name, const char *text,
		       struct app_policy *out, struct config_errors *errs)
{
	size_t len = strnlen(text, CONFIG_TEXT_MAX + 1);
	struct reader *r = calloc(1, sizeof(*r));
	char *clean = malloc(len + 1);
	int ret = -EINVAL;

	if (r == NULL || clean == NULL) {
		config_error_add(errs, name, 0, "out of memory");
		ret = -ENOMEM;
	} else if (len > CONFIG_TEXT_MAX) {
		config_error_add(errs, name, 1,
				 "too large: want at most %u bytes",
				 CONFIG_TEXT_MAX);
	} else if (config_text_clean(name, text, clean, errs)) {
		r->file = name;
		r->errs = errs;
		ret = parse(r, clean);
		if (ret == 0)
			*out = r->draft;
	}
	free(clean);
	free(r);
	return ret;
}
