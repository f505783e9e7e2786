/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real sluice-scan with a parent and relays made of this test: a socketpair
 * on descriptor 3, MSG_INIT with configuration, counters and cache, MSG_PEER
 * for each relay. Needs root, since the role gives up root.
 */
#ifndef SLUICE_TESTS_SCAN_RIG_H
#define SLUICE_TESTS_SCAN_RIG_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "eicar.h"
#include "ipc/role.h"
#include "ipc/vcache.h"
#include "sys/memfile.h"

#define RIG_UID	   65534
#define RIG_GID	   65534
#define RIG_RELAYS 3
#define RIG_WAIT   20000 /* ms; an answer that takes longer is missing */

struct rig {
	struct config config;
	char dir[64];
	pid_t pid;
	int parent;
	int relay[RIG_RELAYS];
	struct stats *stats;
	struct vcache *cache;
	int stats_fd;
	int cache_fd;
};

#define rig_require(condition)                                          \
	do {                                                            \
		if (!(condition)) {                                     \
			fprintf(stderr, "# %s:%d: %s: %s\n", __func__,  \
				__LINE__, #condition, strerror(errno)); \
			abort();                                        \
		}                                                       \
	} while (0)

static inline uint64_t rig_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* --- messages --------------------------------------------------------------- */

static inline int rig_try_send(int sock, uint32_t type, const void *body,
			       size_t len, const int *fds, size_t nfds)
{
	struct msg_header header = {.type = type};
	struct iovec iov[2] = {{&header, sizeof(header)}, {(void *)body, len}};
	union {
		char bytes[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = len > 0 ? 2 : 1};

	memset(&control, 0, sizeof(control));
	if (nfds > 0) {
		struct cmsghdr *cmsg;

		mh.msg_control = control.bytes;
		mh.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&mh);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, nfds * sizeof(int));
	}
	return sendmsg(sock, &mh, MSG_NOSIGNAL) == -1 ? -errno : 0;
}

static inline void rig_send(int sock, uint32_t type, const void *body,
			    size_t len, const int *fds, size_t nfds)
{
	rig_require(rig_try_send(sock, type, body, len, fds, nfds) == 0);
}

/* Type of the next message within @ms, 0 at the end, -ETIMEDOUT. */
static inline int rig_receive(int sock, void *body, size_t size, int ms)
{
	struct msg_header header = {0};
	struct iovec iov[2] = {{&header, sizeof(header)}, {body, size}};
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = 2};
	struct pollfd pfd = {.fd = sock, .events = POLLIN};
	ssize_t n;

	if (poll(&pfd, 1, ms) != 1)
		return -ETIMEDOUT;
	n = recvmsg(sock, &mh, 0);
	if (n <= 0)
		return 0;
	return (int)header.type;
}

/* --- files ------------------------------------------------------------------ */

static inline int rig_memfd(const void *data, size_t size)
{
	int fd = memfile_snapshot("object", data, size);

	rig_require(fd >= 0);
	return fd;
}

static inline int rig_config_fd(const struct rig *rig)
{
	return rig_memfd(&rig->config, sizeof(rig->config));
}

/* Entries below @dir, itself not counted; -1 when it is not there. */
static inline int rig_count_files(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL)
		n += strcmp(e->d_name, ".") != 0 &&
		     strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

static inline void rig_path(const struct rig *rig, const char *name,
			    char path[128])
{
	snprintf(path, 128, "%s/%s", rig->dir, name);
}

/* --- processes -------------------------------------------------------------- */

/* Children of @pid; how many. */
static inline size_t rig_children(pid_t pid, pid_t *children, size_t max)
{
	char path[64], line[1024] = "";
	char *p = line, *end;
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	fclose(f);
	for (; n < max; p = end) {
		long child = strtol(p, &end, 10);

		if (end == p)
			break;
		children[n++] = (pid_t)child;
	}
	return n;
}

/* Workers, in any generation: the grandchildren. */
static inline size_t rig_workers(const struct rig *rig, pid_t *workers,
				 size_t max)
{
	pid_t children[16];
	size_t n = rig_children(rig->pid, children, 16), found = 0;

	for (size_t i = 0; i < n; i++)
		found +=
			rig_children(children[i], workers + found, max - found);
	return found;
}

/* State of @pid as in /proc ('T', 'Z' ...), or 0 when there is none. */
static inline char rig_state(pid_t pid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(f);
	return state;
}

/* --- start and stop --------------------------------------------------------- */

static inline void rig_binary(char path[PATH_MAX])
{
	char self[PATH_MAX - 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	rig_require(n > 0);
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(path, PATH_MAX, "%s/../../../libexec/sluice-scan", self);
}

/* NULL, or why these tests can't run. */
static inline const char *rig_missing(void)
{
	char path[PATH_MAX];

	rig_binary(path);
	if (geteuid() != 0)
		return "not root";
	return access(path, X_OK) == 0 ? NULL : "sluice-scan is not built";
}

static inline void rig_init(struct rig *rig)
{
	struct config_scan *scan = &rig->config.scan;
	struct rlimit files;

	memset(rig, 0, sizeof(*rig));
	/* As sluiced does: each request that waits takes a descriptor. */
	rig_require(getrlimit(RLIMIT_NOFILE, &files) == 0);
	files.rlim_cur = files.rlim_max;
	rig_require(setrlimit(RLIMIT_NOFILE, &files) == 0);
	snprintf(rig->dir, sizeof(rig->dir), "/tmp/sluice-rig-XXXXXX");
	rig_require(mkdtemp(rig->dir) != NULL);
	rig_require(chmod(rig->dir, 0755) == 0);
	rig->config.size = sizeof(rig->config);
	rig->config.generation = 1;
	rig->config.log_level = LEVEL_WARNING;
	snprintf(rig->config.state_dir, CONFIG_PATH_MAX, "%s", rig->dir);
	scan->engine = ENGINE_LIBCLAMAV;
	snprintf(scan->database, CONFIG_PATH_MAX, "%s/db", rig->dir);
	snprintf(scan->clamd, CONFIG_PATH_MAX, "%s/clamd", rig->dir);
	scan->workers = 2;
	scan->deadline = 10000;
	scan->max_object = 64u << 20;
	scan->max_ratio = 200;
	scan->max_files = 1000;
	scan->max_depth = 8;
	scan->memory = 8u << 20;
	scan->engine_memory = 1u << 30;
	scan->infected_url_block = 3600000;
	rig_require(mkdir(scan->database, 0755) == 0);
	write_database(scan->database);
	for (int i = 0; i < RIG_RELAYS; i++)
		rig->relay[i] = -1;
	rig->stats_fd = memfile_shared("stats", sizeof(struct stats));
	rig->cache_fd = memfile_shared("cache", vcache_size());
	rig->stats = memfile_map_shared(rig->stats_fd, sizeof(struct stats));
	rig->cache = memfile_map_shared(rig->cache_fd, vcache_size());
	rig_require(rig->stats != NULL && rig->cache != NULL);
}

static inline void rig_peer(struct rig *rig, int index)
{
	struct msg_peer peer = {.role = ROLE_RELAY, .index = (uint32_t)index};
	int fds[2];

	rig_require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			       fds) == 0);
	rig_send(rig->parent, MSG_PEER, &peer, sizeof(peer), &fds[1], 1);
	close(fds[1]);
	if (rig->relay[index] != -1)
		close(rig->relay[index]);
	rig->relay[index] = fds[0];
}

static inline void rig_spawn(struct rig *rig)
{
	char path[PATH_MAX], log[128];
	int fds[2], log_fd;

	rig_binary(path);
	rig_require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			       fds) == 0);
	/* What it says goes to a file, or with RIG_LOG set to the screen. */
	rig_path(rig, "log", log);
	log_fd = getenv("RIG_LOG") != NULL
			 ? STDERR_FILENO
			 : open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
				0644);
	rig->pid = fork();
	rig_require(rig->pid != -1);
	if (rig->pid == 0) {
		/* The role's end must not be an accident of numbering. */
		int end = fcntl(fds[1], F_DUPFD, 100);

		dup2(end, ROLE_PARENT_FD);
		close(end);
		dup2(log_fd, STDERR_FILENO);
		execl(path, path, (char *)NULL);
		_exit(127);
	}
	if (log_fd != STDERR_FILENO)
		close(log_fd);
	close(fds[1]);
	rig->parent = fds[0];
}

static inline void rig_start(struct rig *rig)
{
	struct msg_init init = {.role = ROLE_SCAN,
				.relays = RIG_RELAYS,
				.uid = RIG_UID,
				.gid = RIG_GID,
				.instance = 1};
	int fds[3] = {rig_config_fd(rig), rig->stats_fd, rig->cache_fd};
	int type;

	memset(rig->stats, 0, sizeof(*rig->stats));
	rig_spawn(rig);
	rig_send(rig->parent, MSG_INIT, &init, sizeof(init), fds, 3);
	close(fds[0]);
	type = rig_receive(rig->parent, &init, sizeof(init), RIG_WAIT);
	if (type != MSG_READY)
		fprintf(stderr, "# no MSG_READY but %d\n", type);
	rig_require(type == MSG_READY);
	for (int i = 0; i < RIG_RELAYS; i++)
		rig_peer(rig, i);
}

static inline void rig_reload(struct rig *rig)
{
	int fd = rig_config_fd(rig);

	rig->config.generation++;
	rig_send(rig->parent, MSG_CONFIG, NULL, 0, &fd, 1);
	close(fd);
}

/* Until counter @i is at least @value; false after RIG_WAIT. */
static inline bool rig_await(const struct rig *rig, unsigned int i,
			     uint64_t value)
{
	uint64_t end = rig_now_ms() + RIG_WAIT;

	while (stats_get(rig->stats, i) < value) {
		if (rig_now_ms() > end)
			return false;
		usleep(5000);
	}
	return true;
}

static inline void rig_close_relays(struct rig *rig)
{
	for (int i = 0; i < RIG_RELAYS; i++) {
		if (rig->relay[i] != -1)
			close(rig->relay[i]);
		rig->relay[i] = -1;
	}
}

/* Wait status of the role after MSG_STOP. */
static inline int rig_stop(struct rig *rig)
{
	struct msg_stop stop = {.timeout_ms = 2000};
	int status = -1;

	if (rig_try_send(rig->parent, MSG_STOP, &stop, sizeof(stop), NULL, 0))
		kill(rig->pid, SIGKILL);
	rig_require(waitpid(rig->pid, &status, 0) == rig->pid);
	close(rig->parent);
	rig_close_relays(rig);
	return status;
}

static inline void rig_remove(struct rig *rig)
{
	char command[128];
	pid_t pid = fork();

	snprintf(command, sizeof(command), "rm -rf %s", rig->dir);
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	munmap(rig->stats, sizeof(struct stats));
	munmap(rig->cache, vcache_size());
	close(rig->stats_fd);
	close(rig->cache_fd);
}

/* --- scans ------------------------------------------------------------------ */

static inline void rig_ask(struct rig *rig, int relay, struct msg_scan *msg,
			   int fd)
{
	rig_send(rig->relay[relay], MSG_SCAN, msg, sizeof(*msg), &fd, 1);
}

/* Ask for @size bytes at @data, sealed. */
static inline void rig_ask_bytes(struct rig *rig, int relay, uint64_t id,
				 const void *data, size_t size)
{
	struct msg_scan msg = {.id = id, .size = size};
	int fd = rig_memfd(data, size);

	rig_ask(rig, relay, &msg, fd);
	close(fd);
}

static inline bool rig_answer(struct rig *rig, int relay,
			      struct msg_scanned *answer)
{
	memset(answer, 0xff, sizeof(*answer));
	return rig_receive(rig->relay[relay], answer, sizeof(*answer),
			   RIG_WAIT) == MSG_SCANNED;
}

/* One object, its verdict; -1 when none came. */
static inline int rig_scan(struct rig *rig, const void *data, size_t size,
			   struct msg_scanned *answer)
{
	rig_ask_bytes(rig, 0, 1, data, size);
	return rig_answer(rig, 0, answer) ? (int)answer->verdict : -1;
}

#endif
