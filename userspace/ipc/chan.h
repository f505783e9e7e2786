/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A channel to another role: one end of a SOCK_SEQPACKET socketpair.
 *
 * Whatever comes in is held against a table of what this peer may send: type,
 * exact length, number of descriptors. The first thing that doesn't fit ends
 * the channel (and, through the parent, the sender): a role that was taken
 * over can't confuse another one, only lose its connection to it.
 *
 * Lifetime: belongs to the structure it is part of; chan_close() may be called
 * from its own callbacks. Descriptors that arrive belong to the handler.
 */
#ifndef SLUICE_IPC_CHAN_H
#define SLUICE_IPC_CHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/msg.h"
#include "sys/loop.h"

struct chan;

/* What arrived, already checked against its rule. */
struct chan_msg {
	uint32_t type;
	const void *body;	 /* the fixed structure, aligned to 8 */
	const uint8_t *elements; /* what follows it */
	size_t elements_len;
	const int *fds; /* the handler takes them over */
	unsigned int nfds;
};

/*
 * 0, or -EPROTO when a value in the message is impossible: then the channel
 * is ended like for a wrong length. Descriptors are the handler's either way.
 */
typedef int (*chan_handler)(struct chan *ch, const struct chan_msg *msg);

struct chan_rule {
	uint32_t type;
	uint32_t body;	  /* bytes of the fixed structure */
	uint32_t element; /* bytes of an element; 0 = none may follow */
	uint32_t fds_min;
	uint32_t fds_max;
	chan_handler handler;
};

struct chan_ops {
	const struct chan_rule *rules;
	size_t nrules;
	/*
	 * The channel is gone: the peer closed it (@violation NULL) or broke
	 * the rules. Called once, never from within chan_send().
	 */
	void (*closed)(struct chan *ch, const char *violation);
	/* Bytes waiting to be sent are all gone again; may be NULL. */
	void (*drained)(struct chan *ch);
};

struct chan {
	struct loop *loop;
	struct loop_fd lfd;
	const struct chan_ops *ops;
	struct list queue; /* struct chan_out, sent in order */
	size_t queued;	   /* bytes in it */
	bool paused;	   /* nothing is read */
	struct timer rest; /* after the kernel had no memory for a message */
	void *user;
};

/* A channel that is not open yet; chan_is_open() is false. */
void chan_init(struct chan *ch, struct loop *loop, const struct chan_ops *ops,
	       void *user);
/* Take over descriptor @fd (closed on failure too). 0 or -errno. */
int chan_open(struct chan *ch, int fd) __attribute__((warn_unused_result));
bool chan_is_open(const struct chan *ch);
/* Close it and drop what waits; ops->closed is not called. */
void chan_close(struct chan *ch);
/*
 * Take no further message, or go on: what the peer sends waits in its queue,
 * and its end is not noticed either. May be called by a handler. 0 or -errno.
 */
int chan_pause(struct chan *ch, bool pause) __attribute__((warn_unused_result));

/*
 * Send a message: @body of @body_len bytes, then @elements. Descriptors stay
 * the caller's. Waits in a queue (at most CHAN_QUEUE_MAX bytes) when the peer
 * is slow or the kernel short of memory. 0, -ENOTCONN, -ENOBUFS (queue full),
 * or -errno.
 */
#define CHAN_QUEUE_MAX (4u << 20)
int chan_send(struct chan *ch, enum msg_type type, const void *body,
	      size_t body_len) __attribute__((warn_unused_result));
int chan_send_full(struct chan *ch, enum msg_type type, const void *body,
		   size_t body_len, const void *elements, size_t elements_len,
		   const int *fds, unsigned int nfds)
	__attribute__((warn_unused_result));

/* Both ends of a new pair, close-on-exec and non-blocking. 0 or -errno. */
int chan_pair(int fds[2]) __attribute__((warn_unused_result));

#endif
