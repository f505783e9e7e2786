// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/peers.h"

#include <string.h>
#include <unistd.h>

#include "roles/sluiced/supervise.h"
#include "sys/log.h"

bool peers_talk(enum role_id a, enum role_id b)
{
	if (a == ROLE_APP || b == ROLE_APP)
		return a == ROLE_LOG || b == ROLE_LOG;
	return (a == ROLE_RELAY) != (b == ROLE_RELAY);
}

static int send_end(struct child *to, const struct child *about, int fd)
{
	struct msg_peer peer = {
		.role = about->role,
		.index = about->index,
		.instance = about->instance,
	};

	return chan_send_full(&to->chan, MSG_PEER, &peer, sizeof(peer), NULL, 0,
			      &fd, 1);
}

void peers_connect_pair(struct child *a, struct child *b)
{
	int fds[2];
	int rc = chan_pair(fds);

	if (rc == 0) {
		rc = send_end(a, b, fds[0]);
		if (rc == 0)
			rc = send_end(b, a, fds[1]);
		close(fds[0]);
		close(fds[1]);
	}
	if (rc != 0)
		log_error("can't connect %s/%u and %s/%u: %s",
			  role_name(a->role), a->index, role_name(b->role),
			  b->index, strerror(-rc));
}

void peers_connect(struct child *c)
{
	struct supervisor *sup = c->sup;

	for (size_t i = 0; i < sup->nchildren; i++) {
		struct child *other = &sup->children[i];

		if (child_up(other) && peers_talk(c->role, other->role))
			peers_connect_pair(c, other);
	}
}
