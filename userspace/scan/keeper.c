// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scan/canary.h"
#include "scan/wire.h"
#include "scan/worker.h"
#include "sys/clock.h"
#include "sys/log.h"

/* Those that can be alive at a time: busy, idle, and dying ones. */
#define CHILDREN_MAX (4 * CONFIG_WORKERS)

/* So close to the limit of memory that this was the reason. */
#define NEARLY (1u << 20)

struct child {
	pid_t pid; /* 0: unused */
	uint64_t worker;
};

struct keeper {
	const struct keeper_kit *kit;
	const struct engine_ops *ops;
	struct engine *engine;
	struct child children[CHILDREN_MAX];
	uint64_t next_check_ms;
};

/* --- loading ---------------------------------------------------------------- */

/* Private memory of this process in bytes, or 0 (proc(5), statm). */
static uint64_t data_size(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	uint64_t pages = 0;
	char line[256];
	char *p = line;

	if (f == NULL)
		return 0;
	/* size resident shared text lib DATA */
	if (fgets(line, sizeof(line), f) != NULL)
		for (int field = 0; field < 6; field++)
			pages = strtoull(p, &p, 10);
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Only the soft limit: workers add what they need for their objects. */
static int limit_memory(uint64_t engine_memory)
{
	struct rlimit limit = {.rlim_max = RLIM_INFINITY};

	if (engine_memory == 0)
		return 0;
	limit.rlim_cur = data_size() + engine_memory;
	return setrlimit(RLIMIT_DATA, &limit) == -1 ? -errno : 0;
}

/* libclamav calls it "malformed database" when memory ends in the middle. */
static bool out_of_memory(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_DATA, &limit) == 0 &&
	       limit.rlim_cur != RLIM_INFINITY &&
	       data_size() + NEARLY > limit.rlim_cur;
}

static int load(struct keeper *k, struct wire_loaded *loaded,
		char wrong[ENGINE_TEXT_MAX])
{
	struct engine_info info = {0};
	struct canary canary;
	int rc = limit_memory(k->kit->scan->engine_memory);

	if (rc == 0)
		rc = k->ops->load(&k->engine, k->kit->scan, &info, wrong);
	if (rc == 0)
		rc = k->ops->attach(k->engine, k->kit->dirs->disk, NULL);
	if (rc == 0)
		rc = canary_run(k->ops, k->engine, &canary, wrong);
	if (rc != 0) {
		if (out_of_memory())
			snprintf(wrong, ENGINE_TEXT_MAX,
				 "the engine needs more memory than "
				 "scan.engine_memory allows");
		else if (wrong[0] == '\0')
			snprintf(wrong, ENGINE_TEXT_MAX, "%s", strerror(-rc));
		return rc;
	}
	loaded->signatures = info.signatures;
	loaded->finds_eicar = canary.finds_eicar;
	if (!canary.reports_limits)
		snprintf(loaded->warning, sizeof(loaded->warning),
			 "it calls what exceeds its limits clean (set "
			 "AlertExceedsMax yes in clamd.conf)");
	else
		snprintf(loaded->warning, sizeof(loaded->warning), "%s",
			 info.warning);
	return 0;
}

/* 0, or -errno: then the dispatcher knows why. */
static int begin(struct keeper *k)
{
	struct wire_loaded loaded;
	struct wire_failed failed;
	int rc;

	memset(&loaded, 0, sizeof(loaded));
	memset(&failed, 0, sizeof(failed));
	rc = load(k, &loaded, failed.why);
	if (rc == 0)
		return wire_send(WIRE_FD, WIRE_LOADED, &loaded, sizeof(loaded),
				 -1);
	if (wire_send(WIRE_FD, WIRE_FAILED, &failed, sizeof(failed), -1) != 0)
		log_error("engine: %s", failed.why);
	return rc;
}

/* --- workers ---------------------------------------------------------------- */

static struct child *child_with(struct keeper *k, pid_t pid)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (k->children[i].pid == pid)
			return &k->children[i];
	return NULL;
}

static _Noreturn void become_worker(struct keeper *k, uint64_t id, int sock,
				    pid_t keeper, const struct dirs *own)
{
	struct worker_kit kit = {
		.ops = k->ops,
		.engine = k->engine,
		.scan = k->kit->scan,
		.own = *own,
	};
	int rc = wire_become_child(sock, keeper);

	if (rc != 0) {
		log_error("worker " WIRE_WORKER_FORMAT ": %s",
			  WIRE_WORKER_ARGS(id), strerror(-rc));
		_exit(1);
	}
	worker_run(&kit);
}

/* A worker on @sock; its pidfd or -errno. */
static int fork_worker(struct keeper *k, uint64_t id, int sock)
{
	struct child *child = child_with(k, 0);
	pid_t keeper = getpid();
	struct dirs own;
	int rc;

	if (child == NULL)
		return -EAGAIN;
	rc = dirs_add(k->kit->dirs, id, &own);
	if (rc != 0)
		return rc;
	child->pid = fork();
	if (child->pid == 0)
		become_worker(k, id, sock, keeper, &own);
	if (child->pid == -1) {
		rc = -errno;
		child->pid = 0;
		dirs_remove(k->kit->dirs, id);
		return rc;
	}
	child->worker = id;
	/* It can't have been reaped yet, so this is it and no other process. */
	rc = pidfd_open(child->pid, 0);
	if (rc == -1) {
		rc = -errno;
		kill(child->pid, SIGKILL);
	}
	return rc;
}

static int on_fork(struct keeper *k)
{
	struct wire_forked forked = {0};
	struct wire_fork order;
	int sock = -1, pidfd;
	int rc = wire_receive(WIRE_FD, WIRE_FORK, &order, sizeof(order), &sock);

	if (rc <= 0)
		return rc;
	pidfd = fork_worker(k, order.worker, sock);
	close(sock);
	forked.worker = order.worker;
	if (pidfd < 0)
		forked.error = pidfd;
	rc = wire_send(WIRE_FD, WIRE_FORKED, &forked, sizeof(forked),
		       pidfd < 0 ? -1 : pidfd);
	if (pidfd >= 0)
		close(pidfd);
	return rc == 0 ? 1 : rc;
}

static void log_death(const struct child *c, int status)
{
	/* SIGKILL: the dispatcher did it, and says so itself. */
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		log_error("worker " WIRE_WORKER_FORMAT
			  " (pid %d) died of signal %d (%s)",
			  WIRE_WORKER_ARGS(c->worker), c->pid, WTERMSIG(status),
			  strsignal(WTERMSIG(status)));
	else if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		log_error("worker " WIRE_WORKER_FORMAT
			  " (pid %d) ended with status %d",
			  WIRE_WORKER_ARGS(c->worker), c->pid,
			  WEXITSTATUS(status));
}

static void reap(struct keeper *k, int options)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, options)) > 0) {
		struct child *child = child_with(k, pid);

		if (child == NULL)
			continue;
		log_death(child, status);
		dirs_remove(k->kit->dirs, child->worker);
		child->pid = 0;
	}
}

/* --- its life --------------------------------------------------------------- */

static void on_child(int sig)
{
	(void)sig; /* only to wake ppoll(2) */
}

/* Ask the engine whether it is what it was. 0, or -errno: give up. */
static int check(struct keeper *k)
{
	uint64_t now = clock_system.monotonic_ms();
	struct wire_failed failed;
	int rc;

	if (k->ops->check_ms == 0 || now < k->next_check_ms)
		return 0;
	memset(&failed, 0, sizeof(failed));
	rc = k->ops->check(k->engine, failed.why);
	k->next_check_ms = clock_system.monotonic_ms() + k->ops->check_ms;
	if (rc == -ESTALE)
		return wire_send(WIRE_FD, WIRE_STALE, NULL, 0, -1);
	if (rc != 0 &&
	    wire_send(WIRE_FD, WIRE_FAILED, &failed, sizeof(failed), -1) != 0)
		log_error("engine: %s", failed.why);
	return rc;
}

/* SIGCHLD is open only while it waits here, so none is missed. */
static int wait_for_work(struct keeper *k, const sigset_t *while_waiting)
{
	struct timespec second = {.tv_sec = 1};
	struct pollfd pfd = {.fd = WIRE_FD, .events = POLLIN};
	int n = ppoll(&pfd, 1, k->ops->check_ms > 0 ? &second : NULL,
		      while_waiting);

	if (n == -1 && errno != EINTR)
		return -errno;
	return n > 0 ? on_fork(k) : 1;
}

static int keep(struct keeper *k)
{
	struct sigaction action = {.sa_handler = on_child};
	sigset_t blocked, open;
	int rc = 1;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &blocked, &open) == -1 ||
	    sigaction(SIGCHLD, &action, NULL) == -1)
		return -errno;
	k->next_check_ms = clock_system.monotonic_ms() + k->ops->check_ms;
	while (rc > 0) {
		rc = wait_for_work(k, &open);
		reap(k, WNOHANG);
		if (rc > 0) {
			int gone = check(k);

			rc = gone == 0 ? rc : gone;
		}
	}
	return rc;
}

/* The dispatcher let go of it: whoever still works has nobody to answer. */
static void end(struct keeper *k)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (k->children[i].pid != 0)
			kill(k->children[i].pid, SIGKILL);
	reap(k, 0);
}

_Noreturn void keeper_run(const struct keeper_kit *kit)
{
	struct keeper k = {.kit = kit, .ops = engine_of(kit->scan->engine)};
	int rc = k.ops != NULL ? begin(&k) : -EINVAL;

	if (rc == 0)
		rc = keep(&k);
	end(&k);
	_exit(rc == 0 ? 0 : 1);
}
