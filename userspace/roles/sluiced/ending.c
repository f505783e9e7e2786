// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/ending.h"

#include "sys/log.h"

#define NET_ENDING_MS 65000 /* net: until TIME_WAIT sockets are gone */
#define LOOK_AGAIN_MS 50

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
void ending_advance(struct supervisor *sup)
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

void ending_begin(struct supervisor *sup)
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
	sup->phase_deadline = sup->loop.now_ms + drain + SUPERVISOR_TICK_MS;
	supervisor_say_alive(sup);
	stop_role(sup, ROLE_RELAY, drain);
	/* Look again soon: often nothing is left to drain. */
	timer_arm(&sup->loop.wheel, &sup->tick,
		  sup->loop.now_ms + LOOK_AGAIN_MS);
}
