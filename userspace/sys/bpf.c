// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/bpf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "acct.skel.inc"
#include "render/marks.h"
#include "sys/tcprog.h"

_Static_assert(ACCT_MARK_CLIENT == MARK_CLIENT && ACCT_MARK_DATA == MARK_DATA &&
		       ACCT_LABEL_MASK == LABEL_MASK &&
		       ACCT_LABEL_SHIFT == LABEL_SHIFT,
	       "one mark, two names");

#define INTERFACES 32

/* Entries that one system call reads. */
#define BATCH 256

/* The verifier's words about a program it refuses; the last line counts. */
#define VERIFIER_LOG (256U * 1024)

/* A frame for acct_sweep_run, which doesn't look at it. */
#define FRAME_SIZE 64

/*
 * How long the program takes what it found out about a flow for granted: a
 * label that changes, which is rare, shows so much later.
 */
#define RECENT_NS UINT64_C(100000000)

enum { TABLES = 2 };

/*
 * Room for BATCH entries of the largest map, and where the last look at each
 * processor's counts of reasons ended.
 */
struct bpf_acct {
	struct acct_bpf *obj;
	bool conntrack;
	bool tcx;
	int table[TABLES]; /* descriptors of counters_a and _b */
	unsigned int used; /* the table in use */
	int cpus;
	struct tcprog on[INTERFACES];
	struct bpf_reasons seen;  /* at the last bpf_acct_reasons() */
	struct bpf_reasons swept; /* not yet passed on */
	void *keys;
	void *values;
};

/* --- loading -------------------------------------------------------------------- */

/* libbpf would write to standard error. */
static int say_nothing(enum libbpf_print_level level, const char *format,
		       va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* Each CPU's value is rounded up to eight bytes, which these are already. */
static int alloc_batch(struct bpf_acct *a)
{
	size_t value = sizeof(struct acct_counter) * (size_t)a->cpus;

	if (value < sizeof(struct acct_pending))
		value = sizeof(struct acct_pending);
	a->keys = calloc(BATCH, sizeof(struct acct_flow));
	a->values = calloc(BATCH, value);
	return a->keys == NULL || a->values == NULL ? -ENOMEM : 0;
}

static uint32_t at_least_one(uint32_t entries)
{
	return entries > 0 ? entries : 1;
}

/*
 * RECENT_NS in the kernel's ticks (jiffies), which cost the program nothing to
 * read: the coarse clock's resolution is one of them. 0 when it isn't known,
 * and then nothing is taken for granted.
 */
static uint64_t recent_ticks(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) == -1 ||
	    tick.tv_sec > 0 || tick.tv_nsec <= 0)
		return 0;
	return RECENT_NS / (uint64_t)tick.tv_nsec;
}

static int set_up(struct acct_bpf *obj, const struct bpf_acct_options *opt)
{
	uint32_t counters = at_least_one(opt->counters);
	int err;

	obj->rodata->config.intercepted = opt->intercepted;
	obj->rodata->config.data = opt->data;
	obj->rodata->config.gateway = opt->gateway;
	if (opt->protocols != NULL)
		memcpy(obj->rodata->config.protocols, opt->protocols,
		       sizeof(obj->rodata->config.protocols));
	obj->rodata->config.conntrack = !opt->no_conntrack;
	obj->rodata->config.recent_ticks = recent_ticks();
	err = bpf_map__set_max_entries(obj->maps.counters_a, counters);
	if (err == 0)
		err = bpf_map__set_max_entries(obj->maps.counters_b, counters);
	if (err == 0)
		err = bpf_map__set_max_entries(obj->maps.pending,
					       at_least_one(opt->pending));
	if (err == 0)
		err = bpf_map__set_max_entries(obj->maps.labels,
					       at_least_one(opt->labels));
	return err;
}

/* The verifier ends with a line of statistics; the one before says why. */
static void explain(char *log, int err, char *why)
{
	char *line = NULL, *save = NULL;

	for (char *l = strtok_r(log, "\n", &save); l != NULL;
	     l = strtok_r(NULL, "\n", &save)) {
		if (strncmp(l, "processed ", 10) != 0)
			line = l;
	}
	snprintf(why, BPF_WHY_MAX, "the kernel refuses program or maps: %s%s%s",
		 strerror(-err), line != NULL ? ": " : "",
		 line != NULL ? line : "");
}

static int load(struct bpf_acct *a, const struct bpf_acct_options *opt,
		char *why)
{
	char *log = calloc(1, VERIFIER_LOG);
	struct bpf_object_open_opts open = {
		.sz = sizeof(open),
		.kernel_log_buf = log,
		.kernel_log_size = log != NULL ? VERIFIER_LOG : 0};
	int err = -ENOMEM;

	libbpf_set_print(say_nothing);
	a->obj = acct_bpf__open_opts(&open);
	if (a->obj != NULL)
		err = set_up(a->obj, opt);
	if (err == 0)
		err = acct_bpf__load(a->obj);
	if (err != 0)
		explain(log != NULL ? log : (char[]){""}, err, why);
	free(log);
	return err;
}

/* Whether the kernel, or a module that is loaded, has such a function. */
static bool has_kfunc(const char *name)
{
	struct btf *base = btf__load_vmlinux_btf();
	struct btf *module = NULL;
	bool found;

	if (base == NULL)
		return false;
	found = btf__find_by_name_kind(base, name, BTF_KIND_FUNC) > 0;
	if (!found)
		module = btf__load_module_btf("nf_conntrack", base);
	if (module != NULL)
		found = btf__find_by_name_kind(module, name, BTF_KIND_FUNC) > 0;
	btf__free(module);
	btf__free(base);
	return found;
}

static struct bpf_acct *open_as(const struct bpf_acct_options *opt, char *why)
{
	struct bpf_acct *a = calloc(1, sizeof(*a));
	int err;

	if (a == NULL) {
		snprintf(why, BPF_WHY_MAX, "no memory");
		return NULL;
	}
	a->conntrack = !opt->no_conntrack;
	a->cpus = libbpf_num_possible_cpus();
	err = a->cpus < 0 ? a->cpus : alloc_batch(a);
	if (err == 0)
		err = load(a, opt, why);
	else
		snprintf(why, BPF_WHY_MAX, "%s", strerror(-err));
	if (err == 0) {
		a->table[0] = bpf_map__fd(a->obj->maps.counters_a);
		a->table[1] = bpf_map__fd(a->obj->maps.counters_b);
		a->tcx = !opt->clsact && tcprog_has_tcx();
		return a;
	}
	bpf_acct_close(a);
	errno = -err;
	return NULL;
}

struct bpf_acct *bpf_acct_open(const struct bpf_acct_options *opt, char *why)
{
	struct bpf_acct_options o = *opt;

	why[0] = '\0';
	if (!has_kfunc("bpf_skb_ct_lookup") || !has_kfunc("bpf_ct_release"))
		o.no_conntrack = true;
	return open_as(&o, why);
}

void bpf_acct_close(struct bpf_acct *a)
{
	if (a == NULL)
		return;
	for (int i = 0; i < INTERFACES; i++) {
		if (a->on[i].ifindex != 0)
			tcprog_detach(&a->on[i]);
	}
	acct_bpf__destroy(a->obj);
	free(a->keys);
	free(a->values);
	free(a);
}

bool bpf_acct_has_conntrack(const struct bpf_acct *a)
{
	return a->conntrack;
}

void bpf_acct_probe(struct bpf_probe *p)
{
	const struct bpf_acct_options tiny = {.gateway = 1};
	struct bpf_acct *a;

	memset(p, 0, sizeof(*p));
	a = bpf_acct_open(&tiny, p->why);
	if (a == NULL)
		return;
	p->tcx = a->tcx;
	p->usable = a->conntrack;
	if (a->conntrack)
		snprintf(p->why, sizeof(p->why), "by %s, labels from conntrack",
			 a->tcx ? "tcx" : "clsact");
	else
		snprintf(p->why, sizeof(p->why),
			 "this kernel has no bpf_skb_ct_lookup(): it is older "
			 "than 5.18, has no BTF, or nf_conntrack isn't loaded");
	bpf_acct_close(a);
}

/* --- interfaces ----------------------------------------------------------------- */

/* The program takes an Ethernet header for granted. */
static int must_be_ethernet(int ifindex)
{
	struct ifreq req = {0};
	int fd, err = 0;

	if (ifindex <= 0 ||
	    if_indextoname((unsigned int)ifindex, req.ifr_name) == NULL)
		return -ENODEV;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -errno;
	if (ioctl(fd, SIOCGIFHWADDR, &req) == -1)
		err = -errno;
	else if (req.ifr_hwaddr.sa_family != ARPHRD_ETHER &&
		 req.ifr_hwaddr.sa_family != ARPHRD_LOOPBACK)
		err = -EPROTOTYPE;
	close(fd);
	return err;
}

static struct tcprog *find(struct bpf_acct *a, int ifindex)
{
	for (int i = 0; i < INTERFACES; i++) {
		if (a->on[i].ifindex == ifindex)
			return &a->on[i];
	}
	return NULL;
}

int bpf_acct_attach(struct bpf_acct *a, int ifindex)
{
	const int fd[TCPROG_SIDES] = {
		bpf_program__fd(a->obj->progs.acct_up),
		bpf_program__fd(a->obj->progs.acct_down),
	};
	struct tcprog *free_slot = find(a, 0);
	int err = must_be_ethernet(ifindex);

	if (err != 0)
		return err;
	if (find(a, ifindex) != NULL)
		return -EEXIST;
	if (free_slot == NULL)
		return -ENOSPC;
	return tcprog_attach(free_slot, ifindex, fd, a->tcx);
}

int bpf_acct_detach(struct bpf_acct *a, int ifindex)
{
	struct tcprog *t = ifindex > 0 ? find(a, ifindex) : NULL;

	return t == NULL ? -ENOENT : tcprog_detach(t);
}

/* --- counters ------------------------------------------------------------------- */

static void sum_add(struct acct_sum *to, const struct acct_sum *n)
{
	to->packets += n->packets;
	to->bytes += n->bytes;
	to->frames += n->frames;
	to->frame_bytes += n->frame_bytes;
	to->header_bytes += n->header_bytes;
}

/* @to becomes @now - @before, and @before @now. */
static void sum_step(struct acct_sum *to, const struct acct_sum *now,
		     struct acct_sum *before)
{
	to->packets = now->packets - before->packets;
	to->bytes = now->bytes - before->bytes;
	to->frames = now->frames - before->frames;
	to->frame_bytes = now->frame_bytes - before->frame_bytes;
	to->header_bytes = now->header_bytes - before->header_bytes;
	*before = *now;
}

/* Put the other table in; returns when no program can hold the old one. */
static int swap_tables(struct bpf_acct *a)
{
	const uint32_t slot = 0;
	int err = bpf_map_update_elem(bpf_map__fd(a->obj->maps.current), &slot,
				      &a->table[1 - a->used], BPF_ANY);

	if (err == 0)
		a->used = 1 - a->used;
	return err;
}

static void pass_counters(struct bpf_acct *a, uint32_t count, bpf_counter_fn fn,
			  void *arg)
{
	const struct acct_counter *c = a->values;
	const struct acct_key *key = a->keys;

	for (uint32_t i = 0; i < count; i++, c += a->cpus) {
		struct acct_counter sum = {0};

		for (int cpu = 0; cpu < a->cpus; cpu++) {
			sum_add(&sum.sum, &c[cpu].sum);
			sum.flows += c[cpu].flows;
		}
		fn(&key[i], &sum, arg);
	}
}

/* The number of counters passed on, or -errno. */
static int empty_table(struct bpf_acct *a, int fd, bpf_counter_fn fn, void *arg)
{
	uint32_t token = 0;
	void *from = NULL;
	int total = 0, err = 0;

	while (err == 0) {
		uint32_t count = BATCH;

		err = bpf_map_lookup_and_delete_batch(fd, from, &token, a->keys,
						      a->values, &count, NULL);
		/* ENOENT: these are the last ones. */
		if (err != 0 && err != -ENOENT)
			return err;
		total += (int)count;
		pass_counters(a, count, fn, arg);
		from = &token;
	}
	return total;
}

/*
 * The table out of use has something in it only when a former call failed; it
 * must be empty before it comes into use.
 */
int bpf_acct_read(struct bpf_acct *a, bpf_counter_fn fn, void *arg)
{
	int before = empty_table(a, a->table[1 - a->used], fn, arg);
	int err, after;

	if (before < 0)
		return before;
	err = swap_tables(a);
	if (err != 0)
		return err;
	after = empty_table(a, a->table[1 - a->used], fn, arg);
	return after < 0 ? after : before + after;
}

int bpf_acct_reasons(struct bpf_acct *a, struct bpf_reasons *delta)
{
	int fd = bpf_map__fd(a->obj->maps.reasons);
	struct acct_sum *c = a->values;

	for (uint32_t i = 0; i < ACCT_REASONS * ACCT_DIRECTIONS; i++) {
		uint32_t r = i / ACCT_DIRECTIONS, d = i % ACCT_DIRECTIONS;
		struct acct_sum now = {0};
		int err = bpf_map_lookup_elem(fd, &i, c);

		if (err != 0)
			return err;
		for (int cpu = 0; cpu < a->cpus; cpu++)
			sum_add(&now, &c[cpu]);
		sum_step(&delta->sum[r][d], &now, &a->seen.sum[r][d]);
		sum_add(&delta->sum[r][d], &a->swept.sum[r][d]);
		memset(&a->swept.sum[r][d], 0, sizeof(struct acct_sum));
	}
	return 0;
}

/* --- pending flows ---------------------------------------------------------------- */

typedef int (*batch_fn)(struct bpf_acct *a, uint32_t count, void *arg);

/*
 * All pending flows, up to BATCH at a time in a->keys and a->values. A bucket
 * with more than that in it (which takes a flood made for it) is an error.
 */
static int each_batch(struct bpf_acct *a, batch_fn fn, void *arg)
{
	struct bpf_map_batch_opts opts = {.sz = sizeof(opts),
					  .elem_flags = BPF_F_LOCK};
	int fd = bpf_map__fd(a->obj->maps.pending);
	uint32_t token = 0;
	void *from = NULL;

	for (;;) {
		uint32_t count = BATCH;
		int err = bpf_map_lookup_batch(fd, from, &token, a->keys,
					       a->values, &count, &opts);
		int said;

		if (err != 0 && err != -ENOENT)
			return err;
		said = fn(a, count, arg);
		if (said != 0 || err == -ENOENT)
			return said;
		from = &token;
	}
}

static int add_pending(struct bpf_acct *a, uint32_t count, void *arg)
{
	const struct acct_pending *e = a->values;
	struct bpf_pending *p = arg;

	for (uint32_t i = 0; i < count; i++) {
		sum_add(&p->sum[ACCT_UP], &e[i].sum[ACCT_UP]);
		sum_add(&p->sum[ACCT_DOWN], &e[i].sum[ACCT_DOWN]);
	}
	p->flows += count;
	return 0;
}

int bpf_acct_pending(struct bpf_acct *a, struct bpf_pending *p)
{
	memset(p, 0, sizeof(*p));
	return each_batch(a, add_pending, p);
}

static uint64_t ago(uint64_t now, uint64_t ns)
{
	return ns < now ? now - ns : 0;
}

static bool holds_bytes(const struct acct_pending *e)
{
	return e->sum[ACCT_UP].frames + e->sum[ACCT_DOWN].frames > 0;
}

/* The program looks again, under the lock; and for a label, however young. */
static bool is_due(const struct acct_pending *e, const struct acct_sweep *s)
{
	if (e->tag == 0)
		return false;
	return e->last < s->forget_before || holds_bytes(e);
}

static void take_swept(struct bpf_acct *a, struct acct_sweep *s)
{
	for (int d = 0; d < ACCT_DIRECTIONS; d++) {
		sum_add(&a->swept.sum[ACCT_NO_CONNTRACK][d],
			&s->no_conntrack[d]);
		sum_add(&a->swept.sum[ACCT_UNLABELLED][d], &s->unlabelled[d]);
	}
	memset(s->no_conntrack, 0, sizeof(s->no_conntrack));
	memset(s->unlabelled, 0, sizeof(s->unlabelled));
}

/* Who is told of flows that have got a label. */
struct swept_to {
	bpf_counter_fn fn;
	void *arg;
};

static void pass_swept(const struct acct_swept *swept,
		       const struct acct_flow *flow, const struct swept_to *to)
{
	for (unsigned int d = 0; d < ACCT_DIRECTIONS; d++) {
		struct acct_key key = {.app = swept->app,
				       .direction = (uint8_t)d};
		struct acct_counter c = {.sum = swept->sum[d]};

		c.flows = swept->begins && swept->direction == d;
		if (c.sum.frames == 0 && c.flows == 0)
			continue;
		memcpy(key.client, flow->client, sizeof(key.client));
		to->fn(&key, &c, to->arg);
	}
}

/* BATCH keys at most, which is what the program takes. */
static int sweep_batch(struct bpf_acct *a, uint32_t count, void *arg)
{
	static const uint8_t frame[FRAME_SIZE];
	struct __sk_buff skb = {0};
	struct bpf_test_run_opts run = {.sz = sizeof(run),
					.data_in = frame,
					.data_size_in = sizeof(frame),
					.ctx_in = &skb,
					.ctx_size_in = sizeof(skb)};
	struct acct_sweep *s = &a->obj->bss->sweep;
	const struct acct_pending *e = a->values;
	const struct acct_flow *flow = a->keys;
	int err;

	for (uint32_t i = 0; i < count; i++) {
		if (is_due(&e[i], s))
			s->flow[skb.mark++] = flow[i];
	}
	if (skb.mark == 0)
		return 0;
	memset(s->swept, 0, skb.mark * sizeof(s->swept[0]));
	err = bpf_prog_test_run_opts(
		bpf_program__fd(a->obj->progs.acct_sweep_run), &run);
	take_swept(a, s);
	for (uint32_t i = 0; i < skb.mark; i++)
		if (s->swept[i].app != 0)
			pass_swept(&s->swept[i], &s->flow[i], arg);
	return err;
}

_Static_assert(BATCH <= ACCT_SWEEP_KEYS, "a batch is swept at once");

int bpf_acct_sweep(struct bpf_acct *a, const struct bpf_sweep *age,
		   bpf_counter_fn fn, void *arg)
{
	struct swept_to to = {fn, arg};
	struct acct_sweep *s = &a->obj->bss->sweep;
	struct timespec ts;
	uint64_t now;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
	memset(s, 0, sizeof(*s));
	s->idle_before = ago(now, age->idle);
	s->old_before = ago(now, age->age);
	s->forget_before = ago(now, age->forget);
	err = each_batch(a, sweep_batch, &to);
	return err != 0 ? err : (int)s->removed;
}

/* --- labels -------------------------------------------------------------------- */

/* Entry @key of a map of applications; 0: not there. */
static int set_app(const struct bpf_map *map, const void *key, uint16_t app)
{
	int fd = bpf_map__fd(map);
	int err;

	if (app >= ACCT_APPS)
		return -EINVAL;
	if (app > 0)
		return bpf_map_update_elem(fd, key, &app, BPF_ANY);
	err = bpf_map_delete_elem(fd, key);
	return err == -ENOENT ? 0 : err;
}

int bpf_acct_label(struct bpf_acct *a, const struct acct_flow *flow,
		   uint16_t app)
{
	return set_app(a->obj->maps.labels, flow, app);
}

int bpf_acct_port(struct bpf_acct *a, uint16_t port, uint16_t app)
{
	uint16_t key = htons(port);

	return set_app(a->obj->maps.ports, &key, app);
}
