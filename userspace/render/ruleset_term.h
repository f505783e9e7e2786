/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How rules are written down, for those who make them. Pure. */
#ifndef SLUICE_RENDER_RULESET_TERM_H
#define SLUICE_RENDER_RULESET_TERM_H

#include <string.h>

#include "render/marks.h"
#include "render/ruleset.h"

static inline struct ruleset_term plain(enum ruleset_term_kind kind)
{
	return (struct ruleset_term){.kind = kind};
}

static inline struct ruleset_term in_set(enum ruleset_term_kind kind,
					 enum ruleset_set_id set)
{
	return (struct ruleset_term){.kind = kind, .set = set};
}

static inline struct ruleset_term with(enum ruleset_term_kind kind,
				       uint32_t value)
{
	return (struct ruleset_term){.kind = kind, .value = value};
}

static inline struct ruleset_term inverted(struct ruleset_term t)
{
	t.negate = true;
	return t;
}

static inline struct ruleset_term jump(const char *chain)
{
	return (struct ruleset_term){.kind = TERM_JUMP, .chain = chain};
}

/* A socket whose mark has @value of the bits of @mask. */
static inline struct ruleset_term marked(uint32_t mask, uint32_t value)
{
	return (struct ruleset_term){
		.kind = TERM_SOCKET_MARK, .mask = mask, .value = value};
}

/* Where conntrack has no label to keep, it needn't see the client's leg. */
static inline struct ruleset_term apart(const struct ruleset *rs)
{
	return rs->labels ? with(TERM_ZONE, ZONE_CLIENT) : plain(TERM_NOTRACK);
}

/* What holds for every packet that goes to a socket of the client's leg. */
#define TAKE_CLIENT(rs)                                                  \
	apart(rs), with(TERM_SET_BIT, MARK_DIVERT), plain(TERM_COUNTER), \
		plain(TERM_ACCEPT)
/* ... and of the upstream leg. */
#define TAKE_UPSTREAM \
	with(TERM_SET_BIT, MARK_DIVERT), plain(TERM_COUNTER), plain(TERM_ACCEPT)

/* The next rule of @chain; there must be room. @name outlives the model. */
static inline void ruleset_rule_add(struct ruleset_chain *chain,
				    const char *name,
				    const struct ruleset_term *terms,
				    uint32_t count)
{
	struct ruleset_rule *rule = &chain->rules[chain->count++];

	rule->name = name;
	rule->count = count;
	memcpy(rule->terms, terms, count * sizeof(*terms));
}
#define TERMS(...) ((const struct ruleset_term[]){__VA_ARGS__})
/* One rule: chain, name, then its terms. */
#define RULE(chain, name, ...)                                \
	ruleset_rule_add((chain), (name), TERMS(__VA_ARGS__), \
			 sizeof(TERMS(__VA_ARGS__)) /         \
				 sizeof(struct ruleset_term))

/* The next chain; there must be room. */
static inline struct ruleset_chain *chain_add(struct ruleset *rs,
					      const char *name,
					      enum ruleset_hook hook,
					      enum ruleset_priority priority)
{
	struct ruleset_chain *chain = &rs->chains[rs->chain_count++];

	chain->name = name;
	chain->hook = hook;
	chain->priority = priority;
	chain->count = 0;
	return chain;
}

#endif
