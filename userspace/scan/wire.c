// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int wire_send(int sock, enum wire_type type, const void *body, size_t len,
	      int fd)
{
	struct msg_header header = {.type = type};
	struct iovec iov[2] = {{&header, sizeof(header)}, {(void *)body, len}};
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = len > 0 ? 2 : 1};
	union control control;

	if (fd != -1) {
		struct cmsghdr *cmsg;

		memset(&control, 0, sizeof(control));
		mh.msg_control = control.bytes;
		mh.msg_controllen = sizeof(control.bytes);
		cmsg = CMSG_FIRSTHDR(&mh);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	while (sendmsg(sock, &mh, MSG_NOSIGNAL) == -1)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* The descriptor that came with a message, or -1. */
static int take_fd(struct msghdr *mh)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(mh);
	int fd = -1;

	if (cmsg != NULL && cmsg->cmsg_level == SOL_SOCKET &&
	    cmsg->cmsg_type == SCM_RIGHTS &&
	    cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(int));
	return fd;
}

int wire_receive(int sock, enum wire_type type, void *body, size_t len, int *fd)
{
	struct msg_header header = {0};
	struct iovec iov[2] = {{&header, sizeof(header)}, {body, len}};
	union control control;
	struct msghdr mh = {
		.msg_iov = iov,
		.msg_iovlen = len > 0 ? 2 : 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC);
	int got;

	if (n == -1)
		return -errno;
	if (n == 0)
		return 0;
	got = take_fd(&mh);
	if ((size_t)n != sizeof(header) + len || header.type != type ||
	    (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
	    (got != -1) != (fd != NULL)) {
		if (got != -1)
			close(got);
		return -EPROTO;
	}
	if (fd != NULL)
		*fd = got;
	return 1;
}

int wire_become_child(int fd, pid_t parent)
{
	sigset_t none;
	int flags;

	/* dup2() also closes what the parent had there: its own channel. */
	if (fd != WIRE_FD && dup2(fd, WIRE_FD) == -1)
		return -errno;
	if (close_range(WIRE_FD + 1, UINT_MAX, 0) == -1)
		return -errno;
	flags = fcntl(WIRE_FD, F_GETFL);
	if (flags == -1 || fcntl(WIRE_FD, F_SETFL, flags & ~O_NONBLOCK) == -1)
		return -errno;
	signal(SIGTERM, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		return -errno;
	/* It may have died before; then there is nobody to work for. */
	return getppid() == parent ? 0 : -ESRCH;
}
