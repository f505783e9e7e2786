// SPDX-License-Identifier: GPL-2.0-or-later
/* From a flow's first packet to its application: pending, moved, given up. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "rig.h"
#include "acct.skel.inc"

#define CLIENT	"10.1.1.2"
#define SERVER	"192.0.2.7"
#define CLIENT6 "fd00:1::2"
#define SERVER6 "2001:db8::7"

#define APP  77
#define MARK ((uint32_t)APP << ACCT_LABEL_SHIFT)

/* Ethernet, IPv4, UDP */
#define HEADS 42

static void is_pending(struct rig *r, const struct acct_flow *flow, uint64_t up,
		       uint64_t down)
{
	struct acct_pending p;

	assert_true(rig_pending(r, flow, &p));
	assert_int_equal(p.sum[ACCT_UP].frame_bytes, up);
	assert_int_equal(p.sum[ACCT_DOWN].frame_bytes, down);
}

static void is_app(struct rig *r, const char *client, enum acct_direction d,
		   uint64_t frames, uint64_t frame_len, uint64_t flows)
{
	struct acct_counter c = rig_counter(r, client, APP, d);

	assert_int_equal(c.sum.frames, frames);
	assert_int_equal(c.sum.frame_bytes, frame_len);
	assert_int_equal(c.flows, flows);
}

/* Up and down, no label; then one, and both sides have been seen. */
static void moved(const struct acct_flow *flow, const char *client,
		  uint64_t heads)
{
	struct acct_pending p;
	struct frame up, down;
	struct rig r;

	rig_open(&r, NULL);
	frame_flow(&up, flow, ACCT_UP, TCP_ACK, 100);
	frame_flow(&down, flow, ACCT_DOWN, TCP_ACK, 1000);
	assert_int_equal(up.len, heads + 100);
	rig_run(&r, ACCT_UP, &up);
	is_pending(&r, flow, up.len, 0);
	ct_put(flow, NULL, 0, false);
	rig_run(&r, ACCT_DOWN, &down);
	rig_run(&r, ACCT_DOWN, &down);
	is_pending(&r, flow, up.len, 2 * down.len);
	ct_put(flow, NULL, MARK | ACCT_LABEL_HINT | 0xffff, true);
	rig_run(&r, ACCT_DOWN, &down);
	is_app(&r, client, ACCT_UP, 1, up.len, 1);
	is_app(&r, client, ACCT_DOWN, 3, 3 * down.len, 0);
	assert_false(rig_pending(&r, flow, &p));
	rig_run(&r, ACCT_UP, &up);
	is_app(&r, client, ACCT_UP, 2, 2 * up.len, 1);
	assert_int_equal(rig_total(&r).frame_bytes, 2 * up.len + 3 * down.len);
	ct_remove(flow);
	rig_close(&r);
}

static void moved_to_the_label(void **state)
{
	struct acct_flow udp = rig_flow(IPPROTO_UDP, CLIENT, 1000, SERVER, 53);
	struct acct_flow tcp = rig_flow(IPPROTO_TCP, CLIENT, 1000, SERVER, 80);
	struct acct_flow udp6 =
		rig_flow(IPPROTO_UDP, CLIENT6, 1000, SERVER6, 53);
	struct acct_flow tcp6 =
		rig_flow(IPPROTO_TCP, CLIENT6, 1000, SERVER6, 80);

	(void)state;
	moved(&udp, CLIENT, HEADS);
	moved(&tcp, CLIENT, HEADS + 12);
	moved(&udp6, CLIENT6, HEADS + 20);
	moved(&tcp6, CLIENT6, HEADS + 32);
}

/* As long as nobody answers, an entry remembers that the flow was counted. */
static void one_way(void **state)
{
	struct acct_flow flow = rig_flow(IPPROTO_UDP, CLIENT, 1, SERVER, 514);
	struct acct_pending p;
	struct frame up;
	struct rig r;

	(void)state;
	rig_open(&r, NULL);
	frame_flow(&up, &flow, ACCT_UP, 0, 100);
	ct_put(&flow, NULL, MARK, false);
	for (uint64_t n = 1; n <= 3; n++) {
		rig_run(&r, ACCT_UP, &up);
		is_app(&r, CLIENT, ACCT_UP, n, n * up.len, 1);
		is_pending(&r, &flow, 0, 0);
	}
	/* its label goes, and comes back */
	ct_remove(&flow);
	rig_run(&r, ACCT_UP, &up);
	is_pending(&r, &flow, up.len, 0);
	ct_put(&flow, NULL, MARK, true);
	rig_run(&r, ACCT_UP, &up);
	is_app(&r, CLIENT, ACCT_UP, 5, 5 * up.len, 1);
	assert_false(rig_pending(&r, &flow, &p));
	ct_remove(&flow);
	rig_close(&r);
}

/* Its first packet has a label already, and comes from outside. */
static void from_outside(void **state)
{
	struct acct_flow flow = rig_flow(IPPROTO_UDP, CLIENT, 1, SERVER, 514);
	struct frame down;
	struct rig r;

	(void)state;
	rig_open(&r, NULL);
	frame_flow(&down, &flow, ACCT_DOWN, 0, 100);
	ct_put(&flow, NULL, MARK, false);
	rig_run(&r, ACCT_DOWN, &down);
	rig_run(&r, ACCT_DOWN, &down);
	is_app(&r, CLIENT, ACCT_DOWN, 2, 2 * down.len, 1);
	ct_remove(&flow);
	rig_close(&r);
}

/* A SYN where the last connection was: not that one's. */
static void reused_ports(void **state)
{
	struct acct_flow flow = rig_flow(IPPROTO_TCP, CLIENT, 1000, SERVER, 80);
	struct frame syn, again;
	struct rig r;

	(void)state;
	rig_open(&r, NULL);
	frame_flow(&syn, &flow, ACCT_UP, TCP_SYN, 0);
	frame_flow(&again, &flow, ACCT_UP, TCP_SYN | TCP_ACK, 0);
	ct_put(&flow, NULL, MARK, true);
	rig_run(&r, ACCT_UP, &syn);
	is_pending(&r, &flow, syn.len, 0);
	is_app(&r, CLIENT, ACCT_UP, 0, 0, 0);
	rig_run(&r, ACCT_UP, &again);
	is_app(&r, CLIENT, ACCT_UP, 2, syn.len + again.len, 1);
	ct_remove(&flow);
	/* sent again before there was an answer, it is the same connection */
	ct_put(&flow, NULL, MARK, false);
	rig_run(&r, ACCT_UP, &syn);
	rig_run(&r, ACCT_UP, &syn);
	is_app(&r, CLIENT, ACCT_UP, 4, 3 * syn.len + again.len, 2);
	ct_remove(&flow);
	rig_close(&r);
}

/* Conntrack knows the reply by other addresses than the LAN does. */
static void translated(void **state)
{
	struct acct_flow flow = rig_flow(IPPROTO_UDP, CLIENT, 1000, SERVER, 53);
	struct acct_flow outside =
		rig_flow(IPPROTO_UDP, "198.51.100.1", 4321, "10.9.9.9", 5353);
	struct frame up, down;
	struct rig r;

	(void)state;
	rig_open(&r, NULL);
	frame_flow(&up, &flow, ACCT_UP, 0, 10);
	frame_flow(&down, &flow, ACCT_DOWN, 0, 20);
	ct_put(&flow, &outside, MARK, true);
	rig_run(&r, ACCT_UP, &up);
	rig_run(&r, ACCT_DOWN, &down);
	is_app(&r, CLIENT, ACCT_UP, 1, up.len, 0);
	is_app(&r, CLIENT, ACCT_DOWN, 1, down.len, 0);
	ct_remove(&flow);
	rig_close(&r);
}

static void given_up(void **state)
{
	struct acct_flow known = rig_flow(IPPROTO_UDP, CLIENT, 1, SERVER, 53);
	struct acct_flow unknown = rig_flow(IPPROTO_UDP, CLIENT, 2, SERVER, 53);
	struct acct_pending p;
	struct acct_sweep *s;
	struct frame a, b;
	struct rig r;

	(void)state;
	rig_open(&r, NULL);
	s = &r.obj->bss->sweep;
	frame_flow(&a, &known, ACCT_UP, 0, 10);
	frame_flow(&b, &unknown, ACCT_DOWN, 0, 20);
	ct_put(&known, NULL, 0, true);
	rig_run(&r, ACCT_UP, &a);
	rig_run(&r, ACCT_DOWN, &b);
	/* not yet */
	rig_sweep(&r, &known, 1, 1);
	is_pending(&r, &known, a.len, 0);
	rig_sweep(&r, &known, UINT64_MAX, 1);
	rig_sweep(&r, &unknown, UINT64_MAX, 1);
	assert_int_equal(s->unlabelled[ACCT_UP].frame_bytes, a.len);
	assert_int_equal(s->no_conntrack[ACCT_DOWN].frame_bytes, b.len);
	assert_int_equal(s->flows, 2);
	assert_int_equal(s->removed, 0);
	is_pending(&r, &known, 0, 0);
	/* labelled after all: counted as a flow, from now on */
	ct_put(&known, NULL, MARK, true);
	rig_run(&r, ACCT_UP, &a);
	is_app(&r, CLIENT, ACCT_UP, 1, a.len, 1);
	rig_sweep(&r, &unknown, 1, UINT64_MAX);
	assert_int_equal(s->removed, 1);
	assert_false(rig_pending(&r, &unknown, &p));
	assert_int_equal(rig_total(&r).frame_bytes, 2 * a.len + b.len);
	/* one that is there no more */
	rig_sweep(&r, &unknown, UINT64_MAX, UINT64_MAX);
	assert_int_equal(s->removed, 1);
	ct_remove(&known);
	rig_close(&r);
}

/* Conntrack sees a packet after this program; there may be only one. */
static void known_after_the_first_packet(void **state)
{
	struct acct_flow flow = rig_flow(IPPROTO_UDP, CLIENT, 1, SERVER, 53);
	struct frame up;
	struct rig r;

	(void)state;
	rig_open(&r, NULL);
	frame_flow(&up, &flow, ACCT_UP, 0, 10);
	rig_run(&r, ACCT_UP, &up);
	ct_put(&flow, NULL, 0, false);
	rig_sweep(&r, &flow, UINT64_MAX, 1);
	assert_int_equal(r.obj->bss->sweep.unlabelled[ACCT_UP].frame_bytes,
			 up.len);
	ct_remove(&flow);
	rig_close(&r);
}

static const struct acct_swept *sweep_young(struct rig *r,
					    const struct acct_flow *flow)
{
	rig_sweep(r, flow, 1, 1);
	return &r->obj->bss->sweep.swept[0];
}

/* The packet that decided was the last one; no other brings the bytes home. */
static void labelled_late(const struct acct_flow *flow, const char *client)
{
	const struct acct_swept *s;
	struct acct_pending p;
	struct frame up, down;
	struct rig r;

	rig_open(&r, NULL);
	frame_flow(&up, flow, ACCT_UP, 0, 10);
	frame_flow(&down, flow, ACCT_DOWN, 0, 20);
	ct_put(flow, NULL, 0, false);
	rig_run(&r, ACCT_UP, &up);
	assert_int_equal(sweep_young(&r, flow)->app, 0);
	is_pending(&r, flow, up.len, 0);
	/* nobody has answered: the entry stays, to count the flow only once */
	ct_put(flow, NULL, MARK, false);
	s = sweep_young(&r, flow);
	assert_int_equal(s->app, APP);
	assert_int_equal(s->begins, 1);
	assert_int_equal(s->direction, ACCT_UP);
	assert_int_equal(s->sum[ACCT_UP].frame_bytes, up.len);
	assert_int_equal(s->sum[ACCT_DOWN].frame_bytes, 0);
	is_pending(&r, flow, 0, 0);
	s = sweep_young(&r, flow);
	assert_int_equal(s->begins, 0);
	assert_int_equal(s->sum[ACCT_UP].frame_bytes, 0);
	rig_run(&r, ACCT_UP, &up);
	is_app(&r, client, ACCT_UP, 1, up.len, 0);
	/* the answer comes, and then another label */
	ct_put(flow, NULL, 0, true);
	rig_run(&r, ACCT_DOWN, &down);
	ct_put(flow, NULL, MARK, true);
	s = sweep_young(&r, flow);
	assert_int_equal(s->begins, 0);
	assert_int_equal(s->sum[ACCT_DOWN].frame_bytes, down.len);
	assert_int_equal(r.obj->bss->sweep.removed, 1);
	assert_false(rig_pending(&r, flow, &p));
	assert_int_equal(rig_total(&r).frame_bytes, 2 * up.len + down.len);
	ct_remove(flow);
	rig_close(&r);
}

static void labelled_after_the_last_packet(void **state)
{
	struct acct_flow flow = rig_flow(IPPROTO_UDP, CLIENT, 1, SERVER, 53);
	struct acct_flow flow6 = rig_flow(IPPROTO_UDP, CLIENT6, 1, SERVER6, 53);

	(void)state;
	labelled_late(&flow, CLIENT);
	labelled_late(&flow6, CLIENT6);
}

static void no_room(void **state)
{
	const struct rig_options small = {.counters = 1, .pending = 1};
	struct rig r;
	uint64_t sent = 0;

	(void)state;
	rig_open(&r, &small);
	for (uint16_t port = 1; port <= 50; port++) {
		struct acct_flow flow =
			rig_flow(IPPROTO_UDP, CLIENT, port, SERVER, 53);
		struct frame up;

		frame_flow(&up, &flow, ACCT_UP, 0, 10);
		rig_run(&r, ACCT_UP, &up);
		sent += up.len;
	}
	assert_true(rig_reason(&r, ACCT_TABLE_FULL, ACCT_UP).frames >= 40);
	assert_int_equal(rig_total(&r).frame_bytes, sent);
	for (uint16_t n = 1; n <= 50; n++) {
		char text[] = "10.1.1.00";
		struct acct_flow flow;
		struct frame up;

		text[7] = (char)('0' + n / 10);
		text[8] = (char)('0' + n % 10);
		flow = rig_flow(IPPROTO_UDP, n < 10 ? CLIENT : text, n, SERVER,
				53);
		frame_flow(&up, &flow, ACCT_DOWN, 0, 10);
		ct_put(&flow, NULL, MARK, true);
		rig_run(&r, ACCT_DOWN, &up);
		ct_remove(&flow);
		sent += up.len;
	}
	assert_true(rig_reason(&r, ACCT_TABLE_FULL, ACCT_DOWN).frames >= 30);
	assert_int_equal(rig_total(&r).frame_bytes, sent);
	rig_close(&r);
}

/* An entry that another processor sets up or removes at this moment. */
static void not_ours(void **state)
{
	struct acct_flow flow = rig_flow(IPPROTO_UDP, CLIENT, 1, SERVER, 53);
	static const uint64_t tags[] = {0, 12345};
	struct acct_pending p = {0};
	struct frame up;
	struct rig r;

	(void)state;
	frame_flow(&up, &flow, ACCT_UP, 0, 10);
	for (int i = 0; i < 2; i++) {
		rig_open(&r, NULL);
		p.tag = tags[i];
		assert_int_equal(
			bpf_map_update_elem(bpf_map__fd(r.obj->maps.pending),
					    &flow, &p, BPF_NOEXIST),
			0);
		rig_run(&r, ACCT_UP, &up);
		is_pending(&r, &flow, 0, 0);
		assert_int_equal(
			rig_reason(&r, ACCT_UNLABELLED, ACCT_UP).frames, 1);
		rig_sweep(&r, &flow, UINT64_MAX, UINT64_MAX);
		assert_int_equal(r.obj->bss->sweep.removed, 0);
		ct_put(&flow, NULL, MARK, true);
		rig_run(&r, ACCT_UP, &up);
		is_app(&r, CLIENT, ACCT_UP, 1, up.len, 0);
		is_pending(&r, &flow, 0, 0);
		ct_remove(&flow);
		rig_close(&r);
	}
}

static void other_table(void **state)
{
	struct acct_flow flow = rig_flow(IPPROTO_UDP, CLIENT, 1, SERVER, 53);
	const uint32_t slot = 0;
	struct acct_key key;
	struct frame up;
	struct rig r;
	int b;

	(void)state;
	rig_open(&r, NULL);
	b = bpf_map__fd(r.obj->maps.counters_b);
	frame_flow(&up, &flow, ACCT_UP, 0, 10);
	ct_put(&flow, NULL, MARK, true);
	rig_run(&r, ACCT_UP, &up);
	assert_int_equal(bpf_map_get_next_key(b, NULL, &key), -ENOENT);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(r.obj->maps.current),
					     &slot, &b, BPF_ANY),
			 0);
	rig_run(&r, ACCT_UP, &up);
	assert_int_equal(bpf_map_get_next_key(b, NULL, &key), 0);
	is_app(&r, CLIENT, ACCT_UP, 2, 2 * up.len, 0);
	ct_remove(&flow);
	rig_close(&r);
}

/* --- two processors at one flow, and a third party that labels and sweeps ------- */

#define RUNS   200000
#define ROUNDS 200

struct worker {
	struct rig *r;
	struct frame frame;
	enum acct_direction direction;
	int cpu;
	atomic_int *working;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(w->cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	for (int i = 0; i < ROUNDS; i++)
		rig_repeat(w->r, w->direction, &w->frame, RUNS / ROUNDS);
	atomic_fetch_sub(w->working, 1);
	return NULL;
}

/* Two that we may use; false: there is but one. */
static bool two_cpus(int cpu[ACCT_DIRECTIONS])
{
	cpu_set_t may;
	int found = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(may), &may), 0);
	for (int i = 0; i < CPU_SETSIZE && found < ACCT_DIRECTIONS; i++) {
		if (CPU_ISSET(i, &may))
			cpu[found++] = i;
	}
	return found == ACCT_DIRECTIONS;
}

static void at_once(void **state)
{
	struct acct_flow flow = rig_flow(IPPROTO_UDP, CLIENT, 1, SERVER, 53);
	struct worker w[ACCT_DIRECTIONS];
	pthread_t thread[ACCT_DIRECTIONS];
	struct acct_sum total;
	atomic_int working = ACCT_DIRECTIONS;
	int cpu[ACCT_DIRECTIONS];
	struct rig r;

	(void)state;
	if (!two_cpus(cpu))
		skip(); /* kernel: one processor */
	rig_open(&r, NULL);
	ct_put(&flow, NULL, 0, true);
	for (int d = 0; d < ACCT_DIRECTIONS; d++) {
		w[d].r = &r;
		w[d].direction = d;
		w[d].cpu = cpu[d];
		w[d].working = &working;
		frame_flow(&w[d].frame, &flow, d, 0, 10);
		assert_int_equal(pthread_create(&thread[d], NULL, work, &w[d]),
				 0);
	}
	for (int i = 0; atomic_load(&working) > 0; i++) {
		ct_put(&flow, NULL, i % 3 == 0 ? MARK : 0, i % 2);
		rig_sweep(&r, &flow, UINT64_MAX, i % 5 == 0 ? UINT64_MAX : 1);
	}
	for (int d = 0; d < ACCT_DIRECTIONS; d++)
		assert_int_equal(pthread_join(thread[d], NULL), 0);
	total = rig_total(&r);
	assert_int_equal(total.frames, ACCT_DIRECTIONS * RUNS);
	assert_int_equal(total.frame_bytes,
			 ACCT_DIRECTIONS * RUNS * (HEADS + 10));
	/* it did happen */
	assert_true(rig_counter(&r, CLIENT, APP, ACCT_UP).sum.frames > 0);
	assert_true(r.obj->bss->sweep.removed > 0);
	ct_remove(&flow);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moved_to_the_label),
		cmocka_unit_test(one_way),
		cmocka_unit_test(from_outside),
		cmocka_unit_test(reused_ports),
		cmocka_unit_test(translated),
		cmocka_unit_test(given_up),
		cmocka_unit_test(known_after_the_first_packet),
		cmocka_unit_test(labelled_after_the_last_packet),
		cmocka_unit_test(no_room),
		cmocka_unit_test(not_ours),
		cmocka_unit_test(other_table),
		cmocka_unit_test(at_once),
	};

	return cmocka_run_group_tests_name("flows", tests, rig_namespace, NULL);
}
