// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/nft_diff.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h> /* before the kernel's in.h */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>

#include "base/str.h"
#include "render/ruleset.h"
#include "sys/nft_diff_set.h"
#include "sys/nft_dump.h"
#include "sys/nft_object.h"

#define LINE_MAX_BYTES 640
#define EXPR_TEXT      256
/* Rules of one chain that are looked at; more are foreign, and said to be. */
#define CHAIN_RULES    256

/* One comparison; @err sticks. */
struct diff {
	const struct nft_dump *dump;
	const struct ruleset *rs;
	nft_diff_fn fn;
	void *arg;
	int lines;
	int err;
};

__attribute__((format(printf, 2, 3))) static void say(struct diff *d,
						      const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	d->fn(line, d->arg);
	d->lines++;
}

/* A kernel chain's rules, in order. */
struct chain_rules {
	struct nftnl_rule *list[CHAIN_RULES];
	bool known[CHAIN_RULES];
	unsigned int count;
	unsigned int beyond;
	const char *chain;
};

static int collect(struct nftnl_rule *r, void *arg)
{
	struct chain_rules *rules = arg;
	const char *chain = nftnl_rule_get_str(r, NFTNL_RULE_CHAIN);

	if (chain == NULL || strcmp(chain, rules->chain) != 0)
		return 0;
	if (rules->count < CHAIN_RULES)
		rules->list[rules->count++] = r;
	else
		rules->beyond++;
	return 0;
}

/* libnftnl names a target of x_tables and leaves out what it is told. */
static void target_text(const struct nftnl_expr *e, char *dst, size_t size)
{
	uint32_t len = 0;
	const uint8_t *info = nftnl_expr_get(e, NFTNL_EXPR_TG_INFO, &len);
	struct strbuf sb;

	strbuf_init(&sb, dst, size);
	strbuf_printf(&sb, "target %s",
		      nftnl_expr_get_str(e, NFTNL_EXPR_TG_NAME));
	for (uint32_t i = 0; info != NULL && i < len; i++)
		strbuf_printf(&sb, " %02x", info[i]);
}

/* An instruction as libnftnl writes it; of a counter only that it is one. */
static const char *expr_text(const struct nftnl_expr *e, char *dst, size_t size)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);

	if (name != NULL && strcmp(name, "counter") == 0)
		snprintf(dst, size, "counter");
	else if (name != NULL && strcmp(name, "target") == 0)
		target_text(e, dst, size);
	else if (nftnl_expr_snprintf(dst, size, e, NFTNL_OUTPUT_DEFAULT, 0) < 0)
		snprintf(dst, size, "?");
	return dst;
}

/* Say where rule @name first differs, if it does. */
static void exprs_differ(struct diff *d, const char *name,
			 struct nftnl_expr_iter *have,
			 struct nftnl_expr_iter *want)
{
	for (unsigned int n = 1;; n++) {
		char text[2][EXPR_TEXT] = {"nothing", "nothing"};
		struct nftnl_expr *h = nftnl_expr_iter_next(have);
		struct nftnl_expr *w = nftnl_expr_iter_next(want);

		if (h == NULL && w == NULL)
			return;
		if (h != NULL)
			expr_text(h, text[0], sizeof(text[0]));
		if (w != NULL)
			expr_text(w, text[1], sizeof(text[1]));
		if (h != NULL && w != NULL && strcmp(text[0], text[1]) == 0)
			continue;
		say(d, "rule %s: changed: instruction %u is \"%s\", not \"%s\"",
		    name, n, text[0], text[1]);
		return;
	}
}

static void compare_rule(struct diff *d, const struct ruleset_chain *chain,
			 const struct ruleset_rule *rule,
			 const struct nftnl_rule *have)
{
	struct nftnl_rule *want = nft_object_rule(d->rs, chain, rule);
	struct nftnl_expr_iter *h = nftnl_expr_iter_create(have);
	struct nftnl_expr_iter *w = NULL;

	if (want != NULL)
		w = nftnl_expr_iter_create(want);
	if (h == NULL || w == NULL)
		d->err = -ENOMEM;
	else
		exprs_differ(d, rule->name, h, w);
	if (h != NULL)
		nftnl_expr_iter_destroy(h);
	if (w != NULL)
		nftnl_expr_iter_destroy(w);
	if (want != NULL)
		nftnl_rule_free(want);
}

/* Where the kernel has rule @name, or -1. */
static int find_rule(struct chain_rules *rules, const char *name)
{
	char comment[RULESET_NAME_MAX];

	for (unsigned int i = 0; i < rules->count; i++) {
		nft_dump_comment(rules->list[i], comment, sizeof(comment));
		if (!rules->known[i] && strcmp(comment, name) == 0)
			return (int)i;
	}
	return -1;
}

static void say_foreign(struct diff *d, const struct chain_rules *rules)
{
	char comment[64];

	for (unsigned int i = 0; i < rules->count; i++) {
		if (rules->known[i])
			continue;
		nft_dump_comment(rules->list[i], comment, sizeof(comment));
		say(d, "chain %s: foreign rule, handle %" PRIu64 "%s%s%s",
		    rules->chain,
		    nftnl_rule_get_u64(rules->list[i], NFTNL_RULE_HANDLE),
		    comment[0] != '\0' ? ", comment \"" : "", comment,
		    comment[0] != '\0' ? "\"" : "");
	}
	if (rules->beyond > 0)
		say(d, "chain %s: %u more foreign rules", rules->chain,
		    rules->beyond);
}

static void diff_rules(struct diff *d, const struct ruleset_chain *chain)
{
	struct chain_rules rules = {.chain = chain->name};
	int last = -1;

	nftnl_rule_list_foreach(d->dump->rules, collect, &rules);
	for (uint32_t i = 0; i < chain->count; i++) {
		const struct ruleset_rule *rule = &chain->rules[i];
		int at = find_rule(&rules, rule->name);

		if (at == -1) {
			say(d, "rule %s: missing", rule->name);
			continue;
		}
		rules.known[at] = true;
		if (at < last)
			say(d, "rule %s: out of order", rule->name);
		else
			last = at;
		compare_rule(d, chain, rule, rules.list[at]);
	}
	say_foreign(d, &rules);
}

static bool same_str(const char *a, const char *b)
{
	return (a == NULL && b == NULL) ||
	       (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_base(const struct nftnl_chain *a, const struct nftnl_chain *b)
{
	static const uint16_t attrs[] = {NFTNL_CHAIN_HOOKNUM, NFTNL_CHAIN_PRIO,
					 NFTNL_CHAIN_POLICY};
	bool base = nftnl_chain_is_set(a, NFTNL_CHAIN_HOOKNUM);

	if (base != nftnl_chain_is_set(b, NFTNL_CHAIN_HOOKNUM))
		return false;
	if (!base)
		return true;
	for (size_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		if (nftnl_chain_get_u32(a, attrs[i]) !=
		    nftnl_chain_get_u32(b, attrs[i]))
			return false;
	}
	return same_str(nftnl_chain_get_str(a, NFTNL_CHAIN_TYPE),
			nftnl_chain_get_str(b, NFTNL_CHAIN_TYPE));
}

static void diff_chain(struct diff *d, const struct ruleset_chain *chain)
{
	struct nftnl_chain *have =
		nftnl_chain_list_lookup_byname(d->dump->chains, chain->name);
	struct nftnl_chain *want;

	if (have == NULL) {
		say(d, "chain %s: missing", chain->name);
		return;
	}
	want = nft_object_chain(chain);
	if (want == NULL) {
		d->err = -ENOMEM;
		return;
	}
	if (!same_base(have, want))
		say(d, "chain %s: changed: hook, priority or policy",
		    chain->name);
	nftnl_chain_free(want);
	diff_rules(d, chain);
}

static int foreign_chain(struct nftnl_chain *c, void *arg)
{
	struct diff *d = arg;
	const char *name = nftnl_chain_get_str(c, NFTNL_CHAIN_NAME);

	for (uint32_t i = 0; i < d->rs->chain_count; i++) {
		if (same_str(name, d->rs->chains[i].name))
			return 0;
	}
	say(d, "chain %s: foreign", name);
	return 0;
}

static int foreign_set(struct nftnl_set *s, void *arg)
{
	struct diff *d = arg;
	const char *name = nftnl_set_get_str(s, NFTNL_SET_NAME);

	for (uint32_t i = 0; i < d->rs->set_count; i++) {
		if (same_str(name, d->rs->sets[i].name))
			return 0;
	}
	say(d, "set %s: foreign", name);
	return 0;
}

/* nft_diff_set() speaks of one set; here its name goes in front. */
struct set_lines {
	struct diff *d;
	const char *name;
};

static void set_line(const char *line, void *arg)
{
	struct set_lines *l = arg;

	say(l->d, "set %s: %s", l->name, line);
}

static void diff_set(struct diff *d, const struct ruleset_set *set)
{
	struct set_lines lines = {d, set->name};
	struct nftnl_set *have =
		nftnl_set_list_lookup_byname(d->dump->sets, set->name);

	if (have == NULL)
		set_line("missing", &lines);
	else if (nft_diff_set(have, set, set_line, &lines) < 0)
		d->err = -ENOMEM;
}

int nft_diff_dump(const struct nft_dump *dump, const struct ruleset *rs,
		  nft_diff_fn fn, void *arg)
{
	struct diff d = {.dump = dump, .rs = rs, .fn = fn, .arg = arg};

	for (uint32_t i = 0; i < rs->set_count; i++)
		if (ruleset_set_exists(&rs->sets[i]))
			diff_set(&d, &rs->sets[i]);
	nftnl_set_list_foreach(dump->sets, foreign_set, &d);
	for (uint32_t i = 0; i < rs->chain_count; i++)
		diff_chain(&d, &rs->chains[i]);
	nftnl_chain_list_foreach(dump->chains, foreign_chain, &d);
	return d.err != 0 ? d.err : d.lines;
}
