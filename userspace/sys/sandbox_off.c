// SPDX-License-Identifier: GPL-2.0-or-later
/* Sanitizer builds only: the account changes, the rest would break them. */
#include "sys/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sys/caps.h"

int sandbox_enter(const struct sandbox *sb, char *wrong, size_t size)
{
	const char *dir = sb->root != NULL ? sb->root : sb->workdir;

	if (dir != NULL && chdir(dir) == -1) {
		snprintf(wrong, size, "chdir to %s", dir);
		return -errno;
	}
	return caps_drop(sb, wrong, size);
}

int sandbox_tighten(const struct sandbox *sb, char *wrong, size_t size)
{
	(void)sb;
	(void)wrong;
	(void)size;
	return 0;
}
