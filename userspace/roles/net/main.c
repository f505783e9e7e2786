// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sluice-net: the one role with CAP_NET_ADMIN. Rules, routes, and the sockets
 * that relays can't make themselves. It sees no traffic.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ipc/role.h"
#include "roles/net/answer.h"
#include "roles/net/relays.h"
#include "roles/net/rules.h"
#include "sys/log.h"

#define SETTLE_MS 1000

struct net {
	struct role *role;
	struct rules rules;
	struct relays relays;
	struct data data;
	struct timer settle;
	bool stopping;
	uint64_t stop_at_ms;
};

/*
 * Beyond what all roles do: netlink, sockets for relays, and sysctls. The C
 * library's qsort() asks for the size of the memory (sysinfo).
 */
static const char *const syscalls[] = {
	"socket",     "bind",	    "listen",	"getsockname", "getsockopt",
	"setsockopt", "sendto",	    "recvfrom", "openat",      "access",
	"faccessat",  "faccessat2", "rename",	"renameat",    "renameat2",
	"unlink",     "unlinkat",   "fsync",	"connect",     "ioctl",
	"sysinfo",
};

static struct net *net_of(struct role *role)
{
	return role->user;
}

static int peer(struct role *role, const struct msg_peer *who, int fd)
{
	if (who->role == ROLE_RELAY && who->index < CONFIG_RELAYS)
		return relays_connect(&net_of(role)->relays, who->index, fd);
	close(fd);
	return -EPROTO;
}

/* --- rules that were taken away ---------------------------------------------------------- */

/*
 * Rules and routes went already; early demux comes back when the last of our
 * sockets is gone, which TIME_WAIT may hold up for a minute. Those that are
 * left at the end of the time may lose a client that uses their ports again.
 */
static void on_settle(struct timer *t, uint64_t now_ms)
{
	struct net *net = list_entry(&t->node, struct net, settle.node);
	bool late = net->stopping && now_ms >= net->stop_at_ms;

	if (!rules_settled(&net->rules, late))
		timer_arm(&net->role->loop.wheel, t, now_ms + SETTLE_MS);
	else if (net->stopping)
		loop_stop(&net->role->loop);
}

/* --- the parent ------------------------------------------------------------------------------ */

static int on_alive(struct chan *ch, const struct chan_msg *m)
{
	struct net *net = net_of(list_entry(ch, struct role, parent));
	const struct msg_alive *msg = m->body;

	if (!net->stopping)
		rules_alive(&net->rules, msg->alive != 0, msg->account != 0);
	return 0;
}

static int on_rules(struct chan *ch, const struct chan_msg *m)
{
	struct net *net = net_of(list_entry(ch, struct role, parent));
	int rc = answer_rules(&net->rules, ch, m->body);

	on_settle(&net->settle, net->role->loop.now_ms);
	return rc;
}

static const struct chan_rule parent_rules[] = {
	{MSG_ALIVE, sizeof(struct msg_alive), 0, 0, 0, on_alive},
	{MSG_RULES, sizeof(struct msg_rules), 0, 0, 0, on_rules},
};

static void reloaded(struct role *role)
{
	struct net *net = net_of(role);

	/* It logs; the rules in place stay when the new ones can't be. */
	if (!net->stopping)
		(void)!rules_reload(&net->rules, role->config);
	on_settle(&net->settle, role->loop.now_ms);
}

/* A second order to stop may have less patience. */
static void stop(struct role *role, uint64_t timeout_ms)
{
	struct net *net = net_of(role);

	/* No order: the daemon was killed, and rules are what is left of it. */
	if (!chan_is_open(&role->parent) && !net->stopping) {
		rules_leave(&net->rules);
		loop_stop(&role->loop);
		return;
	}
	net->stop_at_ms = role->loop.now_ms + timeout_ms;
	if (!net->stopping) {
		net->stopping = true;
		rules_end(&net->rules);
		asked_forget(&net->rules.asked);
	}
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
		.keep_ports = true, /* 20, where FTP servers come from */
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
	data_init(&net->data, role, &net->rules);
	relays_init(&net->relays, role, &net->data);
	rc = rules_open(&net->rules, role->config, role->stats);
	if (rc == 0)
		on_settle(&net->settle, role->loop.now_ms);
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
