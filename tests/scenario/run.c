// SPDX-License-Identifier: GPL-2.0-or-later
#include "run.h"

#include <stdlib.h>

#include "invariants.h"
#include "problem.h"

static void run_steps(struct run *r, const struct scenario *sc, unsigned int at)
{
	for (; at < sc->nsteps && problem_text() == NULL; at++) {
		bool more = at + 1 < sc->nsteps &&
			    step_follows(&sc->steps[at + 1]);

		problem_at(sc->name, sc->steps[at].line);
		step_do(r, &sc->steps[at], !more);
	}
	problem_at(sc->name, at > 0 ? sc->steps[at - 1].line : 0);
}

void run_scenario(const struct scenario *sc, enum run_mode mode)
{
	struct run *r = must_alloc(sizeof(*r));
	struct config *config = must_alloc(sizeof(*config));
	unsigned int at = 0;

	r->mode = mode;
	gateway_config(config);
	while (at < sc->nsteps && step_config(config, &sc->steps[at]))
		at++;
	if (problem_text() == NULL &&
	    gateway_open(&r->gateway, config, mode == RUN_PIECES)) {
		run_steps(r, sc, at);
		gateway_finish(&r->gateway);
		if (mode != RUN_FAULT)
			expect_no_rest(r);
		invariants_check(&r->gateway);
		gateway_close(&r->gateway);
	}
	free(config);
	free(r);
}
