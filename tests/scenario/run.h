/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run of a scenario, in one of three ways. What goes wrong is a problem. */
#ifndef SLUICE_TESTS_RUN_H
#define SLUICE_TESTS_RUN_H

#include "gateway.h"
#include "scenario.h"

enum run_mode {
	RUN_WHOLE,	 /* as written */
	RUN_PIECES,	 /* the same result from bytes that come one by one */
	RUN_INTERRUPTED, /* the same, though a call must be tried again */
	RUN_FAULT,	 /* with a failing call: only what always holds */
	RUN_MODES
};

struct run {
	struct gateway gateway;
	enum run_mode mode;
};

/* fault_inject() says before whether a call fails. */
void run_scenario(const struct scenario *sc, enum run_mode mode);

/* --- steps.c ----------------------------------------------------------- */

/* Do one step, and then, if @settle, let the relay do what follows from it. */
void step_do(struct run *r, const struct step *s, bool settle);
/* Whether it happens at one time with the step before it ("and ..."). */
bool step_follows(const struct step *s);
/* Configuration, which comes first. False when the step is about more. */
bool step_config(struct config *config, const struct step *s);

/* The steps' words behind those that name them. */
struct args {
	const struct word *word;
	unsigned int n;
};

/* --- steps_data.c: FTP's data connections -------------------------------- */

void step_client_data(struct run *r, struct peer *p, struct args a);
void step_server_data(struct run *r, struct peer *p, struct args a);
void expect_from(struct run *r, struct peer *p, struct args a);
void expect_to(struct run *r, struct peer *p, struct args a);

/* --- expect.c: steps that look -------------------------------------- */

void expect_response(struct run *r, struct peer *p, struct args a);
void expect_request(struct run *r, struct peer *p, struct args a);
void expect_field(struct run *r, struct peer *p, struct args a);
void expect_no_field(struct run *r, struct peer *p, struct args a);
void expect_body(struct run *r, struct peer *p, struct args a);
void expect_part(struct run *r, struct peer *p, struct args a);
void expect_page(struct run *r, struct peer *p, struct args a);
void expect_text(struct run *r, struct peer *p, struct args a);
void expect_nothing(struct run *r, struct peer *p, struct args a);
void expect_open(struct run *r, struct peer *p, struct args a);
void expect_end(struct run *r, struct peer *p, struct args a);
void expect_reset(struct run *r, struct peer *p, struct args a);
void expect_event(struct run *r, struct peer *p, struct args a);
void expect_no_event(struct run *r, struct peer *p, struct args a);
void expect_object(struct run *r, struct peer *p, struct args a);
void expect_cancel(struct run *r, struct peer *p, struct args a);
void expect_no_server(struct run *r, struct peer *p, struct args a);
/* At the end: nothing came that no step has looked at. */
void expect_no_rest(struct run *r);

#endif
