// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/ending.h"

#include "sys/log.h"

#define LOOK_MS	      50
#define DISARM_MS     1500  /* net: until the switch is off */
#define RELAY_MORE_MS 3000  /* relays: to hand over their last events */
#define ENDING_MS     5000  /* scan, app, resolve and log, after the relays */
#define NET_ENDING_MS 65000 /* net, after app: until TIME_WAIT is over */
#define KILL_MORE_MS  1000  /* beyond the time that a role was given */
#define HURRY_MS      3000  /* all of them, when it is to be at once */
#define NET_TRIES     3

static struct child *net_of(struct supervisor *sup)
{
	return supervisor_child(sup, ROLE_NET, 0);
}

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
	for (size_t i = 0; i < sup->nchildren; i++)
		if (sup->children[i].role == role)
			child_stop(&sup->children[i], ms);
}

static void kill_role(struct supervisor *sup, enum role_id role)
{
	for (size_t i = 0; i < sup->nchildren; i++)
		if (sup->children[i].role == role &&
		    child_up(&sup->children[i]))
			child_kill(&sup->children[i], "it does not end");
}

/* --- the steps ------------------------------------------------------------------------- */

static void begin_phase(struct supervisor *sup, enum supervisor_phase phase,
			uint64_t ms)
{
	sup->phase = phase;
	sup->phase_deadline = sup->loop.now_ms + ms;
}

static bool late(const struct supervisor *sup)
{
	return sup->loop.now_ms >= sup->phase_deadline;
}

static void drain(struct supervisor *sup)
{
	uint64_t ms = sup->hurry ? 0 : sup->config->stop_timeout;

	begin_phase(sup, PHASE_DRAINING, ms + RELAY_MORE_MS);
	stop_role(sup, ROLE_RELAY, ms);
}

/*
 * With a process or without one: rules are removed by it alone. Not before the
 * app role has ended: with a chain goes every packet that waits in a queue, and
 * the end of its connection may have passed it.
 */
static void end_net(struct supervisor *sup)
{
	struct child *net = net_of(sup);

	if (!child_up(net))
		child_start(net);
	child_stop(net, sup->hurry ? 0 : NET_ENDING_MS);
	sup->net_tries++;
}

static void end_rest(struct supervisor *sup)
{
	uint64_t ms = sup->hurry ? HURRY_MS : ENDING_MS;

	begin_phase(sup, PHASE_ENDING, ms + KILL_MORE_MS);
	sup->net_deadline =
		sup->phase_deadline + (sup->hurry ? HURRY_MS : NET_ENDING_MS);
	stop_role(sup, ROLE_SCAN, ms);
	stop_role(sup, ROLE_APP, ms);
	stop_role(sup, ROLE_RESOLVE, ms);
	stop_role(sup, ROLE_LOG, ms);
	/* What has begun already goes on with less time. */
	if (sup->net_tries > 0 && child_up(net_of(sup)))
		end_net(sup);
}

/* The switch is off, as far as net can tell. */
static bool disarmed(struct supervisor *sup)
{
	const struct child *net = net_of(sup);

	return net->state != CHILD_READY ||
	       stats_get(net->stats, NET_ALIVE) == 0;
}

static void look_at_rest(struct supervisor *sup)
{
	if (late(sup)) {
		kill_role(sup, ROLE_SCAN);
		kill_role(sup, ROLE_APP);
		kill_role(sup, ROLE_RESOLVE);
		kill_role(sup, ROLE_LOG);
	}
	if (sup->net_tries == 0 && !role_up(sup, ROLE_APP))
		end_net(sup);
	if (sup->loop.now_ms >= sup->net_deadline)
		kill_role(sup, ROLE_NET);
	for (size_t i = 0; i < sup->nchildren; i++)
		if (child_up(&sup->children[i]))
			return;
	if (!net_of(sup)->ended_well)
		log_error("rules and routes may be left; start and stop "
			  "sluiced once more to remove them");
	sup->phase = PHASE_ENDED;
	loop_stop(&sup->loop);
}

/* Whether the next step can begin. */
static void look(struct supervisor *sup)
{
	if (sup->phase == PHASE_DISARMING &&
	    (disarmed(sup) || late(sup) || sup->hurry)) {
		drain(sup);
	} else if (sup->phase == PHASE_DRAINING) {
		if (late(sup))
			kill_role(sup, ROLE_RELAY);
		if (!role_up(sup, ROLE_RELAY))
			end_rest(sup);
	} else if (sup->phase == PHASE_ENDING) {
		look_at_rest(sup);
	}
}

static void on_look(struct timer *t, uint64_t now_ms)
{
	struct supervisor *sup =
		list_entry(&t->node, struct supervisor, look.node);

	look(sup);
	timer_arm(&sup->loop.wheel, t, now_ms + LOOK_MS);
}

/* --- from outside ------------------------------------------------------------------------ */

void ending_init(struct supervisor *sup)
{
	timer_init(&sup->look, on_look);
}

/* What was begun goes on with less time. */
static void hurry(struct supervisor *sup)
{
	if (sup->hurry)
		return;
	log_warn("stopping at once");
	sup->hurry = true;
	if (sup->phase == PHASE_DRAINING)
		drain(sup);
	else if (sup->phase == PHASE_ENDING)
		end_rest(sup);
}

void ending_begin(struct supervisor *sup)
{
	if (sup->phase != PHASE_RUNNING) {
		hurry(sup);
		return;
	}
	log_info("stopping: no new connections; running exchanges have %llu s",
		 (unsigned long long)sup->config->stop_timeout / 1000);
	begin_phase(sup, PHASE_DISARMING, DISARM_MS);
	supervisor_say_alive(sup);
	on_look(&sup->look, sup->loop.now_ms);
}

/*
 * Net ends with status 0 when the rules are gone. Otherwise once more: nobody
 * else can remove them.
 */
void ending_child_gone(struct supervisor *sup, struct child *c)
{
	if (sup->phase != PHASE_ENDING || c->role != ROLE_NET || c->ended_well)
		return;
	if (sup->net_tries < NET_TRIES && sup->loop.now_ms < sup->net_deadline)
		end_net(sup);
}
