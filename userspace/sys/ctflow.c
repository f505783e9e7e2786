// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/ctflow.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#define TYPE(message) ((NFNL_SUBSYS_CTNETLINK << 8) | (message))

/* Attributes by their numbers, each the last of its kind; NULL: absent. */
struct found {
	const struct nlattr *attr[CTA_MAX + 1];
	int max;
};

static int find(const struct nlattr *attr, void *arg)
{
	struct found *f = arg;

	if (mnl_attr_get_type(attr) <= f->max)
		f->attr[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static bool find_in(const struct nlattr *nest, int max, struct found *f)
{
	memset(f, 0, sizeof(*f));
	f->max = max;
	return nest != NULL &&
	       mnl_attr_parse_nested(nest, find, f) == MNL_CB_OK;
}

static bool copy(const struct nlattr *attr, void *dst, size_t size)
{
	if (attr == NULL || mnl_attr_get_payload_len(attr) != size)
		return false;
	memcpy(dst, mnl_attr_get_payload(attr), size);
	return true;
}

/* The source of @tuple, and its protocol. */
static bool take_end(const struct nlattr *tuple, struct ip_addr *addr,
		     uint8_t *protocol)
{
	bool v6 = addr->family == AF_INET6;
	struct found f, ip, proto;

	return find_in(tuple, CTA_TUPLE_MAX, &f) &&
	       find_in(f.attr[CTA_TUPLE_IP], CTA_IP_MAX, &ip) &&
	       copy(ip.attr[v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC], addr->bytes,
		    ip_addr_len(addr)) &&
	       find_in(f.attr[CTA_TUPLE_PROTO], CTA_PROTO_MAX, &proto) &&
	       copy(proto.attr[CTA_PROTO_NUM], protocol, 1);
}

static bool take_sum(const struct nlattr *nest, struct ctflow_sum *sum)
{
	struct found f;

	if (!find_in(nest, CTA_COUNTERS_MAX, &f) ||
	    !copy(f.attr[CTA_COUNTERS_BYTES], &sum->bytes,
		  sizeof(sum->bytes)) ||
	    !copy(f.attr[CTA_COUNTERS_PACKETS], &sum->packets,
		  sizeof(sum->packets)))
		return false;
	sum->bytes = be64toh(sum->bytes);
	sum->packets = be64toh(sum->packets);
	return true;
}

/* What the kernel leaves out is zero. */
static bool take_numbers(const struct found *f, struct ctflow *flow)
{
	if (f->attr[CTA_ZONE] != NULL &&
	    !copy(f->attr[CTA_ZONE], &flow->zone, sizeof(flow->zone)))
		return false;
	if (f->attr[CTA_MARK] != NULL &&
	    !copy(f->attr[CTA_MARK], &flow->mark, sizeof(flow->mark)))
		return false;
	flow->zone = ntohs(flow->zone);
	flow->mark = ntohl(flow->mark);
	return copy(f->attr[CTA_ID], &flow->id, sizeof(flow->id));
}

static bool take_sums(const struct found *f, struct ctflow *flow)
{
	const struct nlattr *original = f->attr[CTA_COUNTERS_ORIG];
	const struct nlattr *reply = f->attr[CTA_COUNTERS_REPLY];

	flow->has_sums = original != NULL;
	return original == NULL ||
	       (take_sum(original, &flow->sum[CTFLOW_ORIGINAL]) &&
		take_sum(reply, &flow->sum[CTFLOW_REPLY]));
}

int ctflow_parse(const struct nlmsghdr *nlh, struct ctflow *flow)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	struct found f = {.max = CTA_MAX};
	const struct nlattr *name;
	uint8_t back;

	memset(flow, 0, sizeof(*flow));
	if ((nlh->nlmsg_type != TYPE(IPCTNL_MSG_CT_NEW) &&
	     nlh->nlmsg_type != TYPE(IPCTNL_MSG_CT_DELETE)) ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*nfg))
		return -EBADMSG;
	flow->ended = nlh->nlmsg_type == TYPE(IPCTNL_MSG_CT_DELETE);
	flow->from.family = nfg->nfgen_family;
	flow->to.family = nfg->nfgen_family;
	if (ip_addr_len(&flow->from) == 0 ||
	    mnl_attr_parse(nlh, sizeof(*nfg), find, &f) != MNL_CB_OK)
		return -EBADMSG;
	name = f.attr[CTA_TUPLE_ORIG];
	if (!take_end(name, &flow->from, &flow->protocol) ||
	    !take_end(f.attr[CTA_TUPLE_REPLY], &flow->to, &back) ||
	    back != flow->protocol || !take_numbers(&f, flow) ||
	    !take_sums(&f, flow))
		return -EBADMSG;
	flow->name = mnl_attr_get_payload(name);
	flow->name_len = mnl_attr_get_payload_len(name);
	return 0;
}
