// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim_chan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct sim_chan *chan_of(const struct sim_file *f)
{
	return list_entry(f, struct sim_chan, file);
}

static bool chan_lives(const struct sim_chan *c)
{
	return c->far && !c->broken;
}

static uint32_t chan_poll(const struct sim_file *f)
{
	const struct sim_chan *c = chan_of(f);
	uint32_t now = EPOLLOUT;

	if (!list_empty(&c->to_relay) || !chan_lives(c))
		now |= EPOLLIN;
	if (!chan_lives(c))
		now |= EPOLLHUP;
	return now;
}

static void drop_all(struct list *queue)
{
	struct list *node;

	while ((node = list_pop(queue)) != NULL)
		sim_packet_free(list_entry(node, struct sim_packet, node));
}

static void chan_free(struct sim_chan *c)
{
	if (!c->closed || c->far)
		return;
	drop_all(&c->to_relay);
	drop_all(&c->to_role);
	free(c);
}

static void chan_released(struct sim_file *f)
{
	struct sim_chan *c = chan_of(f);

	c->closed = true;
	chan_free(c);
}

static const struct sim_file_ops chan_ops = {
	.name = "a channel",
	.poll = chan_poll,
	.released = chan_released,
};

struct sim_chan *sim_chan_new(void)
{
	struct sim_chan *c = must_alloc(sizeof(*c));

	sim_file_init(&c->file, &chan_ops);
	list_init(&c->to_relay);
	list_init(&c->to_role);
	c->far = true;
	return c;
}

struct sim_chan *sim_chan_of(struct sim_file *f)
{
	if (f != NULL && f->ops == &chan_ops)
		return chan_of(f);
	if (f != NULL)
		errno = ENOTSOCK;
	return NULL;
}

/* --- packets -------------------------------------------------------- */

static struct sim_packet *packet_new(struct list *queue)
{
	struct sim_packet *p = must_alloc(sizeof(*p));

	list_add_tail(queue, &p->node);
	return p;
}

void sim_packet_free(struct sim_packet *p)
{
	list_del(&p->node);
	for (unsigned int i = 0; i < p->nfiles; i++)
		sim_release(p->files[i]);
	bytes_free(&p->bytes);
	free(p);
}

/* --- the role's end ------------------------------------------------- */

void chan_tell(struct sim_chan *c, enum msg_type type, const void *body,
	       size_t len, struct sim_file *const *files, unsigned int nfiles)
{
	struct msg_header header = {.type = type};
	struct sim_packet *p = packet_new(&c->to_relay);

	bytes_add(&p->bytes, &header, sizeof(header));
	bytes_add(&p->bytes, body, len);
	for (unsigned int i = 0; i < nfiles; i++)
		p->files[p->nfiles++] = sim_hold(files[i]);
	sim_wake(&c->file);
}

struct sim_packet *chan_hear(struct sim_chan *c)
{
	struct list *node = list_pop(&c->to_role);

	return node != NULL ? list_entry(node, struct sim_packet, node) : NULL;
}

void chan_leave(struct sim_chan *c)
{
	c->far = false;
	sim_wake(&c->file);
	chan_free(c);
}

void chan_break(struct sim_chan *c)
{
	c->broken = true;
	sim_wake(&c->file);
}

/* --- the relay's calls ---------------------------------------------- */

static bool put_file(struct sim_packet *p, int fd)
{
	struct sim_file *f = sim_file_of(fd, "sendmsg");

	if (f != NULL)
		p->files[p->nfiles++] = sim_hold(f);
	return f != NULL;
}

static bool put_files(struct sim_packet *p, const struct msghdr *mh)
{
	struct cmsghdr *cmsg = mh->msg_controllen > 0 ? CMSG_FIRSTHDR(mh)
						      : NULL;
	int fds[MSG_FDS_MAX];
	size_t n;

	if (cmsg == NULL)
		return true;
	n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(fds[0]);
	memcpy(fds, CMSG_DATA(cmsg), n * sizeof(fds[0]));
	for (size_t i = 0; i < n; i++)
		if (!put_file(p, fds[i]))
			return false;
	return true;
}

ssize_t sim_chan_send(struct sim_chan *c, const struct msghdr *mh)
{
	struct sim_packet *p;

	if (!chan_lives(c)) {
		errno = EPIPE;
		return -1;
	}
	p = packet_new(&c->to_role);
	for (size_t i = 0; i < mh->msg_iovlen; i++)
		bytes_add(&p->bytes, mh->msg_iov[i].iov_base,
			  mh->msg_iov[i].iov_len);
	if (!put_files(p, mh)) {
		sim_packet_free(p);
		return -1;
	}
	return (ssize_t)bytes_len(&p->bytes);
}

static void take_files(const struct sim_packet *p, struct msghdr *mh)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(mh);
	int fds[MSG_FDS_MAX] = {0};

	for (unsigned int i = 0; i < p->nfiles; i++)
		fds[i] = sim_install(p->files[i]);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(p->nfiles * sizeof(fds[0]));
	memcpy(CMSG_DATA(cmsg), fds, p->nfiles * sizeof(fds[0]));
	mh->msg_controllen = CMSG_SPACE(p->nfiles * sizeof(fds[0]));
}

ssize_t sim_chan_recv(struct sim_chan *c, struct msghdr *mh)
{
	struct list *node = list_pop(&c->to_relay);
	struct sim_packet *p;
	size_t n;

	if (node == NULL && chan_lives(c)) {
		errno = EAGAIN;
		return -1;
	}
	mh->msg_flags = 0;
	if (node == NULL) {
		mh->msg_controllen = 0;
		return 0;
	}
	p = list_entry(node, struct sim_packet, node);
	n = bytes_take(&p->bytes, mh->msg_iov[0].iov_base,
		       mh->msg_iov[0].iov_len);
	if (p->nfiles > 0)
		take_files(p, mh);
	else
		mh->msg_controllen = 0;
	sim_packet_free(p);
	return (ssize_t)n;
}
