// SPDX-License-Identifier: GPL-2.0-or-later
/* sluice-relay: carries traffic; may do nothing but that. */
#include "proxy/relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/cores.h"
#include "sys/log.h"

/* Beyond what all roles do: connections, and files of the spool. */
static const char *const syscalls[] = {
	"accept4",     "bind",	     "connect",	   "listen",
	"getsockname", "getsockopt", "setsockopt", "shutdown",
	"recvfrom",    "sendto",     "splice",	   "sendfile",
	"pipe2",       "openat",     "unlink",	   "unlinkat",
};

static int peer(struct role *role, const struct msg_peer *peer, int fd)
{
	return relay_peer(role->user, (enum role_id)peer->role, fd);
}

static void reloaded(struct role *role)
{
	relay_reloaded(role->user);
}

static void stop(struct role *role, uint64_t timeout_ms)
{
	relay_stop(role->user, timeout_ms);
}

/*
 * The spool is the whole file system that a relay sees: objects that do not
 * fit memory go there, and there is nothing else to be read.
 */
static int confine(struct role *role)
{
	char spool[CONFIG_PATH_MAX + 16];
	struct sandbox sb = {
		.root = spool,
		.syscalls = syscalls,
		.nsyscalls = sizeof(syscalls) / sizeof(syscalls[0]),
	};

	snprintf(spool, sizeof(spool), "%s/spool",
		 role->config->config->state_dir);
	return role_confine(role, &sb);
}

/* Scan workers, the classifier and the rest go where relays leave room. */
static void keep_to_a_core(const struct role *role)
{
	int rc = 0;

	if (role->config->config->pin_relays &&
	    role->init.relays == cores_count())
		rc = cores_keep_to(role->init.index);
	if (rc != 0)
		log_warn("can't keep to a core: %s; the kernel places this "
			 "relay",
			 strerror(-rc));
}

int main(void)
{
	static struct relay relay; /* holds two parsed heads: 20 KiB */
	static struct role role;
	struct role_ops ops = {
		.id = ROLE_RELAY,
		.rules = relay_parent_rules,
		.nrules = relay_parent_nrules,
		.peer = peer,
		.reloaded = reloaded,
		.stop = stop,
	};
	int rc = role_begin(&role, &ops, &relay);

	if (rc == 0)
		keep_to_a_core(&role);
	if (rc == 0)
		rc = relay_init(&relay, &role);
	if (rc == 0)
		rc = confine(&role);
	if (rc == 0)
		rc = role_ready(&role);
	if (rc == 0)
		rc = role_run(&role);
	if (rc == 0)
		relay_close(&relay);
	config_ref_put(role.config);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
