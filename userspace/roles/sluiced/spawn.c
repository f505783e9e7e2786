// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "ipc/role.h"
#include "roles/sluiced/output.h"
#include "roles/sluiced/supervise.h"
#include "sys/log.h"
#include "sys/memfile.h"

/* A role that prints more than this in one go waits for its next turn. */
#define LOG_READS_A_ROUND 16

int spawn_find_libexec(char *dst, size_t size)
{
	char self[CONFIG_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n == -1)
		return -errno;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL)
		return -ENOENT;
	*slash = '\0';
	if ((size_t)snprintf(dst, size, "%s/../libexec", self) >= size)
		return -ENAMETOOLONG;
	return 0;
}

#define PROGRAM_PATH_MAX (CONFIG_PATH_MAX + 32)

static void program_path(char *dst, const char *libexec, enum role_id role)
{
	snprintf(dst, PROGRAM_PATH_MAX, "%s/sluice-%s", libexec,
		 role_name(role));
}

int spawn_check_program(const char *libexec, enum role_id role)
{
	char path[PROGRAM_PATH_MAX];
	int rc;

	program_path(path, libexec, role);
	if (access(path, X_OK) == 0)
		return 0;
	rc = -errno;
	log_error("%s: %s; install all programs of Sluice together", path,
		  strerror(-rc));
	return rc;
}

/* --- what it prints --------------------------------------------------------- */

/* What a library prints may hold bytes of the network: none for a terminal. */
static char printable(char byte)
{
	unsigned char u = (unsigned char)byte;

	if (u < 0x20 || u == 0x7f)
		return '?';
	return byte;
}

static void take_output(struct child *c, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n' || c->line_len == sizeof(c->line) - 1) {
			c->line[c->line_len] = '\0';
			output_line(c->line);
			c->line_len = 0;
		}
		if (p[i] != '\n')
			c->line[c->line_len++] = printable(p[i]);
	}
}

static void log_event(struct loop_fd *lfd, uint32_t events)
{
	struct child *c = list_entry(lfd, struct child, log_watch);

	(void)events;
	for (int i = 0; i < LOG_READS_A_ROUND; i++) {
		char buf[4096];
		ssize_t n = read(lfd->fd, buf, sizeof(buf));

		if (n > 0) {
			take_output(c, buf, (size_t)n);
		} else if (n == 0) {
			int fd = lfd->fd;

			loop_del(&c->sup->loop, lfd);
			close(fd);
			return;
		} else {
			return; /* EAGAIN */
		}
	}
}

/* --- start ------------------------------------------------------------------ */

/* Nothing on 0 and 1, its log on 2, its channel on 3, and nothing else. */
static int set_descriptors(posix_spawn_file_actions_t *actions, int chan_fd,
			   int log_fd)
{
	int rc = posix_spawn_file_actions_addopen(actions, 0, "/dev/null",
						  O_RDWR, 0);

	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, 0, 1);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, log_fd, 2);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, chan_fd,
						      ROLE_PARENT_FD);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(
			actions, ROLE_PARENT_FD + 1);
	return rc;
}

/*
 * We block the signals that we read, and ignore some: a role that inherited
 * that could not be told to end, nor learn of our death.
 */
static int set_signals(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	rc = posix_spawnattr_setsigmask(attr, &none);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(attr, &all);
	if (rc == 0)
		rc = posix_spawnattr_setflags(
			attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return rc;
}

static int spawn_program(struct child *c, int chan_fd, int log_fd)
{
	char path[PROGRAM_PATH_MAX];
	char name[32];
	char locale[] = "LC_ALL=C";
	char *argv[] = {name, NULL};
	char *envp[] = {locale, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0)
		return -rc;
	rc = posix_spawnattr_init(&attr);
	if (rc != 0)
		goto out_actions;
	snprintf(name, sizeof(name), "sluice-%s", role_name(c->role));
	program_path(path, c->sup->libexec, c->role);
	rc = set_descriptors(&actions, chan_fd, log_fd);
	if (rc == 0)
		rc = set_signals(&attr);
	if (rc == 0)
		rc = posix_spawn(&c->pid, path, &actions, &attr, argv, envp);
	if (rc != 0)
		log_error("can't start %s: %s", path, strerror(rc));
	posix_spawnattr_destroy(&attr);
out_actions:
	posix_spawn_file_actions_destroy(&actions);
	return -rc;
}

static int send_init(struct child *c)
{
	struct supervisor *sup = c->sup;
	size_t relays = 0;
	struct msg_init init = {
		.role = c->role,
		.index = c->index,
		.uid = sup->uid,
		.gid = sup->gid,
		.instance = c->instance,
	};
	int fds[3] = {sup->config_fd, c->stats_fd, -1};
	int ro = -1, rc;

	for (size_t i = 0; i < sup->nchildren; i++)
		relays += sup->children[i].role == ROLE_RELAY;
	init.relays = (uint32_t)relays;
	/* Relays read the verdict cache; scan alone writes it. */
	if (c->role == ROLE_RELAY) {
		ro = fds[2] = memfile_read_only(sup->cache_fd);
		if (ro < 0)
			return ro;
	} else if (c->role == ROLE_SCAN) {
		fds[2] = sup->cache_fd;
	} else if (c->role == ROLE_APP) {
		fds[2] = sup->quota_fd;
	}
	rc = chan_send_full(&c->chan, MSG_INIT, &init, sizeof(init), NULL, 0,
			    fds, fds[2] >= 0 ? 3 : 2);
	if (ro >= 0)
		close(ro);
	return rc;
}

/* Take over the ends that stay with the parent; closes them on failure. */
static int adopt(struct child *c, int chan_fd, int log_fd, loop_fd_fn on_exit)
{
	struct loop *loop = &c->sup->loop;
	int pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	int rc = pidfd == -1 ? -errno
			     : loop_add(loop, &c->exit_watch, pidfd, EPOLLIN,
					on_exit);

	if (rc != 0)
		goto fail_pidfd;
	rc = loop_add(loop, &c->log_watch, log_fd, EPOLLIN, log_event);
	if (rc != 0)
		goto fail_log;
	rc = chan_open(&c->chan, chan_fd);
	return rc == 0 ? send_init(c) : rc;

fail_pidfd:
	if (pidfd != -1)
		close(pidfd);
fail_log:
	close(log_fd);
	close(chan_fd);
	return rc;
}

int child_spawn(struct child *c, const struct chan_ops *ops, loop_fd_fn on_exit)
{
	int chan_fds[2] = {-1, -1}, log_fds[2] = {-1, -1};
	int rc;

	memset(c->stats, 0, sizeof(*c->stats));
	c->line_len = 0;
	c->instance = c->sup->next_instance++;
	chan_init(&c->chan, &c->sup->loop, ops, c);
	rc = chan_pair(chan_fds);
	if (rc != 0)
		goto out;
	if (pipe2(log_fds, O_CLOEXEC | O_NONBLOCK) == -1) {
		rc = -errno;
		goto out;
	}
	rc = spawn_program(c, chan_fds[1], log_fds[1]);
	if (rc != 0)
		goto out;
	rc = adopt(c, chan_fds[0], log_fds[0], on_exit);
	chan_fds[0] = log_fds[0] = -1;
	if (rc != 0) {
		kill(c->pid, SIGKILL);
		child_reap(c);
	}
out:
	for (int i = 0; i < 2; i++) {
		if (chan_fds[i] != -1)
			close(chan_fds[i]);
		if (log_fds[i] != -1)
			close(log_fds[i]);
	}
	return rc;
}

/* --- end -------------------------------------------------------------------- */

void child_exit_text(int status, char *dst, size_t size)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		snprintf(dst, size,
			 "killed: it made a system call outside its list");
	else if (WIFSIGNALED(status))
		snprintf(dst, size, "killed by signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(dst, size, "ended with status %d",
			 WEXITSTATUS(status));
}

static void watch_close(struct child *c, struct loop_fd *lfd)
{
	int fd = lfd->fd;

	if (fd == -1)
		return;
	loop_del(&c->sup->loop, lfd);
	close(fd);
}

void child_reap(struct child *c)
{
	int status = 0;

	c->ended_well = false;
	if (c->pid > 0 && waitpid(c->pid, &status, 0) == c->pid) {
		child_exit_text(status, c->last_exit, sizeof(c->last_exit));
		c->ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	c->pid = 0;
	watch_close(c, &c->exit_watch);
	/* What it printed last is the most useful. */
	if (c->log_watch.fd != -1)
		log_event(&c->log_watch, EPOLLIN);
	watch_close(c, &c->log_watch);
	chan_close(&c->chan);
	c->state = CHILD_DOWN;
}
