// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/session.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/dial.h"
#include "proxy/relay.h"
#include "sys/log.h"

static void on_socket(struct stock_waiter *w, int fd);
static void connect_failed(struct session *s, int error);

static const char *const close_reasons[] = {
	[CLOSE_DONE] = "both sides were done",
	[CLOSE_CLIENT_GONE] = "the client closed the connection",
	[CLOSE_SERVER_GONE] = "the origin server closed the connection",
	[CLOSE_IDLE] = "no request came in time",
	[CLOSE_TIMEOUT] = "it took too long",
	[CLOSE_REFUSED] = "it was refused",
	[CLOSE_NO_RESOURCES] = "memory or descriptors ran out",
	[CLOSE_MAKE_ROOM] = "an idle session gave way to a new one",
	[CLOSE_SHUTDOWN] = "the gateway stops",
};

const char *session_close_reason(enum session_close why)
{
	return close_reasons[why];
}

/* --- events -------------------------------------------------------- */

static void on_client(struct loop_fd *lfd, uint32_t events)
{
	struct session *s = list_entry(lfd, struct session, client.lfd);

	side_event(&s->client, events);
	/*
	 * It reset the connection: what we have for it can't arrive any more.
	 * While a verdict is waited for, nothing else would show that. (Of an
	 * origin server what it sent before it left is still read.)
	 */
	if ((events & EPOLLERR) != 0 && s->client.error == 0)
		s->client.error = -ECONNRESET;
	s->protocol->run(s);
}

static void on_server(struct loop_fd *lfd, uint32_t events)
{
	struct session *s = list_entry(lfd, struct session, server.lfd);

	if (s->upstream == UPSTREAM_CONNECTING) {
		int rc = dial_answer(lfd->fd, events);

		if (rc > 0)
			s->upstream = UPSTREAM_CONNECTED;
		else if (rc < 0)
			connect_failed(s, rc);
	}
	side_event(&s->server, events);
	s->protocol->run(s);
}

static void on_task(struct loop_task *task)
{
	struct session *s = list_entry(task, struct session, task);

	if (!s->dead) {
		s->protocol->run(s);
		return;
	}
	config_ref_put(s->config);
	stats_sub(s->relay->stats, RELAY_SESSION_MEMORY, sizeof(*s));
	free(s);
}

/*
 * The timer may fire early: the deadline moved on with each byte and the
 * timer did not, which saves touching the wheel for each of them.
 */
static void on_timer(struct timer *t, uint64_t now_ms)
{
	struct session *s = list_entry(&t->node, struct session, timer.node);

	if (s->deadline_ms > now_ms)
		timer_arm(&s->relay->loop->wheel, t, s->deadline_ms);
	else if (s->deadline_ms != 0)
		s->protocol->timeout(s);
}

void session_deadline(struct session *s, uint64_t at_ms)
{
	struct wheel *w = &s->relay->loop->wheel;
	uint64_t due = s->timer.due_tick * WHEEL_TICK_MS;

	s->deadline_ms = at_ms;
	if (at_ms != 0 && (!timer_armed(&s->timer) || at_ms < due))
		timer_arm(w, &s->timer, at_ms);
}

void session_again(struct session *s)
{
	loop_defer(s->relay->loop, &s->task);
}

/* --- life ---------------------------------------------------------- */

void session_start(struct relay *r, int fd, const struct ip_endpoint *client,
		   const struct ip_endpoint *server,
		   const struct protocol *protocol)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		stats_add(r->stats, RELAY_ACCEPT_REFUSED, 1);
		close(fd);
		return;
	}
	s->relay = r;
	s->protocol = protocol;
	s->id = r->next_session++;
	s->client_addr = *client;
	s->server_addr = *server;
	s->started_ms = s->last_io_ms = r->loop->now_ms;
	list_init(&s->node);
	list_init(&s->idle_node);
	loop_task_init(&s->task, on_task);
	timer_init(&s->timer, on_timer);
	stock_waiter_init(&s->waiter, on_socket);
	side_init(&s->client, s);
	s->client.counted = true;
	side_init(&s->server, s);
	if (loop_add(r->loop, &s->client.lfd, fd, SIDE_EVENTS, on_client) !=
	    0) {
		stats_add(r->stats, RELAY_ACCEPT_REFUSED, 1);
		close(fd);
		free(s);
		return;
	}
	s->config = config_ref_get(r->role->config);
	list_add_tail(&r->sessions, &s->node);
	r->nsessions++;
	stats_set(r->stats, RELAY_SESSIONS, r->nsessions);
	stats_add(r->stats, RELAY_SESSIONS_TOTAL, 1);
	stats_add(r->stats, RELAY_SESSION_MEMORY, sizeof(*s));
	/* Silent, it gives way to others like any that is between requests. */
	session_set_idle(s, true);
	/* The request is often here already. */
	s->client.readable = true;
	s->client.writable = true;
	s->protocol->run(s);
}

/*
 * Nobody waits for the rest of a connection that wasn't shut down: it ends with
 * a reset (docs/adr/0011), and its socket can be used again.
 */
static void close_server(struct session *s, bool reset)
{
	struct relay *r = s->relay;
	int fd = s->server.lfd.fd;

	if (s->upstream == UPSTREAM_CONNECTED && fd != -1 &&
	    !s->server.wr_closed) {
		loop_del(r->loop, &s->server.lfd);
		stock_give_back(&r->stock, SOCKETS_SERVER,
				s->server_addr.addr.family, fd);
	}
	side_close(&s->server, reset);
}

void session_end(struct session *s, enum session_close why, bool reset)
{
	struct relay *r = s->relay;

	if (s->dead)
		return;
	s->dead = true;
	s->protocol->ended(s, why);
	log_debug("session %llu ends: %s", (unsigned long long)s->id,
		  session_close_reason(why));
	stock_cancel(&s->waiter);
	timer_cancel(&r->loop->wheel, &s->timer);
	list_del(&s->idle_node);
	list_del(&s->node);
	side_close(&s->client, reset);
	close_server(s, reset);
	r->nsessions--;
	stats_set(r->stats, RELAY_SESSIONS, r->nsessions);
	loop_defer(r->loop, &s->task);
	relay_session_ended(r);
}

void session_set_idle(struct session *s, bool idle)
{
	list_del(&s->idle_node);
	if (idle)
		list_add_tail(&s->relay->idle, &s->idle_node);
}

/* --- the connection to the origin server --------------------------- */

static void connect_failed(struct session *s, int error)
{
	s->server.error = error;
	s->upstream = UPSTREAM_FAILED;
	stats_add(s->relay->stats, RELAY_CONNECT_FAILED, 1);
}

static void connect_with(struct session *s, int fd)
{
	int rc = dial(s, fd, &s->server_addr);

	if (rc == 0)
		rc = loop_add(s->relay->loop, &s->server.lfd, fd, SIDE_EVENTS,
			      on_server);
	if (rc != 0) {
		connect_failed(s, rc);
		close(fd);
		return;
	}
	s->server.breaks = true; /* as the stock's are */
	s->upstream = UPSTREAM_CONNECTING;
}

static void on_socket(struct stock_waiter *w, int fd)
{
	struct session *s = list_entry(w, struct session, waiter);

	connect_with(s, fd);
	s->protocol->run(s);
}

void session_connect(struct session *s)
{
	int family = s->server_addr.addr.family;
	int fd = stock_take(&s->relay->stock, SOCKETS_SERVER, family);

	side_init(&s->server, s);
	if (fd != -1) {
		connect_with(s, fd);
		return;
	}
	s->upstream = UPSTREAM_WAITING;
	stats_add(s->relay->stats, RELAY_NO_SOCKET, 1);
	stock_wait(&s->relay->stock, SOCKETS_SERVER, family, &s->waiter);
}

bool session_server_left(struct session *s)
{
	struct side *server = &s->server;
	uint8_t byte;
	ssize_t n;

	if (s->upstream == UPSTREAM_FAILED)
		return true;
	if (s->upstream != UPSTREAM_CONNECTED || !server->readable)
		return false;
	n = side_receive_into(server, &byte, 1);
	return n != 0 || server->rd_closed;
}

void session_disconnect(struct session *s)
{
	if (s->upstream == UPSTREAM_WAITING)
		stock_cancel(&s->waiter);
	close_server(s, false); /* with RST all the same */
	side_init(&s->server, s);
	s->upstream = UPSTREAM_NONE;
}
