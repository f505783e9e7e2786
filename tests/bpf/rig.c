// SPDX-License-Identifier: GPL-2.0-or-later
#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
#include <cmocka.h>

#include "acct.skel.inc"
#include "base/ip.h"

#define LOOPBACK 1 /* its index in each namespace */

/* --- the program -------------------------------------------------------------- */

void rig_open(struct rig *r, const struct rig_options *opt)
{
	static const struct rig_options usual;
	const struct rig_options *o = opt != NULL ? opt : &usual;
	uint32_t counters = o->counters > 0 ? o->counters : 64;

	memset(&r->swept, 0, sizeof(r->swept));
	r->cpus = libbpf_num_possible_cpus();
	assert_true(r->cpus > 0);
	r->obj = acct_bpf__open();
	assert_non_null(r->obj);
	if (!o->no_ids) {
		r->obj->rodata->config.intercepted = RIG_INTERCEPTED;
		r->obj->rodata->config.gateway = RIG_GATEWAY;
		r->obj->rodata->config.data = RIG_DATA;
		r->obj->rodata->config.protocols[IPPROTO_ICMP] = RIG_ICMP;
		r->obj->rodata->config.protocols[IPPROTO_ICMPV6] = RIG_ICMPV6;
	}
	r->obj->rodata->config.conntrack = !o->no_conntrack;
	r->obj->rodata->config.recent_ticks = o->recent_ticks;
	bpf_map__set_max_entries(r->obj->maps.counters_a, counters);
	bpf_map__set_max_entries(r->obj->maps.counters_b, counters);
	bpf_map__set_max_entries(r->obj->maps.pending,
				 o->pending > 0 ? o->pending : 64);
	bpf_map__set_max_entries(r->obj->maps.labels, 64);
	assert_int_equal(acct_bpf__load(r->obj), 0);
}

void rig_close(struct rig *r)
{
	acct_bpf__destroy(r->obj);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd != -1 && write(fd, text, strlen(text)) != -1;

	if (fd != -1)
		close(fd);
	return done;
}

/* By the loopback: without a route, packets would be nobody's. */
static bool add_default_routes(void)
{
	char lo[] = "lo";
	struct rtentry ipv4 = {
		.rt_dst = {.sa_family = AF_INET},
		.rt_genmask = {.sa_family = AF_INET},
		.rt_flags = RTF_UP,
		.rt_dev = lo,
	};
	struct in6_rtmsg ipv6 = {.rtmsg_flags = RTF_UP,
				 .rtmsg_metric = 1,
				 .rtmsg_ifindex = LOOPBACK};
	int fd4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int fd6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool done = ioctl(fd4, SIOCADDRT, &ipv4) == 0 &&
		    ioctl(fd6, SIOCADDRT, &ipv6) == 0;

	close(fd4);
	close(fd6);
	return done;
}

int rig_namespace(void **state)
{
	struct ifreq req = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd, err;

	(void)state;
	if (unshare(CLONE_NEWNET) == -1) {
		print_error("needs root: %s\n", strerror(errno));
		return -1;
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	err = ioctl(fd, SIOCSIFFLAGS, &req);
	close(fd);
	if (err == -1 || !write_file("/proc/sys/net/ipv4/ip_forward", "1") ||
	    !write_file("/proc/sys/net/ipv6/conf/all/forwarding", "1") ||
	    !add_default_routes())
		return -1;
	return 0;
}

/* --- frames ----------------------------------------------------------------- */

static void put(struct frame *f, const void *data, size_t len)
{
	assert_true(f->len + len <= sizeof(f->data));
	memcpy(f->data + f->len, data, len);
	f->len += len;
}

static void put16(struct frame *f, uint16_t value)
{
	const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};

	put(f, bytes, sizeof(bytes));
}

void frame_bytes(struct frame *f, size_t count)
{
	assert_true(f->len + count <= sizeof(f->data));
	memset(f->data + f->len, 'x', count);
	f->len += count;
}

void frame_start(struct frame *f, uint16_t protocol)
{
	memset(f, 0, sizeof(*f));
	frame_bytes(f, 2 * ETH_ALEN);
	put16(f, protocol);
}

void frame_tag(struct frame *f, uint16_t tag, uint16_t protocol)
{
	f->len -= 2;
	put16(f, tag);
	put16(f, 7);
	put16(f, protocol);
}

static struct ip_addr address(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

void frame_ipv4(struct frame *f, const char *src, const char *dst,
		uint8_t protocol, size_t options)
{
	struct ip_addr s = address(src), d = address(dst);
	uint8_t h[20] = {0x45, [8] = 64, [9] = protocol};
	uint8_t no_operation = 1;

	f->ip = f->len;
	h[0] = (uint8_t)(0x45 + options / 4);
	memcpy(h + 12, s.bytes, 4);
	memcpy(h + 16, d.bytes, 4);
	put(f, h, sizeof(h));
	for (size_t i = 0; i < options; i++)
		put(f, &no_operation, 1);
}

void frame_ipv6(struct frame *f, const char *src, const char *dst, uint8_t next)
{
	struct ip_addr s = address(src), d = address(dst);
	uint8_t h[40] = {0x60, [6] = next, [7] = 64};

	f->ip = f->len;
	memcpy(h + 8, s.bytes, 16);
	memcpy(h + 24, d.bytes, 16);
	put(f, h, sizeof(h));
}

void frame_extension(struct frame *f, uint8_t type, uint8_t next, size_t size)
{
	uint8_t h[64] = {next};

	assert_true(size >= 8 && size <= sizeof(h));
	h[1] = (uint8_t)(type == IPPROTO_AH ? size / 4 - 2 : size / 8 - 1);
	put(f, h, size);
}

void frame_tcp(struct frame *f, uint16_t sport, uint16_t dport, uint8_t flags,
	       size_t options)
{
	uint8_t rest[16 + 40] = {
		[8] = (uint8_t)((5 + options / 4) << 4), [9] = flags};

	put16(f, sport);
	put16(f, dport);
	put(f, rest, 16 + options);
}

void frame_udp(struct frame *f, uint16_t sport, uint16_t dport)
{
	put16(f, sport);
	put16(f, dport);
	put16(f, 0);
	put16(f, 0);
}

void frame_end(struct frame *f)
{
	bool ipv6 = f->data[f->ip] >> 4 == 6;
	size_t len = f->len - f->ip - (ipv6 ? 40 : 0);
	size_t at = f->ip + (ipv6 ? 4 : 2);

	f->data[at] = (uint8_t)(len >> 8);
	f->data[at + 1] = (uint8_t)len;
}

static bool is_mapped(const uint8_t addr[16])
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(addr, prefix, sizeof(prefix)) == 0;
}

static const char *text_of(const uint8_t addr[16], char *text)
{
	if (is_mapped(addr))
		return inet_ntop(AF_INET, addr + 12, text, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, addr, text, INET6_ADDRSTRLEN);
}

void frame_flow(struct frame *f, const struct acct_flow *flow,
		enum acct_direction d, uint8_t flags, size_t payload)
{
	char client[INET6_ADDRSTRLEN], server[INET6_ADDRSTRLEN];
	const char *src, *dst;
	bool up = d == ACCT_UP, ipv4 = is_mapped(flow->client);
	uint16_t sport = ntohs(up ? flow->client_port : flow->server_port);
	uint16_t dport = ntohs(up ? flow->server_port : flow->client_port);

	text_of(flow->client, client);
	text_of(flow->server, server);
	src = up ? client : server;
	dst = up ? server : client;
	frame_start(f, ipv4 ? ETH_P_IP : ETH_P_IPV6);
	if (ipv4)
		frame_ipv4(f, src, dst, flow->protocol, 0);
	else
		frame_ipv6(f, src, dst, flow->protocol);
	if (flow->protocol == IPPROTO_TCP)
		frame_tcp(f, sport, dport, flags, 0);
	else if (flow->protocol == IPPROTO_UDP)
		frame_udp(f, sport, dport);
	frame_bytes(f, payload);
	frame_end(f);
}

/* --- running -------------------------------------------------------------------- */

uint32_t rig_repeat(struct rig *r, enum acct_direction d, const struct frame *f,
		    int times)
{
	bool out = d == ACCT_DOWN;
	struct __sk_buff skb = {.mark = f->mark,
				.ifindex = LOOPBACK,
				.ingress_ifindex = out && !f->local ? LOOPBACK
								    : 0,
				.gso_segs = f->gso_segs,
				.gso_size = f->gso_size};
	struct bpf_test_run_opts run = {.sz = sizeof(run),
					.data_in = f->data,
					.data_size_in = (uint32_t)f->len,
					.ctx_in = &skb,
					.ctx_size_in = sizeof(skb),
					.repeat = times};
	int fd = bpf_program__fd(out ? r->obj->progs.acct_down
				     : r->obj->progs.acct_up);

	assert_int_equal(bpf_prog_test_run_opts(fd, &run), 0);
	assert_int_equal((int32_t)run.retval, -1);
	return run.duration;
}

void rig_run(struct rig *r, enum acct_direction d, const struct frame *f)
{
	rig_repeat(r, d, f, 1);
}

static void add(struct acct_sum *to, const struct acct_sum *n)
{
	to->packets += n->packets;
	to->bytes += n->bytes;
	to->frames += n->frames;
	to->frame_bytes += n->frame_bytes;
	to->header_bytes += n->header_bytes;
}

void rig_sweep(struct rig *r, const struct acct_flow *flow, uint64_t before,
	       uint64_t forget)
{
	static const uint8_t frame[64];
	struct acct_sweep *s = &r->obj->bss->sweep;
	struct __sk_buff skb = {.mark = 1};
	struct bpf_test_run_opts run = {.sz = sizeof(run),
					.data_in = frame,
					.data_size_in = sizeof(frame),
					.ctx_in = &skb,
					.ctx_size_in = sizeof(skb)};
	int fd = bpf_program__fd(r->obj->progs.acct_sweep_run);

	s->flow[0] = *flow;
	s->idle_before = before;
	s->forget_before = forget;
	memset(&s->swept[0], 0, sizeof(s->swept[0]));
	assert_int_equal(bpf_prog_test_run_opts(fd, &run), 0);
	for (int d = 0; d < ACCT_DIRECTIONS; d++)
		add(&r->swept, &s->swept[0].sum[d]);
}

/* --- reading -------------------------------------------------------------------- */

struct acct_sum rig_reason(struct rig *r, enum acct_reason reason,
			   enum acct_direction d)
{
	int fd = bpf_map__fd(r->obj->maps.reasons);
	uint32_t key = reason * ACCT_DIRECTIONS + d;
	struct acct_sum *values =
		calloc((size_t)r->cpus, sizeof(struct acct_sum));
	struct acct_sum sum = {0};

	assert_non_null(values);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, values), 0);
	for (int i = 0; i < r->cpus; i++)
		add(&sum, &values[i]);
	free(values);
	return sum;
}

static void add_counter(struct rig *r, const struct bpf_map *map,
			const struct acct_key *key, struct acct_counter *sum)
{
	struct acct_counter *values =
		calloc((size_t)r->cpus, sizeof(struct acct_counter));

	assert_non_null(values);
	if (bpf_map_lookup_elem(bpf_map__fd(map), key, values) == 0) {
		for (int i = 0; i < r->cpus; i++) {
			add(&sum->sum, &values[i].sum);
			sum->flows += values[i].flows;
		}
	}
	free(values);
}

static void set_address(uint8_t to[16], const char *text)
{
	struct ip_addr a = address(text);

	memset(to, 0, 16);
	if (a.family == AF_INET) {
		to[10] = 0xff;
		to[11] = 0xff;
		memcpy(to + 12, a.bytes, 4);
	} else {
		memcpy(to, a.bytes, 16);
	}
}

struct acct_counter rig_counter(struct rig *r, const char *client, uint16_t app,
				enum acct_direction d)
{
	struct acct_key key = {.app = app, .direction = (uint8_t)d};
	struct acct_counter sum = {0};

	set_address(key.client, client);
	add_counter(r, r->obj->maps.counters_a, &key, &sum);
	add_counter(r, r->obj->maps.counters_b, &key, &sum);
	return sum;
}

bool rig_pending(struct rig *r, const struct acct_flow *flow,
		 struct acct_pending *p)
{
	return bpf_map_lookup_elem_flags(bpf_map__fd(r->obj->maps.pending),
					 flow, p, BPF_F_LOCK) == 0;
}

static void add_table(struct rig *r, const struct bpf_map *map,
		      struct acct_sum *sum)
{
	struct acct_counter all = {0};
	struct acct_key key, *from = NULL;

	while (bpf_map_get_next_key(bpf_map__fd(map), from, &key) == 0) {
		add_counter(r, map, &key, &all);
		from = &key;
	}
	add(sum, &all.sum);
}

static void add_pending(struct rig *r, struct acct_sum *sum)
{
	int fd = bpf_map__fd(r->obj->maps.pending);
	struct acct_flow flow, *from = NULL;
	struct acct_pending p;

	while (bpf_map_get_next_key(fd, from, &flow) == 0) {
		assert_true(rig_pending(r, &flow, &p));
		add(sum, &p.sum[ACCT_UP]);
		add(sum, &p.sum[ACCT_DOWN]);
		from = &flow;
	}
}

struct acct_sum rig_total(struct rig *r)
{
	const struct acct_sweep *s = &r->obj->bss->sweep;
	struct acct_sum sum = {0};

	add_table(r, r->obj->maps.counters_a, &sum);
	add_table(r, r->obj->maps.counters_b, &sum);
	add_pending(r, &sum);
	add(&sum, &r->swept);
	for (int d = 0; d < ACCT_DIRECTIONS; d++) {
		for (int i = 0; i < ACCT_REASONS; i++) {
			struct acct_sum one = rig_reason(r, i, d);

			add(&sum, &one);
		}
		add(&sum, &s->no_conntrack[d]);
		add(&sum, &s->unlabelled[d]);
	}
	return sum;
}

/* --- conntrack ------------------------------------------------------------------- */

struct acct_flow rig_flow(uint8_t protocol, const char *client, uint16_t cport,
			  const char *server, uint16_t sport)
{
	struct acct_flow flow = {.protocol = protocol,
				 .client_port = htons(cport),
				 .server_port = htons(sport)};

	set_address(flow.client, client);
	set_address(flow.server, server);
	return flow;
}

static void set_original(struct nf_conntrack *ct, const struct acct_flow *f)
{
	if (is_mapped(f->client)) {
		nfct_set_attr_u8(ct, ATTR_ORIG_L3PROTO, AF_INET);
		nfct_set_attr(ct, ATTR_ORIG_IPV4_SRC, f->client + 12);
		nfct_set_attr(ct, ATTR_ORIG_IPV4_DST, f->server + 12);
	} else {
		nfct_set_attr_u8(ct, ATTR_ORIG_L3PROTO, AF_INET6);
		nfct_set_attr(ct, ATTR_ORIG_IPV6_SRC, f->client);
		nfct_set_attr(ct, ATTR_ORIG_IPV6_DST, f->server);
	}
	nfct_set_attr_u8(ct, ATTR_ORIG_L4PROTO, f->protocol);
	nfct_set_attr_u16(ct, ATTR_ORIG_PORT_SRC, f->client_port);
	nfct_set_attr_u16(ct, ATTR_ORIG_PORT_DST, f->server_port);
}

/* A reply's source is the server. */
static void set_reply(struct nf_conntrack *ct, const struct acct_flow *f)
{
	if (is_mapped(f->client)) {
		nfct_set_attr_u8(ct, ATTR_REPL_L3PROTO, AF_INET);
		nfct_set_attr(ct, ATTR_REPL_IPV4_SRC, f->server + 12);
		nfct_set_attr(ct, ATTR_REPL_IPV4_DST, f->client + 12);
	} else {
		nfct_set_attr_u8(ct, ATTR_REPL_L3PROTO, AF_INET6);
		nfct_set_attr(ct, ATTR_REPL_IPV6_SRC, f->server);
		nfct_set_attr(ct, ATTR_REPL_IPV6_DST, f->client);
	}
	nfct_set_attr_u8(ct, ATTR_REPL_L4PROTO, f->protocol);
	nfct_set_attr_u16(ct, ATTR_REPL_PORT_SRC, f->server_port);
	nfct_set_attr_u16(ct, ATTR_REPL_PORT_DST, f->client_port);
}

static void query(enum nf_conntrack_query what, struct nf_conntrack *ct)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);

	assert_non_null(h);
	assert_int_equal(nfct_query(h, what, ct), 0);
	nfct_close(h);
	nfct_destroy(ct);
}

void ct_put(const struct acct_flow *flow, const struct acct_flow *reply,
	    uint32_t mark, bool replied)
{
	struct nf_conntrack *ct = nfct_new();

	assert_non_null(ct);
	set_original(ct, flow);
	set_reply(ct, reply != NULL ? reply : flow);
	if (flow->protocol == IPPROTO_TCP)
		nfct_set_attr_u8(ct, ATTR_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 100);
	nfct_set_attr_u32(ct, ATTR_MARK, mark);
	if (replied)
		nfct_set_attr_u32(ct, ATTR_STATUS,
				  IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_ASSURED);
	query(NFCT_Q_CREATE_UPDATE, ct);
}

void ct_remove(const struct acct_flow *flow)
{
	struct nf_conntrack *ct = nfct_new();

	assert_non_null(ct);
	set_original(ct, flow);
	query(NFCT_Q_DESTROY, ct);
}
