/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RUN_DIR/sluiced.pid: the process's number, and the lock that makes it the
 * only daemon of its run_dir. The lock goes with the process, however it ends.
 */
#ifndef SLUICE_ROLES_PIDFILE_H
#define SLUICE_ROLES_PIDFILE_H

#include "conf/config.h"

struct pidfile {
	int fd;
	char path[CONFIG_PATH_MAX + 16];
};

/*
 * 0, or -errno, logged: -EBUSY when another daemon has it. @file is the
 * configuration, for the message.
 */
int pidfile_take(struct pidfile *pf, const char *run_dir, const char *file)
	__attribute__((warn_unused_result));
void pidfile_release(struct pidfile *pf);

#endif
