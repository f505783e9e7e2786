// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what LAN interfaces carry, to {client, application, direction}, or to
 * a reason why it belongs to no application. Runs at tc, in both directions.
 *
 * Fails open: it only counts, and lets whatever comes after it in the chain
 * decide about the packet (TC_ACT_UNSPEC, the same number as TCX_NEXT).
 *
 * Conservation. Each frame adds its length to exactly one place: a counter of
 * an application, a reason, or a pending flow, which is moved to one of the
 * two later. Sending is counted before the queue: frames that a full queue or
 * a driver drops after us (tx_dropped) are counted here, but not in tx_bytes.
 *
 * Exactness. Counters and reasons are per processor and written without
 * atomics: ingress runs in softirq and egress with softirqs off, so no two
 * frames are counted on one processor at a time. Userspace never takes from a
 * table in use: it puts the other one into its place, waits until no program
 * can hold the old one (updating a map of maps does wait), and then empties it.
 *
 * Pending flows. Until it has a label a flow's bytes are in `pending`, where
 * both directions of it may be at work on different processors, so an entry
 * has a lock. The kernel reuses removed entries at once, also while somebody
 * holds a pointer to one. Hence:
 *   - whoever removes an entry first zeroes it, under its lock;
 *   - who makes one inserts zeroes, and then sets its tag under the lock;
 *   - nobody writes to an entry, or removes it, but under its lock and with the
 *     tag of his flow in it; only the one who inserted it may set a tag of 0.
 * So the memory of a free entry is all zero, insertion changes nothing in it,
 * and a stale pointer finds 0 or another flow's tag. Who finds that counts
 * the packet as unlabelled; it takes two processors within nanoseconds.
 * Userspace removes entries by running acct_sweep_run, under the same rules.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "acct.h"
#include "kernel.h"
#include "parse.h"

#define IPS_SEEN_REPLY 0x2U /* linux/netfilter/nf_conntrack_common.h */

char LICENSE[] SEC("license") = "GPL";

const volatile struct acct_config config;

/* Shared with userspace between two runs of acct_sweep_run. */
struct acct_sweep sweep;

/* A constant that can be copied into the map; the type may not be in .rodata. */
static const __u8 no_pending[sizeof(struct acct_pending)]
	__attribute__((aligned(8)));
static const struct acct_counter no_counter;

struct counters {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct acct_key);
	__type(value, struct acct_counter);
} counters_a SEC(".maps"), counters_b SEC(".maps");

/* See remember(). */
struct recent {
	struct acct_flow flow;
	__u64 until; /* jiffies */
	__u16 app;
	__u8 directions; /* bits; a packet in another one is looked at anew */
	__u8 zero[5];
};

/* The one table of counters that is in use. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct counters);
} current SEC(".maps") = {.values = {&counters_a}};

/* Totals since loading; reason * ACCT_DIRECTIONS + direction. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ACCT_REASONS *ACCT_DIRECTIONS);
	__type(key, __u32);
	__type(value, struct acct_sum);
} reasons SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct acct_flow);
	__type(value, struct acct_pending);
} pending SEC(".maps");

/* Applications of intercepted flows, where userspace knows better. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct acct_flow);
	__type(value, __u16);
} labels SEC(".maps");

/* Applications of intercepted flows by the server's port, as in the packet. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ACCT_PORTS);
	__type(key, __u16);
	__type(value, __u16);
} ports SEC(".maps");

/*
 * What was found out about flows a moment ago, a slot for a hash. With it a
 * packet needs neither conntrack, sockets nor the pending flows.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ACCT_RECENT);
	__type(key, __u32);
	__type(value, struct recent);
} recent SEC(".maps");

/* What is known about the flow of one packet. */
struct label {
	__u16 app;    /* 0: none */
	bool local;   /* the gateway's own: no flow is kept */
	bool seen_ct; /* conntrack knows the flow */
	bool replied; /* both sides have sent: not its first packet */
};

/* --- sums ------------------------------------------------------------------- */

static __always_inline void sum_add(struct acct_sum *to,
				    const struct acct_sum *n)
{
	to->packets += n->packets;
	to->bytes += n->bytes;
	to->frames += n->frames;
	to->frame_bytes += n->frame_bytes;
	to->header_bytes += n->header_bytes;
}

static __always_inline void sum_clear(struct acct_sum *s)
{
	s->packets = 0;
	s->bytes = 0;
	s->frames = 0;
	s->frame_bytes = 0;
	s->header_bytes = 0;
}

/* A packet from outside may have a segment size, but no number of segments. */
static __always_inline __u32 segments(const struct __sk_buff *skb, __u32 heads)
{
	if (skb->gso_segs > 0)
		return skb->gso_segs;
	if (skb->gso_size == 0 || skb->len <= heads)
		return 1;
	return (skb->len - heads + skb->gso_size - 1) / skb->gso_size;
}

static __always_inline void
sum_of(struct acct_sum *n, const struct __sk_buff *skb, const struct packet *p)
{
	n->packets = segments(skb, p->heads);
	n->bytes = p->ip_bytes;
	n->frames = 1;
	n->frame_bytes = skb->len;
	n->header_bytes = (n->packets - 1) * p->heads;
	if (skb->vlan_present)
		n->header_bytes += n->packets * sizeof(struct vlan_tag);
}

static __always_inline int
count_reason(enum acct_reason reason, __u32 direction, const struct acct_sum *n)
{
	__u32 index = reason * ACCT_DIRECTIONS + direction;
	struct acct_sum *sum = bpf_map_lookup_elem(&reasons, &index);

	if (sum != NULL)
		sum_add(sum, n);
	return 0;
}

static __always_inline struct acct_counter *counter_of(void *table,
						       struct acct_key *key)
{
	struct acct_counter *c = bpf_map_lookup_elem(table, key);

	if (c != NULL)
		return c;
	/* Another processor may be quicker; a full table shows in the lookup. */
	bpf_map_update_elem(table, key, &no_counter, BPF_NOEXIST);
	return bpf_map_lookup_elem(table, key);
}

static __always_inline void count_app(const struct acct_flow *flow, __u16 app,
				      __u32 direction, const struct acct_sum *n,
				      __u32 flows)
{
	struct acct_key key = {.app = app, .direction = direction};
	__u32 zero = 0;
	void *table = bpf_map_lookup_elem(&current, &zero);
	struct acct_counter *c = NULL;

	__builtin_memcpy(key.client, flow->client, sizeof(key.client));
	if (table != NULL)
		c = counter_of(table, &key);
	if (c == NULL) {
		count_reason(ACCT_TABLE_FULL, direction, n);
		return;
	}
	sum_add(&c->sum, n);
	c->flows += flows;
}

/* --- pending flows ------------------------------------------------------------ */

/* Tells flows apart well enough; never 0. */
static __always_inline __u64 tag_of(const struct acct_flow *flow)
{
	const __u64 *word = (const __u64 *)flow;
	__u64 tag = 0;

#pragma unroll
	for (unsigned int i = 0; i < sizeof(*flow) / sizeof(*word); i++) {
		tag = (tag ^ word[i]) * 0x9e3779b97f4a7c15ULL;
		tag ^= tag >> 29;
	}
	return tag | 1;
}

static __always_inline void entry_clear(struct acct_pending *e)
{
	e->seen_ct = 0;
	e->counted = 0;
	e->direction = 0;
	e->tag = 0;
	e->first = 0;
	e->last = 0;
	sum_clear(&e->sum[ACCT_UP]);
	sum_clear(&e->sum[ACCT_DOWN]);
}

static __always_inline void take(struct acct_pending *e,
				 struct acct_sum sum[ACCT_DIRECTIONS])
{
	sum[ACCT_UP] = e->sum[ACCT_UP];
	sum[ACCT_DOWN] = e->sum[ACCT_DOWN];
	sum_clear(&e->sum[ACCT_UP]);
	sum_clear(&e->sum[ACCT_DOWN]);
}

/*
 * The entry of @flow, made if there is none; NULL when there is no room.
 * @made: by this call, so it is the caller who sets the tag.
 */
static __always_inline struct acct_pending *
entry_get(const struct acct_flow *flow, bool *made)
{
	struct acct_pending *e = bpf_map_lookup_elem(&pending, flow);

	*made = false;
	if (e != NULL)
		return e;
	*made = bpf_map_update_elem(&pending, flow, no_pending, BPF_NOEXIST) ==
		0;
	return bpf_map_lookup_elem(&pending, flow);
}

/* Under the lock: whether the entry is the flow's. */
static __always_inline bool entry_is(struct acct_pending *e, __u64 tag,
				     bool made, __u32 direction, __u64 now)
{
	if (made && e->tag == 0) {
		e->tag = tag;
		e->first = now;
		e->direction = direction;
	}
	return e->tag == tag;
}

static __always_inline int count_pending(const struct acct_flow *flow,
					 const struct label *l, __u32 direction,
					 const struct acct_sum *n)
{
	__u64 now = bpf_ktime_get_ns();
	__u64 tag = tag_of(flow);
	bool made, is;
	struct acct_pending *e = entry_get(flow, &made);

	if (e == NULL)
		return count_reason(ACCT_TABLE_FULL, direction, n);
	bpf_spin_lock(&e->lock);
	is = entry_is(e, tag, made, direction, now);
	if (is) {
		e->last = now;
		e->seen_ct |= l->seen_ct;
		if (direction == ACCT_UP)
			sum_add(&e->sum[ACCT_UP], n);
		else
			sum_add(&e->sum[ACCT_DOWN], n);
	}
	bpf_spin_unlock(&e->lock);
	return is ? 0 : count_reason(ACCT_UNLABELLED, direction, n);
}

/*
 * The flow has got a label: what is pending goes to its counters, and it is
 * counted, unless it has been. As long as only one side has sent, the entry
 * stays, to remember that. A flow whose first packet had a label, but which
 * has been seen in both directions before, can only be one from before this
 * program, or one that was pending for too long; it isn't counted.
 */
static __always_inline void label_flow(const struct acct_flow *flow,
				       const struct label *l, __u32 direction)
{
	struct acct_sum sum[ACCT_DIRECTIONS] = {};
	struct acct_pending *e = bpf_map_lookup_elem(&pending, flow);
	__u64 now, tag;
	bool made = false, begins = false, gone = false;

	if (e == NULL && l->replied)
		return;
	if (e == NULL)
		e = entry_get(flow, &made);
	if (e == NULL) {
		count_app(flow, l->app, direction, &sum[0], 1);
		return;
	}
	now = bpf_ktime_get_ns();
	tag = tag_of(flow);
	bpf_spin_lock(&e->lock);
	if (entry_is(e, tag, made, direction, now)) {
		begins = !e->counted;
		direction = e->direction;
		e->counted = 1;
		e->last = now;
		take(e, sum);
		gone = l->replied;
		if (gone)
			entry_clear(e);
	}
	bpf_spin_unlock(&e->lock);
	if (gone)
		bpf_map_delete_elem(&pending, flow);
	if (sum[ACCT_UP].frames > 0 || (begins && direction == ACCT_UP))
		count_app(flow, l->app, ACCT_UP, &sum[ACCT_UP],
			  begins && direction == ACCT_UP);
	if (sum[ACCT_DOWN].frames > 0 || (begins && direction == ACCT_DOWN))
		count_app(flow, l->app, ACCT_DOWN, &sum[ACCT_DOWN],
			  begins && direction == ACCT_DOWN);
}

/* --- whose packet is it? -------------------------------------------------------- */

static __always_inline __u16 intercepted_app(const struct acct_flow *flow,
					     __u32 mark)
{
	__u16 *app = bpf_map_lookup_elem(&labels, flow);
	__u16 port = flow->server_port;

	if (app == NULL && mark & ACCT_MARK_DATA)
		return config.data;
	if (app == NULL)
		app = bpf_map_lookup_elem(&ports, &port);
	return app != NULL ? *app : config.intercepted;
}

/* The flow as an address pair of conntrack's and of sockets; its size. */
static __always_inline __u32 tuple_of(struct bpf_sock_tuple *t,
				      const struct packet *p)
{
	const struct acct_flow *f = &p->flow;

	if (p->family == AF_INET) {
		t->ipv4.saddr = *(const __be32 *)(f->client + 12);
		t->ipv4.daddr = *(const __be32 *)(f->server + 12);
		t->ipv4.sport = f->client_port;
		t->ipv4.dport = f->server_port;
		return sizeof(t->ipv4);
	}
	__builtin_memcpy(t->ipv6.saddr, f->client, sizeof(t->ipv6.saddr));
	__builtin_memcpy(t->ipv6.daddr, f->server, sizeof(t->ipv6.daddr));
	t->ipv6.sport = f->client_port;
	t->ipv6.dport = f->server_port;
	return sizeof(t->ipv6);
}

/*
 * The socket's mark; 0 for one that has none, or one that doesn't say whose
 * the packet is: a listener (its wildcard address matches what is forwarded to
 * the same port elsewhere), or a leftover in TIME_WAIT when a SYN comes.
 */
static __always_inline __u32 socket_mark(struct bpf_sock *sk, bool opens,
					 bool *found)
{
	struct tcp_timewait_sock *tw;
	struct tcp_request_sock *req;
	struct bpf_sock *full;
	__u32 mark = 0;

	*found = sk->state != BPF_TCP_LISTEN &&
		 !(opens && sk->state == BPF_TCP_TIME_WAIT);
	if (!*found)
		return 0;
	/* barrier_var: else the three loads become one at a pointer plus x. */
	if (sk->state == BPF_TCP_TIME_WAIT) {
		tw = bpf_skc_to_tcp_timewait_sock(sk);
		if (tw != NULL)
			mark = tw->tw_sk.tw_mark;
		barrier_var(mark);
	} else if (sk->state == BPF_TCP_NEW_SYN_RECV) {
		req = bpf_skc_to_tcp_request_sock(sk);
		if (req != NULL)
			mark = req->req.ir_mark;
		barrier_var(mark);
	} else {
		full = bpf_sk_fullsock(sk);
		if (full != NULL)
			mark = full->mark;
		barrier_var(mark);
	}
	return mark;
}

/* Only a client's packets look for a socket; what a socket sends has a mark. */
static __always_inline void find_socket(struct __sk_buff *skb,
					const struct packet *p, struct label *l)
{
	struct bpf_sock_tuple tuple = {};
	__u32 size = tuple_of(&tuple, p), mark;
	struct bpf_sock *sk;
	bool found;

	sk = bpf_skc_lookup_tcp(skb, &tuple,
				size == sizeof(tuple.ipv4) ? sizeof(tuple.ipv4)
							   : sizeof(tuple.ipv6),
				BPF_F_CURRENT_NETNS, 0);
	if (sk == NULL)
		return;
	mark = socket_mark(sk, p->opens, &found);
	bpf_sk_release(sk);
	if (!found)
		return;
	l->replied = true;
	l->local = (mark & ACCT_MARK_CLIENT) == 0;
	l->app = l->local ? config.gateway : intercepted_app(&p->flow, mark);
}

/*
 * Always by the address pair that the LAN sees, from client to server: that is
 * one of the two that conntrack keeps, whatever NAT does elsewhere, also for
 * packets towards the client, whose addresses have been translated back.
 */
static __always_inline void find_ct(struct __sk_buff *skb,
				    const struct packet *p, struct label *l)
{
	struct bpf_ct_opts___first opts = {
		.netns_id = BPF_F_CURRENT_NETNS,
		.l4proto = p->flow.protocol,
	};
	struct bpf_sock_tuple tuple = {};
	__u32 size = tuple_of(&tuple, p);
	struct nf_conn *ct;
	__u32 mark;

	ct = size == sizeof(tuple.ipv4)
		     ? bpf_skb_ct_lookup(skb, &tuple, sizeof(tuple.ipv4), &opts,
					 sizeof(opts))
		     : bpf_skb_ct_lookup(skb, &tuple, sizeof(tuple.ipv6), &opts,
					 sizeof(opts));
	if (ct == NULL)
		return;
	mark = ct->mark;
	l->seen_ct = true;
	l->replied = (ct->status & IPS_SEEN_REPLY) != 0;
	bpf_ct_release(ct);
	/* This connection was answered long ago; the SYN opens the next one. */
	if (p->opens && l->replied)
		return;
	l->app = (mark & ACCT_LABEL_MASK) >> ACCT_LABEL_SHIFT;
}

/* The kernel tells these before it asks the routing tables. */
static __always_inline bool is_multicast(const struct packet *p)
{
	__be32 ipv4 = *(const __be32 *)(p->flow.server + 12);

	if (p->family == AF_INET6)
		return p->flow.server[0] == 0xff;
	return ipv4 == bpf_htonl(INADDR_BROADCAST) ||
	       (ipv4 & bpf_htonl(0xf0000000)) == bpf_htonl(INADDR_UNSPEC_GROUP);
}

/*
 * Whether routing ends here for what a client sent: local, broadcast,
 * multicast, or there is no route.
 */
static __always_inline bool routed_here(struct __sk_buff *skb,
					const struct packet *p)
{
	struct bpf_fib_lookup fib = {
		.family = p->family,
		.l4_protocol = p->flow.protocol,
		.ifindex = skb->ifindex,
	};

	if (p->family == AF_INET) {
		fib.ipv4_src = *(const __be32 *)(p->flow.client + 12);
		fib.ipv4_dst = *(const __be32 *)(p->flow.server + 12);
	} else {
		__builtin_memcpy(fib.ipv6_src, p->flow.client, 16);
		__builtin_memcpy(fib.ipv6_dst, p->flow.server, 16);
	}
	return bpf_fib_lookup(skb, &fib, sizeof(fib), 0) ==
	       BPF_FIB_LKUP_RET_NOT_FWDED;
}

/* What the gateway sends didn't come in anywhere. */
static __always_inline bool is_local(struct __sk_buff *skb, __u32 direction,
				     const struct packet *p)
{
	if (direction == ACCT_DOWN)
		return skb->ingress_ifindex == 0;
	return is_multicast(p) || routed_here(skb, p);
}

static __always_inline bool has_flow(const struct packet *p)
{
	return p->flow.protocol == IPPROTO_TCP ||
	       p->flow.protocol == IPPROTO_UDP;
}

static __always_inline void find_label(struct __sk_buff *skb, __u32 direction,
				       const struct packet *p, struct label *l)
{
	if (p->flow.protocol == IPPROTO_TCP) {
		if (direction == ACCT_UP) {
			find_socket(skb, p, l);
		} else if (skb->mark & ACCT_MARK_CLIENT) {
			l->app = intercepted_app(&p->flow, skb->mark);
			l->replied = true;
		}
	}
	if (l->app == 0 && config.conntrack && has_flow(p))
		find_ct(skb, p, l);
	if (l->app == 0 && config.gateway != 0 && is_local(skb, direction, p)) {
		l->app = config.gateway;
		l->local = true;
	}
}

/* --- what was found out a moment ago --------------------------------------------- */

static __always_inline struct recent *recent_slot(__u64 tag)
{
	__u32 slot = (tag >> 32) & (ACCT_RECENT - 1);

	if (config.recent_ticks == 0)
		return NULL;
	return bpf_map_lookup_elem(&recent, &slot);
}

static __always_inline bool same_flow(const struct acct_flow *a,
				      const struct acct_flow *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;
	__u64 differ = 0;

#pragma unroll
	for (unsigned int i = 0; i < sizeof(*a) / sizeof(*x); i++)
		differ |= x[i] ^ y[i];
	return differ == 0;
}

/* Its application, or 0. A SYN opens another connection with the same ends. */
static __always_inline __u16 recall(const struct recent *r,
				    const struct packet *p, __u32 direction)
{
	if (r == NULL || p->opens || !same_flow(&r->flow, &p->flow) ||
	    (r->directions & (1U << direction)) == 0 ||
	    r->until < bpf_jiffies64())
		return 0;
	return r->app;
}

/*
 * Once both sides have sent, nothing but the label's change could make a
 * difference, which is seen when the slot has aged. Before that, the first
 * packet of the other side has to be seen by label_flow().
 */
static __always_inline void remember(struct recent *r, const struct packet *p,
				     const struct label *l, __u32 direction)
{
	if (r == NULL)
		return;
	r->flow = p->flow;
	r->until = bpf_jiffies64() + config.recent_ticks;
	r->app = l->app;
	r->directions = l->replied ? 1U << ACCT_UP | 1U << ACCT_DOWN
				   : 1U << direction;
}

/* --- frames ---------------------------------------------------------------------- */

/* No flows: an address and a protocol must do. */
static __always_inline int count_other(const struct packet *p,
				       const struct label *l, __u32 direction,
				       const struct acct_sum *n)
{
	__u16 app = l->app != 0 ? l->app : config.protocols[p->flow.protocol];

	if (app == 0)
		return count_reason(ACCT_PROTOCOL, direction, n);
	count_app(&p->flow, app, direction, n, 0);
	return 0;
}

/*
 * Not inlined: the way of most packets, which are recalled, is short then, and
 * leaves the processor's caches to the rest of the kernel.
 */
static __noinline int count_looked_up(struct __sk_buff *skb, __u32 direction,
				      const struct packet *p,
				      const struct acct_sum *n,
				      struct recent *r)
{
	struct label l = {};

	find_label(skb, direction, p, &l);
	if (l.app == 0 && !config.conntrack)
		return count_reason(ACCT_NO_CONNTRACK, direction, n);
	if (l.app == 0)
		return count_pending(&p->flow, &l, direction, n);
	if (!l.local)
		label_flow(&p->flow, &l, direction);
	count_app(&p->flow, l.app, direction, n, 0);
	remember(r, p, &l, direction);
	return 0;
}

static __always_inline int count_flow(struct __sk_buff *skb, __u32 direction,
				      const struct packet *p,
				      const struct acct_sum *n)
{
	struct recent *r = recent_slot(tag_of(&p->flow));
	__u16 app = recall(r, p, direction);

	if (app == 0)
		return count_looked_up(skb, direction, p, n, r);
	count_app(&p->flow, app, direction, n, 0);
	return 0;
}

static __always_inline int count_frame(struct __sk_buff *skb, __u32 direction)
{
	struct packet p = {};
	struct acct_sum n;
	struct label l = {};
	int reason = parse_frame(skb, direction, &p);

	sum_of(&n, skb, &p);
	if (reason != ACCT_ATTRIBUTED)
		return count_reason(reason, direction, &n);
	if (has_flow(&p))
		return count_flow(skb, direction, &p, &n);
	find_label(skb, direction, &p, &l);
	return count_other(&p, &l, direction, &n);
}

SEC("tc") int acct_up(struct __sk_buff *skb)
{
	count_frame(skb, ACCT_UP);
	return TC_ACT_UNSPEC;
}

SEC("tc") int acct_down(struct __sk_buff *skb)
{
	count_frame(skb, ACCT_DOWN);
	return TC_ACT_UNSPEC;
}

/* --- the sweep ------------------------------------------------------------------ */

static __always_inline void
sweep_add(const struct acct_sum sum[ACCT_DIRECTIONS], bool seen_ct)
{
	struct acct_sum *to = seen_ct ? sweep.unlabelled : sweep.no_conntrack;

	sum_add(&to[ACCT_UP], &sum[ACCT_UP]);
	sum_add(&to[ACCT_DOWN], &sum[ACCT_DOWN]);
	sweep.flows += sum[ACCT_UP].frames + sum[ACCT_DOWN].frames > 0;
}

/*
 * The label that the flow has by now. Most have got it with a packet, but the
 * one that decides may be the last for a while, or for good: a datagram that
 * nobody answers, or one answer.
 */
static __always_inline void find_late_label(struct __sk_buff *skb,
					    const struct acct_flow *flow,
					    struct label *l)
{
	const __be32 *word = (const __be32 *)flow->client;
	struct packet p = {.flow = *flow, .family = AF_INET6};

	if (word[0] == 0 && word[1] == 0 && word[2] == bpf_htonl(0xffff))
		p.family = AF_INET;
	if (config.conntrack)
		find_ct(skb, &p, l);
}

/*
 * Labelled flows are not counted here: on kernels before 6.11 a softirq, and
 * so a packet of this processor, can come in between.
 */
static long sweep_one(__u32 i, void *arg)
{
	struct acct_swept swept = {};
	bool seen_ct = false, gone = false;
	struct label l = {};
	struct acct_flow flow;
	struct acct_pending *e;
	__u64 tag;

	if (i >= ACCT_SWEEP_KEYS)
		return 1;
	flow = sweep.flow[i];
	e = bpf_map_lookup_elem(&pending, &flow);
	if (e == NULL)
		return 0;
	find_late_label(*(struct __sk_buff **)arg, &flow, &l);
	tag = tag_of(&flow);
	bpf_spin_lock(&e->lock);
	if (e->tag == tag) {
		/* The first packet is seen before conntrack sees it. */
		seen_ct = e->seen_ct || l.seen_ct;
		gone = e->last < sweep.forget_before ||
		       (l.app != 0 && l.replied);
		if (l.app != 0) {
			swept.app = l.app;
			swept.direction = e->direction;
			swept.begins = !e->counted;
			e->counted = 1;
		}
		if (gone || l.app != 0 || e->last < sweep.idle_before ||
		    e->first < sweep.old_before)
			take(e, swept.sum);
		if (gone)
			entry_clear(e);
	}
	bpf_spin_unlock(&e->lock);
	if (gone && bpf_map_delete_elem(&pending, &flow) == 0)
		sweep.removed++;
	if (swept.app != 0)
		sweep.swept[i] = swept;
	else
		sweep_add(swept.sum, seen_ct);
	return 0;
}

/*
 * Run by userspace (BPF_PROG_RUN), never attached; the packet is the number of
 * keys in sweep.flow[], as its mark. Of type tc, for a sleepable program may
 * not take such a lock before Linux 6.6.
 */
SEC("tc") int acct_sweep_run(struct __sk_buff *skb)
{
	struct __sk_buff *ctx = skb;

	bpf_loop(skb->mark, sweep_one, &ctx, 0);
	return TC_ACT_OK;
}
