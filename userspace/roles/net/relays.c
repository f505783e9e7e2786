// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/net/relays.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/log.h"
#include "sys/tproxy.h"

#define LISTEN_BACKLOG 8192 /* the kernel's somaxconn bounds it */

static struct relays_relay *relay_of(struct chan *ch)
{
	return list_entry(ch, struct relays_relay, chan);
}

static int send_listener(struct relays_relay *relay, uint32_t service,
			 uint16_t port)
{
	struct msg_listener msg = {.service = service};
	int fd = tproxy_listener(port, LISTEN_BACKLOG);
	int rc;

	if (fd < 0) {
		log_error("port %u can't be listened on: %s", port,
			  strerror(-fd));
		return fd;
	}
	rc = chan_send_full(&relay->chan, MSG_LISTENER, &msg, sizeof(msg), NULL,
			    0, &fd, 1);
	close(fd);
	return rc;
}

static int on_listen(struct chan *ch, const struct chan_msg *msg)
{
	struct relays_relay *relay = relay_of(ch);
	const struct config *config = relay->role->config->config;

	(void)msg;
	for (uint32_t i = 0; i < config->service_count; i++)
		/* The log says which port; the relay serves the others. */
		if (send_listener(relay, i, config->services[i].port) != 0)
			log_error("relay/%u has no listener for service %s",
				  relay->index, config->services[i].name);
	return 0;
}

/*
 * Transparent also when the gateway's own address is used: a reload may change
 * that while the relay has some in stock.
 */
static int make_socket(const struct msg_sockets *want)
{
	int family = (int)want->family;

	return want->leg == SOCKETS_SERVER
		       ? tproxy_upstream(family, true)
		       : tproxy_data(family, want->leg == SOCKETS_DATA_CLIENT);
}

static int on_want_sockets(struct chan *ch, const struct chan_msg *m)
{
	struct relays_relay *relay = relay_of(ch);
	const struct msg_sockets *want = m->body;
	struct msg_sockets msg = *want;
	int fds[MSG_FDS_MAX];
	int rc = 0;

	if ((want->family != AF_INET && want->family != AF_INET6) ||
	    want->count == 0 || want->count > MSG_FDS_MAX ||
	    want->leg >= SOCKETS_LEG_COUNT)
		return -EPROTO;
	for (msg.count = 0; msg.count < want->count; msg.count++) {
		int fd = make_socket(want);

		if (fd < 0) {
			log_error("a socket for relay/%u can't be made: %s",
				  relay->index, strerror(-fd));
			break;
		}
		fds[msg.count] = fd;
	}
	/* None at all is an answer too: the relay asks again when it must. */
	rc = chan_send_full(ch, MSG_SOCKETS, &msg, sizeof(msg), NULL, 0, fds,
			    msg.count);
	stats_add(relay->role->stats,
		  want->leg == SOCKETS_SERVER ? NET_SOCKETS_GIVEN
					      : NET_DATA_GIVEN,
		  msg.count);
	for (uint32_t i = 0; i < msg.count; i++)
		close(fds[i]);
	if (rc != 0)
		log_error("relay/%u does not take its sockets: %s",
			  relay->index, strerror(-rc));
	return 0;
}

/* A socket or a pair that can't be had is an answer, too. */
static void answer(struct relays_relay *relay, enum msg_type type, uint64_t id,
		   int status, int fd)
{
	struct msg_data_answer msg = {.id = id, .status = status};
	int rc = chan_send_full(&relay->chan, type, &msg, sizeof(msg), NULL, 0,
				&fd, fd < 0 ? 0 : 1);

	if (rc != 0)
		log_error("relay/%u does not take an answer: %s", relay->index,
			  strerror(-rc));
}

static int on_pair(struct chan *ch, const struct chan_msg *m)
{
	struct relays_relay *relay = relay_of(ch);
	const struct msg_pair *msg = m->body;
	struct relays *r = ch->user;
	int rc = data_check(&msg->client, &msg->server);

	if (rc != 0 || msg->held > 1)
		return -EPROTO;
	if (msg->held == 0)
		data_pair_drop(r->data, relay->index, msg);
	else
		answer(relay, MSG_PAIRED, msg->id,
		       data_pair_hold(r->data, relay->index, msg), -1);
	return 0;
}

static int on_want_data(struct chan *ch, const struct chan_msg *m)
{
	struct relays_relay *relay = relay_of(ch);
	const struct msg_data *want = m->body;
	struct relays *r = ch->user;
	int rc = data_check(&want->client, &want->server);
	int fd;

	if (rc != 0)
		return rc;
	fd = data_socket(r->data, relay->index, want);
	answer(relay, MSG_DATA, want->id, fd < 0 ? fd : 0, fd);
	if (fd >= 0)
		close(fd);
	return 0;
}

static const struct chan_rule rules[] = {
	{MSG_LISTEN, 0, 0, 0, 0, on_listen},
	{MSG_PAIR, sizeof(struct msg_pair), 0, 0, 0, on_pair},
	{MSG_WANT_DATA, sizeof(struct msg_data), 0, 0, 0, on_want_data},
	{MSG_WANT_SOCKETS, sizeof(struct msg_sockets), 0, 0, 0,
	 on_want_sockets},
};

static void on_closed(struct chan *ch, const char *violation)
{
	struct relays_relay *relay = relay_of(ch);
	struct relays *r = ch->user;

	data_relay_gone(r->data, relay->index);
	if (violation != NULL)
		role_report_violation(relay->role, ROLE_RELAY, relay->index,
				      violation);
}

static const struct chan_ops ops = {
	.rules = rules,
	.nrules = sizeof(rules) / sizeof(rules[0]),
	.closed = on_closed,
};

void relays_init(struct relays *r, struct role *role, struct data *data)
{
	r->data = data;
	for (uint32_t i = 0; i < CONFIG_RELAYS; i++) {
		r->list[i].role = role;
		r->list[i].index = i;
		chan_init(&r->list[i].chan, &role->loop, &ops, r);
	}
}

int relays_connect(struct relays *r, uint32_t index, int fd)
{
	struct chan *ch = &r->list[index].chan;

	/* It announces anew what it holds. */
	if (chan_is_open(ch))
		data_relay_gone(r->data, index);
	chan_close(ch);
	return chan_open(ch, fd);
}
