/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One side of a session: a non-blocking socket, edge-triggered, with its own
 * readiness and its own half-close flags. Buffers and the pipe are borrowed
 * while there is something in them.
 *
 * A peer's errors are not ours: they are kept in @error and reported by the
 * calls that meet them. ECONNRESET and EPIPE: the peer is gone, nothing more
 * can be sent. ETIMEDOUT, EHOSTUNREACH, ENETUNREACH: the path is gone. ENOBUFS
 * and ENOMEM: the kernel has no memory for us; the session ends.
 */
#ifndef SLUICE_PROXY_SIDE_H
#define SLUICE_PROXY_SIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "proxy/pool.h"
#include "sys/loop.h"

struct session;

/* What epoll is asked for. */
#define SIDE_EVENTS (EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET)

struct side {
	struct loop_fd lfd; /* fd -1: there is no connection */
	struct session *session;
	struct buf in;	   /* received, not used yet; no data: not borrowed */
	struct buf out;	   /* to be sent */
	struct pipe *pipe; /* on its way out, behind @out */
	bool counted;	   /* in the relay's totals: it leads to the client */
	bool breaks;	   /* SO_LINGER 0: close(2) resets it */
	bool urgent;	   /* urgent data came: reads end at it */
	bool readable;	   /* recv() may give something */
	bool writable;	   /* send() may take something */
	bool ending;	   /* epoll said that the peer ends or reset it */
	bool rd_closed;	   /* the peer sends no more */
	bool wr_closed;	   /* we send no more */
	int error;	   /* -errno that ended it */
	uint64_t received;
	uint64_t sent;
};

void side_init(struct side *sd, struct session *s);
static inline bool side_open(const struct side *sd)
{
	return sd->lfd.fd != -1;
}
/* Everything that was to be sent is with the kernel. */
bool side_flushed(const struct side *sd);
/* Nothing can be sent any more. */
bool side_dead(const struct side *sd);

/* Readiness as epoll told it. */
void side_event(struct side *sd, uint32_t events);

/*
 * Receive into @in. Bytes; 0 when nothing came (look at readable, rd_closed);
 * -ENOBUFS when @in is full; or another -errno, also kept in sd->error.
 */
ssize_t side_receive(struct side *sd) __attribute__((warn_unused_result));
/* The same into other memory. */
ssize_t side_receive_into(struct side *sd, uint8_t *p, size_t size)
	__attribute__((warn_unused_result));
/* Let @in grow to @size bytes in all. False without memory. */
bool side_grow_in(struct side *sd, size_t size);

/* Room for @n more bytes in @out: makes it, or false. */
bool side_out_room(struct side *sd, size_t n);
/*
 * Send @out and then the pipe. 0 when both are empty, -EAGAIN when the peer
 * must take some first, or another -errno, also kept in sd->error.
 */
int side_flush(struct side *sd);
/*
 * Move at most @n bytes from @from's socket into @to's pipe without copying.
 * As side_receive(); -ENOBUFS: the pipe is full or there is none to be had.
 */
ssize_t side_splice(struct side *from, struct side *to, size_t n)
	__attribute__((warn_unused_result));
/* @n bytes left by another way (object_send()); a negative @n is an error. */
void side_sent(struct side *sd, ssize_t n);

/* No more will be sent: FIN. */
void side_shutdown(struct side *sd);
/* Give back what is not in use. */
void side_relax(struct side *sd);
/*
 * While @broken, the kernel closes it with RST, whatever happens to this
 * process: for what has no other mark of being whole than its orderly end.
 */
void side_break_off(struct side *sd, bool broken);
/* Close it; @reset: with RST, so that nobody takes what came for complete. */
void side_close(struct side *sd, bool reset);

#endif
