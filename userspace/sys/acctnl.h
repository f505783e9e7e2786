/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The accounting module, sluice_acct.ko, by generic netlink. What it counts and
 * what the numbers mean: kmod/sluice_acct.h.
 *
 * Needs CAP_NET_ADMIN over the network namespace it was opened in. Every call
 * waits for the kernel's answer, at most NETLINK_TIMEOUT_MS for each part.
 *
 * Lifetime: acctnl_open() to acctnl_close(), one owner, one thread. When the
 * module is unloaded and loaded again, calls fail with -ENOENT: open anew.
 */
#ifndef SLUICE_SYS_ACCTNL_H
#define SLUICE_SYS_ACCTNL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice_acct.h>

struct acctnl;
struct nlmsghdr;

/*
 * One thing counted. @app is 1 to SLUICE_ACCT_APP_MAX, and @client is whose
 * (IPv4 as ::ffff:a.b.c.d); or @app is 0: @bytes have no application because of
 * @reason, and no client is told. A reason this program doesn't know is told as
 * its number: an unknown one is still to be added up.
 */
struct acctnl_record {
	struct in6_addr client;
	uint16_t app;
	uint8_t reason;	   /* enum sluice_acct_reason */
	uint8_t direction; /* enum sluice_acct_direction */
	uint64_t bytes;
	uint64_t packets;
	uint64_t flows;
};

struct acctnl_status {
	uint32_t lan[SLUICE_ACCT_LAN_MAX]; /* interface indexes */
	size_t lan_count;
	uint16_t intercepted; /* application ids, 0: none */
	uint16_t gateway;
	uint32_t entries;
	uint32_t entries_max;
	uint32_t pending;
	uint32_t pending_max;
	uint64_t pending_lost;
};

/* 0 to go on, or -errno to stop with. */
typedef int (*acctnl_fn)(const struct acctnl_record *record, void *arg);

/* NULL and errno; ENOENT: the module isn't loaded. */
struct acctnl *acctnl_open(void);
/* Harmless with NULL. */
void acctnl_close(struct acctnl *a);
/*
 * @err, a -errno of acctnl_open() or of a call here, in words for a log line.
 * Static storage.
 */
const char *acctnl_error(int err);

/*
 * Count on these @count interfaces from now on (0: stop counting; counters
 * stay), for these applications when there is no label (0: none); see
 * SLUICE_ACCT_A_INTERCEPTED. 0; -E2BIG for more than SLUICE_ACCT_LAN_MAX
 * interfaces; -ENODEV: one of them doesn't exist; -EINVAL for an application
 * beyond SLUICE_ACCT_APP_MAX; -errno.
 */
__attribute__((warn_unused_result)) int
acctnl_set(struct acctnl *a, const uint32_t *lan, size_t count,
	   uint16_t intercepted, uint16_t gateway);

/*
 * Pass every record to @fn: what was counted since the last time with @take,
 * or the last reset. With @take, what was passed is not told again; when @fn
 * or the call fails in the middle, what was not passed may be lost. 0, -errno,
 * or what @fn stopped with (the handle is of no use then but to close it).
 */
__attribute__((warn_unused_result)) int acctnl_dump(struct acctnl *a, bool take,
						    acctnl_fn fn, void *arg);

/* Forget all that was counted. 0 or -errno. */
__attribute__((warn_unused_result)) int acctnl_reset(struct acctnl *a);

/* 0 or -errno. */
__attribute__((warn_unused_result)) int
acctnl_status(struct acctnl *a, struct acctnl_status *status);

/*
 * Parts of the above, pure: what a message of the kernel says. @nlh is whole
 * (mnl_nlmsg_ok()); nothing else is trusted. 0; -EBADMSG for a message that is
 * cut short, or lacks what it must have.
 */
__attribute__((warn_unused_result)) int
acctnl_parse_record(const struct nlmsghdr *nlh, struct acctnl_record *record);
__attribute__((warn_unused_result)) int
acctnl_parse_status(const struct nlmsghdr *nlh, struct acctnl_status *status);
/* The number of a family, out of CTRL_CMD_NEWFAMILY; never 0. */
__attribute__((warn_unused_result)) int
acctnl_parse_family(const struct nlmsghdr *nlh, uint16_t *family);

#endif
