/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A journal on the disk: written, synced, expired; and a disk that refuses. */
#ifndef SLUICE_ROLES_DISK_H
#define SLUICE_ROLES_DISK_H

#include "roles/log/log_role.h"

/* The journal in @dir_fd (the caller's), as it was left. 0 or -errno, logged. */
int disk_open(struct log_disk *d, const struct journal_kind *kind, int dir_fd)
	__attribute__((warn_unused_result));
/* Its timers, from now on. */
void disk_arm(struct log_disk *d);
/*
 * Write what came in; sync when it is much, else soon. After a refusal the
 * timer alone tries again, or a full disk would keep the processor busy.
 */
void disk_flush(struct log_disk *d);
/* Whether all is on disk now; if so, says so to those who sent it. */
bool disk_sync(struct log_disk *d);
/* The last sync of all journals, and the end of the loop. */
void disk_finish(struct log_role *log);
/* End, to be started again: senders keep what they have not been told of. */
void disk_give_up(struct log_role *log, const char *why);

#endif
