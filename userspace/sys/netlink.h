/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A netlink socket that waits for its answers, but never for long.
 *
 * The net and app roles and the tools of sluicectl use it, for exchanges of a few
 * milliseconds; the receive timeout bounds what a stuck kernel can cost.
 *
 * Lifetime: opened, used and closed by one owner, which is one thread.
 */
#ifndef SLUICE_SYS_NETLINK_H
#define SLUICE_SYS_NETLINK_H

#include <stddef.h>
#include <stdint.h>

struct mnl_socket;
struct nlmsghdr;

#define NETLINK_TIMEOUT_MS 2000

struct netlink {
	struct mnl_socket *sock; /* NULL: closed */
	uint32_t port;
	uint32_t seq; /* of the last request */
};

/* One message of an answer: 0 to go on, or -errno to stop with. */
typedef int (*netlink_fn)(const struct nlmsghdr *nlh, void *arg);

/* @bus is NETLINK_ROUTE and so on. 0 or -errno. */
__attribute__((warn_unused_result)) int netlink_open(struct netlink *nl,
						     int bus);
/* Harmless on a closed or zeroed one. */
void netlink_close(struct netlink *nl);

/*
 * Send one request and wait for its acknowledgement; NLM_F_ACK and the
 * sequence number are filled in. 0, the kernel's -errno, or -ETIMEDOUT.
 */
__attribute__((warn_unused_result)) int netlink_ask(struct netlink *nl,
						    struct nlmsghdr *nlh);

/*
 * Send one request, pass the messages of its answer to @fn, and wait for the
 * acknowledgement. 0, the first -errno, or -ETIMEDOUT.
 */
__attribute__((warn_unused_result)) int
netlink_get(struct netlink *nl, struct nlmsghdr *nlh, netlink_fn fn, void *arg);

/*
 * Ask for a dump and pass each message to @fn. -EINTR when the kernel says
 * that what it listed changed meanwhile: ask again.
 */
__attribute__((warn_unused_result)) int netlink_dump(struct netlink *nl,
						     struct nlmsghdr *nlh,
						     netlink_fn fn, void *arg);

/*
 * The same, with a call to @part when some messages of the answer have arrived
 * and before the first of them is passed on.
 */
typedef void (*netlink_part_fn)(void *arg);
__attribute__((warn_unused_result)) int
netlink_dump_parts(struct netlink *nl, struct nlmsghdr *nlh,
		   netlink_part_fn part, netlink_fn fn, void *arg);

/*
 * Send @size bytes of requests with the sequence numbers @first to @last,
 * @acks of which ask for an acknowledgement, and wait for these. The others
 * are answered in case of an error only. 0, or the first -errno; then @bad
 * (unless NULL) is the sequence number it belongs to.
 */
__attribute__((warn_unused_result)) int
netlink_send_all(struct netlink *nl, const void *data, size_t size,
		 uint32_t first, uint32_t last, uint32_t acks, uint32_t *bad);

#endif
