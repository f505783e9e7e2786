// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The digit that file @path starts with, or -errno. */
static int read_digit(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c = 0;
	int err;

	if (fd == -1)
		return -errno;
	if (read(fd, &c, 1) == 1 && c >= '0' && c <= '9')
		err = c - '0';
	else
		err = -EBADMSG;
	close(fd);
	return err;
}

static int write_digit(int fd, int value)
{
	char text[2] = {(char)('0' + value), '\n'};
	ssize_t n = write(fd, text, sizeof(text));

	if (n == -1)
		return -errno;
	return n == sizeof(text) ? 0 : -EIO;
}

static int set(const char *path, int value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err;

	if (fd == -1)
		return -errno;
	err = write_digit(fd, value);
	close(fd);
	return err;
}

/* All of it or nothing, also when the machine stops here. */
static int write_record(const char *record, int value)
{
	char temp[PATH_MAX];
	int n = snprintf(temp, sizeof(temp), "%s.new", record);
	int fd, err;

	if (n < 0 || (size_t)n >= sizeof(temp))
		return -ENAMETOOLONG;
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		  S_IRUSR | S_IWUSR);
	if (fd == -1)
		return -errno;
	err = write_digit(fd, value);
	if (err == 0 && fsync(fd) == -1)
		err = -errno;
	close(fd);
	if (err == 0 && rename(temp, record) == -1)
		err = -errno;
	if (err != 0)
		unlink(temp);
	return err;
}

int sysctl_value(const struct sysctl *s)
{
	return read_digit(s->path);
}

int sysctl_hold(const struct sysctl *s, int value, const char *record)
{
	int before = sysctl_value(s);
	int err;

	if (before < 0)
		return before;
	/* One that is there is older: from before the run that crashed. */
	if (access(record, F_OK) == -1) {
		err = write_record(record, before);
		if (err != 0)
			return err;
	}
	return before == value ? 0 : set(s->path, value);
}

int sysctl_restore(const struct sysctl *s, const char *record)
{
	int value = read_digit(record);
	int err;

	if (value == -ENOENT)
		return 0;
	err = set(s->path, value < 0 ? s->preset : value);
	if (err != 0 && err != -ENOENT)
		return err;
	return unlink(record) == -1 && errno != ENOENT ? -errno : 0;
}
