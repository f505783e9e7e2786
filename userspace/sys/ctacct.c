// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/ctacct.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "render/marks.h"
#include "sys/ctflow.h"
#include "sys/ctseen.h"
#include "sys/netlink.h"
#include "sys/reach.h"
#include "sys/sysctl.h"

#define REQUEST_MAX 64
/* More than the kernel puts into one datagram of events. */
#define EVENTS_MAX  16384
#define MS_A_SECOND 1000
#define NS_A_MS	    1000000
/* Dumps that may lack a connection that hasn't ended (resizing, restarts). */
#define MISSING_MAX 2

struct ctacct {
	struct ctacct_options opt;
	struct siphash_key secret;
	struct netlink ask;
	struct mnl_socket *events;
	struct ctseen *seen;
	struct reach *reach;
	/* of the look under way */
	bool looking;
	bool first; /* it only notes what there is */
	bool whole; /* it came to its end */
	uint16_t round;
	uint64_t pending;
	uint32_t uncounted;
	int events_err;
	ctacct_fn fn;
	void *arg;
	/* of the last one */
	bool overrun;	  /* since then */
	uint64_t next_ms; /* not before */
	uint32_t now_s;
	struct ctacct_state state;
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * MS_A_SECOND +
	       (uint64_t)ts.tv_nsec / NS_A_MS;
}

/* --- whose ------------------------------------------------------------------------- */

/* Who a connection is counted for: one client, two, or nobody. */
struct subject {
	bool from; /* the one that began it */
	bool to;
	uint16_t app; /* 0: no label (yet) */
};

static bool is_somebody(const struct subject *s)
{
	return s->from || s->to;
}

static uint16_t label_of(const struct ctflow *flow)
{
	return (uint16_t)((flow->mark & LABEL_MASK) >> LABEL_SHIFT);
}

static void find_subject(struct ctacct *a, const struct ctflow *flow,
			 struct subject *s)
{
	enum reach_where from, to;

	memset(s, 0, sizeof(*s));
	s->app = label_of(flow);
	/* The relay's own leg. */
	if (flow->zone != ZONE_CLIENT && s->app != 0 &&
	    s->app == a->opt.gateway)
		return;
	from = reach_of(a->reach, &flow->from, a->now_s);
	to = reach_of(a->reach, &flow->to, a->now_s);
	if (flow->zone == ZONE_CLIENT) {
		/* Begun for the server: a data connection of FTP. */
		s->to = from != REACH_LAN && to == REACH_LAN;
		s->from = !s->to;
		if (s->app == 0)
			s->app = a->opt.intercepted;
		return;
	}
	s->from = from == REACH_LAN;
	s->to = to == REACH_LAN;
	if (s->app == 0 && (from == REACH_GATEWAY || to == REACH_GATEWAY))
		s->app = a->opt.gateway;
}

/* --- passing on -------------------------------------------------------------------- */

static void pass(struct ctacct *a, const struct ctflow *flow,
		 const struct subject *s, enum ctflow_way way, bool down,
		 const struct ctflow_sum *sum, uint64_t flows)
{
	bool ports = flow->protocol == IPPROTO_TCP ||
		     flow->protocol == IPPROTO_UDP;
	struct ctacct_record r = {
		.app = s->app,
		.reason = ports ? CTACCT_UNLABELLED : CTACCT_PROTOCOL,
		.down = down,
		.bytes = sum->bytes,
		.packets = sum->packets,
		.flows = flows,
	};
	/* What goes one way is up for one end, and down for the other. */
	bool its_own = (way == CTFLOW_ORIGINAL) != down;

	if (s->app != 0)
		r.client = its_own ? flow->from : flow->to;
	if (r.bytes != 0 || r.packets != 0 || r.flows != 0)
		a->fn(&r, a->arg);
}

static void pass_both(struct ctacct *a, const struct ctflow *flow,
		      const struct subject *s, const struct ctflow_sum *sum,
		      uint64_t flows)
{
	if (s->from) {
		pass(a, flow, s, CTFLOW_ORIGINAL, false, &sum[CTFLOW_ORIGINAL],
		     flows);
		pass(a, flow, s, CTFLOW_REPLY, true, &sum[CTFLOW_REPLY], 0);
	}
	if (s->to) {
		pass(a, flow, s, CTFLOW_ORIGINAL, true, &sum[CTFLOW_ORIGINAL],
		     flows);
		pass(a, flow, s, CTFLOW_REPLY, false, &sum[CTFLOW_REPLY], 0);
	}
}

/* Less than there was: somebody else has set it to zero. */
static void difference(const struct ctflow_sum *now,
		       const struct ctflow_sum *before, struct ctflow_sum *d)
{
	bool zeroed = now->bytes < before->bytes ||
		      now->packets < before->packets;

	d->bytes = now->bytes - (zeroed ? 0 : before->bytes);
	d->packets = now->packets - (zeroed ? 0 : before->packets);
}

/*
 * What @flow has moved beyond what @e says was passed on. A connection without
 * a label keeps it until it has one, ends, or is too old.
 */
static void settle(struct ctacct *a, const struct ctflow *flow,
		   const struct subject *s, struct ctseen_entry *e)
{
	struct ctflow_sum sum[CTFLOW_WAYS];
	bool flows = s->app != 0 && !e->counted;

	for (int w = 0; w < CTFLOW_WAYS; w++)
		difference(&flow->sum[w], &e->passed[w], &sum[w]);
	if (s->app == 0 && !flow->ended &&
	    a->now_s - e->since_s < a->opt.age_s) {
		a->pending +=
			(sum[CTFLOW_ORIGINAL].bytes + sum[CTFLOW_REPLY].bytes) *
			(s->from + s->to);
		return;
	}
	pass_both(a, flow, s, sum, flows);
	memcpy(e->passed, flow->sum, sizeof(e->passed));
	if (flows)
		e->counted = true;
}

/* --- messages ---------------------------------------------------------------------- */

static uint64_t key_of(const struct ctacct *a, const struct ctflow *flow)
{
	struct {
		uint64_t name;
		uint32_t id;
		uint32_t zone;
	} all = {
		.name = siphash(&a->secret, flow->name, flow->name_len),
		.id = flow->id,
		.zone = flow->zone,
	};
	uint64_t key = siphash(&a->secret, &all, sizeof(all));

	return key != 0 ? key : 1;
}

static struct ctseen_entry *remember(struct ctacct *a, uint64_t key)
{
	struct ctseen_entry *e = ctseen_add(a->seen, key);

	if (e != NULL) {
		e->since_s = a->now_s;
		e->round = a->round;
	}
	return e;
}

/*
 * The end of a connection comes before the beginning of another one that the
 * kernel gives the same id, and ctacct_read() reads ends before each part of
 * its list. What is listed and has ended was listed earlier, or is the other
 * one: it is left to the next look.
 *
 * At first all are noted. Later only somebody's; but those that are noted stay
 * so while they live, since a client whose route is gone for a moment comes
 * back with the same connections.
 */
static void take_listed(struct ctacct *a, const struct ctflow *flow,
			const struct subject *s)
{
	uint64_t key = key_of(a, flow);
	struct ctseen_entry *e = ctseen_find(a->seen, key);

	if (e != NULL && e->ended)
		return;
	if (e == NULL && (a->first || is_somebody(s))) {
		e = remember(a, key);
		if (e != NULL && a->first) {
			memcpy(e->passed, flow->sum, sizeof(e->passed));
			e->counted = true;
		}
	}
	if (e == NULL)
		return; /* without room, all of it is counted when it ends */
	e->round = a->round;
	if (is_somebody(s))
		settle(a, flow, s, e);
}

/* One that a list under way may still name is remembered until that is over. */
static void take_ended(struct ctacct *a, const struct ctflow *flow,
		       const struct subject *s)
{
	uint64_t key = key_of(a, flow);
	struct ctseen_entry *e = ctseen_find(a->seen, key);
	struct ctseen_entry unseen = {.since_s = a->now_s};

	if (is_somebody(s))
		settle(a, flow, s, e != NULL && !e->ended ? e : &unseen);
	if (a->looking && e == NULL && is_somebody(s))
		e = remember(a, key);
	if (a->looking && e != NULL)
		e->ended = true;
	else if (e != NULL)
		ctseen_remove(a->seen, e);
}

/* What isn't understood is nobody's: a newer kernel may list other things. */
static int take(const struct nlmsghdr *nlh, void *arg)
{
	struct ctacct *a = arg;
	struct ctflow flow;
	struct subject s;

	if (ctflow_parse(nlh, &flow) != 0)
		return 0;
	find_subject(a, &flow, &s);
	if (!flow.has_sums)
		a->uncounted += !flow.ended && is_somebody(&s);
	else if (flow.ended)
		take_ended(a, &flow, &s);
	else
		take_listed(a, &flow, &s);
	return 0;
}

/* --- ends -------------------------------------------------------------------------- */

static int take_event(const struct nlmsghdr *nlh, void *arg)
{
	return take(nlh, arg) == 0 ? MNL_CB_OK : MNL_CB_ERROR;
}

/* 1: there may be more, 0: no, or -errno. */
static int read_events(struct ctacct *a)
{
	char buf[EVENTS_MAX];
	ssize_t n = recv(mnl_socket_get_fd(a->events), buf, sizeof(buf),
			 MSG_DONTWAIT);

	if (n == -1 && errno == ENOBUFS) {
		a->state.overruns++;
		a->overrun = true;
		return 1;
	}
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	/* It only fails with messages that are cut short. */
	(void)mnl_cb_run(buf, (size_t)n, 0, 0, take_event, a);
	return 1;
}

static int take_events(struct ctacct *a)
{
	int rc;

	do {
		rc = read_events(a);
	} while (rc > 0);
	return rc;
}

int ctacct_ends(struct ctacct *a, ctacct_fn fn, void *arg)
{
	a->fn = fn;
	a->arg = arg;
	a->now_s = (uint32_t)(now_ms() / MS_A_SECOND);
	return take_events(a);
}

int ctacct_fd(const struct ctacct *a)
{
	return mnl_socket_get_fd(a->events);
}

/* --- looking ----------------------------------------------------------------------- */

/* Before a part of the list is taken; see take_listed(). */
static void before_part(void *arg)
{
	struct ctacct *a = arg;
	int rc = take_events(a);

	if (rc != 0)
		a->events_err = rc;
}

static bool is_over(const struct ctseen_entry *e, void *arg)
{
	struct ctacct *a = arg;
	uint16_t missing = (uint16_t)(a->round - e->round);
	bool missed = !e->ended && a->whole && missing >= MISSING_MAX;

	if (missed)
		a->state.missed++;
	return e->ended || missed;
}

static struct nlmsghdr *request(char *buf)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));

	nlh->nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET;
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	return nlh;
}

static int look(struct ctacct *a)
{
	char buf[REQUEST_MAX];
	uint64_t began = now_ms();
	int rc;

	a->looking = true;
	a->overrun = false;
	a->round++;
	a->pending = 0;
	a->uncounted = 0;
	a->events_err = 0;
	rc = netlink_dump_parts(&a->ask, request(buf), before_part, take, a);
	a->looking = false;
	/* A list that ended early says nothing about who is missing in it. */
	a->whole = rc == 0;
	(void)ctseen_sweep(a->seen, is_over, a);
	a->state.pending = a->pending;
	a->state.uncounted = a->uncounted;
	a->next_ms = now_ms() + (now_ms() - began) * a->opt.rest;
	return rc != 0 ? rc : a->events_err;
}

int ctacct_read(struct ctacct *a, ctacct_fn fn, void *arg)
{
	int rc = ctacct_ends(a, fn, arg);

	if (rc != 0 || (!a->overrun && now_ms() < a->next_ms))
		return rc;
	return look(a);
}

void ctacct_state(const struct ctacct *a, struct ctacct_state *state)
{
	*state = a->state;
	state->remembered = ctseen_count(a->seen);
}

void ctacct_set_lan(struct ctacct *a, const unsigned int *lan, size_t count)
{
	reach_set_lan(a->reach, lan, count);
}

/* --- the switch -------------------------------------------------------------------- */

static const struct sysctl switch_acct = {
	.path = "/proc/sys/net/netfilter/nf_conntrack_acct",
	.preset = 0,
};

int ctacct_switch(void)
{
	return sysctl_value(&switch_acct);
}

int ctacct_switch_on(const char *record)
{
	return sysctl_hold(&switch_acct, 1, record);
}

int ctacct_switch_restore(const char *record)
{
	return sysctl_restore(&switch_acct, record);
}

/* --- life -------------------------------------------------------------------------- */

static int open_events(struct ctacct *a)
{
	int size = (int)a->opt.event_buffer;
	int fd;

	a->events = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (a->events == NULL)
		return -errno;
	fd = mnl_socket_get_fd(a->events);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ==
		    -1 ||
	    mnl_socket_bind(a->events, NF_NETLINK_CONNTRACK_DESTROY,
			    MNL_SOCKET_AUTOPID) == -1)
		return -errno;
	return 0;
}

/* Where everything began: nothing of it is passed on. */
static void ignore(const struct ctacct_record *record, void *arg)
{
	(void)record;
	(void)arg;
}

static int start(struct ctacct *a)
{
	int rc;

	a->seen = ctseen_new(a->opt.connections);
	a->reach = reach_new(a->opt.addresses, &a->secret);
	if (a->seen == NULL || a->reach == NULL)
		return -ENOMEM;
	/* Ends first: what begins and ends meanwhile isn't missed. */
	rc = open_events(a);
	if (rc == 0)
		rc = netlink_open(&a->ask, NETLINK_NETFILTER);
	return rc;
}

struct ctacct *ctacct_open(const struct ctacct_options *opt,
			   const struct siphash_key *secret)
{
	struct ctacct *a = calloc(1, sizeof(*a));
	int rc;

	if (a == NULL)
		return NULL;
	a->opt = *opt;
	a->secret = *secret;
	rc = start(a);
	a->first = true;
	if (rc == 0)
		rc = ctacct_read(a, ignore, NULL);
	a->first = false;
	if (rc == 0)
		return a;
	ctacct_close(a);
	errno = -rc;
	return NULL;
}

void ctacct_close(struct ctacct *a)
{
	if (a == NULL)
		return;
	netlink_close(&a->ask);
	if (a->events != NULL)
		mnl_socket_close(a->events);
	reach_free(a->reach);
	ctseen_free(a->seen);
	free(a);
}

const char *ctacct_error(int err)
{
	switch (-err) {
	case EINVAL:
	case EPROTONOSUPPORT:
	case EOPNOTSUPP:
		return "this kernel lists no connections (modprobe nf_conntrack_netlink)";
	case EPERM:
		return "CAP_NET_ADMIN over the network namespace is missing";
	case ENOMEM:
		return "no memory";
	case ETIMEDOUT:
		return "the kernel didn't answer in time";
	default:
		return strerror(-err);
	}
}
