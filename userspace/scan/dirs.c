// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scan/wire.h"
#include "sys/log.h"

/* --- making ----------------------------------------------------------------- */

/*
 * A directory of @uid's at @path; its descriptor or -errno. Root works here in
 * a directory that others may own, so the last step follows no link.
 */
static int make_dir(const char *path, uid_t uid, gid_t gid)
{
	int fd;

	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -errno;
	if (fchown(fd, uid, gid) == 0 && fchmod(fd, 0700) == 0)
		return fd;
	close(fd);
	return -errno;
}

/*
 * In a namespace of our own it vanishes with the last process. Mounts that the
 * host makes later come through (a volume with the database, say). @path is
 * opened only in there: a descriptor from outside can't be mounted on.
 */
static int make_memory(const char *path, uid_t uid, gid_t gid, uint64_t size)
{
	char options[128], at[32];
	int dir, rc = 0;

	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == -1)
		return -errno;
	dir = make_dir(path, uid, gid);
	if (dir < 0)
		return dir;
	snprintf(at, sizeof(at), "/proc/self/fd/%d", dir);
	snprintf(options, sizeof(options), "mode=0700,uid=%u,gid=%u,size=%llu",
		 uid, gid, (unsigned long long)size);
	if (mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  options) == -1)
		rc = -errno;
	close(dir);
	return rc;
}

int dirs_make(struct dirs *d, const char *state_dir, uid_t uid, gid_t gid,
	      uint64_t memory)
{
	int fd, rc;

	snprintf(d->disk, sizeof(d->disk), "%s/scan-tmp", state_dir);
	snprintf(d->memory, sizeof(d->memory), "%s/scan-mem", state_dir);
	fd = make_dir(d->disk, uid, gid);
	if (fd < 0) {
		log_error("can't make %s: %s", d->disk, strerror(-fd));
		return fd;
	}
	close(fd);
	rc = make_memory(d->memory, uid, gid, memory);
	if (rc != 0) {
		log_info("no temporary files in memory (%s): small objects "
			 "take longer to scan",
			 strerror(-rc));
		d->memory[0] = '\0';
	}
	return 0;
}

/* --- removing --------------------------------------------------------------- */

/* Remove all that is below @path, without following a link. */
static void clear(char *path)
{
	char *paths[] = {path, NULL};
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *e;

	if (tree == NULL)
		return;
	while ((e = fts_read(tree)) != NULL) {
		int rc;

		/* Directories come before and after what is in them. */
		if (e->fts_level == FTS_ROOTLEVEL || e->fts_info == FTS_D)
			continue;
		rc = e->fts_info == FTS_DP ? rmdir(e->fts_accpath)
					   : unlink(e->fts_accpath);
		if (rc == -1)
			log_debug("can't remove %s: %s", e->fts_path,
				  strerror(errno));
	}
	fts_close(tree);
}

void dirs_clear(struct dirs *d)
{
	clear(d->disk);
	if (d->memory[0] != '\0')
		clear(d->memory);
}

/* --- a worker's ------------------------------------------------------------- */

static int name_own(const struct dirs *of, uint64_t worker, struct dirs *own)
{
	int n;

	memset(own, 0, sizeof(*own));
	n = snprintf(own->disk, sizeof(own->disk), "%s/" WIRE_WORKER_FORMAT,
		     of->disk, WIRE_WORKER_ARGS(worker));
	if (n < 0 || (size_t)n >= sizeof(own->disk))
		return -ENAMETOOLONG;
	if (of->memory[0] == '\0')
		return 0;
	n = snprintf(own->memory, sizeof(own->memory), "%s/" WIRE_WORKER_FORMAT,
		     of->memory, WIRE_WORKER_ARGS(worker));
	return n < 0 || (size_t)n >= sizeof(own->memory) ? -ENAMETOOLONG : 0;
}

int dirs_add(const struct dirs *of, uint64_t worker, struct dirs *own)
{
	int rc = name_own(of, worker, own);

	if (rc != 0)
		return rc;
	if (mkdir(own->disk, 0700) == -1)
		return -errno;
	/* It is small and may be full; then the disk alone serves. */
	if (own->memory[0] != '\0' && mkdir(own->memory, 0700) == -1)
		own->memory[0] = '\0';
	return 0;
}

void dirs_remove(const struct dirs *of, uint64_t worker)
{
	struct dirs own;

	if (name_own(of, worker, &own) != 0)
		return;
	dirs_clear(&own);
	if (rmdir(own.disk) == -1 && errno != ENOENT)
		log_debug("can't remove %s: %s", own.disk, strerror(errno));
	if (own.memory[0] != '\0')
		rmdir(own.memory);
}
