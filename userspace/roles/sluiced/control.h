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

#define CONTROL_TEXT_MAX 8192 /* reasons why a reload was refused */

struct control_ops {
	/*
	 * Load the configuration again and hand it out. 0 with a note about
	 * it in @text, or -errno with the reasons, one a line: then the old
	 * one stays in force.
	 */
	int (*reload)(void *user, char *text, size_t size);
	void *user;
};

struct control {
	struct supervisor *sup;
	struct control_ops ops;
	struct loop_fd listener;
	struct timer accept_again; /* after descriptors ran out */
	struct list conns;	   /* struct conn */
	unsigned int nconns;
	struct list inquiries; /* struct inquiry */
	uint32_t next_request;
	char path[CONFIG_PATH_MAX + 16];
};

/* Listens from now on. NULL with errno set, and logged. */
struct control *control_open(struct supervisor *sup,
			     const struct control_ops *ops);
/* Stop listening, end all connections, remove the socket. */
void control_close(struct control *ctl);

#endif
