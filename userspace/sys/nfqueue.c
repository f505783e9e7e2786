// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A turn: read up to TURN messages with one call, ask about each packet, answer
 * all of them with one call. In the datagram of answers stand, in this order,
 *
 *	labels of TCP connections
 *	verdicts that drop, one a packet
 *	one verdict a queue that accepts all that came before and is left
 *	other labels
 *
 * The kernel handles them one after the other, and a packet that is accepted is
 * on its way before the next message is looked at. Its connection has to be in
 * conntrack's table before it can have a label, and there the first UDP packet
 * has to get first: so labels stand last. TCP's are there since the SYN, and a
 * server that is near may answer before a label behind the verdict is read; its
 * answer would then wait in the queue while its FIN overtakes it.
 */
#include "sys/nfqueue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sys/netlink.h"

#define TURN	     64
/* Header, attributes and whatever a newer kernel adds. */
#define MESSAGE_ROOM 1024
#define VERDICT_MAX  48
#define RCVBUF	     (16 << 20)
/* All packets that a new queue may hold: ids are compared as a circle. */
#define EVERY_ID     INT32_MAX
/* Of the messages that open() sends; an error is what they bring, as a rule. */
#define SEQ_OPEN     UINT32_MAX

/*
 * Messages for the kernel. One turn gives at most a verdict or, for an error
 * that came back, a label for each message; and a verdict for each queue.
 */
#define VERDICTS_MAX ((TURN + NFQUEUE_QUEUES) * VERDICT_MAX)
#define LABELS_MAX   (TURN * CTLABEL_MAX)

struct nfqueue {
	struct netlink nl;
	struct nfqueue_config config;
	nfqueue_fn fn;
	void *arg;
	struct nfqueue_stats stats;

	/* of the turn */
	uint32_t accept[NFQUEUE_QUEUES]; /* last id to accept, 0: none */
	uint32_t last[NFQUEUE_QUEUES];	 /* id; also of earlier turns */
	size_t verdicts;		 /* bytes */
	size_t early, labels;
	_Alignas(8) char verdict_buf[VERDICTS_MAX + LABELS_MAX];
	_Alignas(8) char early_buf[LABELS_MAX];
	_Alignas(8) char label_buf[LABELS_MAX];
	struct mmsghdr msgs[TURN];
	struct iovec iov[TURN];
	struct sockaddr_nl from[TURN];
	size_t room; /* for a message */
	char *data;  /* TURN times that */
};

/* --- open ------------------------------------------------------------------------- */

/*
 * Everything in one message, so that the queue is as it should be from its
 * first packet on. Conntrack's own attribute (NFQA_CFG_F_CONNTRACK) isn't asked
 * for: many kernels lack it and then refuse the message.
 */
static size_t put_config(char *buf, const struct nfqueue_config *c,
			 uint16_t queue, uint32_t seq)
{
	static const uint32_t flags = NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN;
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, queue);

	nlh->nlmsg_flags |= NLM_F_ACK;
	nlh->nlmsg_seq = seq;
	nfq_nlmsg_cfg_put_cmd(nlh, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	nfq_nlmsg_cfg_put_params(nlh, NFQNL_COPY_PACKET, (int)c->copy);
	nfq_nlmsg_cfg_put_qmaxlen(nlh, c->length);
	mnl_attr_put_u32(nlh, NFQA_CFG_FLAGS, htonl(flags));
	mnl_attr_put_u32(nlh, NFQA_CFG_MASK, htonl(flags));
	return nlh->nlmsg_len;
}

/* A verdict for packet @id, or for all up to it. */
static struct nlmsghdr *put_verdict(struct nfqueue *q, int type, uint16_t queue,
				    uint32_t id, int verdict)
{
	struct nlmsghdr *nlh =
		nfq_nlmsg_put(q->verdict_buf + q->verdicts, type, queue);

	nfq_nlmsg_verdict_put(nlh, (int)id, verdict);
	q->verdicts += MNL_ALIGN(nlh->nlmsg_len);
	return nlh;
}

static int transmit(struct nfqueue *q, size_t size)
{
	ssize_t n = mnl_socket_sendto(q->nl.sock, q->verdict_buf, size);

	return n == -1 ? -errno : 0;
}

/*
 * The first message to conntrack may have to load its module, which takes so
 * long that more packets of the first flow would be queued. This one is about a
 * connection that nobody has.
 */
static void put_nobody(struct nfqueue *q)
{
	static const struct ctlabel nobody = {
		.src = {.addr = {.family = AF_INET}},
		.dst = {.addr = {.family = AF_INET}},
		.protocol = IPPROTO_TCP,
	};
	struct nlmsghdr *nlh = (void *)(q->verdict_buf + q->verdicts);

	q->verdicts += MNL_ALIGN(ctlabel_put(nlh, &nobody));
	nlh->nlmsg_seq = SEQ_OPEN;
}

/*
 * While one queue is set up, another may have packets already, and they are
 * lost among the acknowledgements: they are accepted unseen.
 */
static int bind_queues(struct nfqueue *q)
{
	uint32_t first = q->nl.seq + 1;
	size_t len = 0;
	int err;

	for (uint16_t i = 0; i < q->config.count; i++)
		len += MNL_ALIGN(put_config(q->verdict_buf + len, &q->config,
					    (uint16_t)(q->config.first + i),
					    ++q->nl.seq));
	err = netlink_send_all(&q->nl, q->verdict_buf, len, first, q->nl.seq,
			       q->config.count, NULL);
	/* The kernel's word for a queue that belongs to another socket. */
	if (err == -EPERM && geteuid() == 0)
		err = -EBUSY;
	if (err != 0)
		return err;
	for (uint16_t i = 0; i < q->config.count; i++)
		put_verdict(q, NFQNL_MSG_VERDICT_BATCH,
			    (uint16_t)(q->config.first + i), EVERY_ID,
			    NF_ACCEPT)
			->nlmsg_seq = SEQ_OPEN;
	put_nobody(q);
	err = transmit(q, q->verdicts);
	q->verdicts = 0;
	return err;
}

/*
 * NO_ENOBUFS: with FAIL_OPEN a full buffer loses nothing, so nobody needs to
 * hear of it. A buffer that is as small as the system has it only makes more
 * packets pass unasked.
 */
static int prepare_socket(struct nfqueue *q)
{
	static const int on = 1, room = RCVBUF;
	int fd;
	int err = netlink_open(&q->nl, NETLINK_NETFILTER);

	if (err < 0)
		return err;
	fd = mnl_socket_get_fd(q->nl.sock);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ==
	    -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room,
				 sizeof(room));
	if (setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on)) ==
	    -1)
		return -errno;
	return 0;
}

static int prepare_buffers(struct nfqueue *q)
{
	q->room = q->config.copy + MESSAGE_ROOM;
	q->data = malloc(q->room * TURN);
	if (q->data == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < TURN; i++) {
		q->iov[i].iov_base = q->data + i * q->room;
		q->iov[i].iov_len = q->room;
		q->msgs[i].msg_hdr.msg_iov = &q->iov[i];
		q->msgs[i].msg_hdr.msg_iovlen = 1;
		q->msgs[i].msg_hdr.msg_name = &q->from[i];
	}
	return 0;
}

int nfqueue_open(struct nfqueue **out, const struct nfqueue_config *config,
		 nfqueue_fn fn, void *arg)
{
	struct nfqueue *q;
	int err;

	*out = NULL;
	if (config->count < 1 || config->count > NFQUEUE_QUEUES ||
	    config->first > UINT16_MAX + 1 - config->count ||
	    config->copy > UINT16_MAX)
		return -EINVAL;
	q = calloc(1, sizeof(*q));
	if (q == NULL)
		return -ENOMEM;
	q->config = *config;
	q->fn = fn;
	q->arg = arg;
	if (q->config.copy == 0)
		q->config.copy = NFQUEUE_COPY;
	if (q->config.length == 0)
		q->config.length = NFQUEUE_LENGTH;
	err = prepare_socket(q);
	if (err == 0)
		err = prepare_buffers(q);
	if (err == 0)
		err = bind_queues(q);
	if (err != 0) {
		nfqueue_close(q);
		return err;
	}
	*out = q;
	return 0;
}

void nfqueue_close(struct nfqueue *q)
{
	if (q == NULL)
		return;
	netlink_close(&q->nl);
	free(q->data);
	free(q);
}

int nfqueue_fd(const struct nfqueue *q)
{
	return mnl_socket_get_fd(q->nl.sock);
}

bool nfqueue_is(const struct nfqueue *q, uint16_t first, uint16_t count)
{
	return q->config.first == first && q->config.count == count;
}

/* --- a turn ------------------------------------------------------------------------- */

static void send_label(struct nfqueue *q, const struct ctlabel *ct)
{
	bool early = ct->protocol == IPPROTO_TCP;
	size_t *used = early ? &q->early : &q->labels;
	size_t n =
		ctlabel_put((early ? q->early_buf : q->label_buf) + *used, ct);

	*used += MNL_ALIGN(n);
	if (n > 0)
		q->stats.labels++;
	else
		q->stats.label_errors++;
}

static void take_packet(struct nfqueue *q, const struct nfqueue_packet *p)
{
	struct nfqueue_answer answer = {.drop = false};
	uint32_t i = (uint32_t)p->queue - q->config.first;

	if (i >= q->config.count) {
		q->stats.bad++;
		return;
	}
	q->stats.packets++;
	/* A packet gets its number before the kernel tries our buffer. */
	if (q->last[i] != 0)
		q->stats.unread += p->id - q->last[i] - 1;
	q->last[i] = p->id;
	q->fn(p, &answer, q->arg);
	if (answer.drop) {
		q->stats.dropped++;
		put_verdict(q, NFQNL_MSG_VERDICT, p->queue, p->id, NF_DROP);
	} else {
		q->accept[i] = p->id;
	}
	if (answer.label)
		send_label(q, &answer.ct);
}

/*
 * The kernel's answers are errors only. It quotes the message that it refused,
 * so nothing has to be remembered of labels that were sent.
 */
static void take_error(struct nfqueue *q, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	size_t len = mnl_nlmsg_get_payload_len(nlh);
	size_t n = 0;

	if (len < sizeof(*e)) {
		q->stats.bad++;
		return;
	}
	if (e->error == 0 || e->msg.nlmsg_seq == SEQ_OPEN)
		return;
	if (!ctlabel_is(&e->msg)) {
		q->stats.verdict_errors++;
		return;
	}
	if (e->error != -ENOENT) {
		q->stats.label_errors++;
		return;
	}
	n = ctlabel_turn(q->label_buf + q->labels, &e->msg,
			 len - offsetof(struct nlmsgerr, msg));
	q->labels += MNL_ALIGN(n);
	if (n > 0)
		q->stats.labels_turned++;
	else
		q->stats.labels_missing++;
}

/* A message is one packet, or one error. */
static void take_message(struct nfqueue *q, const struct nlmsghdr *nlh)
{
	struct nfqueue_packet p;

	if (nlh->nlmsg_type == NLMSG_ERROR)
		take_error(q, nlh);
	else if (nfqueue_packet_read(nlh, &p))
		take_packet(q, &p);
	else
		q->stats.bad++;
}

/*
 * Only the kernel (port 0) is listened to. One message a datagram is what the
 * kernel sends; more would not find room among the answers.
 */
static void take_datagram(struct nfqueue *q, size_t i)
{
	const struct msghdr *m = &q->msgs[i].msg_hdr;
	const struct nlmsghdr *nlh = q->iov[i].iov_base;
	int len = (int)q->msgs[i].msg_len;

	if (m->msg_namelen != sizeof(struct sockaddr_nl) ||
	    q->from[i].nl_pid != 0 || (m->msg_flags & MSG_TRUNC) != 0 ||
	    !mnl_nlmsg_ok(nlh, len))
		q->stats.bad++;
	else
		take_message(q, nlh);
}

/* A failure costs labels; packets have the next turn's verdict. */
static void answer(struct nfqueue *q)
{
	size_t size;

	for (uint16_t i = 0; i < q->config.count; i++) {
		if (q->accept[i] != 0)
			put_verdict(q, NFQNL_MSG_VERDICT_BATCH,
				    (uint16_t)(q->config.first + i),
				    q->accept[i], NF_ACCEPT);
		q->accept[i] = 0;
	}
	memmove(q->verdict_buf + q->early, q->verdict_buf, q->verdicts);
	memcpy(q->verdict_buf, q->early_buf, q->early);
	size = q->early + q->verdicts;
	memcpy(q->verdict_buf + size, q->label_buf, q->labels);
	size += q->labels;
	/* Memory is short for a moment, at most: try once more. */
	if (size > 0 && transmit(q, size) != 0 && transmit(q, size) != 0)
		q->stats.verdict_errors++;
	q->early = 0;
	q->verdicts = 0;
	q->labels = 0;
}

int nfqueue_read(struct nfqueue *q)
{
	uint64_t before = q->stats.packets;
	int n;

	for (size_t i = 0; i < TURN; i++)
		q->msgs[i].msg_hdr.msg_namelen = sizeof(q->from[i]);
	n = recvmmsg(nfqueue_fd(q), q->msgs, TURN, MSG_DONTWAIT, NULL);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR || errno == ENOBUFS
			       ? 0
			       : -errno;
	for (int i = 0; i < n; i++)
		take_datagram(q, (size_t)i);
	answer(q);
	return (int)(q->stats.packets - before);
}

bool nfqueue_idle(const struct nfqueue *q)
{
	char byte;

	return recv(nfqueue_fd(q), &byte, sizeof(byte),
		    MSG_PEEK | MSG_DONTWAIT) == -1 &&
	       errno == EAGAIN;
}

const struct nfqueue_stats *nfqueue_stats(const struct nfqueue *q)
{
	return &q->stats;
}
