// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Readiness and errors are those of Linux (net/ipv4/tcp.c): tcp_poll(),
 * tcp_recvmsg(), tcp_sendmsg(), tcp_reset(), inet_shutdown().
 */
#include "sim_tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "problem.h"

/* A writer that was refused is woken when a third is free again. */
#define WAKE_SHARE 3

static struct sim_tcp *tcp_of(const struct sim_file *f)
{
	return list_entry(f, struct sim_tcp, file);
}

static size_t out_room(const struct sim_tcp *t)
{
	size_t used = bytes_len(&t->out);

	return used < t->out_size ? t->out_size - used : 0;
}

static bool out_writable(const struct sim_tcp *t)
{
	return out_room(t) * WAKE_SHARE >= t->out_size;
}

static uint32_t tcp_poll(const struct sim_file *f)
{
	const struct sim_tcp *t = tcp_of(f);
	uint32_t now = t->error != 0 ? EPOLLERR : 0;

	if (t->state == TCP_NEW)
		return now | EPOLLOUT | EPOLLHUP;
	if (t->state == TCP_SYN_SENT)
		return now;
	if (t->state == TCP_RESET)
		return now | EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP;
	if (bytes_len(&t->in) > 0 || t->in_fin)
		now |= EPOLLIN;
	if (t->in_fin)
		now |= EPOLLRDHUP;
	if (t->in_fin && t->out_fin)
		now |= EPOLLHUP;
	if (t->out_fin || out_writable(t))
		now |= EPOLLOUT;
	return now;
}

static void tcp_free(struct sim_tcp *t)
{
	if (!t->closed || t->far)
		return;
	list_del(&t->node);
	bytes_free(&t->in);
	bytes_free(&t->out);
	free(t);
}

/* In LAST_ACK, or behind it, there is nothing to abort. */
static bool both_ended(const struct sim_tcp *t)
{
	return t->in_fin && t->out_fin;
}

/* Its numbers are in <netinet/tcp.h>, whose names are those of sim_tcp.h. */
uint8_t tcp_linux_state(const struct sim_tcp *t)
{
	return t->state == TCP_OPEN && !both_ended(t) ? 1 : 7;
}

/* close(2): bytes that nobody read, like SO_LINGER 0, make it a RST. */
static void tcp_released(struct sim_file *f)
{
	struct sim_tcp *t = tcp_of(f);

	t->closed = true;
	if (t->state == TCP_OPEN &&
	    ((t->abort && !both_ended(t)) || bytes_len(&t->in) > 0))
		t->end = TCP_RST;
	else if (t->state == TCP_OPEN && t->end == TCP_NO_END)
		t->end = TCP_FIN;
	tcp_free(t);
}

static const struct sim_file_ops tcp_ops = {
	.name = "a connection",
	.poll = tcp_poll,
	.released = tcp_released,
};

struct sim_tcp *sim_tcp_new(void)
{
	struct sim_tcp *t = must_alloc(sizeof(*t));

	sim_file_init(&t->file, &tcp_ops);
	list_init(&t->node);
	t->in_size = sim_now()->receive_buffer;
	t->out_size = sim_now()->send_buffer;
	return t;
}

struct sim_tcp *sim_tcp_of(struct sim_file *f)
{
	if (f != NULL && f->ops == &tcp_ops)
		return tcp_of(f);
	if (f != NULL)
		errno = ENOTSOCK;
	return NULL;
}

/* --- the far end ---------------------------------------------------- */

void tcp_answer(struct sim_tcp *t, int error)
{
	list_del(&t->node);
	t->state = error == 0 ? TCP_OPEN : TCP_RESET;
	t->error = error;
	sim_wake(&t->file);
}

/* What comes for a connection that is closed is answered with a RST. */
static bool nobody_there(struct sim_tcp *t)
{
	if (!t->closed)
		return false;
	/* ... which overtakes what was not read out there yet. */
	if (t->end == TCP_FIN)
		bytes_drop(&t->out, bytes_len(&t->out));
	t->end = TCP_RST;
	return true;
}

size_t tcp_arrive(struct sim_tcp *t, const uint8_t *p, size_t n)
{
	size_t room = t->in_size - bytes_len(&t->in);

	if (n == 0 || nobody_there(t))
		return n;
	if (t->state != TCP_OPEN || room == 0)
		return 0;
	if (n > room)
		n = room;
	bytes_add(&t->in, p, n);
	sim_wake(&t->file);
	return n;
}

void tcp_arrive_fin(struct sim_tcp *t)
{
	if (t->state != TCP_OPEN)
		return;
	t->in_fin = true;
	sim_wake(&t->file);
}

/* Bytes before it can still be read (tcp_reset() leaves their queue alone). */
void tcp_arrive_rst(struct sim_tcp *t)
{
	if (t->state != TCP_OPEN)
		return;
	t->state = TCP_RESET;
	t->error = t->in_fin && t->out_fin ? EPIPE : ECONNRESET;
	t->in_fin = true;
	/* Who resets doesn't read on, and so doesn't see how it ends. */
	if (t->end == TCP_FIN && bytes_len(&t->out) > 0)
		t->end = TCP_RST;
	bytes_drop(&t->out, bytes_len(&t->out));
	sim_wake(&t->file);
}

size_t tcp_read(struct sim_tcp *t, struct bytes *to, size_t max)
{
	size_t n = bytes_move(to, &t->out, max);

	if (n > 0 && t->no_space && out_writable(t)) {
		t->no_space = false;
		sim_wake(&t->file);
	}
	return n;
}

void tcp_forget(struct sim_tcp *t)
{
	t->far = false;
	tcp_free(t);
}

void tcp_refuse(struct sim_tcp *t)
{
	t->state = TCP_RESET;
	t->closed = true;
	t->far = true;
	t->end = TCP_RST;
}

/* --- the relay's calls ---------------------------------------------- */

/* What wasn't bound: the gateway's own address, and any port. */
static void pick_local(struct ip_endpoint *local, uint8_t family)
{
	static const uint8_t none[sizeof(local->addr.bytes)];

	if (memcmp(local->addr.bytes, none, sizeof(none)) == 0)
		(void)ip_addr_parse(family == AF_INET6 ? SIM_OWN_ADDRESS6
						       : SIM_OWN_ADDRESS,
				    &local->addr);
	if (local->port == 0)
		local->port = sim_now()->next_port++;
}

int tcp_bind(struct sim_tcp *t, const struct sockaddr_storage *ss)
{
	struct ip_endpoint local = {{{0}, 0}, 0};

	(void)ip_endpoint_from_sockaddr(&local, ss);
	if (local.port != 0 && sim_listener_at(&local, t->upstream) != NULL) {
		errno = EADDRINUSE;
		return -1;
	}
	t->local = local;
	return 0;
}

int tcp_connect(struct sim_tcp *t, const struct ip_endpoint *to)
{
	struct sim *sim = sim_now();

	if (t->state != TCP_NEW) {
		errno = EISCONN;
		return -1;
	}
	if (sim->connect == CONNECT_UNREACHABLE) {
		errno = ENETUNREACH;
		return -1;
	}
	t->remote = *to;
	pick_local(&t->local, to->addr.family);
	t->state = TCP_SYN_SENT;
	t->far = true;
	list_add_tail(&sim->connecting, &t->node);
	errno = EINPROGRESS;
	return -1;
}

/*
 * tcp_disconnect(): a RST, and an error that says so. Here a connection and its
 * socket are one thing, so the descriptor gets another one.
 */
int tcp_dissolve(struct sim_tcp *t, int fd)
{
	struct sim_tcp *anew = sim_tcp_new();

	anew->abort = t->abort;
	anew->data = t->data;
	anew->upstream = t->upstream;
	anew->local = t->local;
	anew->error = t->state == TCP_OPEN && !both_ended(t) ? ECONNRESET : 0;
	t->abort = true;
	sim_replace(fd, &anew->file);
	return 0;
}

int tcp_take_error(struct sim_tcp *t)
{
	int error = t->error;

	t->error = 0;
	return error;
}

/* 1: bytes are there; 0: the end; -1: neither, and errno says why. */
static int receivable(struct sim_tcp *t)
{
	if (bytes_len(&t->in) > 0)
		return 1;
	if (t->error != 0)
		errno = tcp_take_error(t);
	else if (t->in_fin || t->state == TCP_RESET)
		return 0;
	else
		errno = t->state == TCP_NEW ? ENOTCONN : EAGAIN;
	return -1;
}

ssize_t tcp_recv(struct sim_tcp *t, void *p, size_t n)
{
	int rc = receivable(t);

	return rc == 1 ? (ssize_t)bytes_take(&t->in, p, n) : rc;
}

ssize_t tcp_recv_to(struct sim_tcp *t, struct bytes *to, size_t n)
{
	int rc = receivable(t);

	return rc == 1 ? (ssize_t)bytes_move(to, &t->in, n) : rc;
}

ssize_t tcp_send(struct sim_tcp *t, const void *p, size_t n)
{
	size_t room = out_room(t);

	if (t->error != 0 || t->out_fin || t->state == TCP_RESET) {
		errno = t->error != 0 ? tcp_take_error(t) : EPIPE;
		return -1;
	}
	if (t->state != TCP_OPEN || room == 0) {
		t->no_space = true;
		errno = EAGAIN;
		return -1;
	}
	if (n > room)
		n = room;
	bytes_add(&t->out, p, n);
	return (ssize_t)n;
}

int tcp_shutdown(struct sim_tcp *t)
{
	if (t->state != TCP_OPEN) {
		errno = ENOTCONN;
		return -1;
	}
	t->out_fin = true;
	if (t->end == TCP_NO_END)
		t->end = TCP_FIN;
	sim_wake(&t->file); /* inet_shutdown() wakes whoever polls */
	return 0;
}

/* --- listeners ------------------------------------------------------ */

static struct sim_listener *listener_of(const struct sim_file *f)
{
	return list_entry(f, struct sim_listener, file);
}

static uint32_t listener_poll(const struct sim_file *f)
{
	return list_empty(&listener_of(f)->queue) ? 0 : EPOLLIN;
}

static void listener_released(struct sim_file *f)
{
	struct sim_listener *l = listener_of(f);
	struct list *node;

	/* Those in its queue are reset. */
	while ((node = list_pop(&l->queue)) != NULL) {
		struct sim_tcp *t = list_entry(node, struct sim_tcp, node);

		t->abort = true;
		sim_release(&t->file);
	}
	list_del(&l->node);
	free(l);
}

static const struct sim_file_ops listener_ops = {
	.name = "a listener",
	.poll = listener_poll,
	.released = listener_released,
};

struct sim_listener *sim_listener_new(void)
{
	struct sim_listener *l = must_alloc(sizeof(*l));

	sim_file_init(&l->file, &listener_ops);
	list_init(&l->queue);
	list_add_tail(&sim_now()->listeners, &l->node);
	return l;
}

struct sim_listener *sim_listener_at(const struct ip_endpoint *local,
				     bool upstream)
{
	struct list *pos;

	list_for_each(pos, &sim_now()->listeners) {
		struct sim_listener *l =
			list_entry(pos, struct sim_listener, node);

		if (l->upstream == upstream && l->local.port == local->port &&
		    ip_addr_equal(&l->local.addr, &local->addr))
			return l;
	}
	return NULL;
}

bool sim_listened_at(const struct ip_endpoint *local, bool upstream)
{
	const struct list *pos;

	list_for_each(pos, &sim_now()->listened) {
		const struct sim_listened *l =
			list_entry(pos, struct sim_listened, node);

		if (l->upstream == upstream && l->local.port == local->port &&
		    ip_addr_equal(&l->local.addr, &local->addr))
			return true;
	}
	return false;
}

int tcp_listen(struct sim_tcp *t, int fd)
{
	struct sim_listened *was;
	struct sim_listener *l;

	if (!t->data || t->state != TCP_NEW)
		problem("listen() on what is no data connection's");
	l = sim_listener_new();
	l->local = t->local;
	if (l->local.port == 0)
		l->local.port = sim_now()->next_port++;
	l->upstream = t->upstream;
	l->abort = t->abort;
	was = must_alloc(sizeof(*was));
	was->local = l->local;
	was->upstream = l->upstream;
	list_add_tail(&sim_now()->listened, &was->node);
	sim_replace(fd, &l->file);
	return 0;
}

struct sim_listener *sim_listener_of(struct sim_file *f)
{
	if (f != NULL && f->ops == &listener_ops)
		return listener_of(f);
	if (f != NULL)
		errno = EINVAL;
	return NULL;
}

/* The queue's reference is the one that accept4(2)'s descriptor takes over. */
void listener_arrive(struct sim_listener *l, struct sim_tcp *t)
{
	t->abort = l->abort;
	t->state = TCP_OPEN;
	t->far = true;
	sim_hold(&t->file);
	list_add_tail(&l->queue, &t->node);
	sim_wake(&l->file);
}

struct sim_tcp *listener_accept(struct sim_listener *l)
{
	struct list *node = list_pop(&l->queue);

	if (node == NULL) {
		errno = EAGAIN;
		return NULL;
	}
	return list_entry(node, struct sim_tcp, node);
}
