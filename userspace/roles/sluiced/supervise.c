// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/supervise.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/vcache.h"
#include "roles/sluiced/spawn.h"
#include "sys/log.h"
#include "sys/memfile.h"

#define TICK_MS		 1000
#define BACKOFF_FIRST_MS 100
#define BACKOFF_LAST_MS	 10000
#define STEADY_MS	 30000 /* ran this long: the next failure is a first */
#define START_LIMIT_MS	 15000 /* from start to MSG_READY */
/* A heartbeat is at most 250 ms old while the role's loop turns. */
#define FRESH_MS	 2500
#define ACCUSE_MS	 5000  /* a relay may accuse one peer in this time */
#define ENDING_MS	 5000  /* scan and log, after the relays */
#define NET_ENDING_MS	 65000 /* net: until TIME_WAIT sockets are gone */

/* How long a role may be silent before it is taken for hung and killed. */
static const uint64_t hung_after_ms[ROLE_COUNT] = {
	[ROLE_RELAY] = 3000,
	[ROLE_NET] = 8000,   /* waits for the kernel at most 2 s a request */
	[ROLE_SCAN] = 10000, /* never touches an object itself */
	[ROLE_LOG] = 60000,  /* waits for the disk */
};

static const struct chan_ops child_ops;
static void child_ended(struct loop_fd *lfd, uint32_t events);

/* --- children --------------------------------------------------------------- */

struct child *supervisor_child(struct supervisor *sup, enum role_id role,
			       uint32_t index)
{
	for (size_t i = 0; i < sup->nchildren; i++) {
		struct child *c = &sup->children[i];

		if (c->role == role && c->index == index)
			return c;
	}
	return NULL;
}

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

static bool child_up(const struct child *c)
{
	return c->state != CHILD_DOWN;
}

/* Relays talk with net, scan and log; nobody else talks with anybody. */
static bool roles_talk(enum role_id a, enum role_id b)
{
	return (a == ROLE_RELAY) != (b == ROLE_RELAY);
}

static int send_peer(struct child *to, const struct child *about, int fd)
{
	struct msg_peer peer = {.role = about->role, .index = about->index};

	return chan_send_full(&to->chan, MSG_PEER, &peer, sizeof(peer), NULL, 0,
			      &fd, 1);
}

/* A new channel between two running children; an earlier one is replaced. */
static void connect_pair(struct child *a, struct child *b)
{
	int fds[2];
	int rc = chan_pair(fds);

	if (rc == 0) {
		rc = send_peer(a, b, fds[0]);
		if (rc == 0)
			rc = send_peer(b, a, fds[1]);
		close(fds[0]);
		close(fds[1]);
	}
	if (rc != 0)
		log_error("can't connect %s/%u and %s/%u: %s",
			  role_name(a->role), a->index, role_name(b->role),
			  b->index, strerror(-rc));
}

static void connect_peers(struct child *c)
{
	struct supervisor *sup = c->sup;

	for (size_t i = 0; i < sup->nchildren; i++) {
		struct child *other = &sup->children[i];

		if (child_up(other) && roles_talk(c->role, other->role))
			connect_pair(c, other);
	}
}

static void restart_later(struct child *c)
{
	struct supervisor *sup = c->sup;
	uint64_t wait = BACKOFF_FIRST_MS;

	for (unsigned int i = 0; i < c->failures && wait < BACKOFF_LAST_MS; i++)
		wait *= 2;
	if (wait > BACKOFF_LAST_MS)
		wait = BACKOFF_LAST_MS;
	c->failures++;
	timer_arm(&sup->loop.wheel, &c->restart, sup->loop.now_ms + wait);
}

static void child_start(struct child *c)
{
	struct supervisor *sup = c->sup;

	c->started_ms = sup->loop.now_ms;
	if (child_spawn(c, &child_ops, child_ended) != 0) {
		snprintf(c->last_exit, sizeof(c->last_exit), "can't start");
		restart_later(c);
		return;
	}
	c->state = CHILD_STARTING;
	connect_peers(c);
}

static void child_restart(struct timer *t, uint64_t now_ms)
{
	struct child *c = list_entry(&t->node, struct child, restart.node);

	(void)now_ms;
	if (!c->wanted || c->sup->phase != PHASE_RUNNING)
		return;
	c->restarts++;
	child_start(c);
}

static void child_ended(struct loop_fd *lfd, uint32_t events)
{
	struct child *c = list_entry(lfd, struct child, exit_watch);
	struct supervisor *sup = c->sup;
	uint64_t ran = sup->loop.now_ms - c->started_ms;
	pid_t pid = c->pid;

	(void)events;
	child_reap(c);
	if (sup->listener.child_gone != NULL)
		sup->listener.child_gone(sup->listener.user, c->role, c->index);
	if (sup->phase != PHASE_RUNNING || !c->wanted) {
		log_debug("%s/%u (pid %d) %s", role_name(c->role), c->index,
			  (int)pid, c->last_exit);
		return;
	}
	if (ran > STEADY_MS)
		c->failures = 0;
	log_error("%s/%u (pid %d) %s after %llu s; it is started again",
		  role_name(c->role), c->index, (int)pid, c->last_exit,
		  (unsigned long long)ran / 1000);
	restart_later(c);
}

static void child_kill(struct child *c, const char *why)
{
	log_error("%s/%u (pid %d): %s: killed", role_name(c->role), c->index,
		  (int)c->pid, why);
	if (c->pid > 0)
		kill(c->pid, SIGKILL);
}

/* --- messages of the children ----------------------------------------------- */

static struct child *child_of(struct chan *ch)
{
	return list_entry(ch, struct child, chan);
}

static int on_ready(struct chan *ch, const struct chan_msg *msg)
{
	struct child *c = child_of(ch);

	(void)msg;
	if (c->state != CHILD_STARTING)
		return -EPROTO;
	c->state = CHILD_READY;
	log_info("%s/%u is ready (pid %d)", role_name(c->role), c->index,
		 (int)c->pid);
	return 0;
}

/*
 * A peer broke the protocol. The word of net, scan and log against a relay is
 * enough to end the relay. A relay's word is not enough to end the others, or
 * one that was taken over could end them all: it gets a new channel, no more.
 */
static int on_violation(struct chan *ch, const struct chan_msg *msg)
{
	struct child *c = child_of(ch);
	const struct msg_peer *peer = msg->body;
	struct child *accused;

	accused = supervisor_child(c->sup, peer->role, peer->index);
	if (accused == NULL || !roles_talk(c->role, accused->role))
		return -EPROTO;
	if (accused->role == ROLE_RELAY) {
		child_kill(accused, "it broke the protocol between roles");
	} else if (c->sup->loop.now_ms - c->accused_ms < ACCUSE_MS) {
		child_kill(c, "it accuses other roles again and again");
	} else if (child_up(accused)) {
		c->accused_ms = c->sup->loop.now_ms;
		connect_pair(c, accused);
	}
	return 0;
}

static int on_text(struct chan *ch, const struct chan_msg *msg)
{
	struct child *c = child_of(ch);
	const struct supervisor_listener *l = &c->sup->listener;

	if (c->role != ROLE_NET)
		return -EPROTO;
	if (l->text != NULL)
		l->text(l->user, msg->body, msg->elements, msg->elements_len);
	return 0;
}

static int on_sessions(struct chan *ch, const struct chan_msg *msg)
{
	struct child *c = child_of(ch);
	const struct supervisor_listener *l = &c->sup->listener;

	if (c->role != ROLE_RELAY)
		return -EPROTO;
	if (l->sessions != NULL)
		l->sessions(l->user, c->index, msg->body,
			    (const void *)msg->elements,
			    msg->elements_len / sizeof(struct msg_session));
	return 0;
}

static const struct chan_rule child_rules[] = {
	{MSG_READY, 0, 0, 0, 0, on_ready},
	{MSG_VIOLATION, sizeof(struct msg_peer), 0, 0, 0, on_violation},
	{MSG_TEXT, sizeof(struct msg_text), 1, 0, 0, on_text},
	{MSG_SESSIONS, sizeof(struct msg_sessions), sizeof(struct msg_session),
	 0, 0, on_sessions},
};

/* Its end follows on the pidfd; a role that only closed the channel is ended. */
static void child_chan_closed(struct chan *ch, const char *violation)
{
	struct child *c = child_of(ch);
	char why[96];

	if (violation != NULL) {
		snprintf(why, sizeof(why), "it sent the parent %s", violation);
		child_kill(c, why);
	} else if (c->pid > 0 && c->sup->phase == PHASE_RUNNING) {
		kill(c->pid, SIGTERM);
	}
}

static const struct chan_ops child_ops = {
	.rules = child_rules,
	.nrules = sizeof(child_rules) / sizeof(child_rules[0]),
	.closed = child_chan_closed,
};

/* --- each second -------------------------------------------------------------- */

static uint64_t heartbeat_age(const struct child *c)
{
	uint64_t beat =
		__atomic_load_n(&c->stats->heartbeat_ms, __ATOMIC_RELAXED);
	uint64_t now = c->sup->loop.now_ms;

	return beat < now ? now - beat : 0;
}

static void check_child(struct child *c)
{
	uint64_t age = c->sup->loop.now_ms - c->started_ms;

	if (c->state == CHILD_READY &&
	    heartbeat_age(c) > hung_after_ms[c->role])
		child_kill(c, "it hangs");
	else if (c->state == CHILD_STARTING && age > START_LIMIT_MS)
		child_kill(c, "it does not get ready");
}

/* New connections are taken in while at least one relay works on them. */
static bool gateway_works(const struct supervisor *sup)
{
	for (size_t i = 0; i < sup->nchildren; i++) {
		const struct child *c = &sup->children[i];

		if (c->role == ROLE_RELAY && c->state == CHILD_READY &&
		    heartbeat_age(c) < FRESH_MS)
			return true;
	}
	return false;
}

/* The dead-man's switch: net passes it on to the kernel while we say so. */
static void say_alive(struct supervisor *sup)
{
	struct child *net = supervisor_child(sup, ROLE_NET, 0);
	struct msg_alive msg = {
		.alive = sup->phase == PHASE_RUNNING && gateway_works(sup),
	};

	if (net != NULL && net->state == CHILD_READY &&
	    chan_send(&net->chan, MSG_ALIVE, &msg, sizeof(msg)) != 0)
		log_error("net does not take messages");
}

static void advance_phase(struct supervisor *sup);

static void tick(struct timer *t, uint64_t now_ms)
{
	struct supervisor *sup =
		list_entry(&t->node, struct supervisor, tick.node);
	/* We ourselves were held up: nobody else is to blame for it. */
	bool late = now_ms > sup->tick_due + TICK_MS;

	for (size_t i = 0; i < sup->nchildren && !late; i++)
		check_child(&sup->children[i]);
	say_alive(sup);
	if (sup->phase != PHASE_RUNNING)
		advance_phase(sup);
	sup->tick_due = now_ms + TICK_MS;
	timer_arm(&sup->loop.wheel, t, sup->tick_due);
}

/* --- the end -------------------------------------------------------------------- */

static bool role_up(const struct supervisor *sup, enum role_id role)
{
	for (size_t i = 0; i < sup->nchildren; i++)
		if (sup->children[i].role == role &&
		    child_up(&sup->children[i]))
			return true;
	return false;
}

static void stop_role(struct supervisor *sup, enum role_id role, uint64_t ms)
{
	struct msg_stop msg = {.timeout_ms = ms};

	for (size_t i = 0; i < sup->nchildren; i++) {
		struct child *c = &sup->children[i];

		c->wanted = false;
		timer_cancel(&sup->loop.wheel, &c->restart);
		if (c->role == role && child_up(c) &&
		    chan_send(&c->chan, MSG_STOP, &msg, sizeof(msg)) != 0)
			kill(c->pid, SIGKILL);
	}
}

static void kill_all(struct supervisor *sup)
{
	for (size_t i = 0; i < sup->nchildren; i++)
		if (child_up(&sup->children[i]))
			child_kill(&sup->children[i], "it does not end");
}

/*
 * Relays first (what they carry still needs scan, log and the divert rules),
 * then scan and log (which takes the relays' last events), net last (it
 * removes rules and routes when nothing needs them any more).
 */
static void advance_phase(struct supervisor *sup)
{
	uint64_t now = sup->loop.now_ms;
	bool late = now >= sup->phase_deadline;

	if (sup->phase == PHASE_DRAINING &&
	    (late || !role_up(sup, ROLE_RELAY))) {
		sup->phase = PHASE_ENDING;
		sup->phase_deadline = now + NET_ENDING_MS;
		stop_role(sup, ROLE_SCAN, ENDING_MS);
		stop_role(sup, ROLE_LOG, ENDING_MS);
		stop_role(sup, ROLE_NET, NET_ENDING_MS);
	} else if (sup->phase == PHASE_ENDING) {
		if (late)
			kill_all(sup);
		for (size_t i = 0; i < sup->nchildren; i++)
			if (child_up(&sup->children[i]))
				return;
		sup->phase = PHASE_ENDED;
		loop_stop(&sup->loop);
	}
}

void supervisor_stop(struct supervisor *sup)
{
	uint64_t drain = sup->config->stop_timeout;

	if (sup->phase != PHASE_RUNNING) {
		log_warn("stopping at once");
		kill_all(sup);
		return;
	}
	log_info("stopping: no new connections; running exchanges have %llu s",
		 (unsigned long long)drain / 1000);
	sup->phase = PHASE_DRAINING;
	sup->phase_deadline = sup->loop.now_ms + drain + TICK_MS;
	say_alive(sup);
	stop_role(sup, ROLE_RELAY, drain);
	/* Look again soon: often nothing is left to drain. */
	timer_arm(&sup->loop.wheel, &sup->tick, sup->loop.now_ms + 50);
}

/* --- start, reload ---------------------------------------------------------------- */

static int add_child(struct supervisor *sup, enum role_id role, uint32_t index)
{
	struct child *c = &sup->children[sup->nchildren];

	memset(c, 0, sizeof(*c));
	c->sup = sup;
	c->role = role;
	c->index = index;
	c->exit_watch.fd = -1;
	c->log_watch.fd = -1;
	chan_init(&c->chan, &sup->loop, &child_ops, c);
	timer_init(&c->restart, child_restart);
	c->stats_fd = memfile_shared("sluice-stats", sizeof(*c->stats));
	if (c->stats_fd < 0)
		return c->stats_fd;
	c->stats = memfile_map_shared(c->stats_fd, sizeof(*c->stats));
	if (c->stats == NULL)
		return -errno;
	sup->nchildren++;
	return 0;
}

static uint32_t relay_count(const struct config *config)
{
	cpu_set_t cpus;
	int n;

	if (config->relays > 0)
		return config->relays;
	n = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus)
							   : 1;
	return n > CONFIG_RELAYS ? CONFIG_RELAYS : (uint32_t)n;
}

static int add_children(struct supervisor *sup)
{
	uint32_t relays = relay_count(sup->config);
	int rc = add_child(sup, ROLE_LOG, 0);

	if (rc == 0)
		rc = add_child(sup, ROLE_SCAN, 0);
	if (rc == 0)
		rc = add_child(sup, ROLE_NET, 0);
	for (uint32_t i = 0; i < relays && rc == 0; i++)
		rc = add_child(sup, ROLE_RELAY, i);
	return rc;
}

int supervisor_init(struct supervisor *sup, struct config *config)
{
	int rc;

	memset(sup, 0, sizeof(*sup));
	sup->config = config;
	sup->cache_fd = -1;
	sup->config_fd =
		memfile_snapshot("sluice-config", config, sizeof(*config));
	if (sup->config_fd < 0) {
		rc = sup->config_fd;
		goto fail;
	}
	sup->cache_fd = memfile_shared("sluice-verdicts", vcache_size());
	if (sup->cache_fd < 0) {
		rc = sup->cache_fd;
		goto fail;
	}
	rc = spawn_find_libexec(sup->libexec, sizeof(sup->libexec));
	if (rc == 0)
		rc = loop_init(&sup->loop, &clock_system);
	if (rc == 0)
		rc = add_children(sup);
	if (rc != 0)
		goto fail;
	sup->started_ms = sup->loop.now_ms;
	sup->started_wall_us = clock_system.wall_us();
	sup->next_instance = sup->started_wall_us;
	timer_init(&sup->tick, tick);
	return 0;
fail:
	log_error("can't set up: %s", strerror(-rc));
	return rc;
}

static bool child_needed(const struct child *c, const struct config *config)
{
	return c->role != ROLE_SCAN || config->scan.engine != ENGINE_NONE;
}

int supervisor_start(struct supervisor *sup)
{
	for (size_t i = 0; i < sup->nchildren; i++) {
		struct child *c = &sup->children[i];

		c->wanted = child_needed(c, sup->config);
		if (c->wanted)
			child_start(c);
	}
	sup->tick_due = sup->loop.now_ms + TICK_MS;
	timer_arm(&sup->loop.wheel, &sup->tick, sup->tick_due);
	return 0;
}

/* The scan role comes and goes with the engine. */
static void reload_child(struct child *c)
{
	bool needed = child_needed(c, c->sup->config);
	struct msg_stop stop = {.timeout_ms = ENDING_MS};

	if (needed && !c->wanted) {
		c->wanted = true;
		if (!child_up(c))
			child_start(c);
	} else if (!needed && c->wanted) {
		c->wanted = false;
		timer_cancel(&c->sup->loop.wheel, &c->restart);
		if (child_up(c) &&
		    chan_send(&c->chan, MSG_STOP, &stop, sizeof(stop)) != 0)
			kill(c->pid, SIGKILL);
	} else if (child_up(c) &&
		   chan_send_full(&c->chan, MSG_CONFIG, NULL, 0, NULL, 0,
				  &c->sup->config_fd, 1) != 0) {
		child_kill(c, "it does not take the new configuration");
	}
}

int supervisor_reload(struct supervisor *sup, struct config *config)
{
	int fd;

	config->generation = sup->config->generation + 1;
	fd = memfile_snapshot("sluice-config", config, sizeof(*config));
	if (fd < 0)
		return fd;
	close(sup->config_fd);
	free(sup->config);
	sup->config_fd = fd;
	sup->config = config;
	log_set_level(config->log_level);
	for (size_t i = 0; i < sup->nchildren; i++)
		reload_child(&sup->children[i]);
	return 0;
}

void supervisor_close(struct supervisor *sup)
{
	for (size_t i = 0; i < sup->nchildren; i++) {
		struct child *c = &sup->children[i];

		timer_cancel(&sup->loop.wheel, &c->restart);
		memfile_unmap(c->stats, sizeof(*c->stats));
		close(c->stats_fd);
	}
	timer_cancel(&sup->loop.wheel, &sup->tick);
	loop_close(&sup->loop);
	close(sup->config_fd);
	close(sup->cache_fd);
	free(sup->config);
}
