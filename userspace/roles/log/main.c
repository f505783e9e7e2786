// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sluice-log: takes events from the relays and usage from the app role, writes
 * them to a journal each, and acknowledges what is on disk.
 *
 * What a relay may rely on, and the app role likewise: MSG_EVENTS_STORED names
 * the first number that is not on disk yet. On a new channel it sends
 * everything again from its oldest event that was not acknowledged; what the
 * journal has is not written twice.
 * A relay numbers its events one by one within its instance, speaks for one
 * instance alone, and leaves none out on a channel: the first message says
 * where it begins, each other one begins where the last one ended.
 *
 * While the disk takes nothing, events stay in the relays: the buffer here
 * fills, and then the channels are no longer read.
 *
 * The two journals are in directories of their own. This process sees these
 * two and nothing else: they are all that its root directory holds
 * (sys/mounts.h). A chroot into their parent would show it the rest of the
 * state directory too, with the CA's key.
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

	for (size_t i = 0; i < LOG_DISKS; i++)
		log->disks[i].journal.rotate =
			role->config->config->store_rotate;
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

/* As root: the directory, and who owns it. 0 or -errno. */
static int make_place(const struct log_disk *d)
{
	const struct msg_init *init = &d->log->role.init;
	int rc = make_directory(d->path, MODE_JOURNAL);
	int fd;

	if (rc != 0)
		return rc;
	fd = open(d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -errno;
	if (fchown(fd, init->uid, init->gid) == -1 ||
	    fchmod(fd, MODE_JOURNAL) == -1)
		rc = -errno;
	close(fd);
	return rc;
}

static const struct {
	const char *name;
	unsigned int counter;
	const struct journal_kind *kind;
} places[LOG_DISKS] = {
	[LOG_DISK_EVENTS] = {"journal", LOG_EVENTS, &journal_events},
	[LOG_DISK_USAGE] = {"usage", LOG_USAGE, &journal_usage},
};

static int make_places(struct log_role *log)
{
	const char *state_dir = log->role.config->config->state_dir;
	const char *path = state_dir;
	int rc = make_directory(state_dir, MODE_STATE);

	for (size_t i = 0; rc == 0 && i < LOG_DISKS; i++) {
		struct log_disk *d = &log->disks[i];

		d->log = log;
		d->name = places[i].name;
		d->counter = places[i].counter;
		snprintf(d->path, sizeof(d->path), "%s/%s", state_dir, d->name);
		path = d->path;
		rc = make_place(d);
	}
	if (rc != 0)
		log_error("can't make %s: %s", path, strerror(-rc));
	return rc;
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

/* Descriptors of the journals' directories into @dirs; 0 or -errno. */
static int confine(struct log_role *log, struct sandbox_dir *dirs)
{
	struct sandbox sb = {
		.dirs = dirs,
		.ndirs = LOG_DISKS,
		.own_network = true,
		.syscalls = syscalls,
		.nsyscalls = sizeof(syscalls) / sizeof(syscalls[0]),
	};
	int rc = make_places(log);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < LOG_DISKS; i++)
		dirs[i] = (struct sandbox_dir){.path = log->disks[i].path,
					       .name = log->disks[i].name};
	umask(UMASK);
	warm_up();
	return role_confine(&log->role, &sb);
}

static int begin(struct log_role *log)
{
	struct sandbox_dir dirs[LOG_DISKS];
	int rc = confine(log, dirs);

	for (size_t i = 0; rc == 0 && i < LOG_DISKS; i++)
		rc = disk_open(&log->disks[i], places[i].kind, dirs[i].fd);
	if (rc != 0)
		return rc;
	timer_init(&log->stop_timer, on_stop_timer);
	for (size_t i = 0; i < LOG_DISKS; i++)
		disk_arm(&log->disks[i]);
	return role_ready(&log->role);
}

int main(void)
{
	static struct log_role log;
	int rc = role_begin(&log.role, &log_ops, &log);

	if (rc != 0)
		return EXIT_FAILURE;
	list_init(&log.peers);
	rc = begin(&log);
	if (rc == 0)
		rc = role_run(&log.role);
	senders_drop(&log);
	for (size_t i = 0; i < LOG_DISKS; i++)
		journal_close(&log.disks[i].journal);
	config_ref_put(log.role.config);
	return rc == 0 && !log.broken ? EXIT_SUCCESS : EXIT_FAILURE;
}
