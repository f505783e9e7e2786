// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sys/acctnl.h for scripts.
 * usage: acct_tool COMMAND
 *	set INTERCEPTED GATEWAY [INTERFACE-INDEX...]
 *	get | take		records, one a line; see print()
 *	sum N			N times take, added up: up, down
 *	reset
 *	status
 *	fuzz SEED COUNT		COUNT netlink messages of nonsense to the module
 * Exit status 1 and acctnl_error() on standard error when it fails.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/acctnl.h"
#include "sys/netlink.h"

static const char *const directions[] = {"up", "down"};
static const char *const reasons[] = {"no-conntrack", "no-label", "table-full",
				      "pending"};

/* CLIENT|- APPLICATION|REASON DIRECTION BYTES PACKETS FLOWS */
static int print(const struct acctnl_record *r, void *arg)
{
	char client[INET6_ADDRSTRLEN] = "-";
	char what[16];

	(void)arg;
	if (r->app != 0) {
		inet_ntop(AF_INET6, &r->client, client, sizeof(client));
		snprintf(what, sizeof(what), "%u", r->app);
	} else {
		snprintf(what, sizeof(what), "%s",
			 r->reason <= SLUICE_ACCT_PENDING ? reasons[r->reason]
							  : "unknown");
	}
	printf("%s %s %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", client, what,
	       directions[r->direction], r->bytes, r->packets, r->flows);
	return 0;
}

struct sums {
	uint64_t taken[2];   /* by direction */
	uint64_t pending[2]; /* now */
};

static int add(const struct acctnl_record *r, void *arg)
{
	struct sums *s = arg;

	if (r->app == 0 && r->reason == SLUICE_ACCT_PENDING)
		s->pending[r->direction] += r->bytes;
	else
		s->taken[r->direction] += r->bytes;
	return 0;
}

static int do_sum(struct acctnl *a, char **args)
{
	long times = args[0] != NULL ? strtol(args[0], NULL, 10) : 1;
	struct sums s = {{0}, {0}};
	int err = 0;

	for (; times > 0 && err == 0; times--) {
		memset(s.pending, 0, sizeof(s.pending));
		err = acctnl_dump(a, true, add, &s);
	}
	printf("%" PRIu64 " %" PRIu64 "\n", s.taken[0] + s.pending[0],
	       s.taken[1] + s.pending[1]);
	return err;
}

static int do_get(struct acctnl *a, char **args)
{
	(void)args;
	return acctnl_dump(a, false, print, NULL);
}

static int do_take(struct acctnl *a, char **args)
{
	(void)args;
	return acctnl_dump(a, true, print, NULL);
}

static int do_reset(struct acctnl *a, char **args)
{
	(void)args;
	return acctnl_reset(a);
}

static int do_set(struct acctnl *a, char **args)
{
	uint32_t lan[SLUICE_ACCT_LAN_MAX + 1];
	unsigned long app[2] = {0};
	size_t count = 0;

	for (int i = 0; i < 2 && *args != NULL; i++)
		app[i] = strtoul(*args++, NULL, 10);
	for (; *args != NULL && count <= SLUICE_ACCT_LAN_MAX; args++)
		lan[count++] = (uint32_t)strtoul(*args, NULL, 10);
	return acctnl_set(a, lan, count, (uint16_t)app[0], (uint16_t)app[1]);
}

static int do_status(struct acctnl *a, char **args)
{
	struct acctnl_status s;
	int err = acctnl_status(a, &s);

	(void)args;
	if (err != 0)
		return err;
	printf("lan");
	for (size_t i = 0; i < s.lan_count; i++)
		printf(" %" PRIu32, s.lan[i]);
	printf("\nids %u %u\nentries %" PRIu32 " %" PRIu32 "\npending %" PRIu32
	       " %" PRIu32 " %" PRIu64 "\n",
	       s.intercepted, s.gateway, s.entries, s.entries_max, s.pending,
	       s.pending_max, s.pending_lost);
	return 0;
}

/* --- nonsense ------------------------------------------------------------------ */

static uint32_t seed;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* Any type, any length, and now and then another length than it has. */
static void put_attr(struct nlmsghdr *nlh)
{
	struct nlattr *attr = mnl_nlmsg_get_payload_tail(nlh);
	char bytes[64];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(any(4) == 0 ? any(256) : 0);
	mnl_attr_put(nlh, (uint16_t)any(SLUICE_ACCT_A_MAX + 3),
		     any(3) == 0 ? 4 : any(sizeof(bytes)), bytes);
	if (any(20) == 0)
		attr->nla_len = (uint16_t)any(80);
}

/* Attributes, some in others, mostly in LAN, where they might belong. */
static void put_nonsense(struct nlmsghdr *nlh)
{
	for (uint32_t n = any(6); n > 0; n--) {
		struct nlattr *nest;

		if (any(3) != 0) {
			put_attr(nlh);
			continue;
		}
		nest = mnl_attr_nest_start(
			nlh, any(2) == 0 ? SLUICE_ACCT_A_LAN
					 : (uint16_t)any(SLUICE_ACCT_A_MAX));
		for (uint32_t inner = any(80); inner > 0; inner--)
			put_attr(nlh);
		mnl_attr_nest_end(nlh, nest);
	}
}

static void nonsense(struct nlmsghdr *nlh, uint16_t family)
{
	struct genlmsghdr *head =
		mnl_nlmsg_put_extra_header(nlh, sizeof(*head));

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	if (any(2) == 0)
		nlh->nlmsg_flags |= NLM_F_ACK;
	if (any(3) == 0)
		nlh->nlmsg_flags |= NLM_F_DUMP;
	head->cmd = (uint8_t)any(SLUICE_ACCT_CMD_MAX + 3);
	head->version = (uint8_t)any(3);
	head->reserved = any(10) == 0 ? 1 : 0;
	put_nonsense(nlh);
}

static int take_family(const struct nlmsghdr *nlh, void *arg)
{
	return acctnl_parse_family(nlh, arg);
}

static int find_family(struct netlink *nl, uint16_t *family)
{
	char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *head =
		mnl_nlmsg_put_extra_header(nlh, sizeof(*head));

	nlh->nlmsg_type = GENL_ID_CTRL;
	head->cmd = CTRL_CMD_GETFAMILY;
	head->version = 1;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, SLUICE_ACCT_FAMILY);
	return netlink_get(nl, nlh, take_family, family);
}

/* Answers are read as they come, so that dumps go on; what they say is moot. */
static void drain(int fd, bool wait)
{
	static char buf[65536];

	while (recv(fd, buf, sizeof(buf), wait ? 0 : MSG_DONTWAIT) > 0)
		wait = false;
}

static int do_fuzz(struct acctnl *a, char **args)
{
	struct netlink nl;
	uint16_t family;
	int err = netlink_open(&nl, NETLINK_GENERIC);
	long count = 0;

	(void)a;
	if (err != 0)
		return err;
	if (args[0] != NULL && args[1] != NULL) {
		seed = (uint32_t)strtoul(args[0], NULL, 10);
		count = strtol(args[1], NULL, 10);
	}
	err = find_family(&nl, &family);
	for (; err == 0 && count > 0; count--) {
		char buf[32768];
		struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

		nonsense(nlh, family);
		/* EBUSY: a dump is under way; the next messages go round it. */
		if (mnl_socket_sendto(nl.sock, nlh, nlh->nlmsg_len) == -1 &&
		    errno != EBUSY && errno != ENOBUFS)
			err = -errno;
		drain(mnl_socket_get_fd(nl.sock), false);
	}
	netlink_close(&nl);
	return err;
}

static const struct {
	const char *name;
	int (*run)(struct acctnl *a, char **args);
} commands[] = {
	{"set", do_set},       {"get", do_get},	    {"take", do_take},
	{"sum", do_sum},       {"reset", do_reset}, {"fuzz", do_fuzz},
	{"status", do_status},
};

static int run(const char *name, char **args)
{
	struct acctnl *a = acctnl_open();
	int err = a != NULL ? -ENOSYS : -errno;

	for (size_t i = 0;
	     a != NULL && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0)
			err = commands[i].run(a, args);
	}
	acctnl_close(a);
	return err;
}

int main(int argc, char **argv)
{
	int err;

	if (argc < 2) {
		fprintf(stderr, "usage: acct_tool COMMAND [ARGUMENT...]\n");
		return 2;
	}
	err = run(argv[1], argv + 2);
	if (err != 0)
		fprintf(stderr, "acct_tool: %s: %s\n", argv[1],
			acctnl_error(err));
	return err != 0;
}
