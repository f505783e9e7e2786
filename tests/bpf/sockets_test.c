// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose packet it is: a relay's client, the gateway's own, or forwarded. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "rig.h"
#include "acct.skel.inc"

#define LOCAL	"127.0.0.1"
#define LOCAL6	"::1"
#define CLIENT	"10.1.1.2"
#define SERVER	"192.0.2.7"
#define CLIENT6 "fd00:1::2"
#define SERVER6 "2001:db8::7"

/* A connection between two sockets of ours; the accepted one is marked. */
struct pair {
	int listener, connected, accepted;
	struct acct_flow flow; /* the accepted one is the server's end */
};

static socklen_t loopback(struct sockaddr_storage *ss, int family)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *v4 = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*v4);
	}
	v6->sin6_addr = in6addr_loopback;
	return sizeof(*v6);
}

/* It is at the same place in both families' addresses. */
static uint16_t port_of(int fd)
{
	struct sockaddr_in6 sa = {0};
	socklen_t len = sizeof(sa);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	return ntohs(sa.sin6_port);
}

static void listen_on(struct pair *p, int family, uint32_t mark)
{
	struct sockaddr_storage ss;
	socklen_t len = loopback(&ss, family);
	const char *local = family == AF_INET ? LOCAL : LOCAL6;

	p->listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_not_equal(p->listener, -1);
	assert_int_equal(setsockopt(p->listener, SOL_SOCKET, SO_MARK, &mark,
				    sizeof(mark)),
			 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&ss, len), 0);
	assert_int_equal(listen(p->listener, 5), 0);
	p->flow = rig_flow(IPPROTO_TCP, local, 0, local, port_of(p->listener));
	p->connected = -1;
	p->accepted = -1;
}

static void pair_open(struct pair *p, int family, uint32_t mark)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	listen_on(p, family, mark);
	assert_int_equal(getsockname(p->listener, (struct sockaddr *)&ss, &len),
			 0);
	p->connected = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_not_equal(p->connected, -1);
	assert_int_equal(connect(p->connected, (struct sockaddr *)&ss, len), 0);
	p->accepted = accept(p->listener, NULL, NULL);
	assert_int_not_equal(p->accepted, -1);
	p->flow.client_port = htons(port_of(p->connected));
}

static void close_one(int fd)
{
	if (fd != -1)
		close(fd);
}

static void pair_close(struct pair *p)
{
	close_one(p->connected);
	close_one(p->accepted);
	close_one(p->listener);
}

static void run_up(struct rig *r, const struct acct_flow *flow, uint8_t flags)
{
	struct frame f;

	frame_flow(&f, flow, ACCT_UP, flags, 0);
	rig_run(r, ACCT_UP, &f);
}

static uint64_t up_frames(struct rig *r, const char *client, uint16_t app)
{
	return rig_counter(r, client, app, ACCT_UP).sum.frames;
}

/* What the relay's client sends finds the relay's socket. */
static void intercepted(void **state)
{
	static const int families[] = {AF_INET, AF_INET6};

	(void)state;
	for (int i = 0; i < 2; i++) {
		const char *local = families[i] == AF_INET ? LOCAL : LOCAL6;
		struct rig r;
		struct pair p;

		rig_open(&r, NULL);
		pair_open(&p, families[i], ACCT_MARK_CLIENT | 7);
		run_up(&r, &p.flow, TCP_ACK);
		assert_int_equal(up_frames(&r, local, RIG_INTERCEPTED), 1);
		/* conntrack's label belongs to the other leg */
		ct_put(&p.flow, NULL, 5U << ACCT_LABEL_SHIFT, true);
		run_up(&r, &p.flow, TCP_ACK);
		assert_int_equal(up_frames(&r, local, RIG_INTERCEPTED), 2);
		/* a SYN that is sent again, too */
		run_up(&r, &p.flow, TCP_SYN);
		assert_int_equal(up_frames(&r, local, RIG_INTERCEPTED), 3);
		ct_remove(&p.flow);
		pair_close(&p);
		rig_close(&r);
	}
}

static void label_by_hand(void **state)
{
	const uint16_t app = 9;
	struct frame down;
	struct rig r;
	struct pair p;

	(void)state;
	rig_open(&r, NULL);
	pair_open(&p, AF_INET, ACCT_MARK_CLIENT);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(r.obj->maps.labels),
					     &p.flow, &app, BPF_ANY),
			 0);
	run_up(&r, &p.flow, TCP_ACK);
	frame_flow(&down, &p.flow, ACCT_DOWN, TCP_ACK, 10);
	down.mark = ACCT_MARK_CLIENT;
	down.local = true;
	rig_run(&r, ACCT_DOWN, &down);
	assert_int_equal(up_frames(&r, LOCAL, app), 1);
	assert_int_equal(rig_counter(&r, LOCAL, app, ACCT_DOWN).sum.frames, 1);
	pair_close(&p);
	rig_close(&r);
}

/* By the server's port; not what is forwarded to the same port. */
static void label_by_port(void **state)
{
	struct acct_flow other =
		rig_flow(IPPROTO_TCP, CLIENT, 1000, SERVER, 21);
	const uint16_t app = 9;
	struct frame f;
	struct rig r;
	struct pair p;

	(void)state;
	rig_open(&r, NULL);
	pair_open(&p, AF_INET, ACCT_MARK_CLIENT);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(r.obj->maps.ports),
					     &p.flow.server_port, &app,
					     BPF_ANY),
			 0);
	run_up(&r, &p.flow, TCP_ACK);
	frame_flow(&f, &p.flow, ACCT_DOWN, TCP_ACK, 10);
	f.mark = ACCT_MARK_CLIENT;
	f.local = true;
	rig_run(&r, ACCT_DOWN, &f);
	assert_int_equal(up_frames(&r, LOCAL, app), 1);
	assert_int_equal(rig_counter(&r, LOCAL, app, ACCT_DOWN).sum.frames, 1);
	other.server_port = p.flow.server_port;
	run_up(&r, &other, TCP_ACK);
	assert_int_equal(up_frames(&r, CLIENT, app), 0);
	pair_close(&p);
	rig_close(&r);
}

/* A data connection of FTP is one by its mark, whatever its port. */
static void label_by_mark(void **state)
{
	const uint32_t mark = ACCT_MARK_CLIENT | ACCT_MARK_DATA;
	const uint16_t app = 9;
	struct frame f;
	struct rig r;
	struct pair p;

	(void)state;
	rig_open(&r, NULL);
	pair_open(&p, AF_INET, mark);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(r.obj->maps.ports),
					     &p.flow.server_port, &app,
					     BPF_ANY),
			 0);
	run_up(&r, &p.flow, TCP_ACK);
	frame_flow(&f, &p.flow, ACCT_DOWN, TCP_ACK, 10);
	f.mark = mark;
	f.local = true;
	rig_run(&r, ACCT_DOWN, &f);
	assert_int_equal(up_frames(&r, LOCAL, RIG_DATA), 1);
	assert_int_equal(rig_counter(&r, LOCAL, RIG_DATA, ACCT_DOWN).sum.frames,
			 1);
	pair_close(&p);
	rig_close(&r);
}

/* What a relay sends has its socket's mark, also when there is none any more. */
static void towards_the_client(void **state)
{
	struct acct_flow flow = rig_flow(IPPROTO_TCP, CLIENT, 1000, SERVER, 80);
	struct acct_flow udp = rig_flow(IPPROTO_UDP, CLIENT, 1000, SERVER, 80);
	struct frame f;
	struct rig r;

	(void)state;
	rig_open(&r, NULL);
	frame_flow(&f, &flow, ACCT_DOWN, TCP_SYN | TCP_ACK, 0);
	f.mark = ACCT_MARK_CLIENT | 1;
	f.local = true;
	run_up(&r, &flow, TCP_SYN);
	rig_run(&r, ACCT_DOWN, &f);
	assert_int_equal(
		rig_counter(&r, CLIENT, RIG_INTERCEPTED, ACCT_DOWN).sum.frames,
		1);
	/* the SYN before it was pending, and began the flow */
	assert_int_equal(up_frames(&r, CLIENT, RIG_INTERCEPTED), 1);
	assert_int_equal(
		rig_counter(&r, CLIENT, RIG_INTERCEPTED, ACCT_UP).flows, 1);
	/* UDP isn't intercepted, whatever its mark */
	frame_flow(&f, &udp, ACCT_DOWN, 0, 0);
	f.mark = ACCT_MARK_CLIENT;
	f.local = true;
	rig_run(&r, ACCT_DOWN, &f);
	assert_int_equal(
		rig_counter(&r, CLIENT, RIG_GATEWAY, ACCT_DOWN).sum.frames, 1);
	rig_close(&r);
}

/* A leftover says whose the last packets are, but not whose the next SYN is. */
static void time_wait(void **state)
{
	struct acct_pending pending;
	struct rig r;
	struct pair p;
	char c;

	(void)state;
	rig_open(&r, NULL);
	pair_open(&p, AF_INET, ACCT_MARK_CLIENT);
	/* who closes first waits */
	close(p.accepted);
	p.accepted = -1;
	assert_int_equal(read(p.connected, &c, 1), 0);
	close(p.connected);
	p.connected = -1;
	run_up(&r, &p.flow, TCP_ACK | TCP_FIN);
	assert_int_equal(up_frames(&r, LOCAL, RIG_INTERCEPTED), 1);
	ct_put(&p.flow, NULL, 0, true);
	run_up(&r, &p.flow, TCP_SYN);
	assert_int_equal(up_frames(&r, LOCAL, RIG_INTERCEPTED), 1);
	assert_false(rig_pending(&r, &p.flow, &pending));
	assert_int_equal(up_frames(&r, LOCAL, RIG_GATEWAY), 1);
	ct_remove(&p.flow);
	pair_close(&p);
	rig_close(&r);
}

/* Without the mark it is the gateway's own. */
static void gateway_socket(void **state)
{
	struct rig r;
	struct pair p;

	(void)state;
	rig_open(&r, NULL);
	pair_open(&p, AF_INET, 0x20000000);
	run_up(&r, &p.flow, TCP_ACK);
	assert_int_equal(up_frames(&r, LOCAL, RIG_GATEWAY), 1);
	assert_int_equal(rig_counter(&r, LOCAL, RIG_GATEWAY, ACCT_UP).flows, 0);
	pair_close(&p);
	rig_close(&r);
}

/* A listener, even a relay's, matches what is forwarded to its port elsewhere. */
static void listener(void **state)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	struct acct_flow flow;
	struct acct_pending pending;
	uint32_t mark = ACCT_MARK_CLIENT;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct rig r;

	(void)state;
	rig_open(&r, NULL);
	assert_int_not_equal(fd, -1);
	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(fd, 5), 0);
	flow = rig_flow(IPPROTO_TCP, CLIENT, 1000, SERVER, port_of(fd));
	run_up(&r, &flow, TCP_SYN);
	run_up(&r, &flow, TCP_ACK);
	assert_true(rig_pending(&r, &flow, &pending));
	assert_int_equal(pending.sum[ACCT_UP].frames, 2);
	close(fd);
	rig_close(&r);
}

/* Everything that isn't to be forwarded: local, broadcast, multicast. */
static void to_the_gateway(void **state)
{
	static const char *const here[] = {LOCAL, "255.255.255.255",
					   "224.0.0.251"};
	struct rig r;

	(void)state;
	rig_open(&r, NULL);
	for (size_t i = 0; i < 3; i++) {
		struct acct_flow udp =
			rig_flow(IPPROTO_UDP, CLIENT, 68, here[i], 67);

		run_up(&r, &udp, 0);
		assert_int_equal(up_frames(&r, CLIENT, RIG_GATEWAY), i + 1);
	}
	{
		struct acct_flow udp =
			rig_flow(IPPROTO_UDP, CLIENT6, 5353, "ff02::fb", 5353);
		struct acct_flow ping =
			rig_flow(IPPROTO_ICMPV6, CLIENT6, 0, LOCAL6, 0);

		run_up(&r, &udp, 0);
		run_up(&r, &ping, 0);
		assert_int_equal(up_frames(&r, CLIENT6, RIG_GATEWAY), 2);
	}
	rig_close(&r);
}

/* What it sends itself came in nowhere. A label wins, in both directions. */
static void from_the_gateway(void **state)
{
	const struct rig_options no_ids = {.no_ids = true};
	struct acct_flow flow = rig_flow(IPPROTO_UDP, CLIENT, 1, SERVER, 53);
	struct acct_pending pending;
	struct frame f;
	struct rig r;

	(void)state;
	frame_flow(&f, &flow, ACCT_DOWN, 0, 10);
	f.local = true;
	rig_open(&r, NULL);
	rig_run(&r, ACCT_DOWN, &f);
	assert_int_equal(
		rig_counter(&r, CLIENT, RIG_GATEWAY, ACCT_DOWN).sum.frames, 1);
	ct_put(&flow, NULL, 5U << ACCT_LABEL_SHIFT, true);
	rig_run(&r, ACCT_DOWN, &f);
	assert_int_equal(rig_counter(&r, CLIENT, 5, ACCT_DOWN).sum.frames, 1);
	ct_remove(&flow);
	rig_close(&r);
	/* without an id of its own it is like any flow */
	rig_open(&r, &no_ids);
	rig_run(&r, ACCT_DOWN, &f);
	assert_true(rig_pending(&r, &flow, &pending));
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intercepted),
		cmocka_unit_test(label_by_hand),
		cmocka_unit_test(label_by_port),
		cmocka_unit_test(label_by_mark),
		cmocka_unit_test(towards_the_client),
		cmocka_unit_test(time_wait),
		cmocka_unit_test(gateway_socket),
		cmocka_unit_test(listener),
		cmocka_unit_test(to_the_gateway),
		cmocka_unit_test(from_the_gateway),
	};

	return cmocka_run_group_tests_name("sockets", tests, rig_namespace,
					   NULL);
}
