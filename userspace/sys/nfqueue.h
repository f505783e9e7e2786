/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets that the kernel asks about (NFQUEUE), and answers to it.
 *
 * One netlink socket reads all queues: one thread reads them anyway, and each
 * further socket would cost it a read and a send a turn.
 * Everything is open: packets that come faster than they are read, or that find
 * the buffer full, pass without an answer (NFQA_CFG_F_FAIL_OPEN); a queue that
 * nobody has open accepts (bypass, in the rule). Two cases are not: what a
 * reader holds when it dies is dropped by the kernel, and what it holds while
 * it hangs waits for it. See sys/nft_classify.h for the switch that bounds the
 * second.
 *
 * Lifetime: nfqueue_open() to nfqueue_close(), one owner, one thread. Needs
 * CAP_NET_ADMIN for as long as it is read.
 */
#ifndef SLUICE_SYS_NFQUEUE_H
#define SLUICE_SYS_NFQUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/ctlabel.h"
#include "sys/nfqueue_msg.h"

struct nfqueue;

#define NFQUEUE_QUEUES 16
/*
 * A whole packet and the most of a ClientHello. Of a GSO packet all 64 KiB could
 * be copied at no cost that shows (300 MB, each packet queued: 256, 2048 and
 * 65535 bytes take the same time), but would fill the socket's buffer sooner.
 */
#define NFQUEUE_COPY   2048
#define NFQUEUE_LENGTH 16384

struct nfqueue_config {
	uint16_t first;	 /* number of the first queue */
	uint16_t count;	 /* 1..NFQUEUE_QUEUES */
	uint32_t copy;	 /* bytes of a packet that are read; 0: NFQUEUE_COPY */
	uint32_t length; /* packets that may wait in each; 0: NFQUEUE_LENGTH */
};

/* What becomes of a packet. As it comes: accepted, no label. */
struct nfqueue_answer {
	bool drop;
	bool label;	   /* whether @ct is to be sent, behind the verdict */
	struct ctlabel ct; /* the packet's own addresses and ports */
};

/* @p and what it points to are gone when it returns. */
typedef void (*nfqueue_fn)(const struct nfqueue_packet *p,
			   struct nfqueue_answer *answer, void *arg);

struct nfqueue_stats {
	uint64_t packets; /* read */
	uint64_t bad;	  /* messages that could not be read */
	uint64_t dropped; /* by answers */
	/* Answers that the kernel refused, or that could not be sent. */
	uint64_t verdict_errors;
	uint64_t labels;	 /* sent */
	uint64_t labels_turned;	 /* and sent again the other way round */
	uint64_t labels_missing; /* for connections that conntrack hasn't got */
	uint64_t label_errors;	 /* refused for another reason */
	/*
	 * Passed unasked as our buffer was full. Those that a full queue let
	 * pass have no number and leave no trace here: they are what the
	 * counter of rule "queue" has more than @packets and this
	 * (nft_classify_offered()).
	 */
	uint64_t unread;
};

/*
 * 0 or -errno: -EBUSY when another process has one of the queues, -EPERM
 * without the capability. Blocks for some milliseconds.
 */
__attribute__((warn_unused_result)) int
nfqueue_open(struct nfqueue **out, const struct nfqueue_config *config,
	     nfqueue_fn fn, void *arg);
/* NULL is fine. The kernel drops what has no answer yet. */
void nfqueue_close(struct nfqueue *q);

/* Whether it reads exactly these. */
bool nfqueue_is(const struct nfqueue *q, uint16_t first, uint16_t count);

/* For loop_add(), EPOLLIN, level-triggered. */
int nfqueue_fd(const struct nfqueue *q);

/*
 * Read what is there, some dozens of packets at most, and answer it: call it
 * when the descriptor is readable. Never blocks. How many packets, or -errno
 * when the socket is of no more use.
 */
__attribute__((warn_unused_result)) int nfqueue_read(struct nfqueue *q);

/* Whether all packets that have been queued until now have been read. */
bool nfqueue_idle(const struct nfqueue *q);

const struct nfqueue_stats *nfqueue_stats(const struct nfqueue *q);

#endif
