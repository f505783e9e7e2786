// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/generation.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scan/keeper.h"
#include "sys/log.h"

#define LOAD_LIMIT_MS (5 * 60 * 1000)

static const struct chan_ops control_ops;

/* --- the end ------------------------------------------------------------------ */

static void free_generation(struct loop_task *task)
{
	struct generation *gen = list_entry(task, struct generation, free_task);

	crew_dismiss(gen);
	timer_cancel(&gen->loop->wheel, &gen->limit);
	gen->ops->gone(gen);
	list_del(&gen->node);
	config_ref_put(gen->config);
	free(gen);
}

void generation_settle(struct generation *gen)
{
	if (!list_empty(&gen->busy))
		return;
	if (gen->state == GENERATION_DRAINING) {
		/* The keeper reads the end of its channel and leaves. */
		gen->state = GENERATION_ENDING;
		chan_close(&gen->control);
	}
	if (gen->state == GENERATION_ENDING && gen->exit_watch.fd == -1 &&
	    !chan_is_open(&gen->control))
		loop_defer(gen->loop, &gen->free_task);
}

static void terminate(struct generation *gen)
{
	if (gen->exit_watch.fd != -1)
		(void)pidfd_send_signal(gen->exit_watch.fd, SIGKILL, NULL, 0);
}

void generation_kill(struct generation *gen)
{
	gen->state = GENERATION_ENDING;
	terminate(gen);
}

void generation_drain(struct generation *gen)
{
	if (gen->state >= GENERATION_DRAINING)
		return;
	gen->state = GENERATION_DRAINING;
	timer_cancel(&gen->loop->wheel, &gen->limit);
	crew_dismiss(gen);
	generation_settle(gen);
}

/* --- the keeper --------------------------------------------------------------- */

static struct generation *gen_of(struct chan *ch)
{
	return list_entry(ch, struct generation, control);
}

static int on_loaded(struct chan *ch, const struct chan_msg *m)
{
	struct generation *gen = gen_of(ch);

	if (gen->state != GENERATION_LOADING)
		return 0; /* it is being killed */
	memcpy(&gen->loaded, m->body, sizeof(gen->loaded));
	gen->loaded.warning[ENGINE_TEXT_MAX - 1] = '\0';
	gen->state = GENERATION_STARTING;
	timer_cancel(&gen->loop->wheel, &gen->limit);
	crew_top_up(gen);
	return 0;
}

/* Its end follows; then this is the reason. */
static int on_failed(struct chan *ch, const struct chan_msg *m)
{
	struct generation *gen = gen_of(ch);
	const struct wire_failed *failed = m->body;

	memcpy(gen->why, failed->why, sizeof(gen->why));
	gen->why[ENGINE_TEXT_MAX - 1] = '\0';
	return 0;
}

static int on_forked(struct chan *ch, const struct chan_msg *m)
{
	const struct wire_forked *forked = m->body;

	crew_forked(gen_of(ch), forked->worker, m->nfds > 0 ? m->fds[0] : -1,
		    forked->error);
	return 0;
}

static int on_stale(struct chan *ch, const struct chan_msg *m)
{
	struct generation *gen = gen_of(ch);

	(void)m;
	if (gen->state == GENERATION_SERVING)
		gen->ops->stale(gen);
	return 0;
}

/*
 * The keeper has ended, and its workers with it (they die with their parent);
 * their jobs are reported as their channels close.
 */
static void on_control_closed(struct chan *ch, const char *violation)
{
	struct generation *gen = gen_of(ch);
	bool failed = gen->state < GENERATION_DRAINING;

	timer_cancel(&gen->loop->wheel, &gen->limit);
	if (violation != NULL) {
		log_error("a keeper sent %s: killed", violation);
		terminate(gen);
	}
	if (gen->why[0] == '\0')
		snprintf(gen->why, sizeof(gen->why),
			 "the process that %s the engine died",
			 gen->state == GENERATION_LOADING ? "loads" : "holds");
	gen->state = GENERATION_ENDING;
	crew_dismiss(gen);
	if (failed)
		gen->ops->failed(gen, gen->why);
	generation_settle(gen);
}

static const struct chan_rule control_rules[] = {
	{WIRE_LOADED, sizeof(struct wire_loaded), 0, 0, 0, on_loaded},
	{WIRE_FAILED, sizeof(struct wire_failed), 0, 0, 0, on_failed},
	{WIRE_FORKED, sizeof(struct wire_forked), 0, 0, 1, on_forked},
	{WIRE_STALE, 0, 0, 0, 0, on_stale},
};

static const struct chan_ops control_ops = {
	.rules = control_rules,
	.nrules = sizeof(control_rules) / sizeof(control_rules[0]),
	.closed = on_control_closed,
};

/* Its last words are read from the channel, whose end comes by itself. */
static void on_keeper_exit(struct loop_fd *lfd, uint32_t events)
{
	struct generation *gen = list_entry(lfd, struct generation, exit_watch);
	siginfo_t info = {0};
	int pidfd = lfd->fd;

	(void)events;
	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) == -1)
		log_error("can't reap a keeper: %s", strerror(errno));
	else if (info.si_code != CLD_EXITED && gen->state < GENERATION_DRAINING)
		log_error("generation %u: its keeper died of signal %d (%s)",
			  gen->number, info.si_status,
			  strsignal(info.si_status));
	loop_del(gen->loop, lfd);
	close(pidfd);
	generation_settle(gen);
}

static void on_limit(struct timer *t, uint64_t now_ms)
{
	struct generation *gen =
		list_entry(&t->node, struct generation, limit.node);

	(void)now_ms;
	snprintf(gen->why, sizeof(gen->why), "%s",
		 gen->state == GENERATION_LOADING
			 ? "it was not loaded within 5 minutes"
			 : "it forks no workers");
	terminate(gen);
}

/* --- the beginning ------------------------------------------------------------ */

static _Noreturn void become_keeper(struct generation *gen, int sock,
				    pid_t dispatcher)
{
	struct keeper_kit kit = {
		.scan = &gen->config->config->scan,
		.dirs = gen->dirs,
	};
	int rc = wire_become_child(sock, dispatcher);

	log_open("scan/engine", gen->config->config->log_level);
	if (rc != 0) {
		log_error("can't begin: %s", strerror(-rc));
		_exit(1);
	}
	keeper_run(&kit);
}

/* Fork it; its pidfd or -errno. */
static int fork_keeper(struct generation *gen, int sock)
{
	pid_t dispatcher = getpid();
	pid_t pid = fork();
	int pidfd;

	if (pid == -1)
		return -errno;
	if (pid == 0)
		become_keeper(gen, sock, dispatcher);
	/* Only we reap it, so the number is still its own. */
	pidfd = pidfd_open(pid, 0);
	if (pidfd == -1) {
		pidfd = -errno;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return pidfd;
}

unsigned int generation_workers(const struct config_scan *scan)
{
	cpu_set_t cores;

	if (scan->workers != 0)
		return scan->workers;
	/* The cores that this process may use. */
	if (sched_getaffinity(0, sizeof(cores), &cores) == -1)
		return 1;
	return CPU_COUNT(&cores) < CONFIG_WORKERS
		       ? (unsigned int)CPU_COUNT(&cores)
		       : CONFIG_WORKERS;
}

static int begin(struct generation *gen)
{
	int fds[2], pidfd;
	int rc = chan_pair(fds);

	if (rc != 0)
		return rc;
	pidfd = fork_keeper(gen, fds[1]);
	close(fds[1]);
	if (pidfd < 0) {
		close(fds[0]);
		return pidfd;
	}
	rc = chan_open(&gen->control, fds[0]);
	if (rc == 0)
		rc = loop_add(gen->loop, &gen->exit_watch, pidfd, EPOLLIN,
			      on_keeper_exit);
	if (rc == 0)
		return 0;
	chan_close(&gen->control);
	(void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	(void)waitid(P_PIDFD, (id_t)pidfd, NULL, WEXITED);
	close(pidfd);
	return rc;
}

struct generation *generation_start(struct loop *loop,
				    const struct generation_ops *ops,
				    void *user, struct config_ref *config,
				    const struct dirs *dirs, uint32_t number)
{
	struct generation *gen = calloc(1, sizeof(*gen));
	int rc;

	if (gen == NULL)
		return NULL;
	gen->ops = ops;
	gen->user = user;
	gen->loop = loop;
	gen->dirs = dirs;
	gen->number = number;
	gen->wanted = generation_workers(&config->config->scan);
	gen->exit_watch.fd = -1;
	list_init(&gen->node);
	list_init(&gen->starting);
	list_init(&gen->idle);
	list_init(&gen->busy);
	timer_init(&gen->limit, on_limit);
	loop_task_init(&gen->free_task, free_generation);
	chan_init(&gen->control, loop, &control_ops, gen);
	gen->config = config_ref_get(config);
	rc = begin(gen);
	if (rc != 0) {
		log_error("can't fork a keeper: %s", strerror(-rc));
		config_ref_put(gen->config);
		free(gen);
		return NULL;
	}
	timer_arm(&loop->wheel, &gen->limit, loop->now_ms + LOAD_LIMIT_MS);
	return gen;
}

void generation_serve(struct generation *gen)
{
	gen->state = GENERATION_SERVING;
}

void generation_end(struct generation *gen)
{
	/* One that loads doesn't read its channel. */
	if (gen->state == GENERATION_LOADING)
		terminate(gen);
	gen->state = GENERATION_ENDING;
	crew_abort(gen);
	chan_close(&gen->control);
}

void generation_await(struct generation *gen, uint64_t limit_ms)
{
	struct pollfd pfd = {.fd = gen->exit_watch.fd, .events = POLLIN};

	if (pfd.fd != -1) {
		if (poll(&pfd, 1, (int)limit_ms) != 1)
			terminate(gen);
		(void)waitid(P_PIDFD, (id_t)pfd.fd, NULL, WEXITED);
		loop_del(gen->loop, &gen->exit_watch);
		close(pfd.fd);
	}
	generation_settle(gen);
}
