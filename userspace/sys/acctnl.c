// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/acctnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>

#include "sys/netlink.h"

/* A request: headers, and an attribute of 8 bytes an interface. */
#define REQUEST_MAX 1024

struct acctnl {
	struct netlink nl;
	uint16_t family;
};

/* --- what messages say -------------------------------------------------------- */

/* The attributes of a message, each the last of its kind; NULL: absent. */
struct attrs {
	const struct nlattr *of[SLUICE_ACCT_A_MAX + 1];
};

static int attrs_find(const struct nlmsghdr *nlh, struct attrs *a)
{
	const struct nlattr *attr;
	const char *end = mnl_nlmsg_get_payload_tail(nlh);

	memset(a, 0, sizeof(*a));
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr))
		return -EBADMSG;
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
	{
		uint16_t type = mnl_attr_get_type(attr);

		if (type <= SLUICE_ACCT_A_MAX)
			a->of[type] = attr;
	}
	/* The loop ends early at an attribute that is cut short. */
	return (const char *)attr >= end ? 0 : -EBADMSG;
}

/* @size bytes of attribute @type, or as many zeros; false: it is no such one. */
static bool attr_copy(const struct attrs *a, unsigned int type, void *to,
		      size_t size)
{
	const struct nlattr *attr = a->of[type];

	memset(to, 0, size);
	if (attr == NULL || mnl_attr_get_payload_len(attr) != size)
		return false;
	memcpy(to, mnl_attr_get_payload(attr), size);
	return true;
}

/* Whose they are, or why they are nobody's: one of the two. */
static bool record_subject(const struct attrs *a, struct acctnl_record *r)
{
	if (a->of[SLUICE_ACCT_A_REASON] != NULL)
		return attr_copy(a, SLUICE_ACCT_A_REASON, &r->reason,
				 sizeof(r->reason));
	return attr_copy(a, SLUICE_ACCT_A_APP, &r->app, sizeof(r->app)) &&
	       attr_copy(a, SLUICE_ACCT_A_CLIENT, &r->client,
			 sizeof(r->client)) &&
	       r->app >= 1 && r->app <= SLUICE_ACCT_APP_MAX;
}

int acctnl_parse_record(const struct nlmsghdr *nlh, struct acctnl_record *r)
{
	struct attrs a;

	memset(r, 0, sizeof(*r));
	if (attrs_find(nlh, &a) != 0 || !record_subject(&a, r) ||
	    !attr_copy(&a, SLUICE_ACCT_A_DIRECTION, &r->direction,
		       sizeof(r->direction)) ||
	    !attr_copy(&a, SLUICE_ACCT_A_BYTES, &r->bytes, sizeof(r->bytes)) ||
	    !attr_copy(&a, SLUICE_ACCT_A_PACKETS, &r->packets,
		       sizeof(r->packets)) ||
	    !attr_copy(&a, SLUICE_ACCT_A_FLOWS, &r->flows, sizeof(r->flows)))
		return -EBADMSG;
	return r->direction <= SLUICE_ACCT_DOWN ? 0 : -EBADMSG;
}

static int parse_lan(const struct nlattr *lan, struct acctnl_status *status)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, lan)
	{
		if (mnl_attr_get_type(attr) != SLUICE_ACCT_LAN_A_IFINDEX)
			continue;
		if (mnl_attr_validate(attr, MNL_TYPE_U32) == -1 ||
		    status->lan_count == SLUICE_ACCT_LAN_MAX)
			return -EBADMSG;
		status->lan[status->lan_count++] = mnl_attr_get_u32(attr);
	}
	return 0;
}

int acctnl_parse_status(const struct nlmsghdr *nlh, struct acctnl_status *s)
{
	struct attrs a;

	memset(s, 0, sizeof(*s));
	if (attrs_find(nlh, &a) != 0 || a.of[SLUICE_ACCT_A_LAN] == NULL ||
	    !attr_copy(&a, SLUICE_ACCT_A_INTERCEPTED, &s->intercepted,
		       sizeof(s->intercepted)) ||
	    !attr_copy(&a, SLUICE_ACCT_A_GATEWAY, &s->gateway,
		       sizeof(s->gateway)) ||
	    !attr_copy(&a, SLUICE_ACCT_A_ENTRIES, &s->entries,
		       sizeof(s->entries)) ||
	    !attr_copy(&a, SLUICE_ACCT_A_ENTRIES_MAX, &s->entries_max,
		       sizeof(s->entries_max)) ||
	    !attr_copy(&a, SLUICE_ACCT_A_PENDING, &s->pending,
		       sizeof(s->pending)) ||
	    !attr_copy(&a, SLUICE_ACCT_A_PENDING_MAX, &s->pending_max,
		       sizeof(s->pending_max)) ||
	    !attr_copy(&a, SLUICE_ACCT_A_PENDING_LOST, &s->pending_lost,
		       sizeof(s->pending_lost)))
		return -EBADMSG;
	return parse_lan(a.of[SLUICE_ACCT_A_LAN], s);
}

int acctnl_parse_family(const struct nlmsghdr *nlh, uint16_t *family)
{
	const struct nlattr *attr;

	*family = 0;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr))
		return -EBADMSG;
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
	{
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
		    mnl_attr_validate(attr, MNL_TYPE_U16) == 0)
			*family = mnl_attr_get_u16(attr);
	}
	return *family != 0 ? 0 : -EBADMSG;
}

/* --- asking ---------------------------------------------------------------------- */

static struct nlmsghdr *request(char *buf, uint16_t type, uint8_t cmd,
				uint8_t version)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *head =
		mnl_nlmsg_put_extra_header(nlh, sizeof(*head));

	nlh->nlmsg_type = type;
	head->cmd = cmd;
	head->version = version;
	return nlh;
}

static struct nlmsghdr *ours(const struct acctnl *a, char *buf, uint8_t cmd)
{
	return request(buf, a->family, cmd, SLUICE_ACCT_VERSION);
}

static int take_family(const struct nlmsghdr *nlh, void *arg)
{
	return acctnl_parse_family(nlh, arg);
}

static int find_family(struct acctnl *a)
{
	char buf[REQUEST_MAX];
	struct nlmsghdr *nlh =
		request(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	int err;

	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, SLUICE_ACCT_FAMILY);
	err = netlink_get(&a->nl, nlh, take_family, &a->family);
	if (err == 0 && a->family == 0)
		return -EBADMSG;
	return err;
}

struct acctnl *acctnl_open(void)
{
	struct acctnl *a = calloc(1, sizeof(*a));
	int err;

	if (a == NULL)
		return NULL;
	err = netlink_open(&a->nl, NETLINK_GENERIC);
	if (err == 0)
		err = find_family(a);
	if (err == 0)
		return a;
	acctnl_close(a);
	errno = -err;
	return NULL;
}

void acctnl_close(struct acctnl *a)
{
	if (a == NULL)
		return;
	netlink_close(&a->nl);
	free(a);
}

const char *acctnl_error(int err)
{
	switch (-err) {
	case 0:
		return "no error";
	case ENOENT:
		return "the module sluice_acct isn't loaded (kmod/build_nfq_ko.sh builds it)";
	case EPERM:
		return "CAP_NET_ADMIN over the network namespace is missing";
	case ENODEV:
		return "a LAN interface doesn't exist";
	case E2BIG:
		return "too many LAN interfaces";
	case EINVAL:
	case EOPNOTSUPP:
		return "the module refuses it: an application id out of range, or another version";
	case EBADMSG:
		return "the module's answer makes no sense: another version of it is loaded";
	case ETIMEDOUT:
		return "the kernel didn't answer in time";
	default:
		return strerror(-err);
	}
}

int acctnl_set(struct acctnl *a, const uint32_t *lan, size_t count,
	       uint16_t intercepted, uint16_t gateway)
{
	char buf[REQUEST_MAX];
	struct nlmsghdr *nlh = ours(a, buf, SLUICE_ACCT_CMD_SET);
	struct nlattr *nest;
	int err;

	if (count > SLUICE_ACCT_LAN_MAX)
		return -E2BIG;
	nest = mnl_attr_nest_start(nlh, SLUICE_ACCT_A_LAN);
	for (size_t i = 0; i < count; i++)
		mnl_attr_put_u32(nlh, SLUICE_ACCT_LAN_A_IFINDEX, lan[i]);
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_put_u16(nlh, SLUICE_ACCT_A_INTERCEPTED, intercepted);
	mnl_attr_put_u16(nlh, SLUICE_ACCT_A_GATEWAY, gateway);
	err = netlink_ask(&a->nl, nlh);
	return err == -ERANGE ? -EINVAL : err;
}

struct dump {
	acctnl_fn fn;
	void *arg;
};

static int take_record(const struct nlmsghdr *nlh, void *arg)
{
	const struct dump *d = arg;
	struct acctnl_record record;
	int err = acctnl_parse_record(nlh, &record);

	return err != 0 ? err : d->fn(&record, d->arg);
}

int acctnl_dump(struct acctnl *a, bool take, acctnl_fn fn, void *arg)
{
	struct dump d = {.fn = fn, .arg = arg};
	char buf[REQUEST_MAX];
	uint8_t cmd = take ? SLUICE_ACCT_CMD_TAKE : SLUICE_ACCT_CMD_GET;

	return netlink_dump(&a->nl, ours(a, buf, cmd), take_record, &d);
}

int acctnl_reset(struct acctnl *a)
{
	char buf[REQUEST_MAX];

	return netlink_ask(&a->nl, ours(a, buf, SLUICE_ACCT_CMD_RESET));
}

/* What remains unfilled when the kernel acknowledges without an answer. */
struct answer {
	struct acctnl_status *status;
	bool there;
};

static int take_status(const struct nlmsghdr *nlh, void *arg)
{
	struct answer *answer = arg;

	answer->there = true;
	return acctnl_parse_status(nlh, answer->status);
}

int acctnl_status(struct acctnl *a, struct acctnl_status *status)
{
	struct answer answer = {.status = status};
	char buf[REQUEST_MAX];
	int err = netlink_get(&a->nl, ours(a, buf, SLUICE_ACCT_CMD_STATUS),
			      take_status, &answer);

	if (err == 0 && !answer.there)
		err = -EBADMSG;
	return err;
}
