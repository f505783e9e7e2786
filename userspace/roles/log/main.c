// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sluice-log: takes events from the relays, writes them to the journal, and
 * acknowledges what is on disk.
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
#include "roles/log/disk.h"
#include "roles/log/senders.h"
#include "store/event_json.h"
#include "sys/log.h"

#define STOP_SPARE_MS 500 /* of the time to stop, for the last sync */
#define MODE_STATE    0755
#define MODE_JOURNAL  0750
#define UMASK	      027

/* --- orders of the parent ---------------------------------------------------------- */

static void on_reloaded(struct role *role)
{
	struct log_role *log = list_entry(role, struct log_role, role);

	log->journal.rotate = role->config->config->store_rotate;
}

static void on_stop_timer(struct timer *t, uint64_t now_ms)
{
	(void)now_ms;
	disk_finish(list_entry(&t->node, struct log_role, stop_timer.node));
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
		disk_finish(log);
	else
		timer_arm(&role->loop.wheel, &log->stop_timer,
			  role->loop.now_ms + wait);
}

static const struct role_ops log_ops = {
	.id = ROLE_LOG,
	.peer = senders_connect,
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

int main(void)
{
	struct log_role log = {.dir_fd = -1};
	int rc = role_begin(&log.role, &log_ops, &log);

	if (rc != 0)
		return EXIT_FAILURE;
	list_init(&log.peers);
	rc = confine(&log);
	if (rc == 0)
		rc = disk_open(&log);
	if (rc == 0) {
		timer_init(&log.stop_timer, on_stop_timer);
		disk_arm(&log);
		rc = role_ready(&log.role);
	}
	if (rc == 0)
		rc = role_run(&log.role);
	senders_drop(&log);
	journal_close(&log.journal);
	config_ref_put(log.role.config);
	return rc == 0 && !log.broken ? EXIT_SUCCESS : EXIT_FAILURE;
}
