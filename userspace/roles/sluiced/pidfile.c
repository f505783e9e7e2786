// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/log.h"

/*
 * Whether the path still leads to the locked file: a daemon that ends removes
 * it while it has the lock, so a lock on what was removed counts for nothing.
 */
static bool is_current(const struct pidfile *pf)
{
	struct stat locked, named;

	return fstat(pf->fd, &locked) == 0 && stat(pf->path, &named) == 0 &&
	       locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
}

/* 1 when it was replaced meanwhile: once more; 0; -errno. */
static int try_lock(struct pidfile *pf)
{
	int rc = 0;

	pf->fd =
		open(pf->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (pf->fd == -1)
		return -errno;
	if (flock(pf->fd, LOCK_EX | LOCK_NB) == -1)
		rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
	else if (!is_current(pf))
		rc = 1;
	if (rc != 0) {
		close(pf->fd);
		pf->fd = -1;
	}
	return rc;
}

int pidfile_take(struct pidfile *pf, const char *run_dir, const char *file)
{
	char text[32];
	int n, rc;

	snprintf(pf->path, sizeof(pf->path), "%s/sluiced.pid", run_dir);
	do
		rc = try_lock(pf);
	while (rc == 1);
	if (rc == -EBUSY)
		log_error("another sluiced runs with run_dir %s; stop it "
			  "(sluicectl stop) or set another run_dir in %s",
			  run_dir, file);
	else if (rc != 0)
		log_error("%s: %s", pf->path, strerror(-rc));
	if (rc != 0)
		return rc;
	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(pf->fd, 0) == -1 || write(pf->fd, text, (size_t)n) != n)
		log_warn("%s: %s", pf->path, strerror(errno));
	return 0;
}

void pidfile_release(struct pidfile *pf)
{
	if (pf->fd == -1)
		return;
	unlink(pf->path);
	close(pf->fd);
	pf->fd = -1;
}
