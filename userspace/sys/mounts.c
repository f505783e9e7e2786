// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process that keeps descriptors of two directories after chroot(2) into one
 * of them gets out by openat(fd, ".."), since ".." stops only at the root. So
 * the new root holds both: copies of their mounts (open_tree(2), Linux 5.2)
 * in an empty tmpfs, and descriptors opened there, of which ".." leads no
 * further than to that tmpfs.
 */
#include "sys/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOT_FLAGS   (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define ROOT_OPTIONS "size=64k,nr_inodes=16,mode=0755"
#define DIR_MODE     0755
#define DIR_FLAGS    (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* The mounts of @dirs, not in any place yet; 0 or -errno. */
static int copy_all(struct sandbox_dir *dirs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		dirs[i].fd = open_tree(AT_FDCWD, dirs[i].path,
				       OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
					       AT_SYMLINK_NOFOLLOW);
		if (dirs[i].fd == -1)
			return -errno;
	}
	return 0;
}

/* Into the working directory, which is the tmpfs; 0 or -errno. */
static int place_all(const struct sandbox_dir *dirs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (mkdir(dirs[i].name, DIR_MODE) == -1 ||
		    move_mount(dirs[i].fd, "", AT_FDCWD, dirs[i].name,
			       MOVE_MOUNT_F_EMPTY_PATH) == -1)
			return -errno;
	return 0;
}

/*
 * The working directory becomes the root. All other mounts are let go, or a
 * file system that the administrator unmounts would stay in use here. Where
 * the old root is no mount (in a chroot) pivot_root(2) gives EINVAL; chroot(2)
 * is as tight, and only the mounts stay.
 */
static int change_root(void)
{
	int rc = (int)syscall(SYS_pivot_root, ".", ".");

	if (rc == 0)
		rc = umount2(".", MNT_DETACH);
	else if (errno == EINVAL)
		rc = chroot(".");
	return rc == -1 || chdir("/") == -1 ? -errno : 0;
}

/* Descriptors of the copies, in place of those of detached mounts. */
static int open_all(struct sandbox_dir *dirs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		close(dirs[i].fd);
		dirs[i].fd = open(dirs[i].name, DIR_FLAGS);
		if (dirs[i].fd == -1)
			return -errno;
	}
	return 0;
}

int mounts_only(struct sandbox_dir *dirs, size_t n, char *wrong, size_t size)
{
	int rc = 0;

	snprintf(wrong, size, "own mount namespace");
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return -errno;
	rc = copy_all(dirs, n);
	snprintf(wrong, size, "empty root directory");
	if (rc == 0 && (mount("sluice", dirs[0].path, "tmpfs", ROOT_FLAGS,
			      ROOT_OPTIONS) == -1 ||
			chdir(dirs[0].path) == -1))
		rc = -errno;
	if (rc == 0)
		rc = place_all(dirs, n);
	if (rc == 0)
		rc = change_root();
	if (rc == 0)
		rc = open_all(dirs, n);
	return rc;
}
