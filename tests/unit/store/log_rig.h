/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real sluice-log, started by a parent that is the test, with senders that
 * are the test too. Needs root, since the role gives up root.
 */
#ifndef SLUICE_TESTS_LOG_RIG_H
#define SLUICE_TESTS_LOG_RIG_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "conf/config.h"
#include "ipc/msg.h"
#include "ipc/stats.h"
#include "sys/memfile.h"

#define NOBODY	   65534
#define RELAYS	   3
#define PATIENCE_S 30

/* One of the relays: its window of what was sent and not acknowledged. */
struct relay {
	enum role_id role; /* the app role sends usage in the same way */
	int fd;
	uint64_t instance;
	uint64_t sent;	/* next number to send */
	uint64_t acked; /* next number that is not on disk */
	uint64_t total;
};

struct gateway {
	char dir[64]; /* the state directory */
	char binary[256];
	struct config config;
	struct stats *stats;
	int stats_fd;
	pid_t pid;
	int parent_fd;
	struct relay relays[RELAYS];
};

static inline uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static inline void pause_ms(unsigned int ms)
{
	poll(NULL, 0, (int)ms);
}

/* --- messages ------------------------------------------------------------------ */

/* 0, or -errno; -EAGAIN when the role doesn't read. */
static inline int send_message(int fd, uint32_t type, const void *body,
			       size_t len, const void *elements,
			       size_t elements_len, const int *fds, size_t nfds)
{
	struct msg_header header = {.type = type};
	struct iovec iov[3] = {{&header, sizeof(header)},
			       {(void *)(uintptr_t)body, len},
			       {(void *)(uintptr_t)elements, elements_len}};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))] = {
		0};
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = 3};

	if (nfds > 0) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		mh.msg_control = control;
		mh.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	return sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) == -1 ? -errno : 0;
}

/* Take acknowledgements; false when the role has closed the channel. */
static inline bool read_acks(struct relay *r, int wait_ms)
{
	struct pollfd pfd = {.fd = r->fd, .events = POLLIN};
	struct {
		struct msg_header header;
		struct msg_events_stored stored;
	} msg;

	while (poll(&pfd, 1, wait_ms) == 1) {
		ssize_t n = recv(r->fd, &msg, sizeof(msg), MSG_DONTWAIT);

		if (n <= 0)
			return false;
		assert_int_equal(n, sizeof(msg));
		assert_int_equal(msg.header.type, MSG_EVENTS_STORED);
		assert_true(msg.stored.instance == r->instance);
		assert_true(msg.stored.next >= r->acked);
		assert_true(msg.stored.next <= r->total);
		r->acked = msg.stored.next;
		wait_ms = 0;
	}
	return true;
}

/* --- the role -------------------------------------------------------------------- */

static inline void connect_relay(struct gateway *gw, uint32_t index)
{
	struct relay *r = &gw->relays[index];
	struct msg_peer peer = {
		.role = r->role,
		.index = index,
		.instance = r->instance,
	};
	int fds[2];

	if (r->fd != -1)
		close(r->fd);
	assert_int_equal(
		socketpair(AF_UNIX,
			   SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			   fds),
		0);
	assert_int_equal(send_message(gw->parent_fd, MSG_PEER, &peer,
				      sizeof(peer), NULL, 0, &fds[1], 1),
			 0);
	close(fds[1]);
	r->fd = fds[0];
	/* As a relay must: everything from the oldest one not acknowledged. */
	r->sent = r->acked;
}

static inline void exec_role(const struct gateway *gw, int fd)
{
	dup2(fd, 3);
	execl(gw->binary, gw->binary, (char *)NULL);
	_exit(127);
}

static inline void start(struct gateway *gw)
{
	struct msg_init init = {.role = ROLE_LOG,
				.relays = RELAYS,
				.uid = NOBODY,
				.gid = NOBODY,
				.instance = 77};
	int fds[2], with[2];

	memset(gw->stats, 0, sizeof(*gw->stats));
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	gw->pid = fork();
	assert_true(gw->pid != -1);
	if (gw->pid == 0)
		exec_role(gw, fds[1]);
	close(fds[1]);
	gw->parent_fd = fds[0];
	gw->config.size = sizeof(gw->config);
	with[0] = memfile_snapshot("config", &gw->config, sizeof(gw->config));
	with[1] = gw->stats_fd;
	assert_int_equal(send_message(gw->parent_fd, MSG_INIT, &init,
				      sizeof(init), NULL, 0, with, 2),
			 0);
	close(with[0]);
}

static inline void wait_ready(const struct gateway *gw)
{
	uint64_t end = now_ms() + PATIENCE_S * 1000;

	while (__atomic_load_n(&gw->stats->ready, __ATOMIC_RELAXED) == 0) {
		assert_true(now_ms() < end);
		pause_ms(2);
	}
}

static inline void start_all(struct gateway *gw)
{
	start(gw);
	for (uint32_t i = 0; i < RELAYS; i++)
		connect_relay(gw, i);
	wait_ready(gw);
}

/* How the role ended, as waitpid(2) reports it. */
static inline int wait_end(struct gateway *gw)
{
	int status = 0;

	assert_int_equal(waitpid(gw->pid, &status, 0), gw->pid);
	gw->pid = 0;
	close(gw->parent_fd);
	return status;
}

static inline void kill_role(struct gateway *gw)
{
	kill(gw->pid, SIGKILL);
	assert_true(WIFSIGNALED(wait_end(gw)));
}

static inline void stop(struct gateway *gw)
{
	struct msg_stop order = {.timeout_ms = 5000};
	int status;

	assert_int_equal(send_message(gw->parent_fd, MSG_STOP, &order,
				      sizeof(order), NULL, 0, NULL, 0),
			 0);
	for (uint32_t i = 0; i < RELAYS; i++) {
		close(gw->relays[i].fd);
		gw->relays[i].fd = -1;
	}
	status = wait_end(gw);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- set-up ---------------------------------------------------------------------------- */

static inline int unlink_one(const char *path, const struct stat *st, int type,
			     struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void find_binary(char *dst, size_t size)
{
	char self[192] = {0};
	char *slash;

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	for (int i = 0; i < 4; i++) {
		slash = strrchr(self, '/');
		assert_non_null(slash);
		*slash = '\0';
	}
	snprintf(dst, size, "%s/libexec/sluice-log", self);
}

static inline int setup(void **state)
{
	struct gateway *gw = calloc(1, sizeof(*gw));

	if (getuid() != 0) {
		*state = NULL;
		free(gw);
		return 0;
	}
	snprintf(gw->dir, sizeof(gw->dir), "%s/sluice-log.XXXXXX",
		 getenv("TMPDIR") != NULL ? getenv("TMPDIR") : P_tmpdir);
	assert_non_null(mkdtemp(gw->dir));
	chmod(gw->dir, 0755);
	find_binary(gw->binary, sizeof(gw->binary));
	str_copy(gw->config.state_dir, sizeof(gw->config.state_dir), gw->dir);
	gw->config.log_level = LEVEL_ERROR;
	gw->config.store_rotate = 64 << 20;
	gw->config.store_keep = 90ULL * 86400 * 1000;
	gw->stats_fd = memfile_shared("stats", sizeof(*gw->stats));
	gw->stats = memfile_map_shared(gw->stats_fd, sizeof(*gw->stats));
	assert_non_null(gw->stats);
	for (uint32_t i = 0; i < RELAYS; i++) {
		gw->relays[i].fd = -1;
		gw->relays[i].role = ROLE_RELAY;
		gw->relays[i].instance = 0x5f00000000ULL + i;
	}
	*state = gw;
	return 0;
}

static inline int teardown(void **state)
{
	struct gateway *gw = *state;

	if (gw == NULL)
		return 0;
	if (gw->pid > 0) {
		kill(gw->pid, SIGKILL);
		wait_end(gw);
	}
	for (uint32_t i = 0; i < RELAYS; i++)
		if (gw->relays[i].fd != -1)
			close(gw->relays[i].fd);
	nftw(gw->dir, unlink_one, 8, FTW_DEPTH | FTW_PHYS);
	memfile_unmap(gw->stats, sizeof(*gw->stats));
	close(gw->stats_fd);
	free(gw);
	return 0;
}

static inline struct gateway *gateway(void **state)
{
	if (*state == NULL)
		skip(); /* the role needs root to confine itself */
	return *state;
}

#endif
