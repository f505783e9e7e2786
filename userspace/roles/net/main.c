// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sluice-net: the one role with CAP_NET_ADMIN. Rules, routes, and the sockets
 * that relays can't make themselves. It sees no traffic.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/role.h"
#include "render/nft_text.h"
#include "roles/net/rules.h"
#include "sys/log.h"
#include "sys/tproxy.h"

#define LISTEN_BACKLOG 8192 /* the kernel's somaxconn bounds it */
#define SETTLE_MS      1000

struct net_relay {
	struct net *net;
	uint32_t index;
	struct chan chan;
};

struct net {
	struct role *role;
	struct rules rules;
	struct net_relay relays[CONFIG_RELAYS];
	struct timer settle;
	uint64_t stop_at_ms;
};

/* Beyond what all roles do: netlink, sockets for relays, and sysctls. */
static const char *const syscalls[] = {
	"socket",     "bind",	    "listen",	"getsockname", "getsockopt",
	"setsockopt", "sendto",	    "recvfrom", "openat",      "access",
	"faccessat",  "faccessat2", "rename",	"renameat",    "renameat2",
	"unlink",     "unlinkat",   "fsync",	"connect",     "ioctl",
};

static struct net *net_of(struct role *role)
{
	return role->user;
}

/* --- relays ----------------------------------------------------------------------------- */

static struct net_relay *relay_of(struct chan *ch)
{
	return list_entry(ch, struct net_relay, chan);
}

static int send_listener(struct net_relay *nr, uint32_t service, uint16_t port)
{
	struct msg_listener msg = {.service = service};
	int fd = tproxy_listener(port, LISTEN_BACKLOG);
	int rc;

	if (fd < 0) {
		log_error("port %u can't be listened on: %s", port,
			  strerror(-fd));
		return fd;
	}
	rc = chan_send_full(&nr->chan, MSG_LISTENER, &msg, sizeof(msg), NULL, 0,
			    &fd, 1);
	close(fd);
	return rc;
}

static int on_listen(struct chan *ch, const struct chan_msg *msg)
{
	struct net_relay *nr = relay_of(ch);
	const struct config *config = nr->net->role->config->config;

	(void)msg;
	for (uint32_t i = 0; i < config->service_count; i++)
		/* The log says which port; the relay serves the others. */
		if (send_listener(nr, i, config->services[i].port) != 0)
			log_error("relay/%u has no listener for service %s",
				  nr->index, config->services[i].name);
	return 0;
}

static int on_want_sockets(struct chan *ch, const struct chan_msg *m)
{
	struct net_relay *nr = relay_of(ch);
	const struct config *config = nr->net->role->config->config;
	const struct msg_sockets *want = m->body;
	struct msg_sockets msg = *want;
	int fds[MSG_FDS_MAX];
	int rc = 0;

	if ((want->family != AF_INET && want->family != AF_INET6) ||
	    want->count == 0 || want->count > MSG_FDS_MAX)
		return -EPROTO;
	for (msg.count = 0; msg.count < want->count; msg.count++) {
		int fd = tproxy_upstream((int)want->family,
					 config->intercept.keep_client_address);

		if (fd < 0) {
			log_error("a socket for relay/%u can't be made: %s",
				  nr->index, strerror(-fd));
			break;
		}
		fds[msg.count] = fd;
	}
	/* None at all is an answer too: the relay asks again when it must. */
	rc = chan_send_full(ch, MSG_SOCKETS, &msg, sizeof(msg), NULL, 0, fds,
			    msg.count);
	stats_add(nr->net->role->stats, NET_SOCKETS_GIVEN, msg.count);
	for (uint32_t i = 0; i < msg.count; i++)
		close(fds[i]);
	if (rc != 0)
		log_error("relay/%u does not take its sockets: %s", nr->index,
			  strerror(-rc));
	return 0;
}

static const struct chan_rule relay_rules[] = {
	{MSG_LISTEN, 0, 0, 0, 0, on_listen},
	{MSG_WANT_SOCKETS, sizeof(struct msg_sockets), 0, 0, 0,
	 on_want_sockets},
};

static void relay_closed(struct chan *ch, const char *violation)
{
	struct net_relay *nr = relay_of(ch);

	if (violation != NULL)
		role_report_violation(nr->net->role, ROLE_RELAY, nr->index,
				      violation);
}

static const struct chan_ops relay_ops = {
	.rules = relay_rules,
	.nrules = sizeof(relay_rules) / sizeof(relay_rules[0]),
	.closed = relay_closed,
};

static int peer(struct role *role, enum role_id id, uint32_t index, int fd)
{
	struct net *net = net_of(role);

	if (id != ROLE_RELAY || index >= CONFIG_RELAYS) {
		close(fd);
		return -EPROTO;
	}
	chan_close(&net->relays[index].chan);
	return chan_open(&net->relays[index].chan, fd);
}

/* --- the parent --------------------------------------------------------------------------- */

static int on_alive(struct chan *ch, const struct chan_msg *m)
{
	struct role *role = list_entry(ch, struct role, parent);
	const struct msg_alive *msg = m->body;

	rules_alive(&net_of(role)->rules, msg->alive != 0);
	return 0;
}

static int run_op(struct net *net, const struct msg_rules *msg,
		  struct strbuf *out, bool *differ)
{
	enum ruleset_bypass list = msg->servers ? BYPASS_SERVERS
						: BYPASS_CLIENTS;
	struct rules *r = &net->rules;

	switch (msg->op) {
	case RULES_SHOW:
		return rules_show(r, out);
	case RULES_DIFF:
		return rules_diff(r, out, differ);
	case RULES_INSTALL:
		return rules_install(r);
	case RULES_REMOVE:
		return rules_remove(r);
	case RULES_PLAN_INSTALL:
		nft_text_ruleset(out, r->wanted);
		return 0;
	case RULES_PLAN_REMOVE:
		strbuf_puts(out, r->installed
					 ? "delete table inet " RULESET_TABLE
					   "\n"
					 : "# nothing is installed\n");
		return 0;
	case RULES_BYPASS_ADD:
	case RULES_BYPASS_DELETE:
		return rules_bypass(r, msg->op == RULES_BYPASS_ADD, list,
				    &msg->net, out);
	default:
		rules_bypass_list(r, out);
		return 0;
	}
}

/* In as many messages as it takes. */
static void send_text(struct role *role, struct msg_text *head,
		      const struct strbuf *text)
{
	const size_t piece_max = MSG_MAX - 256;
	size_t sent = 0;

	do {
		size_t n = text->len - sent;

		if (n > piece_max)
			n = piece_max;
		head->last = sent + n == text->len;
		if (chan_send_full(&role->parent, MSG_TEXT, head, sizeof(*head),
				   text->data + sent, n, NULL, 0) != 0) {
			log_error("an answer does not fit the channel");
			return;
		}
		sent += n;
	} while (sent < text->len);
}

static int on_rules(struct chan *ch, const struct chan_msg *m)
{
	struct role *role = list_entry(ch, struct role, parent);
	const struct msg_rules *msg = m->body;
	struct msg_text head = {.request = msg->request};
	char *memory = malloc(NFT_TEXT_MAX);
	bool differ = false;
	struct strbuf text;

	if (msg->op >= RULES_OP_COUNT) {
		free(memory);
		return -EPROTO;
	}
	strbuf_init(&text, memory, memory != NULL ? NFT_TEXT_MAX : 0);
	head.status = memory == NULL
			      ? -ENOMEM
			      : run_op(net_of(role), msg, &text, &differ);
	head.differ = differ;
	send_text(role, &head, &text);
	free(memory);
	return 0;
}

static const struct chan_rule parent_rules[] = {
	{MSG_ALIVE, sizeof(struct msg_alive), 0, 0, 0, on_alive},
	{MSG_RULES, sizeof(struct msg_rules), 0, 0, 0, on_rules},
};

static void reloaded(struct role *role)
{
	/* It logs; the rules in place stay when the new ones can't be. */
	(void)!rules_reload(&net_of(role)->rules, role->config->config);
}

/* --- the end --------------------------------------------------------------------------------- */

/*
 * Rules and routes went already; early demux comes back when the last of our
 * sockets is gone, which TIME_WAIT may hold up for a minute.
 */
static void on_settle(struct timer *t, uint64_t now_ms)
{
	struct net *net = list_entry(&t->node, struct net, settle.node);

	if (rules_settled(&net->rules)) {
		loop_stop(&net->role->loop);
	} else if (now_ms >= net->stop_at_ms) {
		log_warn("connections of ours are still closing: "
			 "net.ipv4.tcp_early_demux stays 0");
		loop_stop(&net->role->loop);
	} else {
		timer_arm(&net->role->loop.wheel, t, now_ms + SETTLE_MS);
	}
}

static void stop(struct role *role, uint64_t timeout_ms)
{
	struct net *net = net_of(role);

	if (!net->rules.managed && !net->rules.installed) {
		loop_stop(&role->loop);
		return;
	}
	/* What can't be removed was logged. */
	(void)!rules_remove(&net->rules);
	net->stop_at_ms = role->loop.now_ms + timeout_ms;
	on_settle(&net->settle, role->loop.now_ms);
}

/* --- life ------------------------------------------------------------------------------------ */

static int confine(struct role *role)
{
	char run[CONFIG_PATH_MAX + 8];
	const struct sandbox_path paths[] = {
		{"/proc", true}, /* sysctls, as far as their modes go */
		{run, true},
	};
	struct sandbox sb = {
		.paths = paths,
		.npaths = sizeof(paths) / sizeof(paths[0]),
		.workdir = "/",
		.keep_net_admin = true,
		.syscalls = syscalls,
		.nsyscalls = sizeof(syscalls) / sizeof(syscalls[0]),
	};

	snprintf(run, sizeof(run), "%s/net", role->config->config->run_dir);
	return role_confine(role, &sb);
}

static int net_init(struct net *net, struct role *role)
{
	int rc;

	net->role = role;
	timer_init(&net->settle, on_settle);
	for (uint32_t i = 0; i < CONFIG_RELAYS; i++) {
		net->relays[i].net = net;
		net->relays[i].index = i;
		chan_init(&net->relays[i].chan, &role->loop, &relay_ops, net);
	}
	rc = rules_open(&net->rules, role->config->config, role->stats);
	/* A failed installation is tried again each second (rules_alive()). */
	if (rc == 0 && net->rules.managed)
		(void)!rules_install(&net->rules);
	return rc;
}

int main(void)
{
	static struct net net;
	static struct role role;
	struct role_ops ops = {
		.id = ROLE_NET,
		.rules = parent_rules,
		.nrules = sizeof(parent_rules) / sizeof(parent_rules[0]),
		.peer = peer,
		.reloaded = reloaded,
		.stop = stop,
	};
	int rc = role_begin(&role, &ops, &net);

	if (rc == 0)
		rc = confine(&role);
	if (rc == 0)
		rc = net_init(&net, &role);
	if (rc == 0)
		rc = role_ready(&role);
	if (rc == 0)
		rc = role_run(&role);
	rules_close(&net.rules);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
