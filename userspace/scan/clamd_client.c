// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/clamd_client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/clock.h"

/* Until @fd can be read or written; 0 or -errno. */
static int wait_for(int fd, short events, uint64_t deadline_ms)
{
	uint64_t now = clock_system.monotonic_ms();
	struct pollfd pfd = {.fd = fd, .events = events};
	uint64_t left = deadline_ms > now ? deadline_ms - now : 0;
	int n = poll(&pfd, 1, left < INT_MAX ? (int)left : INT_MAX);

	if (n == 0)
		return -ETIMEDOUT;
	return n == -1 && errno != EINTR ? -errno : 0;
}

static int connect_to(const char *path, uint64_t deadline_ms)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, rc = 0;

	if (!str_copy(addr.sun_path, sizeof(addr.sun_path), path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -errno;
	/* EAGAIN: clamd's queue of connections is full; try until the time is
	 * up, in steps that it won't notice. */
	while (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1) {
		rc = -errno;
		if (rc != -EAGAIN && rc != -EINTR)
			break;
		if (clock_system.monotonic_ms() + 10 >= deadline_ms) {
			rc = -ETIMEDOUT;
			break;
		}
		poll(NULL, 0, 10);
		rc = 0;
	}
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static int send_bytes(int fd, const char *p, size_t n, uint64_t deadline_ms)
{
	while (n > 0) {
		ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
		int rc;

		if (w >= 0) {
			p += w;
			n -= (size_t)w;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		rc = wait_for(fd, POLLOUT, deadline_ms);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* The descriptor, with a byte of no meaning to carry it. */
static int send_descriptor(int fd, int object)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char dummy = 0;
	struct iovec iov = {&dummy, 1};
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *cmsg;

	memset(&control, 0, sizeof(control));
	cmsg = CMSG_FIRSTHDR(&mh);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &object, sizeof(int));
	return sendmsg(fd, &mh, MSG_NOSIGNAL) == -1 ? -errno : 0;
}

static int receive(int fd, uint8_t *reply, size_t *len, uint64_t deadline_ms)
{
	while (*len < CLAMD_REPLY_MAX) {
		int rc = wait_for(fd, POLLIN, deadline_ms);
		ssize_t n;

		if (rc != 0)
			return rc;
		n = recv(fd, reply + *len, CLAMD_REPLY_MAX - *len, 0);
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n == 0)
			return 0;
		if (n > 0)
			*len += (size_t)n;
		if (memchr(reply, '\0', *len) != NULL)
			return 0;
	}
	return 0;
}

int clamd_command(const char *socket_path, const char *command, int fd,
		  uint64_t limit_ms, uint8_t reply[CLAMD_REPLY_MAX],
		  size_t *len)
{
	uint64_t deadline_ms = clock_system.monotonic_ms() + limit_ms;
	char line[32];
	int sock, n, rc;

	*len = 0;
	n = snprintf(line, sizeof(line), "z%s", command);
	if (n < 0 || (size_t)n >= sizeof(line))
		return -EINVAL;
	sock = connect_to(socket_path, deadline_ms);
	if (sock < 0)
		return sock;
	/* The prefix z: command and answer end in NUL. */
	rc = send_bytes(sock, line, (size_t)n + 1, deadline_ms);
	if (rc == 0 && fd != -1)
		rc = send_descriptor(sock, fd);
	if (rc == 0)
		rc = receive(sock, reply, len, deadline_ms);
	close(sock);
	return rc;
}
