// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

/* What the kernel puts into one datagram of a dump at most. */
#define ANSWER_MAX 65536

int netlink_open(struct netlink *nl, int bus)
{
	struct timeval wait = {NETLINK_TIMEOUT_MS / 1000,
			       NETLINK_TIMEOUT_MS % 1000 * 1000L};
	int err;

	nl->seq = 0;
	nl->sock = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (nl->sock == NULL)
		return -errno;
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) == -1 ||
	    setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVTIMEO,
		       &wait, sizeof(wait)) == -1) {
		err = -errno;
		netlink_close(nl);
		return err;
	}
	nl->port = mnl_socket_get_portid(nl->sock);
	return 0;
}

void netlink_close(struct netlink *nl)
{
	if (nl->sock != NULL)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

/* A datagram from the kernel, or -errno; a signal doesn't end the wait. */
static ssize_t receive(struct netlink *nl, void *buf, size_t size)
{
	ssize_t n;

	do {
		n = mnl_socket_recvfrom(nl->sock, buf, size);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return n;
}

static int transmit(struct netlink *nl, const void *data, size_t size)
{
	ssize_t n = mnl_socket_sendto(nl->sock, data, size);

	if (n == -1)
		return -errno;
	return (size_t)n == size ? 0 : -EMSGSIZE;
}

/* The kernel's answer to one of our requests, or what an older one left. */
static bool is_ours(const struct netlink *nl, const struct nlmsghdr *nlh,
		    uint32_t first, uint32_t last)
{
	return nlh->nlmsg_pid == nl->port &&
	       nlh->nlmsg_seq - first <= last - first;
}

static int error_of(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
		return -EBADMSG;
	return e->error;
}

/* State of one netlink_send_all(). */
struct acks {
	uint32_t first;
	uint32_t last;
	uint32_t left;
	uint32_t bad;
	int err;
};

static void acks_take(struct acks *a, const struct netlink *nl, const void *buf,
		      int n)
{
	const struct nlmsghdr *nlh = buf;

	for (; mnl_nlmsg_ok(nlh, n); nlh = mnl_nlmsg_next(nlh, &n)) {
		int err;

		if (nlh->nlmsg_type != NLMSG_ERROR ||
		    !is_ours(nl, nlh, a->first, a->last))
			continue;
		err = error_of(nlh);
		if (err != 0 && a->err == 0) {
			a->err = err;
			a->bad = nlh->nlmsg_seq;
		}
		if (a->left > 0)
			a->left--;
	}
}

/*
 * After an error the acknowledgements of the other messages may or may not
 * come, so it ends the wait; leftovers are told by their sequence numbers.
 */
int netlink_send_all(struct netlink *nl, const void *data, size_t size,
		     uint32_t first, uint32_t last, uint32_t acks,
		     uint32_t *bad)
{
	struct acks a = {.first = first, .last = last, .left = acks};
	char *buf = malloc(ANSWER_MAX);
	int err;

	if (buf == NULL)
		return -ENOMEM;
	err = transmit(nl, data, size);
	while (err == 0 && a.left > 0 && a.err == 0) {
		ssize_t n = receive(nl, buf, ANSWER_MAX);

		if (n < 0)
			err = (int)n;
		else
			acks_take(&a, nl, buf, (int)n);
	}
	free(buf);
	if (err == 0)
		err = a.err;
	if (err != 0 && bad != NULL)
		*bad = a.err != 0 ? a.bad : last;
	return err;
}

int netlink_ask(struct netlink *nl, struct nlmsghdr *nlh)
{
	nlh->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++nl->seq;
	return netlink_send_all(nl, nlh, nlh->nlmsg_len, nl->seq, nl->seq, 1,
				NULL);
}

/*
 * 1 to go on, 0 at the end of the answer, -errno. A dump ends with a message of
 * its own, the answer to another request with its acknowledgement.
 */
static int answer_take(const struct netlink *nl, const void *buf, int n,
		       netlink_fn fn, void *arg)
{
	const struct nlmsghdr *nlh = buf;
	int err;

	for (; mnl_nlmsg_ok(nlh, n); nlh = mnl_nlmsg_next(nlh, &n)) {
		if (!is_ours(nl, nlh, nl->seq, nl->seq))
			continue;
		if ((nlh->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
			return -EINTR;
		if (nlh->nlmsg_type == NLMSG_DONE)
			return 0;
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return error_of(nlh);
		err = fn(nlh, arg);
		if (err != 0)
			return err;
	}
	return 1;
}

static int exchange(struct netlink *nl, struct nlmsghdr *nlh, uint16_t flags,
		    netlink_part_fn part, netlink_fn fn, void *arg)
{
	char *buf = malloc(ANSWER_MAX);
	int err;

	if (buf == NULL)
		return -ENOMEM;
	nlh->nlmsg_flags |= NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++nl->seq;
	err = transmit(nl, nlh, nlh->nlmsg_len);
	if (err == 0)
		err = 1;
	while (err > 0) {
		ssize_t n = receive(nl, buf, ANSWER_MAX);

		if (n >= 0 && part != NULL)
			part(arg);
		err = n < 0 ? (int)n : answer_take(nl, buf, (int)n, fn, arg);
	}
	free(buf);
	return err;
}

int netlink_get(struct netlink *nl, struct nlmsghdr *nlh, netlink_fn fn,
		void *arg)
{
	return exchange(nl, nlh, NLM_F_ACK, NULL, fn, arg);
}

int netlink_dump(struct netlink *nl, struct nlmsghdr *nlh, netlink_fn fn,
		 void *arg)
{
	return exchange(nl, nlh, NLM_F_DUMP, NULL, fn, arg);
}

int netlink_dump_parts(struct netlink *nl, struct nlmsghdr *nlh,
		       netlink_part_fn part, netlink_fn fn, void *arg)
{
	return exchange(nl, nlh, NLM_F_DUMP, part, fn, arg);
}
