// SPDX-License-Identifier: GPL-2.0-or-later
/* Sanitizer builds only: the account changes, the rest would break them. */
#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
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
	for (size_t i = 0; i < sb->ndirs; i++) {
		sb->dirs[i].fd =
			open(sb->dirs[i].path,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sb->dirs[i].fd == -1) {
			snprintf(wrong, size, "opening %s", sb->dirs[i].path);
			return -errno;
		}
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
