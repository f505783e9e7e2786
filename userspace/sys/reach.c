// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/reach.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "sys/netlink.h"

#define REQUEST_MAX 256
/* Routes change: an answer holds this long. */
#define KEEP_S	    60
/* Bits of an address. */
#define BITS	    8

/* One place for each hash: the newer one takes it. */
struct place {
	struct ip_addr addr; /* none: free */
	uint8_t where;
	uint32_t until_s;
};

struct reach {
	struct netlink nl;
	struct siphash_key secret;
	unsigned int lan[REACH_LANS];
	size_t lan_count;
	uint32_t size; /* a power of two */
	struct place place[];
};

struct reach *reach_new(uint32_t addresses, const struct siphash_key *secret)
{
	uint32_t size = 1;
	struct reach *r;
	int err;

	while (size < addresses && size < 1u << 30)
		size *= 2;
	r = calloc(1, sizeof(*r) + (size_t)size * sizeof(r->place[0]));
	if (r == NULL)
		return NULL;
	r->size = size;
	r->secret = *secret;
	err = netlink_open(&r->nl, NETLINK_ROUTE);
	if (err == 0)
		return r;
	free(r);
	errno = -err;
	return NULL;
}

void reach_free(struct reach *r)
{
	if (r == NULL)
		return;
	netlink_close(&r->nl);
	free(r);
}

void reach_set_lan(struct reach *r, const unsigned int *index, size_t count)
{
	if (count > REACH_LANS)
		count = REACH_LANS;
	if (count == r->lan_count &&
	    memcmp(index, r->lan, count * sizeof(index[0])) == 0)
		return;
	memcpy(r->lan, index, count * sizeof(index[0]));
	r->lan_count = count;
	memset(r->place, 0, r->size * sizeof(r->place[0]));
}

/* --- the kernel's answer --------------------------------------------------------- */

struct answer {
	const struct reach *reach;
	enum reach_where where;
};

static enum reach_where by_interface(const struct reach *r, unsigned int index)
{
	for (size_t i = 0; i < r->lan_count; i++)
		if (r->lan[i] == index)
			return REACH_LAN;
	return REACH_ELSEWHERE;
}

static int take_route(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct answer *a = arg;
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm))
		return -EBADMSG;
	if (rtm->rtm_type == RTN_LOCAL || rtm->rtm_type == RTN_BROADCAST ||
	    rtm->rtm_type == RTN_MULTICAST || rtm->rtm_type == RTN_ANYCAST)
		a->where = REACH_GATEWAY;
	if (rtm->rtm_type != RTN_UNICAST)
		return 0;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm))
	{
		if (mnl_attr_get_type(attr) == RTA_OIF &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			a->where =
				by_interface(a->reach, mnl_attr_get_u32(attr));
	}
	return 0;
}

/* No route, no answer: nobody's client. */
static enum reach_where ask(struct reach *r, const struct ip_addr *addr)
{
	struct answer a = {.reach = r, .where = REACH_ELSEWHERE};
	char buf[REQUEST_MAX];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	nlh->nlmsg_type = RTM_GETROUTE;
	rtm->rtm_family = addr->family;
	rtm->rtm_dst_len = (uint8_t)(ip_addr_len(addr) * BITS);
	mnl_attr_put(nlh, RTA_DST, ip_addr_len(addr), addr->bytes);
	if (netlink_get(&r->nl, nlh, take_route, &a) != 0)
		return REACH_ELSEWHERE;
	return a.where;
}

/* fe80::/10 is on every link, and the route says the first one. */
static bool is_link_local(const struct ip_addr *addr)
{
	return addr->family == AF_INET6 && addr->bytes[0] == 0xfe &&
	       (addr->bytes[1] & 0xc0) == 0x80;
}

/* IPv6's routes call a group unicast. */
static bool is_group(const struct ip_addr *addr)
{
	return addr->family == AF_INET6 && addr->bytes[0] == 0xff;
}

enum reach_where reach_of(struct reach *r, const struct ip_addr *addr,
			  uint32_t now_s)
{
	uint64_t hash = siphash(&r->secret, addr, sizeof(*addr));
	struct place *p = &r->place[hash & (r->size - 1)];

	if (ip_addr_len(addr) == 0 || is_link_local(addr))
		return REACH_ELSEWHERE;
	if (is_group(addr))
		return REACH_GATEWAY;
	/* A clock that went back makes it old at once. */
	if (p->addr.family == 0 || !ip_addr_equal(&p->addr, addr) ||
	    p->until_s - now_s > KEEP_S || p->until_s == now_s) {
		p->where = (uint8_t)ask(r, addr);
		p->addr = *addr;
		p->until_s = now_s + KEEP_S;
	}
	return (enum reach_where)p->where;
}
