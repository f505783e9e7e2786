/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who sends events and usage: relays and the app role, each on its channel. */
#ifndef SLUICE_ROLES_SENDERS_H
#define SLUICE_ROLES_SENDERS_H

#include "roles/log/log_role.h"

/* A sender's channel. A peer more or less must not end this role. */
int senders_connect(struct role *role, const struct msg_peer *who, int fd)
	__attribute__((warn_unused_result));
/* Tell each sender of a journal what is on disk of its records. */
void senders_acknowledge(struct log_disk *d);
/* Take no more from them, or go on. */
void senders_pause(struct log_disk *d, bool pause);
/* Senders whose channels were still open when the time to stop was over. */
void senders_drop(struct log_role *log);

#endif
