// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/supervise.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/vcache.h"
#include "roles/sluiced/ending.h"
#include "roles/sluiced/quota_file.h"
#include "roles/sluiced/spawn.h"
#include "sys/cores.h"
#include "sys/log.h"
#include "sys/memfile.h"

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

/* --- each second -------------------------------------------------------------- */

/* New connections are taken in while at least one relay works on them. */
static bool gateway_works(const struct supervisor *sup)
{
	for (size_t i = 0; i < sup->nchildren; i++) {
		const struct child *c = &sup->children[i];

		if (c->role == ROLE_RELAY && child_lively(c))
			return true;
	}
	return false;
}

/* The app role counts by conntrack, whose counters net can switch on. */
static bool wants_account(struct supervisor *sup)
{
	struct child *app = supervisor_child(sup, ROLE_APP, 0);

	return app != NULL && app->state == CHILD_READY &&
	       stats_get(app->stats, APP_SOURCE) == SOURCE_CONNTRACK;
}

void supervisor_say_alive(struct supervisor *sup)
{
	struct child *net = supervisor_child(sup, ROLE_NET, 0);
	struct msg_alive msg = {
		.alive = sup->phase == PHASE_RUNNING && gateway_works(sup),
		.account = wants_account(sup),
	};

	if (net != NULL && net->state == CHILD_READY &&
	    chan_send(&net->chan, MSG_ALIVE, &msg, sizeof(msg)) != 0)
		log_error("net does not take messages");
}

static void tick(struct timer *t, uint64_t now_ms)
{
	struct supervisor *sup =
		list_entry(&t->node, struct supervisor, tick.node);
	/* We ourselves were held up: nobody else is to blame for it. */
	bool late = now_ms > sup->tick_due + SUPERVISOR_TICK_MS;

	for (size_t i = 0; i < sup->nchildren && !late; i++)
		child_check(&sup->children[i]);
	supervisor_say_alive(sup);
	sup->tick_due = now_ms + SUPERVISOR_TICK_MS;
	timer_arm(&sup->loop.wheel, t, sup->tick_due);
}

void supervisor_stop(struct supervisor *sup)
{
	ending_begin(sup);
}

/* --- start, reload ---------------------------------------------------------------- */

static int add_child(struct supervisor *sup, enum role_id role, uint32_t index)
{
	int rc = child_init(&sup->children[sup->nchildren], sup, role, index);

	if (rc == 0)
		sup->nchildren++;
	return rc;
}

static uint32_t relay_count(const struct config *config)
{
	uint32_t cores = cores_count();

	if (config->relays > 0)
		return config->relays;
	return cores > CONFIG_RELAYS ? CONFIG_RELAYS : cores;
}

static int add_children(struct supervisor *sup)
{
	uint32_t relays = relay_count(sup->config);
	int rc = add_child(sup, ROLE_LOG, 0);

	if (rc == 0)
		rc = add_child(sup, ROLE_SCAN, 0);
	if (rc == 0)
		rc = add_child(sup, ROLE_NET, 0);
	if (rc == 0)
		rc = add_child(sup, ROLE_APP, 0);
	if (rc == 0)
		rc = add_child(sup, ROLE_RESOLVE, 0);
	for (uint32_t i = 0; i < relays && rc == 0; i++)
		rc = add_child(sup, ROLE_RELAY, i);
	return rc;
}

static bool child_needed(const struct child *c, const struct config *config)
{
	switch (c->role) {
	case ROLE_SCAN:
		return config->scan.engine != ENGINE_NONE;
	case ROLE_APP:
		return config->apps.enabled;
	case ROLE_RESOLVE:
		return config_needs_resolver(config);
	default:
		return true;
	}
}

/* What is missing now would be missing each time a role is started. */
static int check_programs(const struct supervisor *sup)
{
	int rc = 0;

	for (size_t i = 0; i < sup->nchildren && rc == 0; i++)
		if (child_needed(&sup->children[i], sup->config))
			rc = spawn_check_program(sup->libexec,
						 sup->children[i].role);
	return rc;
}

int supervisor_init(struct supervisor *sup, struct config *config)
{
	int rc;

	memset(sup, 0, sizeof(*sup));
	sup->config = config;
	sup->cache_fd = -1;
	sup->quota_fd = -1;
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
	/* What is wrong with it was said; all else works without. */
	if (config->apps.enabled)
		sup->quota_fd = quota_file_open(config->state_dir);
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
	ending_init(sup);
	return check_programs(sup);
fail:
	log_error("can't set up: %s", strerror(-rc));
	return rc;
}

void supervisor_start(struct supervisor *sup)
{
	for (size_t i = 0; i < sup->nchildren; i++) {
		struct child *c = &sup->children[i];

		c->wanted = child_needed(c, sup->config);
		if (c->wanted)
			child_start(c);
	}
	sup->tick_due = sup->loop.now_ms + SUPERVISOR_TICK_MS;
	timer_arm(&sup->loop.wheel, &sup->tick, sup->tick_due);
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
	for (size_t i = 0; i < sup->nchildren; i++) {
		struct child *c = &sup->children[i];

		if (child_up(c) &&
		    chan_send_full(&c->chan, MSG_CONFIG, NULL, 0, NULL, 0,
				   &sup->config_fd, 1) != 0)
			child_kill(c, "it does not take the new configuration");
	}
	return 0;
}

void supervisor_close(struct supervisor *sup)
{
	for (size_t i = 0; i < sup->nchildren; i++)
		child_close(&sup->children[i]);
	timer_cancel(&sup->loop.wheel, &sup->tick);
	timer_cancel(&sup->loop.wheel, &sup->look);
	loop_close(&sup->loop);
	close(sup->config_fd);
	close(sup->cache_fd);
	if (sup->quota_fd >= 0)
		close(sup->quota_fd);
	free(sup->config);
}
