// SPDX-License-Identifier: GPL-2.0-or-later
/* What goes wrong in the scan role, or is done to it, and what that costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rig.h"

static struct rig rig;
static char eicar[EICAR_SIZE];
static const char page[] = "<html><body>Nothing here</body></html>";

static int set_up(void **state)
{
	(void)state;
	eicar_fill(eicar);
	rig_init(&rig);
	/* What is killed on purpose isn't worth a line. */
	rig.config.log_level = LEVEL_ERROR;
	rig_start(&rig);
	return rig_await(&rig, SCAN_WORKERS, 2) ? 0 : -1;
}

static int tear_down(void **state)
{
	int status = rig_stop(&rig);

	(void)state;
	rig_remove(&rig);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static bool works(void)
{
	struct msg_scanned a;

	return rig_scan(&rig, eicar, sizeof(eicar), &a) == VERDICT_BLOCKED &&
	       rig_scan(&rig, page, sizeof(page), &a) == VERDICT_CLEAN;
}

/* Both workers stand still, so that what is asked for next stays under way. */
static void stop_workers(pid_t workers[2])
{
	assert_int_equal(rig_workers(&rig, workers, 2), 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(kill(workers[i], SIGSTOP), 0);
}

/* --- workers -------------------------------------------------------------------- */

static void a_dead_worker_costs_its_scan(void **state)
{
	struct msg_scanned a;
	pid_t workers[2] = {0};

	(void)state;
	stop_workers(workers);
	for (uint64_t id = 0; id < 4; id++)
		rig_ask_bytes(&rig, 0, id, page, sizeof(page));
	assert_true(rig_await(&rig, SCAN_BUSY, 2));
	assert_int_equal(kill(workers[0], SIGKILL), 0);
	assert_int_equal(kill(workers[1], SIGSEGV), 0);
	kill(workers[1], SIGCONT);
	for (int failed = 0, clean = 0; failed + clean < 4;) {
		assert_true(rig_answer(&rig, 0, &a));
		if (a.verdict == VERDICT_CLEAN) {
			assert_true(++clean <= 2);
			continue;
		}
		assert_int_equal(a.verdict, VERDICT_NOT_SCANNED);
		assert_int_equal(a.reason, REASON_SCANNER_FAILED);
		assert_true(++failed <= 2);
	}
	assert_true(works());
	assert_int_equal(stats_get(rig.stats, SCAN_WORKER_DEATHS), 2);
	assert_true(rig_await(&rig, SCAN_WORKERS, 2));
}

static void idle_workers_are_replaced(void **state)
{
	pid_t workers[2] = {0};

	(void)state;
	assert_int_equal(rig_workers(&rig, workers, 2), 2);
	kill(workers[0], SIGKILL);
	kill(workers[1], SIGKILL);
	usleep(50000);
	assert_true(works());
}

/* The deadline counts from the request, wherever it is by then. */
static void overruns_are_killed(void **state)
{
	struct msg_scanned a;
	pid_t workers[2] = {0};
	uint64_t started;

	(void)state;
	rig.config.scan.deadline = 400;
	rig_reload(&rig);
	assert_true(works());
	stop_workers(workers);
	started = rig_now_ms();
	for (uint64_t id = 0; id < 10; id++)
		rig_ask_bytes(&rig, 0, id, page, sizeof(page));
	for (uint64_t id = 0; id < 10; id++) {
		assert_true(rig_answer(&rig, 0, &a));
		assert_int_equal(a.verdict, VERDICT_NOT_SCANNED);
		assert_int_equal(a.reason, REASON_SCANNER_TIMEOUT);
		assert_true(a.scan_us >= 390000);
	}
	/* Less than the deadline of before; more is the machine's load. */
	assert_in_range(rig_now_ms() - started, 390, 5000);
	assert_int_equal(stats_get(rig.stats, SCAN_TIMEOUTS), 10);
	assert_int_equal(stats_get(rig.stats, SCAN_WORKER_DEATHS), 2);
	assert_true(works());
}

/* A scan that nobody waits for gives its worker back after a second. */
static void abandoned_scans_end_soon(void **state)
{
	struct msg_scan_cancel cancel = {.id = 1};
	uint64_t started = rig_now_ms();
	pid_t workers[2] = {0};

	(void)state;
	stop_workers(workers);
	rig_ask_bytes(&rig, 0, 1, page, sizeof(page));
	rig_ask_bytes(&rig, 1, 1, page, sizeof(page));
	assert_true(rig_await(&rig, SCAN_BUSY, 2));
	rig_send(rig.relay[0], MSG_SCAN_CANCEL, &cancel, sizeof(cancel), NULL,
		 0);
	rig_peer(&rig, 1); /* as if the relay had been restarted */
	assert_true(works());
	assert_in_range(rig_now_ms() - started, 900, 8000);
}

/* --- other processes -------------------------------------------------------------- */

static pid_t child_named(const char *what)
{
	pid_t children[16], workers[16];
	size_t n = rig_children(rig.pid, children, 16);

	/* The keeper has children, the hasher none. */
	for (size_t i = 0; i < n; i++)
		if ((rig_children(children[i], workers, 16) > 0) ==
		    (strcmp(what, "keeper") == 0))
			return children[i];
	return -1;
}

static void a_dead_keeper_is_replaced(void **state)
{
	uint64_t generation = stats_get(rig.stats, SCAN_GENERATION);
	struct msg_scanned a;
	pid_t workers[2] = {0};

	(void)state;
	stop_workers(workers);
	for (uint64_t id = 0; id < 4; id++)
		rig_ask_bytes(&rig, 0, id, page, sizeof(page));
	assert_true(rig_await(&rig, SCAN_BUSY, 2));
	assert_int_equal(kill(child_named("keeper"), SIGKILL), 0);
	for (int i = 0; i < 4; i++)
		assert_true(rig_answer(&rig, 0, &a));
	assert_true(rig_await(&rig, SCAN_GENERATION, generation + 1));
	assert_true(works());
	/* The workers of the dead one have died with it. */
	assert_true(rig_state(workers[0]) == 0 || rig_state(workers[0]) == 'Z');
}

static void a_dead_hasher_costs_no_verdict(void **state)
{
	size_t size = 1 << 20;
	char *data = calloc(1, size);
	struct msg_scanned a;
	static const uint8_t none[MSG_SHA256];

	(void)state;
	assert_non_null(data);
	assert_int_equal(kill(child_named("hasher"), SIGKILL), 0);
	usleep(20000);
	assert_int_equal(rig_scan(&rig, data, size, &a), VERDICT_CLEAN);
	assert_memory_equal(a.sha256, none, sizeof(none));
	for (int i = 0; i < 100 && memcmp(a.sha256, none, 32) == 0; i++) {
		usleep(100000);
		assert_int_equal(rig_scan(&rig, data, size, &a), VERDICT_CLEAN);
	}
	assert_memory_not_equal(a.sha256, none, sizeof(none));
	free(data);
}

/* Reap orphans until no process is left that comes from the role. */
static void await_no_children(void)
{
	uint64_t end = rig_now_ms() + RIG_WAIT;

	while (rig_now_ms() < end) {
		if (waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD)
			return;
		usleep(5000);
	}
	fail_msg("processes of the role are left");
}

static void a_dead_dispatcher_leaves_nothing(void **state)
{
	struct msg_scanned a;
	char path[128];
	pid_t workers[2] = {0};

	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	stop_workers(workers);
	rig_ask_bytes(&rig, 0, 1, page, sizeof(page));
	assert_true(rig_await(&rig, SCAN_BUSY, 1));
	assert_int_equal(kill(rig.pid, SIGKILL), 0);
	for (int i = 0; i < RIG_RELAYS; i++)
		assert_int_equal(
			rig_receive(rig.relay[i], &a, sizeof(a), RIG_WAIT), 0);
	await_no_children();
	close(rig.parent);
	rig_close_relays(&rig);
	/* Its successor clears up and goes on with the same cache. */
	rig_start(&rig);
	rig_path(&rig, "scan-tmp", path);
	assert_true(works());
	assert_true(rig_count_files(path) <= 2);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void a_stop_leaves_nothing(void **state)
{
	pid_t workers[2] = {0};
	char path[128];
	int status;

	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	assert_int_equal(rig_workers(&rig, workers, 2), 2);
	for (uint64_t id = 0; id < 500; id++)
		rig_ask_bytes(&rig, 0, id, page, sizeof(page));
	status = rig_stop(&rig);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	await_no_children();
	rig_path(&rig, "scan-tmp", path);
	assert_int_equal(rig_count_files(path), 0);
	rig_path(&rig, "scan-mem", path);
	assert_int_equal(rig_count_files(path), 0);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	rig_start(&rig);
}

/* The parent dies: the role ends by itself, in order. */
static void a_gone_parent_ends_it(void **state)
{
	int status;

	(void)state;
	close(rig.parent);
	assert_int_equal(waitpid(rig.pid, &status, 0), rig.pid);
	assert_true(WIFEXITED(status));
	rig_close_relays(&rig);
	rig_start(&rig);
}

/* --- hostile relays ------------------------------------------------------------------ */

/* Relay 0's channel is closed and the parent told. */
static void await_violation(const char *what)
{
	struct msg_peer who = {0};
	char byte[4096];
	int type;

	/* Answers to what was right before may come first. */
	do
		type = rig_receive(rig.relay[0], byte, sizeof(byte), RIG_WAIT);
	while (type == MSG_SCANNED);
	if (type != 0)
		fail_msg("%s: the channel is still open (%d)", what, type);
	type = rig_receive(rig.parent, &who, sizeof(who), RIG_WAIT);
	if (type != MSG_VIOLATION)
		fail_msg("%s: the parent was not told (%d)", what, type);
	assert_int_equal(who.role, ROLE_RELAY);
	assert_int_equal(who.index, 0);
	rig_peer(&rig, 0);
}

/* ... and the others go on. */
static void expect_violation(const char *what)
{
	await_violation(what);
	assert_true(works());
}

static struct msg_scan good(void)
{
	return (struct msg_scan){.id = 1, .size = sizeof(page)};
}

static void send_bad(const char *what, const struct msg_scan *msg, int fd)
{
	rig_send(rig.relay[0], MSG_SCAN, msg, sizeof(*msg), &fd, 1);
	expect_violation(what);
}

static void impossible_values(void **state)
{
	int fd = rig_memfd(page, sizeof(page));
	struct msg_scan msg = good();

	(void)state;
	msg.size++;
	send_bad("size", &msg, fd);
	msg = good();
	msg.size = UINT64_MAX;
	send_bad("huge size", &msg, fd);
	msg = good();
	msg.boundary_len = MULTIPART_BOUNDARY_MAX + 1;
	send_bad("boundary", &msg, fd);
	msg = good();
	msg.codings.count = CODING_MAX + 1;
	send_bad("count of codings", &msg, fd);
	msg = good();
	msg.codings.count = 1;
	msg.codings.coding[0] = CODING_COUNT;
	send_bad("coding", &msg, fd);
	msg = good();
	memset(&msg.codings.unknown, 2, 1);
	send_bad("unknown", &msg, fd);
	msg = good();
	msg.remember_url = 2;
	send_bad("remember_url", &msg, fd);
	msg = good();
	msg.part.is.length = 1;
	msg.part.replaces = 2;
	send_bad("part", &msg, fd);
	rig_send(rig.relay[0], MSG_PART, &msg.part, sizeof(msg.part), NULL, 0);
	expect_violation("a part alone");
	msg.part = (struct msg_part){0};
	rig_send(rig.relay[0], MSG_PART, &msg.part, sizeof(msg.part), NULL, 0);
	expect_violation("a part of nothing");
	close(fd);
}

static void impossible_descriptors(void **state)
{
	struct msg_scan msg = good();
	int fds[2] = {-1, -1}, fd;
	char path[128];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	send_bad("pipe", &msg, fds[0]);
	close(fds[0]);
	close(fds[1]);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	send_bad("socket", &msg, fd);
	close(fd);
	fd = open("/", O_RDONLY);
	send_bad("directory", &msg, fd);
	close(fd);
	fd = open("/dev/zero", O_RDONLY);
	send_bad("device", &msg, fd);
	close(fd);
	rig_path(&rig, "object", path);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, page, sizeof(page)), sizeof(page));
	send_bad("only for writing", &msg, fd);
	close(fd);
	fd = open(path, O_PATH);
	send_bad("only a path", &msg, fd);
	close(fd);
}

static void impossible_messages(void **state)
{
	struct msg_scan msg = good();
	int fds[2] = {rig_memfd(page, sizeof(page)),
		      rig_memfd(page, sizeof(page))};

	(void)state;
	rig_send(rig.relay[0], MSG_SCAN, &msg, sizeof(msg), NULL, 0);
	expect_violation("no descriptor");
	rig_send(rig.relay[0], MSG_SCAN, &msg, sizeof(msg), fds, 2);
	expect_violation("two descriptors");
	rig_send(rig.relay[0], MSG_SCAN, &msg, sizeof(msg) - 1, fds, 1);
	expect_violation("short");
	rig_send(rig.relay[0], MSG_SCANNED, &msg, sizeof(struct msg_scanned),
		 NULL, 0);
	expect_violation("somebody else's message");
	rig_send(rig.relay[0], 0xffffffff, NULL, 0, NULL, 0);
	expect_violation("no message");
	close(fds[0]);
	close(fds[1]);
}

static void shelve_bad(const char *what, const struct msg_shelve *msg, int fd)
{
	rig_send(rig.relay[0], MSG_SHELVE, msg, sizeof(*msg), &fd, 1);
	expect_violation(what);
}

static void impossible_on_the_shelf(void **state)
{
	const struct msg_shelve right = {.size = sizeof(page),
					 .verdict = VERDICT_CLEAN};
	int fd = rig_memfd(page, sizeof(page));
	struct msg_shelve msg = right;
	struct msg_shelf_want want = {0};

	(void)state;
	msg.size--;
	shelve_bad("shelf: size", &msg, fd);
	msg = right;
	msg.verdict = VERDICT_BLOCKED;
	shelve_bad("shelf: what is blocked", &msg, fd);
	msg = right;
	msg.reason = REASON_COUNT;
	shelve_bad("shelf: reason", &msg, fd);
	msg = right;
	memset(msg.fields, 'x', sizeof(msg.fields));
	shelve_bad("shelf: fields without an end", &msg, fd);
	rig_send(rig.relay[0], MSG_SHELVE, &right, sizeof(right), NULL, 0);
	expect_violation("shelf: no descriptor");
	rig_send(rig.relay[0], MSG_SHELVE, &right, sizeof(right) - 1, &fd, 1);
	expect_violation("shelf: short");
	rig_send(rig.relay[0], MSG_SHELF_WANT, &want, sizeof(want) - 1, NULL,
		 0);
	expect_violation("shelf: a short question");
	close(fd);
}

/* More than there is room for: the oldest go, and all is answered. */
static void a_flood_on_the_shelf(void **state)
{
	struct msg_shelve msg = {.size = sizeof(page),
				 .verdict = VERDICT_CLEAN};
	struct msg_shelf_want want = {0};
	struct msg_shelved done = {0};
	struct msg_shelve given = {0};
	int fd = rig_memfd(page, sizeof(page));

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		msg.id = i;
		memcpy(msg.token, &i, sizeof(i));
		rig_send(rig.relay[0], MSG_SHELVE, &msg, sizeof(msg), &fd, 1);
		assert_int_equal(rig_receive(rig.relay[0], &done, sizeof(done),
					     RIG_WAIT),
				 MSG_SHELVED);
		assert_int_equal(done.id, i);
	}
	close(fd);
	assert_int_equal(stats_get(rig.stats, SCAN_SHELF_OBJECTS), 64);
	/* From another relay: the last one is there, the first isn't. */
	want.id = 7;
	memcpy(want.token, msg.token, sizeof(want.token));
	rig_send(rig.relay[1], MSG_SHELF_WANT, &want, sizeof(want), NULL, 0);
	assert_int_equal(
		rig_receive(rig.relay[1], &given, sizeof(given), RIG_WAIT),
		MSG_SHELF_GIVE);
	assert_int_equal(given.id, 7);
	assert_int_equal(given.size, sizeof(page));
	memset(want.token, 0, sizeof(want.token));
	rig_send(rig.relay[1], MSG_SHELF_WANT, &want, sizeof(want), NULL, 0);
	assert_int_equal(
		rig_receive(rig.relay[1], &given, sizeof(given), RIG_WAIT),
		MSG_SHELF_GIVE);
	assert_int_equal(given.size, 0);
	assert_true(works());
}

/* A relay that asks for what is there, and takes none of it. */
static void answers_that_nobody_reads(void **state)
{
	struct msg_shelve msg = {.size = sizeof(page),
				 .verdict = VERDICT_CLEAN};
	struct msg_shelf_want want = {0};
	struct msg_shelved done;
	struct msg_peer who;
	int fd = rig_memfd(page, sizeof(page)), asked = 0;

	(void)state;
	rig_send(rig.relay[1], MSG_SHELVE, &msg, sizeof(msg), &fd, 1);
	close(fd);
	assert_int_equal(
		rig_receive(rig.relay[1], &done, sizeof(done), RIG_WAIT),
		MSG_SHELVED);
	while (asked < 100000 &&
	       rig_try_send(rig.relay[0], MSG_SHELF_WANT, &want, sizeof(want),
			    NULL, 0) == 0)
		asked++;
	/* Some wait in sockets besides. */
	assert_in_range(asked, 1, 2000);
	assert_int_equal(rig_receive(rig.parent, &who, sizeof(who), RIG_WAIT),
			 MSG_VIOLATION);
	rig_peer(&rig, 0);
	assert_true(works());
}

static void too_many_requests(void **state)
{
	int fd = rig_memfd(page, sizeof(page));
	struct msg_scan msg = good();
	pid_t workers[2] = {0};

	(void)state;
	stop_workers(workers);
	for (int i = 0; i < 1025; i++)
		rig_send(rig.relay[0], MSG_SCAN, &msg, sizeof(msg), &fd, 1);
	close(fd);
	await_violation("too many");
	kill(workers[0], SIGCONT);
	kill(workers[1], SIGCONT);
	assert_true(works());
	assert_int_equal(stats_get(rig.stats, SCAN_QUEUED), 0);
}

/* An object that shrinks while it is scanned costs its worker, no more. */
static void a_shrinking_object(void **state)
{
	size_t size = 4u << 20;
	struct msg_scan msg = {.id = 1, .size = size};
	int fd = memfd_create("shrinks", 0);
	struct msg_scanned a;
	pid_t workers[2] = {0};

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	stop_workers(workers);
	rig_ask(&rig, 0, &msg, fd);
	assert_true(rig_await(&rig, SCAN_BUSY, 1));
	assert_int_equal(ftruncate(fd, 100), 0);
	kill(workers[0], SIGCONT);
	kill(workers[1], SIGCONT);
	assert_true(rig_answer(&rig, 0, &a));
	assert_int_equal(a.verdict, VERDICT_NOT_SCANNED);
	assert_int_equal(a.reason, REASON_SCANNER_FAILED);
	assert_true(works());
	close(fd);
}

/* Whatever bytes come, the role outlives them and serves the others. */
static void noise(void **state)
{
	uint8_t bytes[512];
	struct msg_peer who = {0};
	unsigned int seed = 7;
	int fd = rig_memfd(page, sizeof(page));

	(void)state;
	for (int i = 0; i < 500; i++) {
		size_t len;

		for (size_t k = 0; k < sizeof(bytes); k++) {
			seed = seed * 1103515245u + 12345u;
			bytes[k] = (uint8_t)(seed >> 16);
		}
		len = seed % sizeof(bytes);
		if (i % 2 == 0)
			len = sizeof(struct msg_scan);
		if (rig_try_send(rig.relay[0], i % 2 ? seed : MSG_SCAN, bytes,
				 len, &fd, 1) != 0 ||
		    rig_receive(rig.relay[0], bytes, sizeof(bytes), 1000) !=
			    MSG_SCANNED)
			rig_peer(&rig, 0);
	}
	close(fd);
	while (rig_receive(rig.parent, &who, sizeof(who), 100) > 0)
		;
	assert_true(works());
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_dead_worker_costs_its_scan),
		TEST(idle_workers_are_replaced),
		TEST(overruns_are_killed),
		TEST(abandoned_scans_end_soon),
		TEST(a_dead_keeper_is_replaced),
		TEST(a_dead_hasher_costs_no_verdict),
		TEST(a_dead_dispatcher_leaves_nothing),
		TEST(a_stop_leaves_nothing),
		TEST(a_gone_parent_ends_it),
		TEST(impossible_values),
		TEST(impossible_descriptors),
		TEST(impossible_messages),
		TEST(impossible_on_the_shelf),
		TEST(a_flood_on_the_shelf),
		TEST(answers_that_nobody_reads),
		TEST(too_many_requests),
		TEST(a_shrinking_object),
		TEST(noise),
	};

	if (rig_missing() != NULL) {
		printf("ok 1 - scan faults # SKIP %s\n", rig_missing());
		return 0;
	}
	return cmocka_run_group_tests_name("scan faults", tests, NULL, NULL);
}
