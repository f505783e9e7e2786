// SPDX-License-Identifier: GPL-2.0-or-later
#include "relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sys/tproxy.h"

#define BUFFER 16384
#define EVENTS 256

struct pair;

/* One direction of a pair: from this side's socket to the other's. */
struct side {
	struct pair *pair;
	int fd;
	bool end; /* of input; told to the other side once all is out */
	bool told;
	size_t from; /* of @data, what is still to be written */
	size_t to;
	char data[BUFFER];
};

/* Freed behind the round of events that saw its death. */
struct pair {
	struct side client;
	struct side server;
	bool connected;
	bool dead;
	struct pair *next_dead;
};

struct relay {
	const struct relay_options *options;
	int epoll;
	int listener;
	struct pair *dead;
};

static struct side *other(struct side *s)
{
	return s == &s->pair->client ? &s->pair->server : &s->pair->client;
}

static void pair_kill(struct relay *r, struct pair *p)
{
	if (p->dead)
		return;
	p->dead = true;
	close(p->client.fd);
	close(p->server.fd);
	p->next_dead = r->dead;
	r->dead = p;
}

/* Move what can be moved from @s; false when the pair is done for. */
static bool pump(struct side *s)
{
	struct side *o = other(s);

	for (;;) {
		ssize_t n;

		while (s->from < s->to) {
			n = send(o->fd, s->data + s->from, s->to - s->from,
				 MSG_NOSIGNAL);
			if (n == -1)
				return errno == EAGAIN;
			s->from += (size_t)n;
		}
		if (s->end) {
			if (!s->told && shutdown(o->fd, SHUT_WR) == -1)
				return false;
			s->told = true;
			return true;
		}
		n = read(s->fd, s->data, BUFFER);
		if (n == -1)
			return errno == EAGAIN;
		s->end = n == 0;
		s->from = 0;
		s->to = (size_t)n;
	}
}

static bool pair_run(struct pair *p)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (!p->connected) {
		if (getsockopt(p->server.fd, SOL_SOCKET, SO_ERROR, &err,
			       &len) == -1 ||
		    err != 0)
			return false;
		p->connected = true;
	}
	return pump(&p->client) && pump(&p->server) &&
	       !(p->client.told && p->server.told);
}

static int dial(const struct relay *r, const struct sockaddr_storage *client,
		const struct sockaddr_storage *server, socklen_t len)
{
	bool keep = r->options->keep_client_address;
	struct sockaddr_storage from = *client;
	const struct linger off = {0};
	int fd = tproxy_upstream(server->ss_family, keep);

	if (fd < 0)
		return fd;
	/* It ends as a tunnel's does, which leaves something in the kernel. */
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off)) == -1)
		goto err_close;
	/* The port is in the same place in both kinds of address. */
	if (!r->options->keep_client_port)
		((struct sockaddr_in *)(void *)&from)->sin_port = 0;
	if (keep && bind(fd, (struct sockaddr *)&from, len) == -1)
		goto err_close;
	if (connect(fd, (const struct sockaddr *)server, len) == -1 &&
	    errno != EINPROGRESS)
		goto err_close;
	return fd;
err_close:
	close(fd);
	return -errno;
}

/* What a dual-stack listener says of IPv4, as IPv4. */
static void unmap(struct sockaddr_storage *ss)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in = {.sin_family = AF_INET};

	memcpy(&in6, ss, sizeof(in6));
	if (ss->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
		return;
	in.sin_port = in6.sin6_port;
	memcpy(&in.sin_addr, &in6.sin6_addr.s6_addr[12], 4);
	memset(ss, 0, sizeof(*ss));
	memcpy(ss, &in, sizeof(in));
}

static int watch(struct relay *r, struct side *s)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
				 .data.ptr = s->pair};

	return epoll_ctl(r->epoll, EPOLL_CTL_ADD, s->fd, &ev);
}

static void take(struct relay *r, int fd)
{
	struct sockaddr_storage client = {.ss_family = AF_UNSPEC};
	struct sockaddr_storage server = {.ss_family = AF_UNSPEC};
	socklen_t clen = sizeof(client), slen = sizeof(server);
	struct pair *p = calloc(1, sizeof(*p));

	if (p == NULL || getpeername(fd, (void *)&client, &clen) == -1 ||
	    getsockname(fd, (void *)&server, &slen) == -1)
		goto err_close;
	unmap(&client);
	unmap(&server);
	p->client.pair = p;
	p->server.pair = p;
	p->client.fd = fd;
	p->server.fd = dial(r, &client, &server,
			    server.ss_family == AF_INET6
				    ? sizeof(struct sockaddr_in6)
				    : sizeof(struct sockaddr_in));
	if (p->server.fd < 0)
		goto err_close;
	if (watch(r, &p->client) == -1 || watch(r, &p->server) == -1)
		pair_kill(r, p);
	return;
err_close:
	close(fd);
	free(p);
}

static void bury(struct relay *r)
{
	while (r->dead != NULL) {
		struct pair *p = r->dead;

		r->dead = p->next_dead;
		free(p);
	}
}

static void serve(struct relay *r, const struct epoll_event *ev)
{
	struct pair *p = ev->data.ptr;

	if (p != NULL) {
		if (!p->dead && ((ev->events & EPOLLERR) != 0 || !pair_run(p)))
			pair_kill(r, p);
		return;
	}
	for (;;) {
		int fd = accept4(r->listener, NULL, NULL,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd == -1)
			return;
		take(r, fd);
	}
}

static int loop(struct relay *r)
{
	struct epoll_event events[EVENTS];
	time_t last = 0;

	for (;;) {
		struct timespec now;
		int n;

		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec != last && !r->options->tick(r->options->arg))
			return 0;
		last = now.tv_sec;
		n = epoll_wait(r->epoll, events, EVENTS, 200);
		if (n == -1 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n; i++)
			serve(r, &events[i]);
		bury(r);
	}
}

int relay_run(const struct relay_options *options)
{
	struct relay r = {.options = options};
	struct epoll_event ev = {.events = EPOLLIN};
	int err;

	r.listener = tproxy_listener(options->port, 4096);
	if (r.listener < 0)
		return r.listener;
	r.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r.epoll == -1 ||
	    epoll_ctl(r.epoll, EPOLL_CTL_ADD, r.listener, &ev) == -1)
		err = -errno;
	else
		err = loop(&r);
	if (r.epoll != -1)
		close(r.epoll);
	close(r.listener);
	return err;
}
