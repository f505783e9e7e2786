// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/log/disk.h"

#include <errno.h>
#include <string.h>

#include "roles/log/senders.h"
#include "sys/log.h"

#define SYNC_MS	  200	/* longest time from an event to the disk */
#define RETRY_MS  1000	/* after the disk refused */
#define EXPIRE_MS 60000 /* between looks at the age of files */

void disk_give_up(struct log_role *log, const char *why)
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

bool disk_sync(struct log_role *log)
{
	struct journal *j = &log->journal;
	uint64_t events = j->waiting, bytes = j->len;
	int rc = journal_sync(j, log->role.loop.clock->wall_us());

	if (rc == -ESTALE) {
		disk_give_up(log, "the journal's directory was removed");
		return false;
	}
	if (j->len == 0)
		count_stored(log, events, bytes);
	stats_set(log->role.stats, LOG_ROTATIONS, j->rotations);
	senders_acknowledge(log);
	if (rc != 0)
		blocked(log, -rc);
	else
		unblocked(log);
	return rc == 0;
}

void disk_flush(struct log_role *log)
{
	struct journal *j = &log->journal;
	struct loop *loop = &log->role.loop;
	int rc;

	senders_acknowledge(log);
	if (log->error == 0 && j->len >= JOURNAL_SYNC_BYTES)
		disk_sync(log);
	else if (log->error == 0) {
		rc = journal_write(j);
		if (rc != 0 && rc != -ESTALE)
			blocked(log, -rc);
	}
	if ((j->len > 0 || log->error != 0) && !timer_armed(&log->sync_timer))
		timer_arm(&loop->wheel, &log->sync_timer,
			  loop->now_ms + (log->error ? RETRY_MS : SYNC_MS));
	if (log->paused != !journal_has_room(j))
		senders_pause(log, !journal_has_room(j));
}

static void on_flush(struct loop_task *task)
{
	disk_flush(list_entry(&task->node, struct log_role, flush.node));
}

static void on_sync_timer(struct timer *t, uint64_t now_ms)
{
	struct log_role *log =
		list_entry(&t->node, struct log_role, sync_timer.node);

	(void)now_ms;
	disk_sync(log);
	if (!log->broken)
		disk_flush(log);
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

void disk_finish(struct log_role *log)
{
	if (!disk_sync(log))
		log_error("stopped with %llu events not on disk",
			  (unsigned long long)log->journal.waiting);
	loop_stop(&log->role.loop);
}

int disk_open(struct log_role *log)
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
	disk_sync(log);
	if (j->cut_bytes > 0)
		log_warn("journal: cut an unfinished line of %llu bytes; its "
			 "relay sends it again",
			 (unsigned long long)j->cut_bytes);
	return log->broken ? -ESTALE : 0;
}

void disk_arm(struct log_role *log)
{
	struct loop *loop = &log->role.loop;

	timer_init(&log->sync_timer, on_sync_timer);
	timer_init(&log->expire_timer, on_expire_timer);
	loop_task_init(&log->flush, on_flush);
	on_expire_timer(&log->expire_timer, loop->now_ms);
	if (log->error != 0)
		loop_defer(loop, &log->flush);
}
