/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the targets share that drive a relay whose peers and roles do what the
 * input says, one of whose system calls fails now and then: whatever comes of
 * it, the invariants of the scenarios hold (tests/scenario/invariants.h).
 */
#ifndef SLUICE_TESTS_FUZZ_GATEWAY_H
#define SLUICE_TESTS_FUZZ_GATEWAY_H

#include "fuzz.h"

#include "../scenario/fault.h"
#include "../scenario/gateway.h"
#include "../scenario/invariants.h"
#include "../scenario/problem.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Of connections a run; each costs memory until its end. */
#define CLIENTS_MAX 8
/* Of noise in one step, so that an input of few bytes takes little time. */
#define NOISE_UNIT  1500

static inline void say_input(struct peer *p, struct fuzz *f)
{
	size_t n = fuzz_byte(f);

	if (n > f->len)
		n = f->len;
	bytes_add(&p->to_send, f->p, n);
	f->p += n;
	f->len -= n;
}

/* Noise, some of the input, or one of @texts. */
static inline void say_one(struct peer *p, struct fuzz *f,
			   const char *const *texts, size_t count)
{
	uint8_t what = fuzz_byte(f);

	if (what >= 0xe0)
		bytes_noise(&p->to_send, (what & 0x1fU) * NOISE_UNIT, what);
	else if (what >= 0xc0)
		say_input(p, f);
	else
		bytes_puts(&p->to_send, texts[what % count]);
}

static inline void behave(struct peer *p, struct fuzz *f)
{
	uint8_t how = fuzz_byte(f);

	switch (how % 8) {
	case 0:
		p->fin = true;
		break;
	case 1:
		p->fin = true;
		p->gone = true;
		break;
	case 2:
		p->rst = true;
		break;
	case 3:
		p->reads = 0;
		break;
	case 4:
		p->reads = how * 64U;
		break;
	default:
		p->reads = READ_ALL;
	}
}

static inline void role(struct gateway *g, struct fuzz *f)
{
	uint8_t how = fuzz_byte(f);

	g->scan.waits = how % 8 == 0;
	g->scan.verdict = how % 8 < 4 ? VERDICT_CLEAN : VERDICT_BLOCKED;
	if (how % 8 == 7)
		g->scan.verdict = VERDICT_NOT_SCANNED;
	g->scan.reason = how % 8 == 7  ? REASON_CODING
			 : how % 8 < 4 ? REASON_NONE
				       : REASON_SIGNATURE;
	g->scan.down = how >= 0xf0;
	if (g->scan.down)
		role_scan_die(&g->scan);
	g->net.silent = how >= 0xe0 && how < 0xf0;
}

static inline void machine(struct gateway *g, struct fuzz *f)
{
	uint8_t how = fuzz_byte(f);

	if (how < 0x80)
		gateway_pass(g, how * 200U);
	else if (how < 0xc0)
		fault_soon(how & 0x3fU, fuzz_byte(f));
	else if (how < 0xe0)
		g->sim->connect = (enum sim_connect)(how % CONNECT_KINDS);
	else
		g->sim->disk_free = (how & 0x1fU) * 4096U;
}

static inline void configure_scan(struct config *c, uint8_t how)
{
	c->scan.engine = how & 1 ? ENGINE_NONE : ENGINE_LIBCLAMAV;
	c->delivery.mode = how & 2 ? DELIVERY_TAIL : DELIVERY_HOLD;
	c->delivery.hold_below = 1024;
	c->delivery.tail = 1024;
	c->scan.not_scanned = how & 4 ? ACTION_ALLOW : ACTION_BLOCK;
	c->scan.max_object = how & 8 ? 30000 : c->scan.max_object;
	c->scan.memory = how & 16 ? 4096 : 1u << 20;
}

static void no_log(const char *line)
{
	(void)line;
}

struct target {
	void (*configure)(struct config *c, struct fuzz *f);
	void (*step)(struct gateway *g, struct fuzz *f, unsigned int *clients);
};

static inline void gateway_fuzz(const struct target *t, const uint8_t *data,
				size_t len)
{
	static struct gateway g;
	static struct config config;
	struct fuzz f = fuzz_input(data, len);
	unsigned int clients = 1;

	log_set_sink(no_log);
	problem_clear();
	fault_clear();
	gateway_config(&config);
	t->configure(&config, &f);
	FUZZ_CHECK(gateway_open(&g, &config, fuzz_byte(&f) & 1));
	gateway_dial(&g);
	while (f.len > 0 && problem_text() == NULL)
		t->step(&g, &f, &clients);
	gateway_finish(&g);
	invariants_check(&g);
	gateway_close(&g);
	if (problem_text() != NULL)
		fprintf(stderr, "%s\n", problem_text());
	FUZZ_CHECK(problem_text() == NULL);
}

#endif
