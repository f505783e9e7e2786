// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipc/chan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Messages read in one go before other descriptors get their turn. */
#define READS_A_ROUND 64
/* Until a message is tried again that the kernel had no memory for. */
#define REST_MS	      20

/* A message that waits; its descriptors are duplicates and closed with it. */
struct chan_out {
	struct list node;
	unsigned int nfds;
	int fds[MSG_FDS_MAX];
	size_t len;
	uint8_t bytes[];
};

static void close_all(const int *fds, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		close(fds[i]);
}

int chan_pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, fds) == -1)
		return -errno;
	return 0;
}

static void on_rested(struct timer *t, uint64_t now_ms);

void chan_init(struct chan *ch, struct loop *loop, const struct chan_ops *ops,
	       void *user)
{
	ch->loop = loop;
	ch->lfd.fd = -1;
	ch->ops = ops;
	list_init(&ch->queue);
	ch->queued = 0;
	ch->paused = false;
	timer_init(&ch->rest, on_rested);
	ch->user = user;
}

bool chan_is_open(const struct chan *ch)
{
	return ch->lfd.fd != -1;
}

/*
 * Watch for what matters now. A paused channel is edge-triggered, or the end
 * of its peer (EPOLLHUP can't be turned off) would be reported all the time.
 */
static int watch(struct chan *ch)
{
	uint32_t events = ch->paused ? (uint32_t)EPOLLET : EPOLLIN;

	if (!list_empty(&ch->queue) && !timer_armed(&ch->rest))
		events |= EPOLLOUT;
	return loop_modify(ch->loop, &ch->lfd, events);
}

static void on_rested(struct timer *t, uint64_t now_ms)
{
	struct chan *ch = list_entry(&t->node, struct chan, rest.node);

	/* EPOLLOUT comes at once then, or a little later. */
	if (watch(ch) != 0)
		timer_arm(&ch->loop->wheel, t, now_ms + REST_MS);
}

int chan_pause(struct chan *ch, bool pause)
{
	if (!chan_is_open(ch) || ch->paused == pause)
		return 0;
	ch->paused = pause;
	return watch(ch);
}

/* Drop the first message that waits. */
static void drop_first(struct chan *ch)
{
	struct chan_out *out =
		list_entry(list_pop(&ch->queue), struct chan_out, node);

	ch->queued -= out->len;
	close_all(out->fds, out->nfds);
	free(out);
}

void chan_close(struct chan *ch)
{
	int fd = ch->lfd.fd;

	if (fd == -1)
		return;
	loop_del(ch->loop, &ch->lfd);
	close(fd);
	timer_cancel(&ch->loop->wheel, &ch->rest);
	while (!list_empty(&ch->queue))
		drop_first(ch);
}

/* --- sending --------------------------------------------------------------- */

/*
 * 0, -EAGAIN when the peer's queue is full, -ENOBUFS or -ENOMEM when the kernel
 * has no memory for it, or another -errno.
 */
static int send_now(int fd, const struct iovec *iov, size_t iovs,
		    const int *fds, unsigned int nfds)
{
	union {
		char bytes[CMSG_SPACE(MSG_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr mh = {.msg_iov = (struct iovec *)iov, .msg_iovlen = iovs};

	if (nfds > 0) {
		struct cmsghdr *cmsg;

		mh.msg_control = control.bytes;
		mh.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		memset(control.bytes, 0, mh.msg_controllen);
		cmsg = CMSG_FIRSTHDR(&mh);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, nfds * sizeof(int));
	}
	for (;;) {
		if (sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) != -1)
			return 0;
		if (errno != EINTR)
			return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	}
}

/* What is not lost for good. */
static bool can_wait(int rc)
{
	return rc == -EAGAIN || rc == -ENOBUFS || rc == -ENOMEM;
}

static int dup_all(struct chan_out *out, const int *fds, unsigned int nfds)
{
	for (out->nfds = 0; out->nfds < nfds; out->nfds++) {
		int fd = fcntl(fds[out->nfds], F_DUPFD_CLOEXEC, 0);

		if (fd == -1)
			return -errno;
		out->fds[out->nfds] = fd;
	}
	return 0;
}

static int enqueue(struct chan *ch, const struct iovec *iov, size_t iovs,
		   const int *fds, unsigned int nfds)
{
	struct chan_out *out;
	size_t len = 0;
	int rc;

	for (size_t i = 0; i < iovs; i++)
		len += iov[i].iov_len;
	if (ch->queued + len > CHAN_QUEUE_MAX)
		return -ENOBUFS;
	out = malloc(sizeof(*out) + len);
	if (out == NULL)
		return -ENOMEM;
	rc = dup_all(out, fds, nfds);
	if (rc != 0) {
		close_all(out->fds, out->nfds);
		free(out);
		return rc;
	}
	out->len = 0;
	for (size_t i = 0; i < iovs; i++) {
		if (iov[i].iov_len > 0)
			memcpy(out->bytes + out->len, iov[i].iov_base,
			       iov[i].iov_len);
		out->len += iov[i].iov_len;
	}
	ch->queued += out->len;
	list_add_tail(&ch->queue, &out->node);
	return ch->queue.next == &out->node ? watch(ch) : 0;
}

int chan_send_full(struct chan *ch, enum msg_type type, const void *body,
		   size_t body_len, const void *elements, size_t elements_len,
		   const int *fds, unsigned int nfds)
{
	struct msg_header header = {.type = type};
	struct iovec iov[3] = {
		{&header, sizeof(header)},
		{(void *)(uintptr_t)body, body_len},
		{(void *)(uintptr_t)elements, elements_len},
	};
	int rc = -EAGAIN;

	if (!chan_is_open(ch))
		return -ENOTCONN;
	if (nfds > MSG_FDS_MAX ||
	    sizeof(header) + body_len + elements_len > MSG_MAX)
		return -EMSGSIZE;
	if (list_empty(&ch->queue))
		rc = send_now(ch->lfd.fd, iov, 3, fds, nfds);
	/* A dead peer (EPIPE) is reported once, by the reading side. */
	return can_wait(rc) ? enqueue(ch, iov, 3, fds, nfds) : rc;
}

int chan_send(struct chan *ch, enum msg_type type, const void *body,
	      size_t body_len)
{
	return chan_send_full(ch, type, body, body_len, NULL, 0, NULL, 0);
}

/* No event says when there is memory again; EPOLLOUT would come all the time. */
static void rest(struct chan *ch)
{
	timer_arm(&ch->loop->wheel, &ch->rest, ch->loop->now_ms + REST_MS);
	(void)watch(ch);
}

static void flush(struct chan *ch)
{
	while (!list_empty(&ch->queue)) {
		struct chan_out *out =
			list_entry(ch->queue.next, struct chan_out, node);
		struct iovec iov = {out->bytes, out->len};
		int rc = send_now(ch->lfd.fd, &iov, 1, out->fds, out->nfds);

		if (can_wait(rc)) {
			if (rc != -EAGAIN)
				rest(ch);
			return;
		}
		drop_first(ch);
		if (rc != 0)
			break;
	}
	if (list_empty(&ch->queue) && watch(ch) == 0 &&
	    ch->ops->drained != NULL)
		ch->ops->drained(ch);
}

/* --- receiving ------------------------------------------------------------- */

struct incoming {
	size_t len;
	unsigned int nfds;
	int fds[MSG_FDS_MAX];
	bool truncated;
};

/* Bytes of a datagram in @buf: 1, 0 at the end, or -errno. */
static int receive(int fd, void *buf, struct incoming *in)
{
	union {
		char bytes[CMSG_SPACE(MSG_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {buf, MSG_MAX};
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	in->len = 0;
	in->nfds = 0;
	if (n == -1)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&mh); c != NULL;
	     c = CMSG_NXTHDR(&mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		in->nfds = (unsigned int)((c->cmsg_len - CMSG_LEN(0)) /
					  sizeof(int));
		memcpy(in->fds, CMSG_DATA(c), in->nfds * sizeof(int));
	}
	in->len = (size_t)n;
	in->truncated = (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
	return n > 0 ? 1 : 0;
}

static const struct chan_rule *rule_for(const struct chan_ops *ops,
					uint32_t type)
{
	for (size_t i = 0; i < ops->nrules; i++)
		if (ops->rules[i].type == type)
			return &ops->rules[i];
	return NULL;
}

/* NULL when the message fits its rule, else what is wrong with it. */
static const char *check(const struct chan_rule *rule,
			 const struct incoming *in, size_t body_len)
{
	if (rule == NULL)
		return "a message that it may not send";
	if (in->truncated || body_len < rule->body)
		return "a message of wrong length";
	if (rule->element == 0 ? body_len != rule->body
			       : (body_len - rule->body) % rule->element != 0)
		return "a message of wrong length";
	if (in->nfds < rule->fds_min || in->nfds > rule->fds_max)
		return "a wrong number of descriptors";
	return NULL;
}

/* NULL, or what the peer did wrong. */
static const char *dispatch(struct chan *ch, const uint8_t *buf,
			    const struct incoming *in)
{
	const struct chan_rule *rule = NULL;
	struct msg_header header;
	struct chan_msg msg;
	const char *wrong = "a message of wrong length";

	if (in->len >= sizeof(header)) {
		memcpy(&header, buf, sizeof(header));
		rule = rule_for(ch->ops, header.type);
		wrong = check(rule, in, in->len - sizeof(header));
	}
	if (wrong != NULL) {
		close_all(in->fds, in->nfds);
		return wrong;
	}
	msg.type = header.type;
	msg.body = buf + sizeof(header);
	msg.elements = buf + sizeof(header) + rule->body;
	msg.elements_len = in->len - sizeof(header) - rule->body;
	msg.fds = in->fds;
	msg.nfds = in->nfds;
	if (rule->handler(ch, &msg) == 0)
		return NULL;
	return "a message with an impossible value";
}

static void lost(struct chan *ch, const char *violation)
{
	chan_close(ch);
	ch->ops->closed(ch, violation);
}

static void read_messages(struct chan *ch)
{
	_Alignas(8) uint8_t buf[MSG_MAX];

	for (int i = 0; i < READS_A_ROUND && chan_is_open(ch) && !ch->paused;
	     i++) {
		const char *violation;
		struct incoming in;
		int rc = receive(ch->lfd.fd, buf, &in);

		if (rc == -EAGAIN || rc == -EINTR)
			return;
		if (rc <= 0) {
			/* An empty message looks like the end, but has fds. */
			close_all(in.fds, in.nfds);
			/* 0: closed; ECONNRESET: closed with data unread */
			lost(ch, NULL);
			return;
		}
		violation = dispatch(ch, buf, &in);
		if (violation != NULL) {
			lost(ch, violation);
			return;
		}
	}
}

static void chan_event(struct loop_fd *lfd, uint32_t events)
{
	struct chan *ch = list_entry(lfd, struct chan, lfd);

	if (events & EPOLLOUT)
		flush(ch);
	if (chan_is_open(ch) && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		read_messages(ch);
}

int chan_open(struct chan *ch, int fd)
{
	int rc = loop_add(ch->loop, &ch->lfd, fd, EPOLLIN, chan_event);

	if (rc != 0)
		close(fd);
	return rc;
}
