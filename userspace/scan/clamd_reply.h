/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clamd answers (clamd(8), COMMANDS), taken apart. Pure. */
#ifndef SLUICE_SCAN_CLAMD_REPLY_H
#define SLUICE_SCAN_CLAMD_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* A longer answer is none. */
#define CLAMD_REPLY_MAX 4096

enum clamd_result {
	CLAMD_PARTIAL, /* no NUL yet */
	CLAMD_BAD,     /* not an answer to a scan */
	CLAMD_CLEAN,   /* "fd[7]: OK" */
	CLAMD_FOUND,   /* "fd[7]: Eicar-Test FOUND" */
	CLAMD_ERROR    /* "fd[7]: why ERROR" */
};

/*
 * An answer to a command with the prefix z, which ends in NUL. @text is the
 * name found or the error, part of @data.
 */
enum clamd_result clamd_reply_parse(const uint8_t *data, size_t len,
				    struct str *text);

#endif
