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
	log_error("%s: starting again, senders keep what they have", why);
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

/* Of the first journal that is blocked, or where the events are. */
static void note_state(struct log_role *log)
{
	const struct log_disk *events = &log->disks[LOG_DISK_EVENTS];
	const struct log_disk *d = NULL;
	uint64_t blocked = 0;

	for (size_t i = LOG_DISKS; i-- > 0;) {
		if (log->disks[i].error == 0)
			continue;
		d = &log->disks[i];
		blocked++;
	}
	stats_set(log->role.stats, LOG_BLOCKED, blocked);
	if (d == NULL)
		stats_note(log->role.stats, "%s: %s", events->name,
			   events->path);
	else
		stats_note(log->role.stats,
			   "%s: %s: %s; %llu records wait here, more where "
			   "they come from",
			   d->name, d->path, advice(d->error),
			   (unsigned long long)d->journal.waiting);
}

/* The disk refused with @error: say so, once for each reason. */
static void blocked(struct log_disk *d, int error)
{
	stats_add(d->log->role.stats, LOG_WRITE_ERRORS, 1);
	if (d->error != error)
		log_error("%s %s: %s", d->name, d->path, advice(error));
	d->error = error;
	note_state(d->log);
}

static void unblocked(struct log_disk *d)
{
	if (d->error == 0)
		return;
	d->error = 0;
	note_state(d->log);
	log_info("%s %s: writing again", d->name, d->path);
}

static void count_stored(struct log_disk *d, uint64_t records, uint64_t bytes)
{
	struct stats *stats = d->log->role.stats;

	if (records == 0)
		return;
	stats_add(stats, d->counter, records);
	stats_add(stats, LOG_BYTES, bytes);
	stats_add(stats, LOG_SYNCS, 1);
}

static void count_rotations(struct log_role *log)
{
	uint64_t rotations = 0;

	for (size_t i = 0; i < LOG_DISKS; i++)
		rotations += log->disks[i].journal.rotations;
	stats_set(log->role.stats, LOG_ROTATIONS, rotations);
}

bool disk_sync(struct log_disk *d)
{
	struct journal *j = &d->journal;
	uint64_t records = j->waiting, bytes = j->len;
	int rc = journal_sync(j, d->log->role.loop.clock->wall_us());

	if (rc == -ESTALE) {
		disk_give_up(d->log, "a journal's directory was removed");
		return false;
	}
	if (j->len == 0)
		count_stored(d, records, bytes);
	count_rotations(d->log);
	senders_acknowledge(d);
	if (rc != 0)
		blocked(d, -rc);
	else
		unblocked(d);
	return rc == 0;
}

void disk_flush(struct log_disk *d)
{
	struct journal *j = &d->journal;
	struct loop *loop = &d->log->role.loop;
	int rc;

	senders_acknowledge(d);
	if (d->error == 0 && j->len >= JOURNAL_SYNC_BYTES)
		disk_sync(d);
	else if (d->error == 0) {
		rc = journal_write(j);
		if (rc != 0 && rc != -ESTALE)
			blocked(d, -rc);
	}
	if ((j->len > 0 || d->error != 0) && !timer_armed(&d->sync_timer))
		timer_arm(&loop->wheel, &d->sync_timer,
			  loop->now_ms + (d->error ? RETRY_MS : SYNC_MS));
	if (d->paused != !journal_has_room(j))
		senders_pause(d, !journal_has_room(j));
}

static void on_flush(struct loop_task *task)
{
	disk_flush(list_entry(&task->node, struct log_disk, flush.node));
}

static void on_sync_timer(struct timer *t, uint64_t now_ms)
{
	struct log_disk *d =
		list_entry(&t->node, struct log_disk, sync_timer.node);

	(void)now_ms;
	disk_sync(d);
	if (!d->log->broken)
		disk_flush(d);
}

static void on_expire_timer(struct timer *t, uint64_t now_ms)
{
	struct log_disk *d =
		list_entry(&t->node, struct log_disk, expire_timer.node);
	const struct role *role = &d->log->role;
	unsigned int removed =
		journal_expire(&d->journal, role->config->config->store_keep,
			       role->loop.clock->wall_us(), now_ms);

	if (removed > 0)
		log_info("%s: removed %u files past their age", d->name,
			 removed);
	timer_arm(&d->log->role.loop.wheel, t, now_ms + EXPIRE_MS);
}

void disk_finish(struct log_role *log)
{
	for (size_t i = 0; i < LOG_DISKS; i++) {
		struct log_disk *d = &log->disks[i];

		if (!disk_sync(d))
			log_error("%s: stopped with %llu records not on disk",
				  d->name,
				  (unsigned long long)d->journal.waiting);
	}
	loop_stop(&log->role.loop);
}

int disk_open(struct log_disk *d, const struct journal_kind *kind, int dir_fd)
{
	struct journal *j = &d->journal;
	int rc = journal_init(j, kind, dir_fd,
			      d->log->role.config->config->store_rotate);

	if (rc != 0) {
		log_error("no memory for a journal");
		return rc;
	}
	rc = journal_recover(j);
	if (rc != 0)
		log_error("can't read all of %s %s: %s; records may be in it "
			  "twice",
			  d->name, d->path, strerror(-rc));
	note_state(d->log);
	disk_sync(d);
	if (j->cut_bytes > 0)
		log_warn("%s: cut an unfinished line of %llu bytes; its sender "
			 "sends it again",
			 d->name, (unsigned long long)j->cut_bytes);
	return d->log->broken ? -ESTALE : 0;
}

void disk_arm(struct log_disk *d)
{
	struct loop *loop = &d->log->role.loop;

	timer_init(&d->sync_timer, on_sync_timer);
	timer_init(&d->expire_timer, on_expire_timer);
	loop_task_init(&d->flush, on_flush);
	on_expire_timer(&d->expire_timer, loop->now_ms);
	if (d->error != 0)
		loop_defer(loop, &d->flush);
}
