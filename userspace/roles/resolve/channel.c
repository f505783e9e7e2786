// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/resolve/channel.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/str.h"

struct channel_socket {
	struct list node;
	struct loop_fd lfd;
	struct channel *channel;
};

/* --- times ------------------------------------------------------------------ */

/* After each call of c-ares's: it may wait for something else now. */
static void rearm(struct channel *c)
{
	struct timeval tv;

	if (ares_timeout(c->ares, NULL, &tv) == NULL)
		timer_cancel(&c->loop->wheel, &c->timer);
	else
		timer_arm(&c->loop->wheel, &c->timer,
			  c->loop->now_ms + (uint64_t)tv.tv_sec * 1000 +
				  (uint64_t)tv.tv_usec / 1000 + 1);
}

static void process(struct channel *c, ares_socket_t reads,
		    ares_socket_t writes)
{
	ares_process_fd(c->ares, reads, writes);
	rearm(c);
}

static void on_timer(struct timer *t, uint64_t now_ms)
{
	(void)now_ms;
	process(list_entry(&t->node, struct channel, timer.node),
		ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* --- sockets ---------------------------------------------------------------- */

static void on_event(struct loop_fd *lfd, uint32_t events)
{
	struct channel_socket *s = list_entry(lfd, struct channel_socket, lfd);
	bool reads = (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
	bool writes = (events & EPOLLOUT) != 0;

	process(s->channel, reads ? lfd->fd : ARES_SOCKET_BAD,
		writes ? lfd->fd : ARES_SOCKET_BAD);
}

static struct channel_socket *socket_find(struct channel *c, int fd)
{
	struct list *pos;

	list_for_each(pos, &c->sockets) {
		struct channel_socket *s =
			list_entry(pos, struct channel_socket, node);

		if (s->lfd.fd == fd)
			return s;
	}
	return NULL;
}

/* Without memory its queries end with their time. */
static void socket_open(struct channel *c, int fd, uint32_t events)
{
	struct channel_socket *s = malloc(sizeof(*s));

	if (s == NULL)
		return;
	s->channel = c;
	if (loop_add(c->loop, &s->lfd, fd, events, on_event) != 0) {
		free(s);
		return;
	}
	list_add_tail(&c->sockets, &s->node);
}

static void socket_close(struct channel *c, struct channel_socket *s)
{
	loop_del(c->loop, &s->lfd);
	list_del(&s->node);
	list_add_tail(&c->closed, &s->node);
}

/* c-ares wants to read, or write; or neither: it closes @fd next. */
static void on_state(void *user, ares_socket_t fd, int reads, int writes)
{
	struct channel *c = user;
	struct channel_socket *s = socket_find(c, fd);
	uint32_t events = (reads ? (uint32_t)EPOLLIN : 0) |
			  (writes ? (uint32_t)EPOLLOUT : 0);

	if (s == NULL && events != 0)
		socket_open(c, fd, events);
	else if (s != NULL &&
		 (events == 0 || loop_modify(c->loop, &s->lfd, events) != 0))
		socket_close(c, s);
}

/* --- channel --------------------------------------------------------------- */

/*
 * No search domains, neither those of resolv.conf nor the host's own: what a
 * client named is what is asked for. Files first, whatever nsswitch.conf says:
 * an administrator's word in /etc/hosts is to count. (docs/adr/0025)
 */
static int open_ares(struct channel *c)
{
	static char lookups[] = "fb";
	struct ares_options options = {
		.timeout = CHANNEL_TIMEOUT_MS,
		.tries = CHANNEL_TRIES,
		.ndomains = 0,
		.lookups = lookups,
		.sock_state_cb = on_state,
		.sock_state_cb_data = c,
	};

	return ares_init_options(&c->ares, &options,
				 ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
					 ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS |
					 ARES_OPT_SOCK_STATE_CB);
}

struct channel *channel_new(struct loop *loop, int *error)
{
	struct channel *c = calloc(1, sizeof(*c));

	*error = ARES_ENOMEM;
	if (c == NULL)
		return NULL;
	list_init(&c->sockets);
	list_init(&c->closed);
	timer_init(&c->timer, on_timer);
	c->loop = loop;
	*error = open_ares(c);
	if (*error == ARES_SUCCESS)
		return c;
	free(c);
	return NULL;
}

void channel_free(struct channel *c)
{
	struct list *node;

	ares_destroy(c->ares);
	timer_cancel(&c->loop->wheel, &c->timer);
	while ((node = list_pop(&c->closed)) != NULL)
		free(list_entry(node, struct channel_socket, node));
	free(c);
}

void channel_ask(struct channel *c, const char *name, ares_addrinfo_callback fn,
		 void *user)
{
	static const struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

	ares_getaddrinfo(c->ares, name, NULL, &hints, fn, user);
	rearm(c);
}

void channel_servers(struct channel *c, char *dst, size_t size)
{
	struct ares_addr_port_node *servers = NULL;
	char text[INET6_ADDRSTRLEN];
	struct strbuf sb;

	strbuf_init(&sb, dst, size);
	if (ares_get_servers_ports(c->ares, &servers) != ARES_SUCCESS)
		return;
	for (const struct ares_addr_port_node *s = servers; s != NULL;
	     s = s->next) {
		if (inet_ntop(s->family, &s->addr, text, sizeof(text)) == NULL)
			continue;
		strbuf_printf(&sb, "%s%s", sb.len > 0 ? ", " : "", text);
	}
	ares_free_data(servers);
}
