// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/tcprog.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "sys/netlink.h"

/* enum bpf_attach_type of Linux 6.6; newer than the headers we build with. */
#define TCX_INGRESS 46
#define TCX_EGRESS  47

/*
 * A filter's handle: ours by its first byte, and by the process id, which has
 * 22 bits at most (PID_MAX_LIMIT). So each process has its own, and it can be
 * told whether the owner of one is alive.
 */
#define HANDLE_OURS 0x5c000000U
#define HANDLE_MASK 0xff000000U

/* Filters of the same priority are of one kind; that of 1 may be another's. */
#define PRIORITIES 16

/* A BPF filter on one side of an interface. */
struct filter {
	uint32_t handle;
	uint32_t priority;
	uint32_t prog; /* id */
};

/* More processes of ours than that have never crashed in a row. */
#define FILTERS_MAX 64

struct filters {
	struct filter ours[FILTERS_MAX]; /* by their handle */
	size_t count;
	size_t total; /* others' too */
};

static uint32_t own_handle(void)
{
	return HANDLE_OURS | (uint32_t)getpid();
}

static enum bpf_tc_attach_point point_of(int side)
{
	return side == TCPROG_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

bool tcprog_has_tcx(void)
{
	uint32_t count = 0;

	/* The first member names an interface here; 1 is the loopback. */
	return bpf_prog_query(1, (enum bpf_attach_type)TCX_INGRESS, 0, NULL,
			      NULL, &count) == 0;
}

/* --- tcx -------------------------------------------------------------------- */

static int attach_tcx(struct tcprog *t, const int fd[TCPROG_SIDES])
{
	static const int type[] = {TCX_INGRESS, TCX_EGRESS};

	for (int i = 0; i < TCPROG_SIDES; i++) {
		t->link[i] = bpf_link_create(
			fd[i], t->ifindex, (enum bpf_attach_type)type[i], NULL);
		if (t->link[i] < 0) {
			int err = t->link[i];

			if (i > 0)
				close(t->link[0]);
			return err;
		}
	}
	return 0;
}

/* --- clsact ------------------------------------------------------------------- */

static int take_nested(const struct nlattr *attr, void *arg)
{
	uint32_t *prog = arg;

	if (mnl_attr_get_type(attr) == TCA_BPF_ID &&
	    mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
		*prog = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

/* A message without a handle stands for all filters of its priority. */
static int take_filter(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);
	struct filters *all = arg;
	const struct nlattr *attr;
	struct filter f = {0};
	bool bpf = false;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*tc))
		return -EBADMSG;
	f.handle = tc->tcm_handle;
	f.priority = TC_H_MAJ(tc->tcm_info) >> 16;
	mnl_attr_for_each(attr, nlh, sizeof(*tc))
	{
		if (mnl_attr_get_type(attr) == TCA_KIND)
			bpf = mnl_attr_get_payload_len(attr) >= 4 &&
			      memcmp(mnl_attr_get_payload(attr), "bpf", 4) == 0;
		if (bpf && mnl_attr_get_type(attr) == TCA_OPTIONS)
			mnl_attr_parse_nested(attr, take_nested, &f.prog);
	}
	all->total++;
	if (f.prog != 0 && (f.handle & HANDLE_MASK) == HANDLE_OURS &&
	    all->count < FILTERS_MAX)
		all->ours[all->count++] = f;
	return 0;
}

/* Others may change theirs while we look. */
static int list_filters(const struct tcprog *t, int side, struct filters *all)
{
	struct netlink nl;
	int err = netlink_open(&nl, NETLINK_ROUTE);

	memset(all, 0, sizeof(*all));
	if (err != 0)
		return err;
	for (int tries = 0; tries < 5; tries++) {
		char buf[256];
		struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
		struct tcmsg *tc = mnl_nlmsg_put_extra_header(nlh, sizeof(*tc));

		memset(all, 0, sizeof(*all));
		nlh->nlmsg_type = RTM_GETTFILTER;
		tc->tcm_family = AF_UNSPEC;
		tc->tcm_ifindex = t->ifindex;
		tc->tcm_parent = TC_H_MAKE(
			TC_H_CLSACT, side == TCPROG_INGRESS ? TC_H_MIN_INGRESS
							    : TC_H_MIN_EGRESS);
		err = netlink_dump(&nl, nlh, take_filter, all);
		if (err != -EINTR)
			break;
	}
	netlink_close(&nl);
	/* No such qdisc; somebody has deleted it. */
	if (err == -EINVAL && all->total == 0)
		return 0;
	return err;
}

static int remove_filter(const struct tcprog *t, int side,
			 const struct filter *f)
{
	struct bpf_tc_hook hook = {.sz = sizeof(hook),
				   .ifindex = t->ifindex,
				   .attach_point = point_of(side)};
	struct bpf_tc_opts opts = {.sz = sizeof(opts),
				   .handle = f->handle,
				   .priority = f->priority};
	int err = bpf_tc_detach(&hook, &opts);

	return err == -ENOENT ? 0 : err;
}

static bool is_stale(const struct filter *f)
{
	pid_t owner = (pid_t)(f->handle & ~HANDLE_MASK);

	return owner > 0 && kill(owner, 0) == -1 && errno == ESRCH;
}

/* The number of those removed, so 0 for "somebody's qdisc", or -errno. */
static int remove_stale(const struct tcprog *t, int side)
{
	struct filters all;
	int err = list_filters(t, side, &all);
	int removed = 0;

	for (size_t i = 0; err == 0 && i < all.count; i++) {
		if (!is_stale(&all.ours[i]))
			continue;
		err = remove_filter(t, side, &all.ours[i]);
		removed++;
	}
	return err == 0 ? removed : err;
}

static int add_filter(struct tcprog *t, int side, int fd)
{
	struct bpf_tc_hook hook = {.sz = sizeof(hook),
				   .ifindex = t->ifindex,
				   .attach_point = point_of(side)};
	int err = -EEXIST;

	for (uint32_t p = 1; p <= PRIORITIES; p++) {
		struct bpf_tc_opts opts = {.sz = sizeof(opts),
					   .prog_fd = fd,
					   .priority = p,
					   .handle = own_handle()};

		err = bpf_tc_attach(&hook, &opts);
		if (err == 0)
			t->prog[side] = opts.prog_id;
		/* EINVAL: filters of another kind or protocol have it. */
		if (err != -EINVAL)
			break;
	}
	return err;
}

/* @left: how many filters there are then. */
static int remove_ours(const struct tcprog *t, int side, size_t *left)
{
	struct filters all;
	int err = list_filters(t, side, &all);

	for (size_t i = 0; err == 0 && i < all.count; i++) {
		const struct filter *f = &all.ours[i];

		if (f->prog == t->prog[side] && f->handle == own_handle())
			err = remove_filter(t, side, f);
	}
	/* With the last filter of a priority that goes, too. */
	if (err == 0)
		err = list_filters(t, side, &all);
	*left = all.total;
	return err;
}

static int destroy_qdisc(const struct tcprog *t)
{
	struct bpf_tc_hook hook = {.sz = sizeof(hook),
				   .ifindex = t->ifindex,
				   .attach_point = BPF_TC_INGRESS |
						   BPF_TC_EGRESS};
	int err = bpf_tc_hook_destroy(&hook);

	/* No such qdisc; somebody has deleted it. */
	return err == -EINVAL || err == -ENOENT ? 0 : err;
}

static int detach_clsact(struct tcprog *t)
{
	size_t left[TCPROG_SIDES] = {0};
	int first = 0;

	for (int i = 0; i < TCPROG_SIDES; i++) {
		int err = remove_ours(t, i, &left[i]);

		if (first == 0)
			first = err;
	}
	if (first == 0 && t->made_qdisc && left[0] + left[1] == 0)
		first = destroy_qdisc(t);
	/* The interface went before us. */
	return first == -ENODEV ? 0 : first;
}

static int attach_clsact(struct tcprog *t, const int fd[TCPROG_SIDES])
{
	struct bpf_tc_hook hook = {.sz = sizeof(hook),
				   .ifindex = t->ifindex,
				   .attach_point = BPF_TC_INGRESS |
						   BPF_TC_EGRESS};
	int err = bpf_tc_hook_create(&hook);

	t->made_qdisc = err == 0;
	if (err != 0 && err != -EEXIST)
		return err;
	for (int i = 0; i < TCPROG_SIDES; i++) {
		err = remove_stale(t, i);
		/* Who left a filter here has made the qdisc, too. */
		if (err > 0)
			t->made_qdisc = true;
		if (err >= 0)
			err = add_filter(t, i, fd[i]);
		if (err != 0) {
			(void)detach_clsact(t);
			return err;
		}
	}
	return 0;
}

/* --- either --------------------------------------------------------------------- */

int tcprog_attach(struct tcprog *t, int ifindex, const int fd[TCPROG_SIDES],
		  bool tcx)
{
	int err;

	memset(t, 0, sizeof(*t));
	t->ifindex = ifindex;
	t->tcx = tcx;
	err = tcx ? attach_tcx(t, fd) : attach_clsact(t, fd);
	if (err != 0)
		t->ifindex = 0;
	return err;
}

int tcprog_detach(struct tcprog *t)
{
	int err = 0;

	if (t->tcx) {
		close(t->link[TCPROG_INGRESS]);
		close(t->link[TCPROG_EGRESS]);
	} else {
		err = detach_clsact(t);
	}
	t->ifindex = 0;
	return err;
}
