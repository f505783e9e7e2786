// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/route.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "render/marks.h"
#include "sys/netlink.h"

#define REQUEST_MAX 256

/* One of the rules above. */
struct rule {
	uint32_t priority;
	uint8_t action;
	bool marked; /* packets with MARK_DIVERT only */
	bool own;    /* look-ups of the host only */
	uint32_t table;
	uint32_t target; /* of a goto */
};

/* In this order, as a goto wants its target to exist; removed backwards. */
static const struct rule rules[] = {
	{.priority = ROUTE_PRIORITY + 1, .action = FR_ACT_NOP},
	{.priority = ROUTE_PRIORITY - 1,
	 .action = FR_ACT_GOTO,
	 .marked = true,
	 .own = true,
	 .target = ROUTE_PRIORITY + 1},
	{.priority = ROUTE_PRIORITY,
	 .action = FR_ACT_TO_TBL,
	 .marked = true,
	 .table = ROUTE_TABLE},
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

static bool sysctl_is_zero(const char *path)
{
	char c = '1';
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	/* Absent: a kernel without IPv6, or with ipv6.disable=1. */
	if (fd == -1)
		return false;
	if (read(fd, &c, 1) != 1)
		c = '1';
	close(fd);
	return c == '0';
}

bool route_has_ipv6(void)
{
	return sysctl_is_zero("/proc/sys/net/ipv6/conf/lo/disable_ipv6");
}

static struct nlmsghdr *put_rule(char *buf, uint16_t type, uint8_t family,
				 const struct rule *rule)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct fib_rule_hdr *frh =
		mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));

	nlh->nlmsg_type = type;
	frh->family = family;
	frh->action = rule->action;
	mnl_attr_put_u32(nlh, FRA_PRIORITY, rule->priority);
	if (rule->marked) {
		mnl_attr_put_u32(nlh, FRA_FWMARK, MARK_DIVERT);
		mnl_attr_put_u32(nlh, FRA_FWMASK, MARK_DIVERT);
	}
	if (rule->own)
		mnl_attr_put_strz(nlh, FRA_IIFNAME, "lo");
	if (rule->table != 0)
		mnl_attr_put_u32(nlh, FRA_TABLE, rule->table);
	if (rule->target != 0)
		mnl_attr_put_u32(nlh, FRA_GOTO, rule->target);
	return nlh;
}

/* 0.0.0.0/0 or ::/0 */
static struct nlmsghdr *put_route(char *buf, uint16_t type, uint8_t family,
				  uint32_t lo)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	nlh->nlmsg_type = type;
	rtm->rtm_family = family;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_scope = RT_SCOPE_HOST;
	rtm->rtm_type = RTN_LOCAL;
	mnl_attr_put_u32(nlh, RTA_TABLE, ROUTE_TABLE);
	mnl_attr_put_u32(nlh, RTA_OIF, lo);
	return nlh;
}

static int install_family(struct netlink *nl, uint8_t family, uint32_t lo)
{
	char buf[REQUEST_MAX];
	struct nlmsghdr *nlh = put_route(buf, RTM_NEWROUTE, family, lo);
	int err;

	nlh->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	err = netlink_ask(nl, nlh);
	for (size_t i = 0; i < RULES && err == 0; i++) {
		nlh = put_rule(buf, RTM_NEWRULE, family, &rules[i]);
		nlh->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
		err = netlink_ask(nl, nlh);
		if (err == -EEXIST) /* exactly this rule is there */
			err = 0;
	}
	return err;
}

/* What is absent already is no error: its own, the table's or the device's. */
static int absent(int err)
{
	return err == -ENOENT || err == -ESRCH ? 0 : err;
}

static int remove_family(struct netlink *nl, uint8_t family, uint32_t lo)
{
	char buf[REQUEST_MAX];
	int first = 0, err;

	for (size_t i = RULES; i-- > 0;) {
		err = absent(netlink_ask(
			nl, put_rule(buf, RTM_DELRULE, family, &rules[i])));
		if (first == 0)
			first = err;
	}
	err = absent(netlink_ask(nl, put_route(buf, RTM_DELROUTE, family, lo)));
	return first != 0 ? first : err;
}

/* A socket, and the number of interface lo. */
static int start(struct netlink *nl, uint32_t *lo)
{
	int strict = 1, err;

	*lo = if_nametoindex("lo");
	if (*lo == 0)
		return -errno;
	err = netlink_open(nl, NETLINK_ROUTE);
	/*
	 * With it a dump can be of one table (Linux 4.20): a router may have a
	 * million routes in others. Without it all of them are looked at.
	 */
	if (err == 0)
		(void)mnl_socket_setsockopt(nl->sock, NETLINK_GET_STRICT_CHK,
					    &strict, sizeof(strict));
	return err;
}

int route_install(bool *ipv6)
{
	struct netlink nl;
	uint32_t lo;
	int err = start(&nl, &lo);

	*ipv6 = false;
	if (err != 0)
		return err;
	err = install_family(&nl, AF_INET, lo);
	if (err == 0 && route_has_ipv6()) {
		err = install_family(&nl, AF_INET6, lo);
		*ipv6 = err == 0;
	}
	netlink_close(&nl);
	return err;
}

int route_remove(void)
{
	struct netlink nl;
	uint32_t lo;
	int err = start(&nl, &lo), err6 = 0;

	if (err != 0)
		return err;
	err = remove_family(&nl, AF_INET, lo);
	/* Rules outlive a switch to disable_ipv6, so don't ask what it is. */
	err6 = remove_family(&nl, AF_INET6, lo);
	if (err6 == -EAFNOSUPPORT || err6 == -EOPNOTSUPP)
		err6 = 0;
	netlink_close(&nl);
	return err != 0 ? err : err6;
}

/* What a dump has shown of one family so far. */
struct seen {
	bool rule[RULES];
	bool route;
	uint32_t lo;
};

static const struct nlattr *find(const struct nlmsghdr *nlh, size_t header,
				 uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, header)
	{
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}

static uint32_t value(const struct nlmsghdr *nlh, size_t header, uint16_t type)
{
	const struct nlattr *attr = find(nlh, header, type);

	return attr != NULL && mnl_attr_validate(attr, MNL_TYPE_U32) == 0
		       ? mnl_attr_get_u32(attr)
		       : 0;
}

static bool same_rule(const struct nlmsghdr *nlh, const struct rule *rule)
{
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(nlh);
	uint32_t mark = rule->marked ? MARK_DIVERT : 0;
	size_t h = sizeof(*frh);

	return frh->action == rule->action &&
	       (frh->flags & FIB_RULE_INVERT) == 0 && frh->src_len == 0 &&
	       frh->dst_len == 0 &&
	       value(nlh, h, FRA_PRIORITY) == rule->priority &&
	       value(nlh, h, FRA_FWMARK) == mark &&
	       value(nlh, h, FRA_FWMASK) == mark &&
	       (find(nlh, h, FRA_IIFNAME) != NULL) == rule->own &&
	       value(nlh, h, FRA_GOTO) == rule->target &&
	       (rule->table == 0 || value(nlh, h, FRA_TABLE) == rule->table);
}

static int see_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct seen *seen = arg;

	for (size_t i = 0; i < RULES; i++) {
		if (same_rule(nlh, &rules[i]))
			seen->rule[i] = true;
	}
	return 0;
}

static int see_route(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct seen *seen = arg;

	if (rtm->rtm_type == RTN_LOCAL && rtm->rtm_dst_len == 0 &&
	    value(nlh, sizeof(*rtm), RTA_TABLE) == ROUTE_TABLE &&
	    value(nlh, sizeof(*rtm), RTA_OIF) == seen->lo)
		seen->route = true;
	return 0;
}

static int look(struct netlink *nl, uint8_t family, struct seen *seen)
{
	char buf[REQUEST_MAX];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct fib_rule_hdr *frh;
	struct rtmsg *rtm;
	int err;

	nlh->nlmsg_type = RTM_GETRULE;
	frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));
	frh->family = family;
	err = netlink_dump(nl, nlh, see_rule, seen);
	if (err != 0)
		return err;
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_GETROUTE;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = family;
	mnl_attr_put_u32(nlh, RTA_TABLE, ROUTE_TABLE);
	err = netlink_dump(nl, nlh, see_route, seen);
	return err == -ENOENT ? 0 : err; /* there is no such table */
}

static int diff_family(struct netlink *nl, uint8_t family, uint32_t lo,
		       route_diff_fn fn, void *arg)
{
	struct seen seen = {.lo = lo};
	const char *name = family == AF_INET ? "IPv4" : "IPv6";
	char line[128];
	int lines = 0, err = look(nl, family, &seen);

	if (err != 0)
		return err;
	for (size_t i = 0; i < RULES; i++) {
		if (seen.rule[i])
			continue;
		snprintf(line, sizeof(line), "%s routing rule %u: missing",
			 name, rules[i].priority);
		fn(line, arg);
		lines++;
	}
	if (!seen.route) {
		snprintf(line, sizeof(line),
			 "%s routing table %u: local default route missing",
			 name, ROUTE_TABLE);
		fn(line, arg);
		lines++;
	}
	return lines;
}

int route_diff(route_diff_fn fn, void *arg)
{
	struct netlink nl;
	uint32_t lo;
	int err = start(&nl, &lo), more = 0;

	if (err != 0)
		return err;
	err = diff_family(&nl, AF_INET, lo, fn, arg);
	if (err >= 0 && route_has_ipv6()) {
		more = diff_family(&nl, AF_INET6, lo, fn, arg);
		err = more < 0 ? more : err + more;
	}
	netlink_close(&nl);
	return err;
}
