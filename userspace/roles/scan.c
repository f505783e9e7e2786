// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sluice-scan: verdicts on objects.
 *
 * What a relay may rely on: each MSG_SCAN that breaks no rule is answered once
 * with MSG_SCANNED, within scan.deadline of its arrival, unless it is cancelled
 * or the channel closes. The descriptor is a regular file or memory file of
 * just msg.size bytes, readable. For the verdict to be kept in the cache it is
 * a memory file sealed against writing and resizing, or a file that the relay
 * has open for reading only (no writable descriptor or mapping left, owned by
 * the roles' account). Verdicts on anything else hold for that one request. At
 * most limits_scans() requests of a relay wait at a time.
 */
#include <stdlib.h>

#include "ipc/role.h"
#include "scan/confine.h"
#include "scan/dispatcher.h"
#include "scan/renewal.h"

static int peer(struct role *role, const struct msg_peer *who, int fd)
{
	/* The parent names no other role here; an impossible index it is. */
	return dispatcher_peer(
		role->user, who->role == ROLE_RELAY ? who->index : UINT32_MAX,
		fd);
}

static void reloaded(struct role *role)
{
	renewal_reload(role->user);
}

static void stop(struct role *role, uint64_t timeout_ms)
{
	dispatcher_stop(role->user, timeout_ms);
}

static const struct role_ops ops = {
	.id = ROLE_SCAN,
	.peer = peer,
	.reloaded = reloaded,
	.stop = stop,
};

int main(void)
{
	static struct dispatcher dispatcher; /* a client for each relay */
	static struct role role;
	int rc = role_begin(&role, &ops, &dispatcher);

	if (rc == 0)
		rc = dispatcher_init(&dispatcher, &role);
	if (rc == 0)
		rc = confine_dispatcher(&role, &dispatcher.dirs);
	if (rc == 0)
		rc = dispatcher_start(&dispatcher);
	if (rc == 0)
		rc = role_ready(&role);
	if (rc == 0) {
		rc = role_run(&role);
		dispatcher_close(&dispatcher);
	}
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
