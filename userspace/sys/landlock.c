// SPDX-License-Identifier: GPL-2.0-or-later
/* The C library of Debian 12 (glibc 2.36) has no wrappers for these calls. */
#include "sys/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_WRITE                                                    \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |  \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR)
#define ACCESS_FILE \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE)
/* Everything that version 1 (Linux 5.13) can deny. */
#define ACCESS_ALL ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

bool landlock_available(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0,
		       LANDLOCK_CREATE_RULESET_VERSION) >= 1;
}

static int allow_path(int ruleset, const struct sandbox_path *p)
{
	struct landlock_path_beneath_attr attr = {
		.allowed_access = p->writable ? ACCESS_READ | ACCESS_WRITE
					      : ACCESS_READ,
	};
	struct stat st;
	int rc = 0;

	attr.parent_fd = open(p->path, O_PATH | O_CLOEXEC);
	if (attr.parent_fd == -1)
		return -errno;
	if (fstat(attr.parent_fd, &st) == -1)
		rc = -errno;
	/* What only a directory allows is EINVAL for a file. */
	else if (!S_ISDIR(st.st_mode))
		attr.allowed_access &= ACCESS_FILE;
	if (rc == 0 && syscall(SYS_landlock_add_rule, ruleset,
			       LANDLOCK_RULE_PATH_BENEATH, &attr, 0) == -1)
		rc = -errno;
	close(attr.parent_fd);
	return rc;
}

int landlock_enter(const struct sandbox *sb, char *wrong, size_t size)
{
	struct landlock_ruleset_attr attr = {.handled_access_fs = ACCESS_ALL};
	int ruleset, rc = 0;

	if (!landlock_available())
		return 0;
	snprintf(wrong, size, "Landlock");
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr),
			       0);
	if (ruleset == -1)
		return -errno;
	for (size_t i = 0; i < sb->npaths && rc == 0; i++) {
		rc = allow_path(ruleset, &sb->paths[i]);
		if (rc != 0)
			snprintf(wrong, size, "Landlock: %s",
				 sb->paths[i].path);
	}
	if (rc == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) == -1)
		rc = -errno;
	close(ruleset);
	return rc;
}
