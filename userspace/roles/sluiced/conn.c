// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/conn.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- life ----------------------------------------------------------------------- */

void conn_free(struct conn *c)
{
	list_del(&c->reaper.node);
	free(c->out);
	free(c);
}

static void reap(struct loop_task *task)
{
	conn_free(list_entry(task, struct conn, reaper));
}

void conn_end(struct conn *c)
{
	int fd = c->lfd.fd;

	if (fd == -1)
		return;
	timer_cancel(&c->loop->wheel, &c->deadline);
	loop_del(c->loop, &c->lfd);
	close(fd);
	if (c->pass_fd != -1)
		close(c->pass_fd);
	c->pass_fd = -1;
	c->ops->ended(c);
	loop_defer(c->loop, &c->reaper);
}

static void on_deadline(struct timer *t, uint64_t now_ms)
{
	(void)now_ms;
	conn_end(list_entry(&t->node, struct conn, deadline.node));
}

static void conn_event(struct loop_fd *lfd, uint32_t events);

struct conn *conn_open(struct loop *loop, int fd, const struct conn_ops *ops,
		       void *owner)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL ||
	    loop_add(loop, &c->lfd, fd, EPOLLIN, conn_event) != 0) {
		close(fd);
		free(c);
		return NULL;
	}
	c->loop = loop;
	c->ops = ops;
	c->owner = owner;
	c->pass_fd = -1;
	list_init(&c->node);
	loop_task_init(&c->reaper, reap);
	timer_init(&c->deadline, on_deadline);
	timer_arm(&loop->wheel, &c->deadline, loop->now_ms + CONN_REQUEST_MS);
	return c;
}

/* --- writing ---------------------------------------------------------------------- */

static ssize_t send_some(struct conn *c)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {c->out + c->out_sent, c->out_len - c->out_sent};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

	if (c->pass_fd != -1) {
		struct cmsghdr *cmsg;

		mh.msg_control = control.bytes;
		mh.msg_controllen = sizeof(control.bytes);
		cmsg = CMSG_FIRSTHDR(&mh);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &c->pass_fd, sizeof(int));
	}
	return sendmsg(c->lfd.fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* All that the socket takes: 0, or -errno when the reader is gone. */
static int write_out(struct conn *c)
{
	while (c->out_sent < c->out_len) {
		ssize_t n = send_some(c);

		if (n == -1)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (c->pass_fd != -1)
			close(c->pass_fd);
		c->pass_fd = -1;
		c->out_sent += (size_t)n;
		timer_arm(&c->loop->wheel, &c->deadline,
			  c->loop->now_ms + CONN_OUTPUT_MS);
	}
	c->out_sent = c->out_len = 0;
	return 0;
}

/*
 * Wait for what comes next. While the answer is made nothing more is read, so
 * that a sender can't keep us busy; that both directions are closed is told in
 * any case (EPOLLHUP).
 */
static int watch(struct conn *c)
{
	uint32_t events = c->state == CONN_READING ? EPOLLIN : 0;

	if (c->out_len == 0 && c->state != CONN_READING)
		timer_cancel(&c->loop->wheel, &c->deadline);
	if (c->out_len > 0)
		events |= EPOLLOUT;
	if (c->out_len > 0 && !timer_armed(&c->deadline))
		timer_arm(&c->loop->wheel, &c->deadline,
			  c->loop->now_ms + CONN_OUTPUT_MS);
	return loop_modify(c->loop, &c->lfd, events);
}

void conn_flush(struct conn *c)
{
	if (!conn_is_open(c))
		return;
	if (write_out(c) != 0 ||
	    (c->out_len == 0 && c->state == CONN_CLOSING) || watch(c) != 0)
		conn_end(c);
}

/* Room for @len bytes more, or false. */
static bool make_room(struct conn *c, size_t len)
{
	size_t size = c->out_size > 0 ? c->out_size : 4096;
	char *out;

	if (c->out_len + len > CONN_OUTPUT_MAX)
		return false;
	while (size < c->out_len + len)
		size *= 2;
	if (size == c->out_size)
		return true;
	out = realloc(c->out, size);
	if (out == NULL)
		return false;
	c->out = out;
	c->out_size = size;
	return true;
}

void conn_put(struct conn *c, struct json_object *o)
{
	size_t len = 0;
	const char *line = json_object_to_json_string_length(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		&len);

	if (line == NULL || !make_room(c, len + 1)) {
		c->cut = true;
	} else {
		memcpy(c->out + c->out_len, line, len);
		c->out[c->out_len + len] = '\n';
		c->out_len += len + 1;
	}
	json_object_put(o);
}

void conn_pass(struct conn *c, int fd)
{
	c->pass_fd = fd;
}

void conn_finish(struct conn *c)
{
	c->state = CONN_CLOSING;
	conn_flush(c);
}

struct json_object *conn_ok(void)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "ok", json_object_new_boolean(true));
	return o;
}

void conn_answer(struct conn *c, struct json_object *o)
{
	conn_put(c, o);
	conn_finish(c);
}

void conn_refuse(struct conn *c, const char *error)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "ok", json_object_new_boolean(false));
	json_object_object_add(o, "error", json_object_new_string(error));
	conn_answer(c, o);
}

/* --- reading ---------------------------------------------------------------------- */

static void take_line(struct conn *c, size_t len)
{
	c->in[len] = '\0';
	c->state = CONN_WORKING;
	timer_cancel(&c->loop->wheel, &c->deadline);
	c->ops->request(c, c->in, len);
	conn_flush(c);
}

static void conn_read(struct conn *c)
{
	ssize_t n = recv(c->lfd.fd, c->in + c->in_len,
			 sizeof(c->in) - c->in_len, MSG_DONTWAIT);
	const char *end;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_end(c); /* the end, before there was a line */
		return;
	}
	c->in_len += (size_t)n;
	end = memchr(c->in, '\n', c->in_len);
	if (end != NULL)
		take_line(c, (size_t)(end - c->in));
	else if (c->in_len == sizeof(c->in))
		conn_refuse(c, "the request is too long");
}

static void conn_event(struct loop_fd *lfd, uint32_t events)
{
	struct conn *c = list_entry(lfd, struct conn, lfd);

	if (c->state == CONN_READING && (events & EPOLLIN))
		conn_read(c);
	else if (events & (EPOLLHUP | EPOLLERR))
		conn_end(c);
	else
		conn_flush(c);
}
