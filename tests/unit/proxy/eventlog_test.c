// SPDX-License-Identifier: GPL-2.0-or-later
/* Which events a relay keeps longest, and how they leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/eventlog.h"

struct fixture {
	struct loop loop;
	struct stats stats;
	struct outbox ob;
};

static void on_violation(struct outbox *ob, const char *violation)
{
	(void)ob;
	fail_msg("violation: %s", violation);
}

static const struct outbox_ops ops = {
	.type = MSG_EVENTS,
	.waiting = RELAY_EVENTS_WAITING,
	.dropped = RELAY_EVENTS_DROPPED,
	.violation = on_violation,
};

static int set_up(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	assert_int_equal(loop_init(&f.loop, &clock_system), 0);
	outbox_init(&f.ob, &ops, &f.loop, &f.stats, 77);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	outbox_close(&f->ob);
	loop_close(&f->loop);
	return 0;
}

static struct event make_event(enum verdict verdict, bool stopped)
{
	static char url[4000];
	struct event ev = {
		.protocol = EVENT_HTTP,
		.verdict = verdict,
		.stopped = stopped,
		.status = 200,
		.method = STR("GET"),
		.host = STR("example.test"),
	};

	memset(url, 'u', sizeof(url));
	ev.url = (struct str){url, sizeof(url)};
	return ev;
}

static bool is_kept(struct fixture *f, enum verdict verdict, bool stopped)
{
	struct event ev = make_event(verdict, stopped);
	uint64_t next = outbox_next(&f->ob);

	eventlog_add(&f->ob, &ev);
	return outbox_next(&f->ob) > next;
}

/* What was stopped, or let through unscanned, is kept when the rest is not. */
static void decisions_are_kept_longest(void **state)
{
	struct fixture *f = *state;
	int kept = 0;

	while (is_kept(f, VERDICT_CLEAN, false))
		kept++;
	assert_in_range(kept, 3900, 4300);
	assert_false(is_kept(f, VERDICT_PASSED, false));
	assert_true(is_kept(f, VERDICT_BLOCKED, false));
	assert_true(is_kept(f, VERDICT_NOT_SCANNED, false));
	assert_true(is_kept(f, VERDICT_CLEAN, true));
	assert_int_equal(stats_get(&f->stats, RELAY_EVENTS_DROPPED), 2);
}

static void what_leaves_can_be_read(void **state)
{
	static _Alignas(8) uint8_t buf[MSG_MAX];
	const size_t head =
		sizeof(struct msg_header) + sizeof(struct msg_events);
	struct fixture *f = *state;
	struct event ev;
	int fds[2];
	ssize_t n;

	assert_int_equal(chan_pair(fds), 0);
	assert_int_equal(outbox_connect(&f->ob, fds[0]), 0);
	assert_true(is_kept(f, VERDICT_BLOCKED, true));
	outbox_flush(&f->ob);
	n = recv(fds[1], buf, sizeof(buf), MSG_DONTWAIT);
	assert_true(n > (ssize_t)head);
	assert_int_equal(event_unpack(buf + head, (size_t)n - head, &ev),
			 (size_t)n - head);
	assert_int_equal(ev.url.len, 4000);
	assert_true(ev.stopped);
	close(fds[1]);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(decisions_are_kept_longest),
		TEST(what_leaves_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
