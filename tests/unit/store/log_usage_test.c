// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records of usage in the real sluice-log: each is on disk once whatever
 * happens, none that is impossible gets there, and neither journal's disk
 * stands in the other's way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <inttypes.h>
#include <sched.h>
#include <sys/mount.h>

#include "ipc/event.h"
#include "ipc/usage.h"
#include "log_rig.h"
#include "policy/app.h"
#include "store/event_json.h"
#include "store/journal_read.h"
#include "store/usage_json.h"

#define BATCH 1000

#ifdef __SANITIZE_ADDRESS__
#define CONFINED false
#else
#define CONFINED true
#endif

/* relays[0] is the app role, relays[1] a relay. */
static struct relay *app_of(struct gateway *gw)
{
	return &gw->relays[0];
}

static int setup_app(void **state)
{
	int rc = setup(state);

	if (*state != NULL)
		app_of(*state)->role = ROLE_APP;
	return rc;
}

static struct usage make_usage(uint64_t number)
{
	struct usage u = {
		.time_s = 1732227000 + number / 500 * USAGE_SPAN_S,
		.bytes = number,
		.packets = number / 2,
		.flows = 1,
		.client = {{10, 0, (uint8_t)(number / 200),
			    (uint8_t)(number % 200)},
			   AF_INET},
		.direction = number % 2,
		.app = (uint16_t)(number % 3 == 0 ? APP_NONE : APP_DNS),
	};

	return u;
}

/* As send_events(). */
static int send_usage(struct relay *r, uint32_t count)
{
	static struct usage records[BATCH];
	struct msg_events head = {.instance = r->instance, .first = r->sent};
	int rc;

	while (head.count < count && head.count < BATCH &&
	       r->sent + head.count < r->total) {
		records[head.count] = make_usage(head.first + head.count);
		head.count++;
	}
	if (head.count == 0)
		return 0;
	rc = send_message(r->fd, MSG_USAGE, &head, sizeof(head), records,
			  head.count * sizeof(records[0]), NULL, 0);
	if (rc == 0)
		r->sent += head.count;
	return rc;
}

static int send_an_event(struct relay *r)
{
	uint8_t packed[EVENT_PACKED_MAX];
	struct event ev = {.time_us = 1, .url = STR("http://example.test/")};
	struct msg_events head = {r->instance, r->sent, 1, 0};
	size_t n = event_pack(&ev, packed, sizeof(packed));

	return send_message(r->fd, MSG_EVENTS, &head, sizeof(head), packed, n,
			    NULL, 0);
}

static void send_all(struct relay *r)
{
	uint64_t end = now_ms() + PATIENCE_S * 1000;

	while (r->sent < r->total) {
		int rc = send_usage(r, 300);

		assert_true(now_ms() < end);
		assert_true(rc == 0 || rc == -EAGAIN);
		assert_true(read_acks(r, rc == 0 ? 0 : 5));
	}
}

static void wait_acks(struct relay *r)
{
	uint64_t end = now_ms() + PATIENCE_S * 1000;

	while (r->acked < r->total) {
		assert_true(now_ms() < end);
		assert_true(read_acks(r, 50));
	}
}

static void wait_closed(struct relay *r)
{
	uint64_t end = now_ms() + PATIENCE_S * 1000;

	while (read_acks(r, 50))
		assert_true(now_ms() < end);
}

/* Each record once and in order, as it was sent, and nothing else. */
static void expect_records(const struct gateway *gw, uint64_t total)
{
	struct journal_reader reader;
	struct usage_line u = {0};
	uint64_t instance, number, expected = 0;
	char path[128], id[EVENT_ID_MAX];
	struct str line;
	int dir;

	snprintf(path, sizeof(path), "%s/usage", gw->dir);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(journal_reader_init(&reader, dir, JOURNAL_USAGE), 0);
	assert_int_equal(journal_reader_seek_time(&reader, 0), 0);
	for (; journal_reader_next(&reader, &line) == 1; expected++) {
		struct usage sent = make_usage(expected);

		assert_true(usage_json_read(line, &u));
		assert_true(str_copy_view(id, sizeof(id), u.id));
		assert_true(event_json_id(id, &instance, &number));
		assert_true(number == expected);
		assert_true(u.time_s == sent.time_s);
		assert_true(u.bytes == sent.bytes);
		assert_int_equal(u.direction, sent.direction);
	}
	assert_true(expected == total);
	assert_int_equal(reader.bad, 0);
	journal_reader_close(&reader);
	close(dir);
}

/* --- tests ---------------------------------------------------------------------- */

static void stores_and_acknowledges(void **state)
{
	struct gateway *gw = gateway(state);
	struct relay *app = app_of(gw);
	char path[128];
	struct stat st;

	app->total = 5000;
	start_all(gw);
	send_all(app);
	wait_acks(app);
	assert_int_equal(stats_get(gw->stats, LOG_USAGE), 5000);
	assert_int_equal(stats_get(gw->stats, LOG_EVENTS), 0);
	stop(gw);
	expect_records(gw, 5000);
	snprintf(path, sizeof(path), "%s/usage", gw->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(st.st_uid, NOBODY);
	snprintf(path, sizeof(path), "%s/usage/usage.jsonl", gw->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	print_message("# %" PRIu64 " bytes a record\n",
		      (uint64_t)st.st_size / 5000);
}

static void killed_again_and_again(void **state)
{
	struct gateway *gw = gateway(state);
	struct relay *app = app_of(gw);

	app->total = 100000;
	gw->config.store_rotate = 256 << 10;
	for (unsigned int kills = 0; kills < 12; kills++) {
		uint64_t end;

		start_all(gw);
		end = now_ms() + 20 + kills * 37 % 200;
		while (now_ms() < end && send_usage(app, 1 + kills * 10) == 0 &&
		       read_acks(app, 0))
			pause_ms(1);
		kill_role(gw);
	}
	assert_true(app->acked > 0);
	app->total = app->sent > app->acked ? app->sent : app->acked;
	start_all(gw);
	send_all(app);
	wait_acks(app);
	stop(gw);
	expect_records(gw, app->total);
}

static void expect_refused(struct gateway *gw, const struct usage *u)
{
	struct relay *app = app_of(gw);
	struct msg_events head = {app->instance, app->sent, 1, 0};

	assert_int_equal(send_message(app->fd, MSG_USAGE, &head, sizeof(head),
				      u, sizeof(*u), NULL, 0),
			 0);
	wait_closed(app);
	connect_relay(gw, 0);
}

/* Values first, then numbers, then what is not the sender's to send. */
static void impossible_records_end_the_channel(void **state)
{
	struct gateway *gw = gateway(state);
	struct relay *app = app_of(gw), *relay = &gw->relays[1];
	struct msg_events two = {app->instance, 10, 2, 0};
	struct usage u = make_usage(10);

	app->total = 10;
	start_all(gw);
	send_all(app);
	wait_acks(app);
	u.direction = USAGE_DIRECTIONS;
	expect_refused(gw, &u);
	u = make_usage(10);
	u.app = APP_ID_MAX + 1;
	expect_refused(gw, &u);
	u = make_usage(10);
	u.client.family = 99;
	expect_refused(gw, &u);
	u = make_usage(10);
	u.time_s++;
	expect_refused(gw, &u);
	u = make_usage(10);
	u.zero = 1;
	expect_refused(gw, &u);
	u = make_usage(10);
	app->instance++;
	expect_refused(gw, &u);
	app->instance--;
	connect_relay(gw, 0);
	/* two said, one sent */
	assert_int_equal(send_message(app->fd, MSG_USAGE, &two, sizeof(two), &u,
				      sizeof(u), NULL, 0),
			 0);
	wait_closed(app);
	connect_relay(gw, 0);
	assert_int_equal(send_an_event(app), 0);
	wait_closed(app);
	connect_relay(gw, 0);
	relay->total = 1;
	assert_int_equal(send_usage(relay, 1), 0);
	wait_closed(relay);
	/* an honest successor is welcome */
	app->total = 20;
	send_all(app);
	wait_acks(app);
	stop(gw);
	expect_records(gw, 20);
}

/* What the role can reach: two directories, and no way out of them. */
static void sees_its_directories_alone(void **state)
{
	struct gateway *gw = gateway(state);
	char path[64], line[512];
	unsigned int mounts = 0, names = 0;
	struct dirent *d;
	FILE *info;
	DIR *root;

	if (!CONFINED)
		skip(); /* what sanitizers need is more than it may do */
	start_all(gw);
	snprintf(path, sizeof(path), "/proc/%d/root", (int)gw->pid);
	root = opendir(path);
	assert_non_null(root);
	while ((d = readdir(root)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		assert_true(strcmp(d->d_name, "journal") == 0 ||
			    strcmp(d->d_name, "usage") == 0);
		names++;
	}
	closedir(root);
	assert_int_equal(names, 2);
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)gw->pid);
	info = fopen(path, "re");
	assert_non_null(info);
	while (fgets(line, sizeof(line), info) != NULL)
		mounts++;
	fclose(info);
	assert_int_equal(mounts, 3);
	stop(gw);
}

static void fill(const char *dir, const char *name)
{
	char path[128], block[4096] = {0};
	int fd;

	snprintf(path, sizeof(path), "%s/%s/filler", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd != -1);
	while (write(fd, block, sizeof(block)) > 0)
		;
	while (write(fd, block, 1) > 0)
		;
	close(fd);
}

static void wait_blocked(const struct gateway *gw, uint64_t value)
{
	uint64_t end = now_ms() + PATIENCE_S * 1000;

	while (stats_get(gw->stats, LOG_BLOCKED) != value) {
		assert_true(now_ms() < end);
		pause_ms(5);
	}
}

/* Each journal on a file system of its own, and one of them is full. */
static void mount_both(const struct gateway *gw)
{
	static const char *const names[] = {"journal", "usage"};
	char path[128];

	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", gw->dir, names[i]);
		assert_int_equal(mkdir(path, 0755), 0);
		assert_int_equal(
			mount("none", path, "tmpfs", 0, "size=256k,mode=755"),
			0);
	}
}

static void free_again(const struct gateway *gw, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s/filler", gw->dir, name);
	assert_int_equal(unlink(path), 0);
}

static void unmount_both(const struct gateway *gw)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/journal", gw->dir);
	assert_int_equal(umount(path), 0);
	snprintf(path, sizeof(path), "%s/usage", gw->dir);
	assert_int_equal(umount(path), 0);
}

static void a_full_disk_stops_one_alone(void **state)
{
	struct gateway *gw = gateway(state);
	struct relay *app = app_of(gw), *relay = &gw->relays[1];

	mount_both(gw);
	app->total = 10;
	start_all(gw);
	send_all(app);
	wait_acks(app);
	/* no room for usage: events go on */
	fill(gw->dir, "usage");
	app->total = 50;
	send_all(app);
	wait_blocked(gw, 1);
	assert_non_null(strstr(gw->stats->note, "usage: "));
	assert_non_null(strstr(gw->stats->note, "free space"));
	assert_int_equal(send_an_event(relay), 0);
	relay->total = 1;
	wait_acks(relay);
	assert_int_equal(app->acked, 10);
	free_again(gw, "usage");
	wait_acks(app);
	wait_blocked(gw, 0);
	/* no room for events: usage goes on */
	fill(gw->dir, "journal");
	/* more than what is left of its last page */
	for (relay->sent = 1; relay->sent < 60; relay->sent++)
		assert_int_equal(send_an_event(relay), 0);
	relay->total = 60;
	wait_blocked(gw, 1);
	assert_non_null(strstr(gw->stats->note, "journal: "));
	app->total = 100;
	send_all(app);
	wait_acks(app);
	assert_true(relay->acked < 60);
	free_again(gw, "journal");
	wait_acks(relay);
	stop(gw);
	expect_records(gw, 100);
	unmount_both(gw);
}

#define ROLE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_app, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROLE_TEST(stores_and_acknowledges),
		ROLE_TEST(killed_again_and_again),
		ROLE_TEST(impossible_records_end_the_channel),
		ROLE_TEST(sees_its_directories_alone),
		/* last: it leaves the mount namespace */
		ROLE_TEST(a_full_disk_stops_one_alone),
	};

	return cmocka_run_group_tests_name("log role: usage", tests, NULL,
					   NULL);
}
