/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One command to clamd over a connection of its own: nothing is left over from
 * an earlier one, and clamd closes idle connections anyway. Blocks, within the
 * time that is given.
 */
#ifndef SLUICE_SCAN_CLAMD_CLIENT_H
#define SLUICE_SCAN_CLAMD_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "scan/clamd_reply.h"

/*
 * Send @command ("VERSION") and, unless it is -1, descriptor @fd after it; the
 * answer goes to @reply, its length to @len (it ends at NUL or at the end of
 * the connection). 0, -ETIMEDOUT, or another -errno.
 */
int clamd_command(const char *socket_path, const char *command, int fd,
		  uint64_t limit_ms, uint8_t reply[CLAMD_REPLY_MAX],
		  size_t *len) __attribute__((warn_unused_result));

#endif
