// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/side.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/relay.h"
#include "proxy/session.h"

void side_init(struct side *sd, struct session *s)
{
	*sd = (struct side){.lfd.fd = -1, .session = s};
}

bool side_flushed(const struct side *sd)
{
	return buf_len(&sd->out) == 0 &&
	       (sd->pipe == NULL || sd->pipe->len == 0);
}

bool side_dead(const struct side *sd)
{
	return !side_open(sd) || sd->error != 0 || sd->wr_closed;
}

void side_event(struct side *sd, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		sd->readable = true;
	if (events & EPOLLPRI)
		sd->urgent = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		sd->writable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		sd->ending = true;
}

/* --- buffers ------------------------------------------------------- */

static struct pool *buffers(const struct side *sd)
{
	return &sd->session->relay->buffers;
}

static bool borrow(struct side *sd, struct buf *b)
{
	return b->data != NULL || pool_buf_get(buffers(sd), b, RELAY_BUFFER);
}

static void give_back(struct side *sd, struct buf *b)
{
	pool_buf_put(buffers(sd), b);
}

static bool grow(struct side *sd, struct buf *b, size_t size)
{
	struct buf bigger;

	if (b->size >= size)
		return true;
	if (!pool_buf_get(buffers(sd), &bigger, size))
		return false;
	if (buf_len(b) > 0)
		(void)buf_append(&bigger, buf_head(b), buf_len(b));
	give_back(sd, b);
	*b = bigger;
	return true;
}

bool side_grow_in(struct side *sd, size_t size)
{
	return grow(sd, &sd->in, size);
}

bool side_out_room(struct side *sd, size_t n)
{
	if (!borrow(sd, &sd->out))
		return false;
	if (buf_room(&sd->out) >= n)
		return true;
	buf_compact(&sd->out);
	if (buf_room(&sd->out) >= n)
		return true;
	/* Only heads and pages may need more than a buffer. */
	return n > RELAY_BUFFER / 2 &&
	       grow(sd, &sd->out, buf_len(&sd->out) + n);
}

/* --- receiving ----------------------------------------------------- */

/* @n bytes moved: the session lives, and the relay's totals of clients grow. */
static void carried(struct side *sd, enum relay_counter total, ssize_t n)
{
	struct session *s = sd->session;

	s->last_io_ms = s->relay->loop->now_ms;
	if (sd->counted)
		stats_add(s->relay->stats, total, (uint64_t)n);
}

/* What recv(2) or splice(2) returned, for the flags and the caller. */
static ssize_t received(struct side *sd, ssize_t n)
{
	if (n > 0) {
		sd->received += (uint64_t)n;
		carried(sd, RELAY_BYTES_IN, n);
		return n;
	}
	if (n == 0) {
		sd->rd_closed = true;
		sd->readable = false;
		return 0;
	}
	if (errno == EAGAIN) {
		sd->readable = false;
		return 0;
	}
	if (errno == EINTR)
		return 0;
	sd->error = -errno;
	sd->readable = false;
	return sd->error;
}

ssize_t side_receive_into(struct side *sd, uint8_t *p, size_t size)
{
	ssize_t n;

	if (!sd->readable || sd->rd_closed)
		return 0;
	n = recv(sd->lfd.fd, p, size, MSG_DONTWAIT);
	/*
	 * Less than asked for: the queue is empty, and whatever comes next is
	 * a new edge (epoll(7), question 9). But the edge of a FIN that came
	 * with these bytes is past: then the end is read until it shows. And a
	 * read may have stopped at urgent data, with more behind it.
	 */
	if (n > 0 && (size_t)n < size && !sd->ending && !sd->urgent)
		sd->readable = false;
	return received(sd, n);
}

ssize_t side_receive(struct side *sd)
{
	ssize_t n;

	if (!sd->readable || sd->rd_closed)
		return 0;
	if (!borrow(sd, &sd->in))
		return -ENOMEM;
	if (buf_room(&sd->in) == 0)
		buf_compact(&sd->in);
	if (buf_room(&sd->in) == 0)
		return -ENOBUFS;
	n = side_receive_into(sd, buf_tail(&sd->in), buf_room(&sd->in));
	if (n > 0)
		buf_produce(&sd->in, (size_t)n);
	return n;
}

ssize_t side_splice(struct side *from, struct side *to, size_t n)
{
	struct relay *r = from->session->relay;
	ssize_t moved;

	if (!from->readable || from->rd_closed)
		return 0;
	if (to->pipe == NULL)
		to->pipe = pipe_get(&r->pipes);
	if (to->pipe == NULL || to->pipe->len >= PIPE_SIZE)
		return -ENOBUFS;
	if (n > PIPE_SIZE - to->pipe->len)
		n = PIPE_SIZE - to->pipe->len;
	moved = splice(from->lfd.fd, NULL, to->pipe->wr, NULL, n,
		       SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	/*
	 * EAGAIN also means that the pipe's slots are all in use (each holds
	 * at most a page or a fragment): with bytes in it that is the likely
	 * one, and the socket must be asked again once it is empty.
	 */
	if (moved == -1 && errno == EAGAIN && to->pipe->len > 0)
		return -ENOBUFS;
	moved = received(from, moved);
	if (moved > 0) {
		to->pipe->len += (size_t)moved;
		stats_add(r->stats, RELAY_SPLICED, (uint64_t)moved);
	}
	return moved;
}

/* --- sending ------------------------------------------------------- */

void side_sent(struct side *sd, ssize_t n)
{
	if (n >= 0) {
		sd->sent += (uint64_t)n;
		carried(sd, RELAY_BYTES_OUT, n);
	} else if (n == -EAGAIN) {
		sd->writable = false;
	} else if (n != -EINTR) {
		sd->error = (int)n;
		sd->writable = false;
		/* What the peer said before it went can still be read. */
		sd->readable = true;
	}
}

static int flush_buffer(struct side *sd)
{
	while (buf_len(&sd->out) > 0) {
		bool more = sd->pipe != NULL && sd->pipe->len > 0;
		ssize_t n;

		if (!sd->writable)
			return -EAGAIN;
		n = send(sd->lfd.fd, buf_head(&sd->out), buf_len(&sd->out),
			 MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
		side_sent(sd, n == -1 ? -errno : n);
		if (sd->error != 0)
			return sd->error;
		if (n > 0)
			buf_consume(&sd->out, (size_t)n);
	}
	return 0;
}

static int flush_pipe(struct side *sd)
{
	while (sd->pipe != NULL && sd->pipe->len > 0) {
		ssize_t n;

		if (!sd->writable)
			return -EAGAIN;
		n = splice(sd->pipe->rd, NULL, sd->lfd.fd, NULL, sd->pipe->len,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		side_sent(sd, n == -1 ? -errno : n);
		if (sd->error != 0)
			return sd->error;
		if (n > 0)
			sd->pipe->len -= (size_t)n;
	}
	return 0;
}

int side_flush(struct side *sd)
{
	int rc;

	if (sd->error != 0)
		return sd->error;
	rc = flush_buffer(sd);
	return rc == 0 ? flush_pipe(sd) : rc;
}

/* --- ends ---------------------------------------------------------- */

void side_shutdown(struct side *sd)
{
	if (!side_open(sd) || sd->wr_closed)
		return;
	/* ENOTCONN: the peer reset it; there is nothing to finish. */
	(void)shutdown(sd->lfd.fd, SHUT_WR);
	sd->wr_closed = true;
}

void side_relax(struct side *sd)
{
	if (buf_len(&sd->in) == 0)
		give_back(sd, &sd->in);
	if (buf_len(&sd->out) == 0)
		give_back(sd, &sd->out);
	if (sd->pipe != NULL && sd->pipe->len == 0) {
		pipe_put(&sd->session->relay->pipes, sd->pipe);
		sd->pipe = NULL;
	}
}

void side_break_off(struct side *sd, bool broken)
{
	struct linger linger = {.l_onoff = broken, .l_linger = 0};

	if (!side_open(sd) || sd->breaks == broken)
		return;
	/* ENOTCONN and the like: it is over anyway. */
	(void)setsockopt(sd->lfd.fd, SOL_SOCKET, SO_LINGER, &linger,
			 sizeof(linger));
	sd->breaks = broken;
}

void side_close(struct side *sd, bool reset)
{
	int fd = sd->lfd.fd;

	give_back(sd, &sd->in);
	give_back(sd, &sd->out);
	if (sd->pipe != NULL)
		pipe_put(&sd->session->relay->pipes, sd->pipe);
	sd->pipe = NULL;
	if (fd == -1)
		return;
	if (reset)
		side_break_off(sd, true);
	/* close(2) takes it out of epoll: we hold the only descriptor. */
	sd->lfd.fd = -1;
	close(fd);
	sd->readable = false;
	sd->writable = false;
}
