// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libConfuse stops at the first error and forgets the line of a value. So
 * every key is a string whose callback passes it on at once, while the line is
 * known, and never fails; and after a name that nobody knows, at which
 * libConfuse has to stop, the name joins the grammar and the text is parsed
 * again from its start. Each such pass adds a name or says more about one, so
 * there are at most three for each of GRAMMAR_UNKNOWNS.
 */
#include "conf/syntax.h"

#include <confuse.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "conf/grammar.h"
#include "conf/value.h"

struct syntax {
	const char *file;
	const struct syntax_ops *ops;
	void *ctx;
	struct config_errors *errs;
	cfg_t *cfg;
	bool again; /* stopped at a name that is expected from now on */
	bool stop;  /* stopped for good */
	struct grammar grammar;
};

static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	const struct binding *b = binding_of(opt);
	const struct syntax *s = b->owner;
	/* Set by an equal sign; cleared here, so that {} leaves it set. */
	bool first = (opt->flags & CFGF_RESET) != 0;

	opt->flags &= ~CFGF_RESET;
	if (b->key != NULL)
		s->ops->value(s->ctx, b->key, (unsigned int)cfg->line, value,
			      first);
	*(const char **)result = value;
	return 0;
}

static int on_section_end(cfg_t *cfg, cfg_opt_t *opt)
{
	struct syntax *s = grammar_owner(cfg);
	cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);

	if (cfg == s->cfg && strcmp(opt->name, CONFIG_SERVICE_SECTION) == 0)
		s->ops->service(s->ctx, (unsigned int)cfg->line,
				cfg_title(section));
	return 0;
}

static const char *section_name(const struct syntax *s, const cfg_t *cfg)
{
	return cfg == s->cfg ? "" : cfg->name;
}

static void stop_at(struct syntax *s, const cfg_t *cfg, const char *text)
{
	s->stop = true;
	config_error_add(s->errs, s->file, (unsigned int)cfg->line,
			 "%s; the rest of the file was not checked", text);
}

/* The same with @before and @after around a @token from the file. */
static void stop_at_token(struct syntax *s, const cfg_t *cfg,
			  const char *before, const char *token,
			  const char *after)
{
	char text[CONFIG_ERROR_MAX];
	struct strbuf sb;

	strbuf_init(&sb, text, sizeof(text));
	strbuf_puts(&sb, before);
	strbuf_printable(&sb,
			 (struct str){token, strnlen(token, GRAMMAR_NAME_MAX)});
	strbuf_puts(&sb, after);
	stop_at(s, cfg, text);
}

/*
 * A name that can't be passed over: one too many, or a section in an unknown
 * section, which shows as a name that is expected already, or as a known one.
 */
static bool is_hopeless(struct syntax *s, const char *section, const char *name)
{
	return config_key_find(section, name) != NULL ||
	       grammar_unknown_find(&s->grammar, section, name) != NULL;
}

static void no_such_option(struct syntax *s, const cfg_t *cfg, const char *name)
{
	const char *section = section_name(s, cfg);
	char text[CONFIG_ERROR_MAX];
	struct strbuf sb;

	if (!is_hopeless(s, section, name) &&
	    grammar_unknown_add(&s->grammar, section, name,
				(unsigned int)cfg->line)) {
		s->again = true;
		return;
	}
	strbuf_init(&sb, text, sizeof(text));
	unknown_describe(section, name, UNKNOWN_VALUE, &sb);
	stop_at(s, cfg, text);
}

/* The unknown @name did not have the form @tried: try @next in a new pass. */
static bool try_form(struct syntax *s, const cfg_t *cfg, const char *name,
		     enum unknown_form tried, enum unknown_form next)
{
	struct unknown *u =
		grammar_unknown_find(&s->grammar, section_name(s, cfg), name);

	if (u == NULL || u->form != tried)
		return false;
	u->form = next;
	s->again = true;
	return true;
}

static void no_equal_sign(struct syntax *s, const cfg_t *cfg, const char *name)
{
	if (!try_form(s, cfg, name, UNKNOWN_VALUE, UNKNOWN_SECTION))
		stop_at_token(s, cfg, "", name,
			      ": want = and a value after the key");
}

static void no_opening_brace(struct syntax *s, const cfg_t *cfg,
			     const char *name)
{
	if (!try_form(s, cfg, name, UNKNOWN_SECTION, UNKNOWN_NAMED))
		stop_at_token(s, cfg, "", name,
			      " is a section: want its keys between { and }");
}

static void no_title(struct syntax *s, const cfg_t *cfg, const char *name)
{
	stop_at_token(s, cfg, "", name, ": want a name in quotes before the {");
}

static void unexpected(struct syntax *s, const cfg_t *cfg, const char *token)
{
	stop_at_token(s, cfg, "unexpected '", token,
		      "': want KEY = VALUE, KEY = {VALUE, ...} or SECTION "
		      "{ ... }");
}

/* Messages of libConfuse that need more than to be passed on. */
static const struct {
	const char *format; /* has one %s, which @act gets */
	void (*act)(struct syntax *s, const cfg_t *cfg, const char *arg);
} messages[] = {
	{"no such option '%s'", no_such_option},
	{"missing equal sign after option '%s'", no_equal_sign},
	{"missing opening brace for section '%s'", no_opening_brace},
	{"missing title for section '%s'", no_title},
	{"unexpected token '%s'", unexpected},
};

static void on_error(cfg_t *cfg, const char *format, va_list ap)
{
	struct syntax *s = grammar_owner(cfg);
	char text[CONFIG_ERROR_MAX];
	struct strbuf sb;

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		if (strcmp(messages[i].format, format) == 0) {
			messages[i].act(s, cfg, va_arg(ap, const char *));
			return;
		}
	}
	strbuf_init(&sb, text, sizeof(text));
	strbuf_vprintf(&sb, format, ap);
	stop_at_token(s, cfg, "", text, "");
}

/* {} calls nothing back, but leaves the flag that an equal sign sets. */
static void report_empty_lists(struct syntax *s)
{
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		cfg_t *section = s->cfg;

		if (!value_is_list(key))
			continue;
		if (key->section[0] != '\0')
			section = cfg_getsec(s->cfg, key->section);
		if (cfg_getopt(section, key->name)->flags & CFGF_RESET)
			s->ops->empty(s->ctx, key);
	}
}

/* 0, -EINVAL with @again or @stop set, or -ENOMEM. */
static int run_pass(struct syntax *s, const char *text)
{
	int ret = 0;

	s->again = false;
	s->stop = false;
	config_errors_init(s->errs);
	s->ops->begin(s->ctx);
	s->cfg = cfg_init(grammar_build(&s->grammar), CFGF_NONE);
	if (s->cfg == NULL)
		return -ENOMEM;
	cfg_set_error_function(s->cfg, on_error);
	if (cfg_parse_buf(s->cfg, text) == CFG_SUCCESS) {
		report_empty_lists(s);
	} else {
		ret = -EINVAL;
		if (!s->again && !s->stop)
			stop_at(s, s->cfg, "syntax error");
	}
	cfg_free(s->cfg);
	grammar_clear(&s->grammar);
	return ret;
}

/* What is in an unknown section is not worth a line of its own. */
static void report_unknown(struct syntax *s)
{
	for (unsigned int i = 0; i < s->grammar.unknown_count; i++) {
		const struct unknown *u = &s->grammar.unknowns[i];
		char text[CONFIG_ERROR_MAX];
		struct strbuf sb;

		if (u->section[0] != '\0' && !config_is_section(u->section))
			continue;
		strbuf_init(&sb, text, sizeof(text));
		unknown_describe(u->section, u->name, u->form, &sb);
		config_error_add(s->errs, s->file, u->line, "%s", text);
	}
}

int syntax_parse(const char *file, const char *text,
		 const struct syntax_ops *ops, void *ctx,
		 struct config_errors *errs)
{
	struct syntax *s = calloc(1, sizeof(*s));
	int ret;

	if (s == NULL)
		return -ENOMEM;
	s->file = file;
	s->ops = ops;
	s->ctx = ctx;
	s->errs = errs;
	s->grammar.owner = s;
	s->grammar.on_value = on_value;
	s->grammar.on_section_end = on_section_end;
	do {
		ret = run_pass(s, text);
	} while (ret == -EINVAL && s->again && !s->stop);
	report_unknown(s);
	free(s);
	return ret;
}
