// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/hasher.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scan/hash.h"
#include "scan/wire.h"
#include "sys/log.h"

/* Up to here a message to another process costs more than the hash. */
#define HERE_MAX   (32u << 10)
#define RESTART_MS 1000

static const struct chan_ops ops;

/* --- the child ------------------------------------------------------------------ */

static void on_exit_of_child(struct loop_fd *lfd, uint32_t events)
{
	struct hasher *h = list_entry(lfd, struct hasher, exit_watch);
	int pidfd = lfd->fd;

	(void)events;
	(void)waitid(P_PIDFD, (id_t)pidfd, NULL, WEXITED | WNOHANG);
	loop_del(h->loop, lfd);
	close(pidfd);
}

/* Fork it; its pidfd or -errno. */
static int fork_hasher(struct hasher *h, int sock)
{
	pid_t dispatcher = getpid();
	pid_t pid = fork();
	int pidfd;

	if (pid == -1)
		return -errno;
	if (pid == 0) {
		log_open("scan/hasher", h->level);
		if (wire_become_child(sock, dispatcher) != 0)
			_exit(1);
		hasher_run();
	}
	pidfd = pidfd_open(pid, 0);
	if (pidfd == -1) {
		pidfd = -errno;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return pidfd;
}

int hasher_start(struct hasher *h)
{
	int fds[2], pidfd;
	int rc = chan_pair(fds);

	if (rc != 0)
		return rc;
	pidfd = fork_hasher(h, fds[1]);
	close(fds[1]);
	if (pidfd < 0) {
		close(fds[0]);
		return pidfd;
	}
	rc = loop_add(h->loop, &h->exit_watch, pidfd, EPOLLIN,
		      on_exit_of_child);
	if (rc != 0) {
		close(fds[0]); /* it ends by itself, and is never reaped */
		close(pidfd);
		return rc;
	}
	return chan_open(&h->chan, fds[0]);
}

static void on_restart(struct timer *t, uint64_t now_ms)
{
	struct hasher *h = list_entry(&t->node, struct hasher, restart.node);
	int rc = -EAGAIN;

	if (h->exit_watch.fd == -1)
		rc = hasher_start(h);
	if (rc == 0)
		return;
	log_error("can't start the hasher: %s", strerror(-rc));
	timer_arm(&h->loop->wheel, t, now_ms + RESTART_MS);
}

/* --- answers -------------------------------------------------------------------- */

static void finish(struct hasher *h, struct job *job, enum job_hash hash)
{
	list_del(&job->hashing);
	job->hash = hash;
	h->done(h, job);
}

static int on_hashed(struct chan *ch, const struct chan_msg *m)
{
	struct hasher *h = list_entry(ch, struct hasher, chan);
	const struct wire_hashed *answer = m->body;
	struct list *pos;

	/* It answers in order; those before it have been freed meanwhile. */
	list_for_each(pos, &h->jobs) {
		struct job *job = list_entry(pos, struct job, hashing);

		if (job->serial != answer->job)
			continue;
		memcpy(job->sha256, answer->sha256, sizeof(job->sha256));
		finish(h, job, answer->error == 0 ? HASH_KNOWN : HASH_NONE);
		break;
	}
	return 0;
}

static void on_closed(struct chan *ch, const char *violation)
{
	struct hasher *h = list_entry(ch, struct hasher, chan);

	log_error("the hasher %s%s", violation == NULL ? "died" : "sent ",
		  violation == NULL ? "" : violation);
	if (h->exit_watch.fd != -1)
		(void)pidfd_send_signal(h->exit_watch.fd, SIGKILL, NULL, 0);
	while (!list_empty(&h->jobs))
		finish(h, list_entry(h->jobs.next, struct job, hashing),
		       HASH_NONE);
	timer_arm(&h->loop->wheel, &h->restart, h->loop->now_ms + RESTART_MS);
}

static const struct chan_rule rules[] = {
	{WIRE_HASHED, sizeof(struct wire_hashed), 0, 0, 0, on_hashed},
};

static const struct chan_ops ops = {
	.rules = rules,
	.nrules = 1,
	.closed = on_closed,
};

/* --- jobs ----------------------------------------------------------------------- */

void hasher_submit(struct hasher *h, struct job *job)
{
	struct wire_hash msg = {.job = job->serial, .size = job->msg.size};

	job->hash = HASH_NONE;
	/* A hash of what may change afterwards is worth nothing. */
	if (job->object == OBJECT_LOOSE)
		return;
	if (job->object == OBJECT_SEALED && msg.size <= HERE_MAX) {
		if (hash_file(h->here, job->fd, msg.size, job->sha256) == 0)
			job->hash = HASH_KNOWN;
		return;
	}
	if (!chan_is_open(&h->chan) ||
	    chan_send_full(&h->chan, (enum msg_type)WIRE_HASH, &msg,
			   sizeof(msg), NULL, 0, &job->fd, 1) != 0)
		return;
	job->hash = HASH_PENDING;
	list_add_tail(&h->jobs, &job->hashing);
}

void hasher_forget(struct job *job)
{
	list_del(&job->hashing);
}

/* --- set-up --------------------------------------------------------------------- */

int hasher_init(struct hasher *h, struct loop *loop, hasher_fn done,
		enum config_log_level level)
{
	h->loop = loop;
	h->done = done;
	h->level = level;
	h->exit_watch.fd = -1;
	list_init(&h->jobs);
	timer_init(&h->restart, on_restart);
	chan_init(&h->chan, loop, &ops, h);
	h->here = hash_new();
	return h->here != NULL ? 0 : -ENOMEM;
}

void hasher_close(struct hasher *h)
{
	int pidfd = h->exit_watch.fd;

	timer_cancel(&h->loop->wheel, &h->restart);
	chan_close(&h->chan);
	if (pidfd != -1) {
		/* It may be in the middle of a large object. */
		(void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
		(void)waitid(P_PIDFD, (id_t)pidfd, NULL, WEXITED);
		loop_del(h->loop, &h->exit_watch);
		close(pidfd);
	}
	hash_free(h->here);
	h->here = NULL;
}
