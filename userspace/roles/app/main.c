// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sluice-app: names the application of each connection, and tells what each
 * client uses of each. It sees the first packets of connections and no more.
 *
 * Traffic flows without it: packets that nobody takes from the queues pass
 * (bypass), connections that have no label are counted as such.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "roles/app/counting.h"
#include "roles/app/labelling.h"
#include "roles/app/quota.h"
#include "roles/app/spans.h"
#include "sys/log.h"

#define TICK_MS	    1000
#define END_TICK_MS 50

struct app_role {
	struct role role;
	struct spans spans;
	struct quota quota;
	struct counting counting;
	struct labelling labelling;
	struct siphash_key secret; /* of tables whose keys clients choose */
	struct timer tick;
	uint64_t stop_at_ms; /* 0: not stopping */
};

static struct app_role *app_of(struct role *role)
{
	return list_entry(role, struct app_role, role);
}

static void on_tick(struct timer *t, uint64_t now_ms)
{
	struct app_role *app = list_entry(&t->node, struct app_role, tick.node);

	if (app->stop_at_ms != 0) {
		if (spans_stored(&app->spans) || now_ms >= app->stop_at_ms)
			loop_stop(&app->role.loop);
	} else {
		spans_tick(&app->spans);
		counting_tick(&app->counting);
		quota_tick(&app->quota);
		labelling_tick(&app->labelling);
		stats_note(app->role.stats, "%s; %s", app->labelling.says,
			   app->counting.says);
	}
	timer_arm(&app->role.loop.wheel, t,
		  now_ms + (app->stop_at_ms != 0 ? END_TICK_MS : TICK_MS));
}

/* --- the parent ------------------------------------------------------------------------ */

static int peer(struct role *role, const struct msg_peer *who, int fd)
{
	if (who->role == ROLE_LOG)
		return spans_connect(&app_of(role)->spans, fd);
	close(fd);
	return -EPROTO;
}

static int on_want_usage(struct chan *ch, const struct chan_msg *m)
{
	struct app_role *app = app_of(list_entry(ch, struct role, parent));
	const struct msg_want_sessions *want = m->body;

	counting_tick(&app->counting);
	spans_answer(&app->spans, want->request);
	return 0;
}

static int on_want_quotas(struct chan *ch, const struct chan_msg *m)
{
	struct app_role *app = app_of(list_entry(ch, struct role, parent));
	const struct msg_want_sessions *want = m->body;

	counting_tick(&app->counting);
	quota_answer(&app->quota, want->request);
	return 0;
}

static const struct chan_rule parent_rules[] = {
	{MSG_WANT_USAGE, sizeof(struct msg_want_sessions), 0, 0, 0,
	 on_want_usage},
	{MSG_WANT_QUOTAS, sizeof(struct msg_want_sessions), 0, 0, 0,
	 on_want_quotas},
};

static void reloaded(struct role *role)
{
	counting_reloaded(&app_of(role)->counting);
	labelling_reloaded(&app_of(role)->labelling);
	quota_reloaded(&app_of(role)->quota);
}

/*
 * The log role ends later: what was counted is on its disk before we go. Not at
 * once in any case: a packet may be on its way into a queue still.
 */
static void stop(struct role *role, uint64_t timeout_ms)
{
	struct app_role *app = app_of(role);

	if (app->stop_at_ms == 0) {
		labelling_stop(&app->labelling);
		counting_tick(&app->counting);
		spans_end(&app->spans);
	}
	app->stop_at_ms = role->loop.now_ms + timeout_ms + 1;
	timer_arm(&role->loop.wheel, &app->tick,
		  role->loop.now_ms + END_TICK_MS);
}

static const struct role_ops app_ops = {
	.id = ROLE_APP,
	.rules = parent_rules,
	.nrules = sizeof(parent_rules) / sizeof(parent_rules[0]),
	.peer = peer,
	.reloaded = reloaded,
	.stop = stop,
};

/* --- life ------------------------------------------------------------------------------ */

/* Beyond what all roles do: netlink, BPF maps, names of interfaces. */
static const char *const syscalls[] = {
	"socket", "bind", "getsockname", "getsockopt", "setsockopt", "sendto",
	"ioctl",  "bpf",  "recvfrom",	 "recvmmsg",   "openat",
};

static int confine(struct role *role)
{
	const struct sandbox_path paths[] = {
		{"/proc", false}, /* whether conntrack counts */
	};
	struct sandbox sb = {
		.paths = paths,
		.npaths = sizeof(paths) / sizeof(paths[0]),
		.workdir = "/",
		.keep_net_admin = true,
		.keep_bpf = true,
		.syscalls = syscalls,
		.nsyscalls = sizeof(syscalls) / sizeof(syscalls[0]),
	};

	return role_confine(role, &sb);
}

static int set_up(struct app_role *app)
{
	struct siphash_key *secret = &app->secret;
	int rc;

	if (getrandom(secret, sizeof(*secret), 0) != sizeof(*secret))
		return -errno;
	quota_open(&app->quota, &app->role, secret);
	rc = spans_open(&app->spans, &app->role, &app->quota, secret);
	if (rc == 0)
		rc = labelling_open(&app->labelling, &app->role, secret);
	if (rc != 0)
		return rc;
	counting_open(&app->counting, &app->role, &app->spans, secret);
	return 0;
}

int main(void)
{
	static struct app_role app;
	int rc = role_begin(&app.role, &app_ops, &app);

	if (rc == 0)
		rc = set_up(&app);
	if (rc == 0)
		rc = confine(&app.role);
	if (rc == 0) {
		timer_init(&app.tick, on_tick);
		on_tick(&app.tick, app.role.loop.now_ms);
		rc = role_ready(&app.role);
	}
	if (rc == 0)
		rc = role_run(&app.role);
	labelling_close(&app.labelling);
	counting_close(&app.counting);
	spans_close(&app.spans);
	quota_close(&app.quota);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
