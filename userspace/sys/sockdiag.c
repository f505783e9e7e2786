// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/sockdiag.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#include "render/marks.h"
#include "sys/netlink.h"

/* idiag_timer of a small socket, the kernel's inet_timewait_sock. */
#define TIMER_TIME_WAIT 3

#define CLOSING_STATES                                                     \
	(1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2 | 1U << TCP_TIME_WAIT | \
	 1U << TCP_LAST_ACK | 1U << TCP_CLOSING)

/* One look at the sockets of a namespace. */
struct search {
	const uint16_t *ports;
	size_t port_count;
	struct sockdiag_left *left;
	bool collect;
	struct inet_diag_msg *victims;
	size_t count;
	size_t room;
};

static bool is_port(const struct search *s, uint16_t port)
{
	for (size_t i = 0; i < s->port_count; i++) {
		if (htons(s->ports[i]) == port)
			return true;
	}
	return false;
}

static bool is_ours(const struct search *s, const struct nlmsghdr *nlh,
		    const struct inet_diag_msg *m)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(*m))
	{
		if (mnl_attr_get_type(attr) == INET_DIAG_MARK &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			return (mnl_attr_get_u32(attr) &
				(MARK_CLIENT | MARK_UPSTREAM)) != 0;
	}
	return is_port(s, m->id.idiag_sport) || is_port(s, m->id.idiag_dport);
}

static int keep(struct search *s, const struct inet_diag_msg *m)
{
	if (s->count == s->room) {
		size_t room = s->room > 0 ? s->room * 2 : 256;
		void *list =
			reallocarray(s->victims, room, sizeof(*s->victims));

		if (list == NULL)
			return -ENOMEM;
		s->victims = list;
		s->room = room;
	}
	s->victims[s->count++] = *m;
	return 0;
}

static int take(const struct nlmsghdr *nlh, void *arg)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	struct search *s = arg;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*m))
		return -EBADMSG;
	if (!is_ours(s, nlh, m))
		return 0;
	if (m->idiag_timer != TIMER_TIME_WAIT) {
		s->left->closing++;
		return 0;
	}
	s->left->time_wait++;
	return s->collect ? keep(s, m) : 0;
}

static struct inet_diag_req_v2 *put_request(struct nlmsghdr *nlh, uint16_t type,
					    uint8_t family)
{
	struct inet_diag_req_v2 *req =
		mnl_nlmsg_put_extra_header(nlh, sizeof(*req));

	nlh->nlmsg_type = type;
	req->sdiag_family = family;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_states = CLOSING_STATES;
	return req;
}

/* 1 when it is gone, 0 when somebody was quicker, -errno. */
static int destroy_one(struct netlink *nl, const struct inet_diag_msg *m)
{
	char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *req =
		put_request(nlh, SOCK_DESTROY, m->idiag_family);
	int err;

	req->id = m->id;
	err = netlink_ask(nl, nlh);
	if (err == -ENOENT)
		return 0;
	return err == 0 ? 1 : err;
}

/* Kernels that can't say EOPNOTSUPP to the first: leave them all, no error. */
static int destroy_all(struct netlink *nl, const struct search *s)
{
	for (size_t i = 0; i < s->count; i++) {
		int err = destroy_one(nl, &s->victims[i]);

		if (err == -EOPNOTSUPP)
			return 0;
		if (err < 0)
			return err;
		s->left->destroyed += (uint32_t)err;
		/* It expired between the look and now: not left either. */
		if (err == 0)
			s->left->time_wait--;
	}
	return 0;
}

static int search_family(struct netlink *nl, struct search *s, uint8_t family)
{
	char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	put_request(nlh, SOCK_DIAG_BY_FAMILY, family);
	return netlink_dump(nl, nlh, take, s);
}

int sockdiag_leftovers(const uint16_t *ports, size_t count, bool destroy,
		       struct sockdiag_left *left)
{
	struct search s = {.ports = ports,
			   .port_count = count,
			   .left = left,
			   .collect = destroy};
	struct netlink nl;
	int err = netlink_open(&nl, NETLINK_SOCK_DIAG);

	memset(left, 0, sizeof(*left));
	if (err != 0)
		return err;
	/* What a dual-stack listener accepts is IPv6 here, whatever it is. */
	err = search_family(&nl, &s, AF_INET);
	if (err == 0)
		err = search_family(&nl, &s, AF_INET6);
	if (err == 0 && destroy)
		err = destroy_all(&nl, &s);
	free(s.victims);
	netlink_close(&nl);
	return err;
}
