// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "roles/sluiced/backoff.h"
#include "roles/sluiced/child_msg.h"
#include "roles/sluiced/ending.h"
#include "roles/sluiced/peers.h"
#include "roles/sluiced/spawn.h"
#include "roles/sluiced/supervise.h"
#include "sys/log.h"
#include "sys/memfile.h"

#define STEADY_MS      30000 /* ran this long: the next failure is a first */
#define START_LIMIT_MS 15000 /* from start to MSG_READY */
/* A heartbeat is at most 250 ms old while the role's loop turns. */
#define FRESH_MS       2500

/* How long a role may be silent before it is taken for hung and killed. */
static const uint64_t hung_after_ms[ROLE_COUNT] = {
	[ROLE_RELAY] = 3000,
	[ROLE_NET] = 8000,     /* waits for the kernel at most 2 s a request */
	[ROLE_SCAN] = 10000,   /* never touches an object itself */
	[ROLE_LOG] = 60000,    /* waits for the disk */
	[ROLE_APP] = 5000,     /* traffic flows without it */
	[ROLE_RESOLVE] = 5000, /* reads two small files, waits for nobody */
};

void child_describe(const struct child *c, char *dst, size_t size)
{
	if (c->state == CHILD_READY)
		snprintf(dst, size, "running");
	else if (c->state == CHILD_STARTING)
		snprintf(dst, size, "starting");
	else if (!c->wanted)
		snprintf(dst, size, "not needed");
	else
		snprintf(dst, size, "down: %s", c->last_exit);
}

/* --- start and end -------------------------------------------------------------- */

static void restart_later(struct child *c)
{
	struct loop *loop = &c->sup->loop;

	timer_arm(&loop->wheel, &c->restart,
		  loop->now_ms + backoff_ms(c->failures));
	c->failures++;
}

static void on_exit_watch(struct loop_fd *lfd, uint32_t events)
{
	struct child *c = list_entry(lfd, struct child, exit_watch);
	struct supervisor *sup = c->sup;
	uint64_t ran = sup->loop.now_ms - c->started_ms;
	pid_t pid = c->pid;

	(void)events;
	child_reap(c);
	if (sup->listener.child_gone != NULL)
		sup->listener.child_gone(sup->listener.user, c->role, c->index);
	if (!c->wanted) {
		log_debug("%s/%u (pid %d) %s", role_name(c->role), c->index,
			  (int)pid, c->last_exit);
		ending_child_gone(sup, c);
		return;
	}
	if (ran > STEADY_MS)
		c->failures = 0;
	log_error("%s/%u (pid %d) %s after %llu s; it is started again",
		  role_name(c->role), c->index, (int)pid, c->last_exit,
		  (unsigned long long)ran / 1000);
	restart_later(c);
}

void child_start(struct child *c)
{
	struct supervisor *sup = c->sup;

	c->started_ms = sup->loop.now_ms;
	if (child_spawn(c, &child_msg_ops, on_exit_watch) != 0) {
		snprintf(c->last_exit, sizeof(c->last_exit), "can't start");
		if (c->wanted)
			restart_later(c);
		return;
	}
	c->state = CHILD_STARTING;
	peers_connect(c);
}

static void on_restart(struct timer *t, uint64_t now_ms)
{
	struct child *c = list_entry(&t->node, struct child, restart.node);

	(void)now_ms;
	c->restarts++;
	child_start(c);
}

void child_stop(struct child *c, uint64_t ms)
{
	struct msg_stop msg = {.timeout_ms = ms};

	c->wanted = false;
	timer_cancel(&c->sup->loop.wheel, &c->restart);
	if (child_up(c) &&
	    chan_send(&c->chan, MSG_STOP, &msg, sizeof(msg)) != 0)
		kill(c->pid, SIGKILL);
}

void child_kill(struct child *c, const char *why)
{
	log_error("%s/%u (pid %d): %s: killed", role_name(c->role), c->index,
		  (int)c->pid, why);
	if (c->pid > 0)
		kill(c->pid, SIGKILL);
}

/* --- its heartbeat ---------------------------------------------------------------- */

static uint64_t heartbeat_age(const struct child *c)
{
	uint64_t beat =
		__atomic_load_n(&c->stats->heartbeat_ms, __ATOMIC_RELAXED);
	uint64_t now = c->sup->loop.now_ms;

	return beat < now ? now - beat : 0;
}

bool child_lively(const struct child *c)
{
	return c->state == CHILD_READY && heartbeat_age(c) < FRESH_MS;
}

void child_check(struct child *c)
{
	uint64_t age = c->sup->loop.now_ms - c->started_ms;

	if (c->state == CHILD_READY &&
	    heartbeat_age(c) > hung_after_ms[c->role])
		child_kill(c, "it hangs");
	else if (c->state == CHILD_STARTING && age > START_LIMIT_MS)
		child_kill(c, "it does not get ready");
}

/* --- the slot ---------------------------------------------------------------------- */

int child_init(struct child *c, struct supervisor *sup, enum role_id role,
	       uint32_t index)
{
	memset(c, 0, sizeof(*c));
	c->sup = sup;
	c->role = role;
	c->index = index;
	c->exit_watch.fd = -1;
	c->log_watch.fd = -1;
	chan_init(&c->chan, &sup->loop, &child_msg_ops, c);
	timer_init(&c->restart, on_restart);
	c->stats_fd = memfile_shared("sluice-stats", sizeof(*c->stats));
	if (c->stats_fd < 0)
		return c->stats_fd;
	c->stats = memfile_map_shared(c->stats_fd, sizeof(*c->stats));
	return c->stats != NULL ? 0 : -errno;
}

void child_close(struct child *c)
{
	timer_cancel(&c->sup->loop.wheel, &c->restart);
	memfile_unmap(c->stats, sizeof(*c->stats));
	close(c->stats_fd);
}
