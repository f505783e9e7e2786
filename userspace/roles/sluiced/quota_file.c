// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/quota_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/config.h"
#include "ipc/quota.h"
#include "sys/log.h"
#include "sys/memfile.h"

/* One of another size is none of ours, and is emptied. */
static int make_room(int fd, const char *path)
{
	struct stat st;
	int err;

	if (fstat(fd, &st) == -1)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size != 0 && st.st_size != QUOTA_SIZE) {
		log_error("%s has %lld bytes instead of %u: it is begun anew, "
			  "and so are all quotas",
			  path, (long long)st.st_size, QUOTA_SIZE);
		if (ftruncate(fd, 0) == -1)
			return -errno;
	}
	/* Now, and not when a page of it is written: that would be SIGBUS. */
	err = posix_fallocate(fd, 0, QUOTA_SIZE);
	return -err;
}

int quota_file_open(const char *state_dir)
{
	char path[CONFIG_PATH_MAX + 16];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/" QUOTA_FILE, state_dir);
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
		  0600);
	rc = fd != -1 ? make_room(fd, path) : -errno;
	if (rc == 0)
		return fd;
	log_error("%s: %s; what clients use of quotas is forgotten when "
		  "sluiced ends: mend it and restart",
		  path, strerror(-rc));
	if (fd != -1)
		close(fd);
	fd = memfile_shared("sluice-quota", QUOTA_SIZE);
	if (fd < 0)
		log_error("no memory for quotas either: %s", strerror(-fd));
	return fd;
}
