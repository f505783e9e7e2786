// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/control.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "roles/sluiced/command.h"
#include "roles/sluiced/conn.h"
#include "roles/sluiced/inquiry.h"
#include "sys/log.h"

#define CONNECTIONS_MAX 32
#define BACKLOG		64
#define PAUSE_MS	500 /* when there is no descriptor left */

/* --- connections -------------------------------------------------------------------- */

static void on_request(struct conn *c, const char *line, size_t len)
{
	command_run(c->owner, c, line, len);
}

static void on_ended(struct conn *c)
{
	struct control *ctl = c->owner;

	inquiry_drop(c);
	list_del(&c->node);
	ctl->nconns--;
}

static const struct conn_ops conn_ops = {
	.request = on_request,
	.ended = on_ended,
};

/*
 * When all places are taken, the one that has waited longest for its request
 * goes: who has something to say says it at once, so nobody can keep the
 * administrator out by being silent.
 */
static bool make_room(struct control *ctl)
{
	struct list *pos;

	if (ctl->nconns < CONNECTIONS_MAX)
		return true;
	list_for_each(pos, &ctl->conns) {
		struct conn *c = list_entry(pos, struct conn, node);

		if (c->state == CONN_READING) {
			conn_end(c);
			return true;
		}
	}
	return false;
}

/* The queue is left alone for a while, or it would wake us again and again. */
static void pause_accepting(struct control *ctl)
{
	struct loop *loop = &ctl->sup->loop;

	log_warn("control: no connection can be taken: %s", strerror(errno));
	if (loop_modify(loop, &ctl->listener, 0) == 0)
		timer_arm(&loop->wheel, &ctl->accept_again,
			  loop->now_ms + PAUSE_MS);
}

static void on_accept_again(struct timer *t, uint64_t now_ms)
{
	struct control *ctl =
		list_entry(&t->node, struct control, accept_again.node);

	if (loop_modify(&ctl->sup->loop, &ctl->listener, EPOLLIN) != 0)
		timer_arm(&ctl->sup->loop.wheel, t, now_ms + PAUSE_MS);
}

static void on_accept(struct loop_fd *lfd, uint32_t events)
{
	static const char busy[] =
		"{\"ok\":false,\"error\":\"too many control connections are "
		"open; try again\"}\n";
	struct control *ctl = list_entry(lfd, struct control, listener);
	int fd = accept4(lfd->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct conn *c;

	(void)events;
	if (fd == -1) {
		if (errno != EAGAIN && errno != ECONNABORTED)
			pause_accepting(ctl);
		return;
	}
	if (!make_room(ctl)) {
		/* It is told if it can be; there is nothing else to do. */
		(void)send(fd, busy, sizeof(busy) - 1,
			   MSG_NOSIGNAL | MSG_DONTWAIT);
		close(fd);
		return;
	}
	c = conn_open(&ctl->sup->loop, fd, &conn_ops, ctl);
	if (c == NULL) {
		log_warn("control: no memory for a connection");
		return;
	}
	list_add_tail(&ctl->conns, &c->node);
	ctl->nconns++;
}

/* --- the socket ----------------------------------------------------------------------- */

static int listen_at(const char *path, gid_t gid)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd, rc;

	if (!str_copy(sun.sun_path, sizeof(sun.sun_path), path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -errno;
	/* RUN_DIR is locked by us, so a socket there is a dead daemon's. */
	if (unlink(path) == -1 && errno != ENOENT)
		goto fail;
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    chown(path, 0, gid) == -1 || chmod(path, 0660) == -1 ||
	    listen(fd, BACKLOG) == -1)
		goto fail;
	return fd;
fail:
	rc = -errno;
	close(fd);
	return rc;
}

struct control *control_open(struct supervisor *sup,
			     const struct control_ops *ops)
{
	struct control *ctl = calloc(1, sizeof(*ctl));
	int fd, rc;

	if (ctl == NULL)
		return NULL;
	ctl->sup = sup;
	ctl->ops = *ops;
	list_init(&ctl->conns);
	timer_init(&ctl->accept_again, on_accept_again);
	snprintf(ctl->path, sizeof(ctl->path), "%s/control.sock",
		 sup->config->run_dir);
	fd = listen_at(ctl->path, sup->gid);
	rc = fd < 0 ? fd
		    : loop_add(&sup->loop, &ctl->listener, fd, EPOLLIN,
			       on_accept);
	if (rc != 0) {
		log_error("%s: %s", ctl->path, strerror(-rc));
		free(ctl);
		errno = -rc;
		return NULL;
	}
	inquiry_listen(ctl);
	return ctl;
}

/* Those that asked for the end learn that it has come. */
static void say_stopped(struct conn *c)
{
	struct json_object *o;

	if (c->state != CONN_WORKING || c->work != NULL)
		return;
	o = json_object_new_object();
	json_object_object_add(o, "stopped", json_object_new_boolean(true));
	conn_answer(c, o);
}

void control_close(struct control *ctl)
{
	int fd = ctl->listener.fd;
	struct list *pos, *tmp;

	loop_del(&ctl->sup->loop, &ctl->listener);
	close(fd);
	unlink(ctl->path);
	timer_cancel(&ctl->sup->loop.wheel, &ctl->accept_again);
	list_for_each_safe(pos, tmp, &ctl->conns) {
		struct conn *c = list_entry(pos, struct conn, node);

		say_stopped(c);
		conn_end(c);
		conn_free(c); /* no round comes after this */
	}
	memset(&ctl->sup->listener, 0, sizeof(ctl->sup->listener));
	free(ctl);
}
