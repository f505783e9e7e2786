// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A connection carries its label in its mark, so a rule acts on running
 * connections as well as on new ones, and goes on doing so when nobody is left
 * who labels: what has no label passes (open).
 *
 *	forwarded         police ---------> by_label --+--> forbid
 *	client's leg in   input ----------> by_label   +--> policy1, policy2...
 *	client's leg out  police_replies -> by_label
 *
 * The relay's own connections to origin servers have no label: what a client
 * asked for is measured once, on the client's side.
 *
 * Whatever no set is concerned with leaves by the first rule of chain by_label.
 */
#include "render/ruleset_policy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "conf/config.h"
#include "policy/app.h"
#include "render/marks.h"
#include "render/ruleset_term.h"

#define QUIC_PORT     443
/* A client that sends nothing for so long has a full bucket anyhow. */
#define METER_IDLE_S  60
/* Clients of a limit; those beyond it are not held to it: open. */
#define METER_CLIENTS 16384

enum way { UP, DOWN, WAYS };
enum family { V4, V6, FAMILIES };

/* What is named after a meter: it has to outlive the model. */
struct meter_names {
	const char *chain;
	const char *sets[METER_SETS];
	const char *client[FAMILIES][WAYS];
	const char *total[WAYS];
};

#define METER(n)                                                           \
	{                                                                  \
		"policy" #n, {"policy" #n "_labels", "policy" #n "_over4", \
			      "policy" #n "_over6",  "policy" #n "_up4",   \
			      "policy" #n "_up6",    "policy" #n "_down4", \
			      "policy" #n "_down6"},                       \
			{{"policy" #n "-up4", "policy" #n "-down4"},       \
			 {"policy" #n "-up6", "policy" #n "-down6"}},      \
		{                                                          \
			"policy" #n "-up", "policy" #n "-down"             \
		}                                                          \
	}

static const struct meter_names meters[] = {
	METER(1),  METER(2),  METER(3),	 METER(4),  METER(5),  METER(6),
	METER(7),  METER(8),  METER(9),	 METER(10), METER(11), METER(12),
	METER(13), METER(14), METER(15), METER(16),
};

_Static_assert(sizeof(meters) / sizeof(meters[0]) == APP_METERS,
	       "names for each meter");
_Static_assert((int)METER_SETS == RULESET_METER_SETS, "room for its sets");
_Static_assert(APP_METERS == RULESET_METERS, "room for all meters");

const char *ruleset_meter_set_name(unsigned int meter,
				   enum ruleset_meter_set set)
{
	return meters[meter - 1].sets[set];
}

/* --- sets ------------------------------------------------------------------------ */

static enum ruleset_set_id set_add(struct ruleset *rs, const char *name,
				   enum ruleset_set_type type)
{
	struct ruleset_set *set = &rs->sets[rs->set_count];

	ruleset_set_clear(set);
	set->name = name;
	set->type = type;
	return (enum ruleset_set_id)rs->set_count++;
}

static enum ruleset_set_id clients_add(struct ruleset *rs,
				       const struct meter_names *names,
				       enum ruleset_meter_set which,
				       bool bucket)
{
	bool v6 = which == METER_OVER6 || which == METER_UP6 ||
		  which == METER_DOWN6;
	enum ruleset_set_id id = set_add(rs, names->sets[which],
					 v6 ? SET_TYPE_HOST6 : SET_TYPE_HOST4);

	rs->sets[id].size = METER_CLIENTS;
	rs->sets[id].timeout = true;
	rs->sets[id].dynamic = bucket;
	rs->sets[id].idle_s = bucket ? METER_IDLE_S : 0;
	return id;
}

/* Labels of all applications whose rule @want says yes to. */
static enum ruleset_set_id
labels_add(struct ruleset *rs, const char *name, const struct app_policy *p,
	   bool (*want)(const struct app_rule *rule, unsigned int meter),
	   unsigned int meter)
{
	enum ruleset_set_id id = set_add(rs, name, SET_TYPE_LABEL);

	for (const struct app *a = app_next(NULL); a != NULL; a = app_next(a)) {
		const struct app_rule *rule = app_policy_rule(p, a->id);
		union ruleset_elem e = {.mark = (uint32_t)a->id << LABEL_SHIFT};

		/* All there are fit in; each comes once. */
		if (rule != NULL && want(rule, meter))
			(void)ruleset_set_add(&rs->sets[id], &e);
	}
	return id;
}

static bool is_any(const struct app_rule *rule, unsigned int meter)
{
	(void)meter;
	return rule->action != APP_ALLOW;
}

static bool is_block(const struct app_rule *rule, unsigned int meter)
{
	(void)meter;
	return rule->action == APP_BLOCK;
}

static bool is_meter(const struct app_rule *rule, unsigned int meter)
{
	return rule->meter == meter;
}

/* --- limits and quotas --------------------------------------------------------------- */

static struct ruleset_term lan(enum way way)
{
	return in_set(way == UP ? TERM_IIFNAME : TERM_OIFNAME, SET_LAN);
}

static struct ruleset_term over(enum way way, enum ruleset_set_id set)
{
	return in_set(way == UP ? TERM_SADDR : TERM_DADDR, set);
}

static struct ruleset_term bucket(enum way way, enum ruleset_set_id set,
				  uint64_t rate)
{
	struct ruleset_term t =
		in_set(way == UP ? TERM_METER_SADDR : TERM_METER_DADDR, set);

	t.rate = rate;
	return t;
}

/*
 * A bucket for everybody; it holds what may pass in a second. It drops, as a
 * narrow line does: TCP slows down.
 */
static void limit_total(struct ruleset_chain *c,
			const struct meter_names *names, uint64_t rate)
{
	struct ruleset_term limit = {.kind = TERM_LIMIT, .rate = rate};

	for (enum way w = UP; w < WAYS; w++)
		RULE(c, names->total[w], lan(w), limit, plain(TERM_COUNTER),
		     plain(TERM_DROP));
}

/* A full set makes no new bucket, and the rule doesn't match: open. */
static void limit_clients(struct ruleset *rs, struct ruleset_chain *c,
			  const struct meter_names *names, uint64_t rate)
{
	for (enum family f = V4; f < FAMILIES; f++) {
		for (enum way w = UP; w < WAYS; w++) {
			enum ruleset_set_id set = clients_add(
				rs, names, METER_UP4 + 2 * (unsigned int)w + f,
				true);

			RULE(c, names->client[f][w], lan(w),
			     bucket(w, set, rate), plain(TERM_COUNTER),
			     plain(TERM_DROP));
		}
	}
}

/* Who is in the sets, the app role knows (roles/app/quota.h). */
static void quota(struct ruleset *rs, struct ruleset_chain *c,
		  const struct meter_names *names, const struct app_rule *rule)
{
	for (enum family f = V4; f < FAMILIES; f++) {
		enum ruleset_set_id who =
			clients_add(rs, names, METER_OVER4 + f, false);

		for (enum way w = UP; w < WAYS; w++) {
			enum ruleset_set_id set;

			if (rule->then == APP_THEN_BLOCK) {
				RULE(c, names->client[f][w], lan(w),
				     over(w, who), jump("forbid"));
				continue;
			}
			set = clients_add(rs, names,
					  METER_UP4 + 2 * (unsigned int)w + f,
					  true);
			RULE(c, names->client[f][w], lan(w), over(w, who),
			     bucket(w, set, rule->rate), plain(TERM_COUNTER),
			     plain(TERM_DROP));
		}
	}
}

static void add_meter(struct ruleset *rs, struct ruleset_chain *policy,
		      const struct app_policy *p, const struct app_rule *rule)
{
	const struct meter_names *names = &meters[rule->meter - 1];
	enum ruleset_set_id labels = labels_add(rs, names->sets[METER_LABELS],
						p, is_meter, rule->meter);
	struct ruleset_chain *c = chain_add(rs, names->chain, HOOK_NONE, 0);

	RULE(policy, names->chain, in_set(TERM_LABEL_IN, labels),
	     jump(names->chain));
	if (rule->action == APP_QUOTA)
		quota(rs, c, names, rule);
	else if (rule->per == APP_PER_TOTAL)
		limit_total(c, names, rule->rate);
	else
		limit_clients(rs, c, names, rule->rate);
}

/* --- the whole ------------------------------------------------------------------------ */

static bool has(const struct app_policy *p, bool metered)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (metered ? p->rules[i].meter != 0
			    : p->rules[i].action == APP_BLOCK)
			return true;
	return false;
}

/*
 * Closed: what comes here is refused, and both ends of the connection learn of
 * it, with their next packet or at once, whichever of them it is that sends.
 *
 * forbid-reply: what a relay sends. A reset would go to the origin server, whom
 * it doesn't concern; the client's next packet ends the connection.
 *
 * forbid-ended: an end that was told answers further packets of the other with
 * a reset, by which that one learns of it. A reset isn't answered with another.
 *
 * forbid-tell: data becomes a reset for whom it is to, once for a connection.
 * Its sender waits for an acknowledgement, so it sends again, and is told by
 * forbid-tcp. What carries no data would not be sent again: it is answered.
 */
static void add_forbid(struct ruleset *rs)
{
	struct ruleset_chain *c = chain_add(rs, "forbid", HOOK_NONE, 0);

	RULE(c, "forbid-reply", with(TERM_PACKET_MARK, MARK_CLIENT),
	     plain(TERM_ACCEPT));
	RULE(c, "forbid-ended", plain(TERM_TCP_RST), plain(TERM_ACCEPT));
	RULE(c, "forbid-tell", with(TERM_TCP_FLAGS, TH_ACK),
	     plain(TERM_PAYLOAD), inverted(with(TERM_CT_BITS, LABEL_TOLD)),
	     with(TERM_CT_SET_BIT, LABEL_TOLD), plain(TERM_MAKE_RST),
	     plain(TERM_COUNTER), plain(TERM_ACCEPT));
	RULE(c, "forbid-tcp", with(TERM_L4PROTO_IS, IPPROTO_TCP),
	     plain(TERM_COUNTER), plain(TERM_RESET));
	RULE(c, "forbid", plain(TERM_COUNTER), plain(TERM_PROHIBITED));
}

static void add_labelled(struct ruleset *rs, const struct app_policy *p)
{
	struct ruleset_chain *c = chain_add(rs, "by_label", HOOK_NONE, 0);
	bool metered = has(p, true);
	enum ruleset_set_id set;

	if (metered) {
		set = labels_add(rs, "policy_labels", p, is_any, 0);
		RULE(c, "policy-none", inverted(in_set(TERM_LABEL_IN, set)),
		     plain(TERM_RETURN));
	}
	if (has(p, false)) {
		set = labels_add(rs, "policy_blocked", p, is_block, 0);
		RULE(c, "policy-blocked", in_set(TERM_LABEL_IN, set),
		     jump("forbid"));
	}
	for (uint32_t i = 0; i < p->count; i++)
		if (p->rules[i].meter != 0)
			add_meter(rs, c, p, &p->rules[i]);
	add_forbid(rs);
}

static bool by_label(const struct config *c)
{
	return c->apps.enabled && app_policy_acts(&c->policy);
}

/*
 * quic: the answer is the one of a host where nothing listens, which browsers
 * take for a reason to try TCP without waiting.
 */
void ruleset_policy_add(struct ruleset *rs, const struct config *c)
{
	struct ruleset_chain *fwd, *out;

	if (!by_label(c) && !c->apps.refuse_quic)
		return;
	fwd = chain_add(rs, "police", HOOK_FORWARD, PRIORITY_FILTER);
	if (c->apps.refuse_quic)
		RULE(fwd, "quic", in_set(TERM_IIFNAME, SET_LAN),
		     with(TERM_UDP_DPORT_IS, QUIC_PORT), plain(TERM_COUNTER),
		     plain(TERM_UNREACHABLE));
	if (!by_label(c))
		return;
	RULE(fwd, "police", jump("by_label"));
	if (has(&c->policy, true)) {
		out = chain_add(rs, "police_replies", HOOK_OUTPUT,
				PRIORITY_FILTER);
		RULE(out, "police-replies", with(TERM_PACKET_MARK, MARK_CLIENT),
		     jump("by_label"));
	}
	add_labelled(rs, &c->policy);
}

void ruleset_policy_add_input(struct ruleset_chain *input,
			      const struct config *c)
{
	if (by_label(c))
		RULE(input, "police-clients",
		     with(TERM_PACKET_MARK, MARK_DIVERT),
		     with(TERM_CT_ZONE_IS, ZONE_CLIENT), jump("by_label"));
}
