// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sluice-log: takes events from the relays (and the parent), writes them to
 * the journal, and acknowledges what is on disk.
 *
 * What a relay may rely on: MSG_EVENTS_STORED names the first number that is
 * not on disk yet. On a new channel it sends everything again from its oldest
 * event that was not acknowledged; what the journal has is not written twice.
 * A relay numbers its events one by one within its instance, speaks for one
 * instance alone, and leaves none out on a channel: the first message says
 * where it begins, each other one begins where the last one ended.
 *
 * While the disk takes nothing, events stay in the relays: the buffer here
 * fills, and then the channels are no longer read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/event.h"
#include "ipc/role.h"
#include "store/event_json.h"
#include "store/journal.h"
#include "sys/log.h"

#define SYNC_MS	      200   /* longest time from an event to the disk */
#define RETRY_MS      1000  /* after the disk refused */
#define EXPIRE_MS     60000 /* between looks at the age of files */
#define STOP_SPARE_MS 500   /* of the time to stop, for the last sync */
#define PEERS_MAX     (2 * CONFIG_RELAYS)
#define MODE_STATE    0755
#define MODE_JOURNAL  0750
#define UMASK	      027

/*
 * Somebody who sends events. Lifetime: made with its channel, freed by a task
 * after the channel has closed; the parent's is part of the role.
 */
struct log_peer {
	struct list node;
	struct log_role *log;
	struct chan own;
	struct chan *chan; /* &own, or the parent's */
	uint32_t index;
	bool bound; /* @instance is known: its first message came */
	uint64_t instance;
	uint64_t next; /* number that its next message begins with */
	uint64_t acked;
	struct loop_task reap;
};

struct log_role {
	struct role role;
	struct journal journal;
	char path[CONFIG_PATH_MAX + sizeof("/journal")];
	int dir_fd;
	struct list peers; /* of relays */
	unsigned int npeers;
	struct log_peer parent;
	struct loop_task flush;
	struct timer sync_timer; /* while something is not on disk */
	struct timer expire_timer;
	struct timer stop_timer;
	int error; /* why the disk takes nothing, or 0 */
	bool paused;
	bool stopping;
	bool broken; /* can't go on; the parent starts another one */
};

/* --- acknowledgements -------------------------------------------------------- */

static void acknowledge(struct log_peer *peer)
{
	struct msg_events_stored msg = {.instance = peer->instance};

	if (!peer->bound || !chan_is_open(peer->chan))
		return;
	msg.next = journal_stored(&peer->log->journal, peer->instance);
	/* One that doesn't read is told again after the next sync. */
	if (msg.next > peer->acked &&
	    chan_send(peer->chan, MSG_EVENTS_STORED, &msg, sizeof(msg)) == 0)
		peer->acked = msg.next;
}

static void acknowledge_all(struct log_role *log)
{
	struct list *node;

	acknowledge(&log->parent);
	list_for_each(node, &log->peers)
		acknowledge(list_entry(node, struct log_peer, node));
}

static void pause_all(struct log_role *log, bool pause)
{
	struct list *node;
	int rc = 0;

	/* The parent's few events and its orders are always taken. */
	list_for_each(node, &log->peers)
		rc |= chan_pause(list_entry(node, struct log_peer, node)->chan,
				 pause);
	if (rc != 0)
		log_error("can't %s the relays' channels",
			  pause ? "pause" : "resume");
	log->paused = pause;
}

/* --- the disk ------------------------------------------------------------------ */

static void give_up(struct log_role *log, const char *why)
{
	log_error("%s: starting again, the relays keep their events", why);
	log->broken = true;
	loop_stop(&log->role.loop);
}

static const char *advice(int error)
{
	switch (error) {
	case ENOSPC:
		return "no space left: free space";
	case EDQUOT:
		return "quota exceeded: free space or raise the quota";
	case EROFS:
		return "read-only file system: remount it for writing";
	case EACCES:
	case EPERM:
		return "permission denied: give it to the configured user";
	case EIO:
		return "input/output error: check the disk";
	default:
		return strerror(error);
	}
}

/* The disk refused with @error: say so, once for each reason. */
static void blocked(struct log_role *log, int error)
{
	struct stats *stats = log->role.stats;

	stats_add(stats, LOG_WRITE_ERRORS, 1);
	stats_set(stats, LOG_BLOCKED, 1);
	stats_note(stats,
		   "journal: %s: %s; %llu events wait here, more in the relays",
		   log->path, advice(error),
		   (unsigned long long)log->journal.waiting);
	if (log->error != error)
		log_error("journal %s: %s", log->path, advice(error));
	log->error = error;
}

static void unblocked(struct log_role *log)
{
	if (log->error == 0)
		return;
	log->error = 0;
	stats_set(log->role.stats, LOG_BLOCKED, 0);
	stats_note(log->role.stats, "journal: %s", log->path);
	log_info("journal %s: writing again", log->path);
}

static void count_stored(struct log_role *log, uint64_t events, uint64_t bytes)
{
	struct stats *stats = log->role.stats;

	if (events == 0)
		return;
	stats_add(stats, LOG_EVENTS, events);
	stats_add(stats, LOG_BYTES, bytes);
	stats_add(stats, LOG_SYNCS, 1);
}

/* Whether all is on disk now; if so, says so to those who sent it. */
static bool sync_now(struct log_role *log)
{
	struct journal *j = &log->journal;
	uint64_t events = j->waiting, bytes = j->len;
	int rc = journal_sync(j, log->role.loop.clock->wall_us());

	if (rc == -ESTALE) {
		give_up(log, "the journal's directory was removed");
		return false;
	}
	if (j->len == 0)
		count_stored(log, events, bytes);
	stats_set(log->role.stats, LOG_ROTATIONS, j->rotations);
	acknowledge_all(log);
	if (rc != 0)
		blocked(log, -rc);
	else
		unblocked(log);
	return rc == 0;
}

/*
 * Write what came in; sync when it is much, else soon. After a refusal the
 * timer alone tries again, or a full disk would keep the processor busy.
 */
static void flush(struct log_role *log)
{
	struct journal *j = &log->journal;
	struct loop *loop = &log->role.loop;
	int rc;

	acknowledge_all(log);
	if (log->error == 0 && j->len >= JOURNAL_SYNC_BYTES)
		sync_now(log);
	else if (log->error == 0) {
		rc = journal_write(j);
		if (rc != 0 && rc != -ESTALE)
			blocked(log, -rc);
	}
	if ((j->len > 0 || log->error != 0) && !timer_armed(&log->sync_timer))
		timer_arm(&loop->wheel, &log->sync_timer,
			  loop->now_ms + (log->error ? RETRY_MS : SYNC_MS));
	if (log->paused != !journal_has_room(j))
		pause_all(log, !journal_has_room(j));
}

static void on_flush(struct loop_task *task)
{
	flush(list_entry(&task->node, struct log_role, flush.node));
}

static void on_sync_timer(struct timer *t, uint64_t now_ms)
{
	struct log_role *log =
		list_entry(&t->node, struct log_role, sync_timer.node);

	(void)now_ms;
	sync_now(log);
	if (!log->broken)
		flush(log);
}

static void on_expire_timer(struct timer *t, uint64_t now_ms)
{
	struct log_role *log =
		list_entry(&t->node, struct log_role, expire_timer.node);
	struct loop *loop = &log->role.loop;
	unsigned int removed = journal_expire(
		&log->journal, log->role.config->config->store_keep,
		loop->clock->wall_us(), now_ms);

	if (removed > 0)
		log_info("journal: removed %u files past their age", removed);
	timer_arm(&loop->wheel, t, now_ms + EXPIRE_MS);
}

/* --- events come in ------------------------------------------------------------- */

/*
 * A gap would be taken for events that were given up, and acknowledged; what
 * was left out by mistake could then never be sent again.
 */
static bool follows(const struct log_peer *peer, const struct msg_events *head)
{
	if (head->count == 0 || head->first > UINT64_MAX - head->count - 1)
		return false;
	return !peer->bound ||
	       (head->instance == peer->instance &&
		(head->instance == 0 || head->first == peer->next));
}

static int take_events(struct log_peer *peer, const struct chan_msg *msg)
{
	const struct msg_events *head = msg->body;
	const uint8_t *at = msg->elements;
	size_t left = msg->elements_len;
	struct log_role *log = peer->log;

	if (!follows(peer, head))
		return -EPROTO;
	peer->bound = true;
	peer->instance = head->instance;
	peer->next = head->first + head->count;
	for (uint32_t i = 0; i < head->count; i++) {
		struct event ev;
		size_t n = event_unpack(at, left, &ev);

		if (n == 0)
			return -EPROTO;
		at += n;
		left -= n;
		if (journal_append(&log->journal, &ev, head->instance,
				   head->first + i) < 0) {
			give_up(log, "no memory for events");
			return 0;
		}
	}
	loop_defer(&log->role.loop, &log->flush);
	if (!journal_has_room(&log->journal))
		flush(log);
	return left == 0 ? 0 : -EPROTO;
}

/* Another sender's instance: only the one that came first may use it. */
static bool instance_taken(const struct log_peer *peer, uint64_t instance)
{
	const struct log_role *log = peer->log;
	struct list *node;

	list_for_each(node, &log->peers) {
		const struct log_peer *other =
			list_entry(node, struct log_peer, node);

		if (other != peer && other->bound &&
		    other->instance == instance && chan_is_open(other->chan) &&
		    other->index != peer->index)
			return true;
	}
	return peer != &log->parent && log->parent.bound &&
	       log->parent.instance == instance;
}

static int on_events(struct chan *ch, const struct chan_msg *msg)
{
	struct log_peer *peer = ch->user;
	const struct msg_events *head = msg->body;

	/* Instance 0 has no numbers: it is for the parent alone. */
	if (head->instance == 0 ||
	    (!peer->bound && instance_taken(peer, head->instance)))
		return -EPROTO;
	return take_events(peer, msg);
}

static int on_parent_events(struct chan *ch, const struct chan_msg *msg)
{
	struct role *role = ch->user;
	struct log_role *log = list_entry(role, struct log_role, role);

	return take_events(&log->parent, msg);
}

static const struct chan_rule parent_rules[] = {
	{MSG_EVENTS, sizeof(struct msg_events), 1, 0, 0, on_parent_events},
};

static const struct chan_rule relay_rules[] = {
	{MSG_EVENTS, sizeof(struct msg_events), 1, 0, 0, on_events},
};

/* --- relays come and go ----------------------------------------------------------- */

static void finish_stop(struct log_role *log)
{
	if (!sync_now(log))
		log_error("stopped with %llu events not on disk",
			  (unsigned long long)log->journal.waiting);
	loop_stop(&log->role.loop);
}

static void reap(struct loop_task *task)
{
	struct log_peer *peer =
		list_entry(&task->node, struct log_peer, reap.node);
	struct log_role *log = peer->log;

	list_del(&peer->node);
	log->npeers--;
	free(peer);
	if (log->stopping && log->npeers == 0)
		finish_stop(log);
}

static void on_closed(struct chan *ch, const char *violation)
{
	struct log_peer *peer = ch->user;

	if (violation != NULL)
		role_report_violation(&peer->log->role, ROLE_RELAY, peer->index,
				      violation);
	loop_defer(&peer->log->role.loop, &peer->reap);
}

static void on_drained(struct chan *ch)
{
	acknowledge(ch->user);
}

static const struct chan_ops relay_ops = {
	.rules = relay_rules,
	.nrules = sizeof(relay_rules) / sizeof(relay_rules[0]),
	.closed = on_closed,
	.drained = on_drained,
};

/* A relay's channel. A peer more or less must not end this role. */
static int on_peer(struct role *role, enum role_id id, uint32_t index, int fd)
{
	struct log_role *log = list_entry(role, struct log_role, role);
	struct log_peer *peer = NULL;
	int rc = -ENOMEM;

	if (id == ROLE_RELAY && log->npeers < PEERS_MAX)
		peer = calloc(1, sizeof(*peer));
	if (peer == NULL) {
		close(fd);
		log_error("no room for %s/%u", role_name(id), index);
		return id == ROLE_RELAY ? 0 : -EPROTO;
	}
	peer->log = log;
	peer->index = index;
	peer->chan = &peer->own;
	loop_task_init(&peer->reap, reap);
	chan_init(peer->chan, &role->loop, &relay_ops, peer);
	rc = chan_open(peer->chan, fd);
	if (rc == 0 && log->paused)
		rc = chan_pause(peer->chan, true);
	if (rc != 0) {
		log_error("no channel to relay/%u: %s", index, strerror(-rc));
		chan_close(peer->chan);
		free(peer);
		return 0;
	}
	list_add_tail(&log->peers, &peer->node);
	log->npeers++;
	return 0;
}

static void on_reloaded(struct role *role)
{
	struct log_role *log = list_entry(role, struct log_role, role);

	log->journal.rotate = role->config->config->store_rotate;
}

static void on_stop_timer(struct timer *t, uint64_t now_ms)
{
	(void)now_ms;
	finish_stop(list_entry(&t->node, struct log_role, stop_timer.node));
}

/* The relays close their channels when they have said everything. */
static void on_stop(struct role *role, uint64_t timeout_ms)
{
	struct log_role *log = list_entry(role, struct log_role, role);
	uint64_t wait = timeout_ms / 2 > STOP_SPARE_MS
				? timeout_ms - STOP_SPARE_MS
				: timeout_ms / 2;

	log->stopping = true;
	if (log->npeers == 0)
		finish_stop(log);
	else
		timer_arm(&role->loop.wheel, &log->stop_timer,
			  role->loop.now_ms + wait);
}

static const struct role_ops log_ops = {
	.id = ROLE_LOG,
	.rules = parent_rules,
	.nrules = sizeof(parent_rules) / sizeof(parent_rules[0]),
	.peer = on_peer,
	.reloaded = on_reloaded,
	.stop = on_stop,
};

/* --- start ------------------------------------------------------------------------ */

static const char *const syscalls[] = {
	"openat",     "renameat",  "renameat2", "unlinkat",
	"getdents64", "fdatasync", "fsync",
};

static int make_directory(const char *path, mode_t mode)
{
	return mkdir(path, mode) == -1 && errno != EEXIST ? -errno : 0;
}

/* As root: the directory, and who owns it. Its descriptor or -errno. */
static int open_directory(struct log_role *log)
{
	const char *state_dir = log->role.config->config->state_dir;
	int rc, fd;

	snprintf(log->path, sizeof(log->path), "%s/journal", state_dir);
	rc = make_directory(state_dir, MODE_STATE);
	if (rc == 0)
		rc = make_directory(log->path, MODE_JOURNAL);
	if (rc != 0)
		return rc;
	fd = open(log->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -errno;
	if (fchown(fd, log->role.init.uid, log->role.init.gid) == -1 ||
	    fchmod(fd, MODE_JOURNAL) == -1) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

/*
 * What the C library and json-c do once, on first use, needs files that are
 * out of reach later: the time zone, the seed of hash tables.
 */
static void warm_up(void)
{
	static const struct event empty;
	char line[EVENT_JSON_MAX];

	if (event_json_write(&empty, 0, 0, line, sizeof(line)) == 0)
		log_warn("can't make a line of JSON");
}

static int confine(struct log_role *log)
{
	struct sandbox sb = {
		.root = log->path,
		.own_network = true,
		.syscalls = syscalls,
		.nsyscalls = sizeof(syscalls) / sizeof(syscalls[0]),
	};

	log->dir_fd = open_directory(log);
	if (log->dir_fd < 0) {
		log_error("can't make %s: %s", log->path,
			  strerror(-log->dir_fd));
		return log->dir_fd;
	}
	umask(UMASK);
	warm_up();
	return role_confine(&log->role, &sb);
}

static int open_journal(struct log_role *log)
{
	struct journal *j = &log->journal;
	int rc = journal_init(j, log->dir_fd,
			      log->role.config->config->store_rotate);

	if (rc != 0) {
		log_error("no memory for the journal");
		return rc;
	}
	rc = journal_recover(j);
	if (rc != 0)
		log_error("can't read all of journal %s: %s; events may be in "
			  "it twice",
			  log->path, strerror(-rc));
	stats_note(log->role.stats, "journal: %s", log->path);
	sync_now(log);
	if (j->cut_bytes > 0)
		log_warn("journal: cut an unfinished line of %llu bytes; its "
			 "relay sends it again",
			 (unsigned long long)j->cut_bytes);
	return log->broken ? -ESTALE : 0;
}

static void arm(struct log_role *log)
{
	struct loop *loop = &log->role.loop;

	timer_init(&log->sync_timer, on_sync_timer);
	timer_init(&log->expire_timer, on_expire_timer);
	timer_init(&log->stop_timer, on_stop_timer);
	loop_task_init(&log->flush, on_flush);
	on_expire_timer(&log->expire_timer, loop->now_ms);
	if (log->error != 0)
		loop_defer(loop, &log->flush);
}

/* Relays whose channels were still open when the time to stop was over. */
static void drop_peers(struct log_role *log)
{
	struct list *node;

	while ((node = list_pop(&log->peers)) != NULL) {
		struct log_peer *peer = list_entry(node, struct log_peer, node);

		chan_close(peer->chan);
		free(peer);
	}
}

int main(void)
{
	struct log_role log = {.dir_fd = -1};
	int rc = role_begin(&log.role, &log_ops, &log);

	if (rc != 0)
		return EXIT_FAILURE;
	list_init(&log.peers);
	log.parent.log = &log;
	log.parent.chan = &log.role.parent;
	rc = confine(&log);
	if (rc == 0)
		rc = open_journal(&log);
	if (rc == 0) {
		arm(&log);
		rc = role_ready(&log.role);
	}
	if (rc == 0)
		rc = role_run(&log.role);
	drop_peers(&log);
	journal_close(&log.journal);
	config_ref_put(log.role.config);
	return rc == 0 && !log.broken ? EXIT_SUCCESS : EXIT_FAILURE;
}
