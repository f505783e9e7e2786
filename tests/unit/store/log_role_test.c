// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The real sluice-log, started by a parent that is this program, with relays
 * that are this program too: killed again and again, on a full disk, with its
 * directory gone, told nonsense. What must hold each time: every event that
 * was sent is in the journal once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ipc/event.h"
#include "ipc/msg.h"
#include "ipc/stats.h"
#include "log_rig.h"
#include "store/event_json.h"
#include "store/journal_read.h"

#define EVENTS_MAX 200000

static struct event make_event(const struct relay *r, uint64_t number)
{
	static char url[64];
	struct event ev = {
		.time_us = 1700000000000000 + number,
		.session = number / 3 + 1,
		.protocol = EVENT_HTTP,
		.verdict = VERDICT_CLEAN,
		.status = 200,
		.bytes_out = number,
		.method = STR("GET"),
		.host = STR("example.test"),
		.rule = STR("scan"),
		.content_type = STR("text/html"),
	};

	snprintf(url, sizeof(url), "http://example.test/%" PRIx64 "/%" PRIu64,
		 r->instance, number);
	ev.url = str_of(url);
	return ev;
}

/* One message with up to @count events from number r->sent on. */
static int send_events(struct relay *r, uint32_t count)
{
	static uint8_t packed[MSG_MAX];
	struct msg_events head = {.instance = r->instance, .first = r->sent};
	size_t len = 0;
	int rc;

	while (head.count < count && r->sent + head.count < r->total) {
		struct event ev = make_event(r, head.first + head.count);
		size_t n = event_pack(&ev, packed + len,
				      sizeof(packed) - 64 - len);

		if (n == 0)
			break;
		len += n;
		head.count++;
	}
	if (head.count == 0)
		return 0;
	rc = send_message(r->fd, MSG_EVENTS, &head, sizeof(head), packed, len,
			  NULL, 0);
	if (rc == 0)
		r->sent += head.count;
	return rc;
}

static void send_all(struct gateway *gw)
{
	uint64_t end = now_ms() + PATIENCE_S * 1000;

	for (bool more = true; more;) {
		more = false;
		assert_true(now_ms() < end);
		for (uint32_t i = 0; i < RELAYS; i++) {
			struct relay *r = &gw->relays[i];
			int rc = send_events(r, 100);

			assert_true(rc == 0 || rc == -EAGAIN);
			assert_true(read_acks(r, rc == 0 ? 0 : 5));
			more |= r->sent < r->total;
		}
	}
}

static void wait_acks(struct gateway *gw)
{
	uint64_t end = now_ms() + PATIENCE_S * 1000;

	for (uint32_t i = 0; i < RELAYS; i++) {
		while (gw->relays[i].acked < gw->relays[i].total) {
			assert_true(now_ms() < end);
			assert_true(read_acks(&gw->relays[i], 50));
		}
	}
}

/* --- what the journal holds ---------------------------------------------------------- */

struct tally {
	uint64_t lines;
	uint64_t next[RELAYS];
};

static size_t relay_of(const struct gateway *gw, uint64_t instance)
{
	for (size_t i = 0; i < RELAYS; i++)
		if (gw->relays[i].instance == instance)
			return i;
	fail_msg("nobody's instance is in the journal");
	return 0;
}

/* Every event once and in order, nothing else. */
static void read_journal(const struct gateway *gw, struct tally *t)
{
	struct journal_reader reader;
	struct str line;
	char path[128];
	int rc, dir;

	memset(t, 0, sizeof(*t));
	snprintf(path, sizeof(path), "%s/journal", gw->dir);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir != -1);
	assert_int_equal(journal_reader_init(&reader, dir, JOURNAL_EVENTS), 0);
	assert_int_equal(journal_reader_seek_time(&reader, 0), 0);
	while ((rc = journal_reader_next(&reader, &line)) == 1) {
		uint64_t instance, number;
		const char *at = memmem(line.p, line.len, "\"id\":\"", 6);
		char id[64] = {0};

		assert_non_null(at);
		assert_int_equal(line.p[line.len - 1], '}');
		memcpy(id, at + 6, strcspn(at + 6, "\""));
		assert_true(event_json_id(id, &instance, &number));
		assert_true(number == t->next[relay_of(gw, instance)]++);
		t->lines++;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(reader.bad, 0);
	journal_reader_close(&reader);
	close(dir);
}

static void expect_complete(const struct gateway *gw)
{
	struct tally t;

	read_journal(gw, &t);
	for (size_t i = 0; i < RELAYS; i++)
		assert_true(t.next[i] == gw->relays[i].total);
}

static void set_totals(struct gateway *gw, uint64_t total)
{
	for (uint32_t i = 0; i < RELAYS; i++)
		gw->relays[i].total = total;
}

/* --- tests ------------------------------------------------------------------------------- */

static void stores_and_acknowledges(void **state)
{
	struct gateway *gw = gateway(state);
	struct stat st;
	char path[128];

	set_totals(gw, 1000);
	start_all(gw);
	send_all(gw);
	wait_acks(gw);
	assert_int_equal(stats_get(gw->stats, LOG_EVENTS), 3000);
	assert_true(stats_get(gw->stats, LOG_SYNCS) > 0);
	stop(gw);
	expect_complete(gw);
	snprintf(path, sizeof(path), "%s/journal", gw->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(st.st_uid, NOBODY);
	snprintf(path, sizeof(path), "%s/journal/events.jsonl", gw->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

/* What was sent just before the end is there too, though nobody waited. */
static void stop_drains_the_channels(void **state)
{
	struct gateway *gw = gateway(state);

	set_totals(gw, 3000);
	start_all(gw);
	send_all(gw);
	stop(gw);
	expect_complete(gw);
}

/* Some events to each relay, until it is time to kill. */
static void send_until(struct gateway *gw, uint64_t end)
{
	while (now_ms() < end) {
		for (uint32_t i = 0; i < RELAYS; i++) {
			struct relay *r = &gw->relays[i];
			/* A relay may be slow to read its acknowledgements. */
			bool reads = i != 2 || now_ms() % 64 == 0;

			if (send_events(r, 1 + (uint32_t)(r->sent % 37)) ==
			    -EPIPE)
				return;
			if (reads && !read_acks(r, 0))
				return;
		}
		pause_ms(1);
	}
}

static void killed_again_and_again(void **state)
{
	struct gateway *gw = gateway(state);
	unsigned int kills = 0;
	unsigned int seed = 12345;

	set_totals(gw, EVENTS_MAX);
	gw->config.store_rotate = 256 << 10;
	while (kills < 30) {
		seed = seed * 1103515245 + 12345;
		start(gw);
		for (uint32_t i = 0; i < RELAYS; i++)
			connect_relay(gw, i);
		/* Now and then also while it starts and recovers. */
		if (kills % 5 != 0)
			wait_ready(gw);
		send_until(gw, now_ms() + seed / 65536 % 300);
		kill_role(gw);
		kills++;
	}
	for (uint32_t i = 0; i < RELAYS; i++) {
		struct relay *r = &gw->relays[i];

		assert_true(r->acked > 0);
		r->total = r->sent > r->acked ? r->sent : r->acked;
	}
	start_all(gw);
	send_all(gw);
	wait_acks(gw);
	stop(gw);
	expect_complete(gw);
	print_message("# %u kills, %" PRIu64 " events of relay 0\n", kills,
		      gw->relays[0].total);
}

/* A relay hung for long: its numbers lie far behind the tail that is read. */
static void resent_from_far_back(void **state)
{
	struct gateway *gw = gateway(state);

	gw->config.store_rotate = 1 << 20;
	gw->relays[0].total = 500;
	gw->relays[1].total = 60000; /* about 20 MiB of lines */
	start_all(gw);
	while (send_events(&gw->relays[0], 50) == 0 &&
	       gw->relays[0].sent < gw->relays[0].total)
		;
	send_all(gw);
	/* Relay 0 never reads that its events were stored. */
	gw->relays[0].acked = 0;
	while (gw->relays[1].acked < gw->relays[1].total)
		assert_true(read_acks(&gw->relays[1], 50));
	kill_role(gw);
	start_all(gw);
	gw->relays[0].acked = 0;
	gw->relays[0].sent = 0;
	send_all(gw);
	wait_acks(gw);
	stop(gw);
	expect_complete(gw);
}

static void full_disk(void **state)
{
	struct gateway *gw = gateway(state);
	char filler[128], block[4096] = {0};
	uint64_t stored, end;
	int fd;

	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", gw->dir, "tmpfs", 0, "size=1m,mode=755"),
			 0);
	set_totals(gw, 100);
	start_all(gw);
	send_all(gw);
	wait_acks(gw);
	snprintf(filler, sizeof(filler), "%s/filler", gw->dir);
	fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	set_totals(gw, 30000);
	end = now_ms() + PATIENCE_S * 1000;
	while (stats_get(gw->stats, LOG_BLOCKED) == 0) {
		assert_true(now_ms() < end);
		send_events(&gw->relays[0], 10);
		pause_ms(5);
	}
	/* It goes on taking nothing, and the relays have to wait. */
	for (end = now_ms() + 2500; now_ms() < end; pause_ms(2))
		for (uint32_t i = 0; i < RELAYS; i++)
			send_events(&gw->relays[i], 200);
	assert_true(stats_get(gw->stats, LOG_WRITE_ERRORS) > 1);
	assert_true(stats_get(gw->stats, LOG_WRITE_ERRORS) < 10);
	assert_non_null(strstr(gw->stats->note, "free space"));
	stored = 0;
	for (uint32_t i = 0; i < RELAYS; i++) {
		assert_true(read_acks(&gw->relays[i], 0));
		stored += gw->relays[i].acked;
	}
	assert_int_equal(stored, stats_get(gw->stats, LOG_EVENTS));
	assert_true(gw->relays[0].sent > gw->relays[0].acked);
	for (uint32_t i = 0; i < RELAYS; i++)
		gw->relays[i].total = gw->relays[i].sent;
	assert_int_equal(mount(NULL, gw->dir, NULL, MS_REMOUNT, "size=64m"), 0);
	wait_acks(gw);
	assert_int_equal(stats_get(gw->stats, LOG_BLOCKED), 0);
	stop(gw);
	expect_complete(gw);
	assert_int_equal(umount(gw->dir), 0);
}

/* The role ends, its parent starts it again, and it makes the directory. */
static void directory_removed(void **state)
{
	struct gateway *gw = gateway(state);
	char path[128];

	set_totals(gw, 10);
	start_all(gw);
	send_all(gw);
	wait_acks(gw);
	snprintf(path, sizeof(path), "%s/journal", gw->dir);
	assert_int_equal(nftw(path, unlink_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	/* Those that were there are gone by somebody's will. */
	set_totals(gw, 20);
	send_all(gw);
	assert_int_equal(WEXITSTATUS(wait_end(gw)), 1);
	for (uint32_t i = 0; i < RELAYS; i++)
		assert_int_equal(gw->relays[i].acked, 10);
	start_all(gw);
	send_all(gw);
	wait_acks(gw);
	stop(gw);
}

static void bad_messages_end_the_channel(void **state)
{
	struct gateway *gw = gateway(state);
	struct relay *r = &gw->relays[0];
	uint64_t end = now_ms() + PATIENCE_S * 1000;
	uint64_t own = r->instance;

	set_totals(gw, 50);
	start_all(gw);
	send_all(gw);
	wait_acks(gw);
	/* another's instance, and a second one on the same channel */
	r->instance = gw->relays[1].instance;
	r->total = 60;
	assert_int_equal(send_events(r, 10), 0);
	while (read_acks(r, 50))
		assert_true(now_ms() < end);
	r->instance = own;
	connect_relay(gw, 0);
	/* one left out */
	assert_int_equal(send_events(r, 1), 0);
	r->sent++;
	assert_int_equal(send_events(r, 1), 0);
	while (read_acks(r, 50))
		assert_true(now_ms() < end);
	connect_relay(gw, 0);
	/* a length that isn't true */
	assert_int_equal(
		send_message(r->fd, MSG_EVENTS, "short", 5, NULL, 0, NULL, 0),
		0);
	while (read_acks(r, 50))
		assert_true(now_ms() < end);
	/* the others are not disturbed, and an honest successor is welcome */
	connect_relay(gw, 0);
	set_totals(gw, 100);
	send_all(gw);
	wait_acks(gw);
	stop(gw);
	expect_complete(gw);
}

/* Reload changes the size at which files are rotated. */
static void reload_is_live(void **state)
{
	struct gateway *gw = gateway(state);
	int fd;

	set_totals(gw, 2000);
	start_all(gw);
	send_all(gw);
	wait_acks(gw);
	assert_int_equal(stats_get(gw->stats, LOG_ROTATIONS), 0);
	gw->config.store_rotate = 100 << 10;
	fd = memfile_snapshot("config", &gw->config, sizeof(gw->config));
	assert_int_equal(send_message(gw->parent_fd, MSG_CONFIG, NULL, 0, NULL,
				      0, &fd, 1),
			 0);
	close(fd);
	set_totals(gw, 4000);
	send_all(gw);
	wait_acks(gw);
	assert_true(stats_get(gw->stats, LOG_ROTATIONS) > 0);
	stop(gw);
	expect_complete(gw);
}

static void throughput(void **state)
{
	struct gateway *gw = gateway(state);
	uint64_t begin, ms;

	set_totals(gw, EVENTS_MAX / RELAYS);
	start_all(gw);
	begin = now_ms();
	send_all(gw);
	wait_acks(gw);
	ms = now_ms() - begin;
	print_message("# %d events in %" PRIu64 " ms: %" PRIu64 " events/s\n",
		      EVENTS_MAX, ms, EVENTS_MAX * UINT64_C(1000) / (ms + 1));
	stop(gw);
	expect_complete(gw);
}

#define ROLE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROLE_TEST(stores_and_acknowledges),
		ROLE_TEST(stop_drains_the_channels),
		ROLE_TEST(killed_again_and_again),
		ROLE_TEST(resent_from_far_back),
		ROLE_TEST(directory_removed),
		ROLE_TEST(bad_messages_end_the_channel),
		ROLE_TEST(reload_is_live),
		ROLE_TEST(throughput),
		ROLE_TEST(full_disk), /* last: it leaves the mount namespace */
	};

	return cmocka_run_group_tests_name("log role", tests, NULL, NULL);
}
