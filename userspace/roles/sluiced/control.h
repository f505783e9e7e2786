/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: RUN_DIR/control.sock, a stream on which sluicectl sends
 * one line with a JSON object, {"command": "status"}, and gets JSON lines
 * back; the first one says {"ok": true} or {"ok": false, "error": "..."}. Who
 * may connect is the socket's mode: root and the gateway's group.
 */
#ifndef SLUICE_ROLES_CONTROL_H
#define SLUICE_ROLES_CONTROL_H

#include "roles/sluiced/supervise.h"

struct control;

struct control_ops {
	/*
	 * Load the configuration again and hand it out. 0, or -errno with the
	 * reasons, one a line, in @wrong: the old one stays in force.
	 */
	int (*reload)(void *user, char *wrong, size_t size);
	void *user;
};

/* Listens from now on. NULL with errno set, and logged. */
struct control *control_open(struct supervisor *sup,
			     const struct control_ops *ops);
/* Stop listening, end all connections, remove the socket. */
void control_close(struct control *ctl);

#endif
