// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/journal_current.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/journal.h"

#define JOURNAL_MODE 0640
#define BLOCK	     4096

static bool directory_removed(const struct journal *j)
{
	struct stat st;

	return fstat(j->dir_fd, &st) == 0 && st.st_nlink == 0;
}

/* Where the last whole line ends in the first @size bytes of @fd, or -errno. */
static off_t last_line_end(int fd, off_t size)
{
	char block[BLOCK];

	while (size > 0) {
		off_t start = size > BLOCK ? size - BLOCK : 0;
		ssize_t n = pread(fd, block, (size_t)(size - start), start);
		const char *feed;

		if (n <= 0)
			return n == 0 ? -EIO : -errno;
		feed = memrchr(block, '\n', (size_t)n);
		if (feed != NULL)
			return start + (feed - block) + 1;
		size = start;
	}
	return 0;
}

/* Cut a last line without an end: a killed writer or a crash left it. */
static int cut_torn_line(struct journal *j, int fd, off_t size)
{
	off_t end = last_line_end(fd, size);

	if (end < 0)
		return (int)end;
	if (end < size && ftruncate(fd, end) == -1)
		return -errno;
	j->cut_bytes += (uint64_t)(size - end);
	j->stored = (uint64_t)end;
	return 0;
}

/* The name of a file that is finished now; 0 or -errno. */
static int move_aside(struct journal *j, uint64_t wall_s)
{
	char name[JOURNAL_NAME_MAX];

	journal_files_name(name, j->kind->stem, wall_s, j->last_rotated);
	if (renameat(j->dir_fd, j->current, j->dir_fd, name) == -1)
		return -errno;
	memcpy(j->last_rotated, name, sizeof(name));
	return fsync(j->dir_fd) == -1 ? -errno : 0;
}

static int open_current(struct journal *j)
{
	int fd = openat(j->dir_fd, j->current,
			O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			JOURNAL_MODE);

	return fd == -1 ? -errno : fd;
}

/* Whether the name itself is the trouble, not the disk. */
static bool unusable(int rc)
{
	return rc == -EACCES || rc == -EPERM || rc == -ELOOP || rc == -EISDIR ||
	       rc == -ENXIO;
}

int journal_current_open(struct journal *j)
{
	struct stat st;
	int rc, fd = open_current(j);

	if (fd < 0 && unusable(fd) &&
	    fstatat(j->dir_fd, j->current, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    move_aside(j, (uint64_t)st.st_mtime) == 0)
		fd = open_current(j);
	if (fd == -ENOENT && directory_removed(j))
		return -ESTALE;
	if (fd < 0)
		return fd;
	rc = fstat(fd, &st) == -1 ? -errno : 0;
	if (rc == 0 && !S_ISREG(st.st_mode))
		rc = -EINVAL;
	if (rc == 0)
		rc = cut_torn_line(j, fd, st.st_size);
	/* Its name must be on disk as soon as its first event is. */
	if (rc == 0 && (fdatasync(fd) == -1 || fsync(j->dir_fd) == -1))
		rc = -errno;
	if (rc != 0)
		close(fd);
	else
		j->fd = fd;
	return rc;
}

bool journal_current_in_place(const struct journal *j)
{
	struct stat own, named;

	return fstat(j->fd, &own) == 0 &&
	       fstatat(j->dir_fd, j->current, &named, AT_SYMLINK_NOFOLLOW) ==
		       0 &&
	       own.st_ino == named.st_ino && own.st_dev == named.st_dev;
}

int journal_current_rotate(struct journal *j, uint64_t wall_s)
{
	int rc = move_aside(j, wall_s);

	if (rc != 0)
		return rc;
	close(j->fd);
	j->fd = -1;
	j->stored = 0;
	j->rotations++;
	return 0;
}
