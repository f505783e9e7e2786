/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules that policy asks for (policy/app_policy.h): what is refused by its
 * label, what is held to a rate, who has used up a quota. Without a policy
 * there is none of them. Pure.
 */
#ifndef SLUICE_RENDER_RULESET_POLICY_H
#define SLUICE_RENDER_RULESET_POLICY_H

#include "render/ruleset.h"

/* The sets of a limit or quota; which ones there are, its rule says. */
enum ruleset_meter_set {
	METER_LABELS, /* of connections that it is about */
	METER_OVER4,  /* clients that have used up their quota */
	METER_OVER6,
	METER_UP4, /* a bucket a client, for what it sends */
	METER_UP6,
	METER_DOWN4, /* ... and for what it gets */
	METER_DOWN6,
	METER_SETS
};

/* The name of such a set; @meter is 1..APP_METERS. */
const char *ruleset_meter_set_name(unsigned int meter,
				   enum ruleset_meter_set set);

/*
 * Add to @rs the chains and sets that @c asks for. To be called after all other
 * chains and sets that the model has.
 */
void ruleset_policy_add(struct ruleset *rs, const struct config *c);
/* And to chain "input" the way there for what relays take in. */
void ruleset_policy_add_input(struct ruleset_chain *input,
			      const struct config *c);

#endif
