// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/host.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/limits.h"
#include "sys/log.h"

#define DESCRIPTORS_GOOD 65536

/* --- account ------------------------------------------------------------------------ */

int host_account(const char *name, struct account *account)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (pw == NULL) {
		log_error("user \"%s\" does not exist; create it (adduser "
			  "--system --group --no-create-home %s) or name "
			  "another one as user in the configuration",
			  name, name);
		return errno != 0 ? -errno : -ENOENT;
	}
	*account = (struct account){name, pw->pw_uid, pw->pw_gid};
	if (pw->pw_uid == 0 || pw->pw_gid == 0) {
		log_error("user \"%s\" has the %s id 0; the roles that touch "
			  "traffic must not be root: name another one as user "
			  "in the configuration",
			  name, pw->pw_uid == 0 ? "user" : "group");
		return -EINVAL;
	}
	return 0;
}

/* --- directories --------------------------------------------------------------------- */

static int dir_error(const char *path, int error)
{
	const char *todo = "";

	if (error == ENOENT)
		todo = "; create the directory that it is to be in";
	else if (error == ENOTDIR)
		todo = "; remove what is there, or name another one in the "
		       "configuration";
	else if (error == EROFS || error == EACCES || error == EPERM)
		todo = "; name one in the configuration that root can write";
	log_error("directory %s: %s%s", path, strerror(error), todo);
	return -error;
}

/* Descriptor of @path, made if it isn't there: then @made. -errno, logged. */
static int open_dir(const char *path, int flags, bool *made)
{
	int fd;

	*made = mkdir(path, S_IRWXU) == 0;
	if (!*made && errno != EEXIST)
		return dir_error(path, errno);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	return fd == -1 ? dir_error(path, errno) : fd;
}

static int set_owner(int fd, const char *path, uid_t uid, gid_t gid,
		     mode_t mode)
{
	if (fchown(fd, uid, gid) == 0 && fchmod(fd, mode) == 0)
		return 0;
	return dir_error(path, errno);
}

static bool may_enter(const struct stat *st, const struct account *a)
{
	if (st->st_uid == a->uid)
		return (st->st_mode & S_IXUSR) != 0;
	if (st->st_gid == a->gid)
		return (st->st_mode & S_IXGRP) != 0;
	return (st->st_mode & S_IXOTH) != 0;
}

/* Whether a directory that was there before us will do. */
static int check_dir(int fd, const char *path, const struct account *a)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return dir_error(path, errno);
	if ((st.st_uid != 0 && st.st_uid != a->uid) ||
	    (st.st_mode & S_IWOTH) != 0) {
		log_error("directory %s can be written by others than root and "
			  "%s; run: chown root %s; chmod o-w %s",
			  path, a->name, path, path);
		return -EPERM;
	}
	if (!may_enter(&st, a)) {
		log_error("directory %s can't be entered by user %s; run: "
			  "chmod a+x %s",
			  path, a->name, path);
		return -EACCES;
	}
	return 0;
}

static int want_top(const char *path, const struct account *a, mode_t mode)
{
	bool made;
	int fd = open_dir(path, 0, &made);
	int rc;

	if (fd < 0)
		return fd;
	rc = made ? set_owner(fd, path, 0, a->gid, mode)
		  : check_dir(fd, path, a);
	close(fd);
	return rc;
}

/* Its name is ours: it belongs to the account whoever had it before. */
static int want_sub(const char *dir, const char *name, const struct account *a,
		    mode_t mode)
{
	char path[CONFIG_PATH_MAX + 32];
	bool made;
	int fd, rc;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open_dir(path, O_NOFOLLOW, &made);
	if (fd < 0)
		return fd;
	rc = set_owner(fd, path, a->uid, a->gid, mode);
	close(fd);
	return rc;
}

int host_directories(const struct config *config, const struct account *a)
{
	int rc = want_top(config->run_dir, a, 0755);

	if (rc == 0)
		rc = want_sub(config->run_dir, "net", a, 0700);
	if (rc == 0)
		rc = want_top(config->state_dir, a, 0750);
	if (rc == 0)
		rc = want_sub(config->state_dir, "journal", a, 0750);
	if (rc == 0)
		rc = want_sub(config->state_dir, "spool", a, 0700);
	return rc;
}

/* --- limits --------------------------------------------------------------------------- */

void host_raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == -1)
		return;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) == -1)
		log_warn("descriptor limit: %s", strerror(errno));
}

void host_note_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
	    files.rlim_cur < DESCRIPTORS_GOOD)
		log_warn("a process may have %llu descriptors, so each relay "
			 "holds at most %llu sessions (LimitNOFILE= or "
			 "limits.conf raises it)",
			 (unsigned long long)files.rlim_cur,
			 (unsigned long long)limits_sessions());
}
