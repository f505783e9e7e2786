// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/status.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/str.h"
#include "conf/keys.h"
#include "ipc/event.h"
#include "roles/sluiced/spawn.h"
#include "sys/landlock.h"

static void add_string(struct json_object *o, const char *key, const char *s)
{
	json_object_object_add(o, key, json_object_new_string(s));
}

static void add_u64(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

static void add_bool(struct json_object *o, const char *key, bool v)
{
	json_object_object_add(o, key, json_object_new_boolean(v));
}

static void add(struct json_object *o, const char *key, struct json_object *v)
{
	json_object_object_add(o, key, v);
}

/* --- roles -------------------------------------------------------------------- */

static struct json_object *role_json(const struct child *c)
{
	struct json_object *o = json_object_new_object();
	struct json_object *counters = json_object_new_object();
	char note[STATS_NOTE_MAX];
	char state[128];

	child_describe(c, state, sizeof(state));
	stats_read_note(c->stats, note, sizeof(note));
	add_string(o, "role", role_name(c->role));
	add_u64(o, "index", c->index);
	add_u64(o, "pid", (uint64_t)c->pid);
	add_string(o, "state", state);
	add_u64(o, "restarts", c->restarts);
	add_string(o, "last_exit", c->last_exit);
	add_string(o, "note", note);
	for (unsigned int i = 0; i < stats_count(c->role); i++)
		add_u64(counters, stats_name(c->role, i),
			stats_get(c->stats, i));
	add(o, "counters", counters);
	return o;
}

/* --- sums over the relays -------------------------------------------------------- */

static uint64_t relay_sum(const struct supervisor *sup, unsigned int counter)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < sup->nchildren; i++)
		if (sup->children[i].role == ROLE_RELAY)
			sum += stats_get(sup->children[i].stats, counter);
	return sum;
}

static struct json_object *verdicts_json(const struct supervisor *sup)
{
	struct json_object *o = json_object_new_object();

	for (unsigned int v = 0; v < VERDICT_COUNT; v++)
		add_u64(o, verdict_name((enum verdict)v),
			relay_sum(sup, RELAY_VERDICT + v));
	return o;
}

/* Only reasons that have come up. */
static struct json_object *reasons_json(const struct supervisor *sup,
					unsigned int base)
{
	struct json_object *o = json_object_new_object();

	for (unsigned int r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		uint64_t n = relay_sum(sup, base + r);

		if (n > 0)
			add_u64(o, verdict_reason_name((enum reason)r), n);
	}
	return o;
}

static struct json_object *totals_json(const struct supervisor *sup)
{
	struct json_object *o = json_object_new_object();

	for (unsigned int i = 0; i < stats_count(ROLE_RELAY); i++)
		add_u64(o, stats_name(ROLE_RELAY, i), relay_sum(sup, i));
	add(o, "verdicts", verdicts_json(sup));
	add(o, "reasons", reasons_json(sup, RELAY_REASON));
	add(o, "unscanned_bytes", reasons_json(sup, RELAY_UNSCANNED_BYTES));
	return o;
}

/* --- the whole -------------------------------------------------------------------- */

static bool net_says(const struct supervisor *sup, enum net_counter what)
{
	for (size_t n = 0; n < sup->nchildren; n++) {
		const struct child *c = &sup->children[n];

		if (c->role == ROLE_NET)
			return c->state == CHILD_READY &&
			       stats_get(c->stats, what) != 0;
	}
	return false;
}

/* A net role that hangs says so still, but the switch expires. */
static bool intercepting(const struct supervisor *sup)
{
	for (size_t n = 0; n < sup->nchildren; n++) {
		const struct child *c = &sup->children[n];

		if (c->role == ROLE_NET && !child_lively(c))
			return false;
	}
	return config_intercepts(sup->config) && net_says(sup, NET_ALIVE);
}

/* Nothing but naming and counting may be all that is asked of them. */
static bool rules_work(const struct supervisor *sup)
{
	if (!sup->config->intercept.install_rules)
		return true;
	return config_intercepts(sup->config) ? intercepting(sup)
					      : net_says(sup, NET_INSTALLED);
}

static struct json_object *fail_mode_json(const struct supervisor *sup)
{
	const struct config_intercept *ic = &sup->config->intercept;
	struct json_object *o = json_object_new_object();

	add_string(o, "when_down",
		   ic->when_down == WHEN_DOWN_OPEN ? "open" : "closed");
	add_bool(o, "install_rules", ic->install_rules);
	add_bool(o, "rules_installed", net_says(sup, NET_INSTALLED));
	add_bool(o, "intercepting", intercepting(sup));
	add_bool(o, "ports_to_intercept", config_intercepts(sup->config));
	return o;
}

static struct json_object *listeners_json(const struct config *config)
{
	struct json_object *a = json_object_new_array();

	for (uint32_t i = 0; i < config->service_count; i++) {
		const struct config_service *s = &config->services[i];
		struct json_object *o = json_object_new_object();

		add_string(o, "service", s->name);
		add_string(o, "protocol",
			   config_protocol_words[s->protocol].name);
		add_string(o, "mode", "transparent");
		add_u64(o, "port", s->port);
		json_object_array_add(a, o);
	}
	return a;
}

static uint64_t read_number(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[32];
	uint64_t v = 0;
	ssize_t n;

	if (fd == -1)
		return 0;
	n = read(fd, text, sizeof(text));
	close(fd);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	if (n <= 0 || !str_to_u64((struct str){text, (size_t)n}, &v))
		return 0;
	return v;
}

static struct json_object *host_json(void)
{
	struct json_object *o = json_object_new_object();
	struct rlimit files;

	add_bool(o, "landlock", landlock_available());
	add_bool(o, "ipv6", access("/proc/net/if_inet6", R_OK) == 0);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		add_u64(o, "descriptors", files.rlim_cur);
	add_u64(o, "pipe_max_size", read_number("/proc/sys/fs/pipe-max-size"));
	add_u64(o, "pipe_user_pages_soft",
		read_number("/proc/sys/fs/pipe-user-pages-soft"));
	return o;
}

/* Whether traffic is taken in and scanned as configured. */
static bool all_ready(const struct supervisor *sup)
{
	if (sup->phase != PHASE_RUNNING)
		return false;
	for (size_t i = 0; i < sup->nchildren; i++) {
		const struct child *c = &sup->children[i];

		if (c->wanted && c->state != CHILD_READY)
			return false;
		if (c->wanted && c->role == ROLE_SCAN &&
		    stats_get(c->stats, SCAN_READY) == 0)
			return false;
	}
	return rules_work(sup);
}

static struct json_object *config_json(const struct supervisor *sup)
{
	static const char *const engines[] = {
		[ENGINE_NONE] = "none",
		[ENGINE_LIBCLAMAV] = "libclamav",
		[ENGINE_CLAMD] = "clamd",
	};
	const struct config *config = sup->config;
	struct json_object *o = json_object_new_object();

	add_string(o, "file", config->file);
	add_u64(o, "generation", config->generation);
	add_string(o, "state_dir", config->state_dir);
	add_string(o, "engine", engines[config->scan.engine]);
	add_string(o, "not_scanned",
		   config->scan.not_scanned == ACTION_ALLOW ? "allow"
							    : "block");
	return o;
}

struct json_object *status_json(const struct supervisor *sup)
{
	static const char *const phases[] = {
		[PHASE_RUNNING] = "running",   [PHASE_DISARMING] = "draining",
		[PHASE_DRAINING] = "draining", [PHASE_ENDING] = "ending",
		[PHASE_ENDED] = "ended",
	};
	struct json_object *o = json_object_new_object();
	struct json_object *roles = json_object_new_array();

	add_bool(o, "ok", true);
	add_string(o, "version", SLUICE_VERSION);
	add_string(o, "phase", phases[sup->phase]);
	add_bool(o, "ready", all_ready(sup));
	add_u64(o, "pid", (uint64_t)getpid());
	add_u64(o, "uptime_s", (sup->loop.now_ms - sup->started_ms) / 1000);
	add(o, "config", config_json(sup));
	add(o, "fail_mode", fail_mode_json(sup));
	add(o, "listeners", listeners_json(sup->config));
	add(o, "totals", totals_json(sup));
	for (size_t i = 0; i < sup->nchildren; i++)
		if (sup->children[i].wanted)
			json_object_array_add(roles,
					      role_json(&sup->children[i]));
	add(o, "roles", roles);
	add(o, "host", host_json());
	return o;
}

struct json_object *status_session_json(uint64_t instance,
					const struct msg_session *row)
{
	struct json_object *o = json_object_new_object();
	struct str state = {row->state,
			    strnlen(row->state, sizeof(row->state))};
	struct str url = {row->url, strnlen(row->url, sizeof(row->url))};
	char text[IP_TEXT_MAX], id[EVENT_ID_MAX];
	char printable[4 * sizeof(row->url) + 1];
	struct strbuf sb;

	event_format_session(id, sizeof(id), instance, row->id);
	add_string(o, "session", id);
	add_string(o, "client",
		   ip_endpoint_format(&row->client, text, sizeof(text)));
	add_string(o, "server",
		   ip_endpoint_format(&row->server, text, sizeof(text)));
	strbuf_init(&sb, printable, sizeof(printable));
	strbuf_printable(&sb, state);
	add_string(o, "state", printable);
	add_u64(o, "requests", row->requests);
	add_u64(o, "age_ms", row->age_ms);
	add_u64(o, "bytes_in", row->bytes_in);
	add_u64(o, "bytes_out", row->bytes_out);
	strbuf_init(&sb, printable, sizeof(printable));
	strbuf_printable(&sb, url);
	add_string(o, "url", printable);
	return o;
}
