// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/relay.h"
#include "proxy/session.h"

/* Connections taken before the sessions get their turn. */
#define ACCEPTS_A_ROUND 64
/* Connections that a queue can hold: net's backlog, doubled to be sure. */
#define QUEUE_MAX	16384
/* How long to leave the queue alone when there is no room. */
#define PAUSE_MS	50
/* An idle session that gives way was idle for at least this long. */
#define IDLE_MIN_MS	1000

static void on_accept(struct loop_fd *lfd, uint32_t events);

static struct relay_listener *listener_of(struct loop_fd *lfd)
{
	return list_entry(lfd, struct relay_listener, lfd);
}

/* --- room ---------------------------------------------------------- */

static void set_accepting(struct relay *r, bool accepting)
{
	r->accepting = accepting;
	for (uint32_t i = 0; i < CONFIG_SERVICES; i++) {
		struct loop_fd *lfd = &r->listeners[i].lfd;

		if (lfd->fd != -1 &&
		    loop_modify(r->loop, lfd, accepting ? EPOLLIN : 0) != 0)
			log_error("listener %u can't be %s", i,
				  accepting ? "resumed" : "paused");
	}
}

static void on_accept_again(struct timer *t, uint64_t now_ms)
{
	(void)now_ms;
	set_accepting(list_entry(&t->node, struct relay, accept_again.node),
		      true);
}

/* Connections wait in the kernel's queue meanwhile; SYNs are answered there. */
static void pause_accepting(struct relay *r)
{
	uint64_t left_out = r->refused_limit.left_out;

	stats_add(r->stats, RELAY_ACCEPT_REFUSED, 1);
	if (log_limit_pass(&r->refused_limit, r->loop->now_ms)) {
		log_warn("no room for new sessions: %llu of at most %llu are "
			 "open (raise the descriptor limit or the number of "
			 "relays); %llu earlier warnings left out",
			 (unsigned long long)r->nsessions,
			 (unsigned long long)r->max_sessions,
			 (unsigned long long)left_out);
		r->refused_limit.left_out = 0;
	}
	set_accepting(r, false);
	timer_arm(&r->loop->wheel, &r->accept_again,
		  r->loop->now_ms + PAUSE_MS);
}

/*
 * At the limit the session that has been idle longest gives way: its client
 * opens a new connection when it needs one, and a new client gets in.
 */
static bool make_room(struct relay *r)
{
	struct session *s;

	if (r->nsessions < r->max_sessions)
		return true;
	if (list_empty(&r->idle))
		return false;
	s = list_entry(r->idle.next, struct session, idle_node);
	if (r->loop->now_ms - s->last_io_ms < IDLE_MIN_MS)
		return false;
	session_end(s, CLOSE_MAKE_ROOM, false);
	return true;
}

/* --- accepting ----------------------------------------------------- */

/*
 * Where the client wanted to go is the socket's own address (tproxy). Our own
 * port there means that somebody dialled the listener itself: there is no
 * original destination, and connecting to it would be a loop.
 */
static bool destination(struct relay *r, int fd, struct ip_endpoint *server)
{
	const struct config *config = r->role->config->config;
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1 ||
	    !ip_endpoint_from_sockaddr(server, &ss))
		return false;
	for (uint32_t i = 0; i < config->service_count; i++)
		if (config->services[i].port == server->port)
			return false;
	return true;
}

static void take_in(struct relay *r, uint32_t service, int fd,
		    const struct sockaddr_storage *ss)
{
	const struct config *config = r->role->config->config;
	struct ip_endpoint client, server;

	if (!ip_endpoint_from_sockaddr(&client, ss) ||
	    !destination(r, fd, &server)) {
		stats_add(r->stats, RELAY_ACCEPT_REFUSED, 1);
		close(fd);
		return;
	}
	session_start(r, fd, &client, &server,
		      config->services[service].protocol == PROTOCOL_FTP
			      ? &protocol_ftp
			      : &protocol_http);
}

/* False when the queue is empty or there is no room. */
static bool accept_one(struct relay *r, const struct relay_listener *listener)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd;

	if (!make_room(r)) {
		pause_accepting(r);
		return false;
	}
	fd = accept4(listener->lfd.fd, (struct sockaddr *)&ss, &len,
		     SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd != -1) {
		take_in(r, listener->service, fd, &ss);
		return true;
	}
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		pause_accepting(r);
		return false;
	case EAGAIN:
		return false;
	default:
		/* ECONNABORTED and network errors belong to that connection. */
		return true;
	}
}

static void on_accept(struct loop_fd *lfd, uint32_t events)
{
	const struct relay_listener *listener = listener_of(lfd);

	(void)events;
	for (int i = 0; i < ACCEPTS_A_ROUND && lfd->fd != -1; i++)
		if (!accept_one(listener->relay, listener))
			return;
}

/* --- life ---------------------------------------------------------- */

void listener_init(struct relay *r)
{
	for (uint32_t i = 0; i < CONFIG_SERVICES; i++) {
		r->listeners[i].relay = r;
		r->listeners[i].service = i;
		r->listeners[i].lfd.fd = -1;
	}
	r->accepting = true;
	timer_init(&r->accept_again, on_accept_again);
}

static void listener_close(struct relay *r, uint32_t service)
{
	struct loop_fd *lfd = &r->listeners[service].lfd;
	int fd = lfd->fd;

	if (fd == -1)
		return;
	loop_del(r->loop, lfd);
	close(fd);
}

int listener_open(struct relay *r, uint32_t service, int fd)
{
	int rc;

	if (service >= r->role->config->config->service_count || r->stopping) {
		close(fd);
		return r->stopping ? 0 : -EPROTO;
	}
	/* A new one for a changed port: what waits in the old one's queue is
	 * lost, as it would be with a restart. */
	listener_close(r, service);
	rc = loop_add(r->loop, &r->listeners[service].lfd, fd,
		      r->accepting ? EPOLLIN : 0, on_accept);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	return 0;
}

bool listener_all_open(const struct relay *r)
{
	for (uint32_t i = 0; i < r->role->config->config->service_count; i++)
		if (r->listeners[i].lfd.fd == -1)
			return false;
	return true;
}

void listener_close_all(struct relay *r)
{
	for (uint32_t i = 0; i < CONFIG_SERVICES; i++) {
		const struct relay_listener *listener = &r->listeners[i];

		for (int n = 0; n < QUEUE_MAX && listener->lfd.fd != -1; n++)
			if (!accept_one(r, listener))
				break;
		listener_close(r, i);
	}
	timer_cancel(&r->loop->wheel, &r->accept_again);
}
