// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the daemon writes when it has started; its end alone is a failure. */
#define STARTED 's'

static void wait_for(pid_t pid, int fd)
{
	int status = 0;
	char word = 0;
	ssize_t n;

	do
		n = read(fd, &word, 1);
	while (n == -1 && errno == EINTR);
	if (n == 1 && word == STARTED)
		_exit(EXIT_SUCCESS);
	/* It has said why. */
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) != EXIT_SUCCESS)
		_exit(WEXITSTATUS(status));
	_exit(EXIT_FAILURE);
}

int detach_begin(struct detach *d)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return -errno;
	pid = fork();
	if (pid == -1) {
		int rc = -errno;

		close(fds[0]);
		close(fds[1]);
		return rc;
	}
	if (pid > 0) {
		close(fds[1]);
		wait_for(pid, fds[0]);
	}
	close(fds[0]);
	d->tell_fd = fds[1];
	/* Both only fail for what can't be here: a leader, no root directory. */
	if (setsid() == -1 || chdir("/") == -1)
		return -errno;
	return 0;
}

void detach_finish(struct detach *d)
{
	const char word = STARTED;
	int null;

	if (d->tell_fd == -1)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd <= STDERR_FILENO && null != -1; fd++)
		(void)dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
	/* One that went away meanwhile doesn't want to know. */
	if (write(d->tell_fd, &word, 1) == -1)
		errno = 0;
	close(d->tell_fd);
	d->tell_fd = -1;
}
