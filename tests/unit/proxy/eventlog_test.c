// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Events of a relay whose log role is away, slow, or out of its mind. The log
 * role is a bare socket here, and the clock is ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/eventlog.h"

#define INSTANCE 77

static uint64_t clock_ms;

static uint64_t fake_ms(void)
{
	return clock_ms;
}

static uint64_t fake_us(void)
{
	return clock_ms * 1000;
}

static const struct clock_ops fake_clock = {fake_ms, fake_us};

struct fixture {
	struct loop loop;
	struct stats stats;
	struct eventlog el;
	int peer;
	uint64_t next; /* the number that the next message must begin with */
	unsigned int violations;
};

static struct fixture *fixture_of(struct eventlog *el)
{
	return list_entry(el, struct fixture, el);
}

static void on_violation(struct eventlog *el, const char *violation)
{
	assert_non_null(violation);
	fixture_of(el)->violations++;
}

static int set_up(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.peer = -1;
	clock_ms = 1000000;
	assert_int_equal(loop_init(&f.loop, &fake_clock), 0);
	eventlog_init(&f.el, &f.loop, &f.stats, INSTANCE);
	f.el.violation = on_violation;
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	eventlog_close(&f->el);
	loop_close(&f->loop);
	if (f->peer != -1)
		close(f->peer);
	return 0;
}

static void connect_log(struct fixture *f)
{
	int fds[2];

	if (f->peer != -1)
		close(f->peer);
	assert_int_equal(chan_pair(fds), 0);
	f->peer = fds[1];
	assert_int_equal(eventlog_connect(&f->el, fds[0]), 0);
}

static void turn(struct fixture *f, uint64_t ms)
{
	clock_ms += ms;
	assert_int_equal(loop_round(&f->loop, 0), 0);
}

static struct event make_event(enum verdict verdict, size_t url_len)
{
	static char url[EVENT_TEXT_MAX];
	struct event ev = {
		.protocol = EVENT_HTTP,
		.verdict = verdict,
		.status = 200,
		.method = STR("GET"),
		.host = STR("example.test"),
	};

	memset(url, 'u', sizeof(url));
	ev.url = (struct str){url, url_len};
	return ev;
}

static uint64_t dropped(const struct fixture *f)
{
	return stats_get(&f->stats, RELAY_EVENTS_DROPPED);
}

static uint64_t waiting(const struct fixture *f)
{
	return stats_get(&f->stats, RELAY_EVENTS_WAITING);
}

/* Whether a message came; its events follow on the ones before. */
static bool take_message(struct fixture *f)
{
	static _Alignas(8) uint8_t buf[MSG_MAX];
	const struct msg_events *head =
		(const void *)(buf + sizeof(struct msg_header));
	ssize_t n = recv(f->peer, buf, sizeof(buf), MSG_DONTWAIT);

	if (n == -1)
		return false;
	assert_true((size_t)n > sizeof(struct msg_header) + sizeof(*head));
	assert_int_equal(head->instance, INSTANCE);
	assert_int_equal(head->first, f->next);
	f->next += head->count;
	return true;
}

static void take_all(struct fixture *f)
{
	unsigned int idle = 0;

	while (idle < 3) {
		idle = take_message(f) ? 0 : idle + 1;
		turn(f, 0);
	}
}

static void acknowledge(struct fixture *f)
{
	struct {
		struct msg_header header;
		struct msg_events_stored body;
	} m = {{MSG_EVENTS_STORED, 0}, {INSTANCE, f->next}};

	assert_int_equal(send(f->peer, &m, sizeof(m), 0), sizeof(m));
	turn(f, 0);
}

static void events_go_out_in_order(void **state)
{
	struct fixture *f = *state;
	struct event ev = make_event(VERDICT_PASSED, 30);

	connect_log(f);
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(eventlog_add(&f->el, &ev), i);
	turn(f, 150);
	take_all(f);
	assert_int_equal(f->next, 1000);
	assert_int_equal(waiting(f), 1000);
	acknowledge(f);
	assert_int_equal(waiting(f), 0);
	assert_true(eventlog_empty(&f->el));
}

/* Ten events a second; the log role hangs for 10 minutes or can't start. */
static void little_traffic_waits_long(void **state)
{
	struct fixture *f = *state;
	struct event ev = make_event(VERDICT_PASSED, 100);

	for (int i = 0; i < 6000; i++) {
		eventlog_add(&f->el, &ev);
		turn(f, 110);
	}
	assert_int_equal(dropped(f), 0);
	assert_int_equal(waiting(f), 6000);
	connect_log(f);
	take_all(f);
	assert_int_equal(f->next, 6000);
	acknowledge(f);
	assert_int_equal(waiting(f), 0);
	assert_int_equal(f->el.held, 0);
}

/* The same with a channel that is there, but nobody reads it. */
static void a_log_role_that_hangs(void **state)
{
	struct fixture *f = *state;
	struct event ev = make_event(VERDICT_PASSED, 100);

	connect_log(f);
	for (int i = 0; i < 6000; i++) {
		eventlog_add(&f->el, &ev);
		turn(f, 110);
	}
	assert_int_equal(dropped(f), 0);
	/* It is killed, and its successor gets them all. */
	connect_log(f);
	take_all(f);
	assert_int_equal(f->next, 6000);
}

/* Memory is bounded, and what was decided against is kept longest. */
static void too_much_gives_way(void **state)
{
	struct fixture *f = *state;
	struct event passed = make_event(VERDICT_PASSED, 4000);
	struct event blocked = make_event(VERDICT_BLOCKED, 4000);
	int kept = 0;

	while (dropped(f) == 0 && kept < 100000) {
		eventlog_add(&f->el, &passed);
		kept++;
	}
	assert_in_range(kept, 3900, 4300);
	assert_true(f->el.held <= EVENTLOG_MAX + MSG_MAX);
	for (int i = 0; i < 1500; i++)
		eventlog_add(&f->el, &blocked);
	assert_int_equal(dropped(f), 1);
	for (int i = 0; i < 2000; i++)
		eventlog_add(&f->el, &blocked);
	assert_true(dropped(f) > 1000);
	assert_true(f->el.held <= EVENTLOG_MAX_HARD + MSG_MAX);
	/* No number is missing where events were left out. */
	connect_log(f);
	turn(f, 150);
	take_all(f);
	assert_int_equal(f->next, f->el.next);
}

static void nonsense_is_reported(void **state)
{
	struct fixture *f = *state;
	struct event ev = make_event(VERDICT_PASSED, 30);
	struct msg_header wrong = {MSG_SCANNED, 0};

	connect_log(f);
	eventlog_add(&f->el, &ev);
	turn(f, 150);
	assert_int_equal(send(f->peer, &wrong, sizeof(wrong), 0),
			 sizeof(wrong));
	turn(f, 0);
	assert_int_equal(f->violations, 1);
	/* The parent's answer is another channel. */
	connect_log(f);
	take_all(f);
	assert_int_equal(f->next, 1);
}

static void acknowledging_what_was_not_sent(void **state)
{
	struct fixture *f = *state;

	connect_log(f);
	f->next = 5;
	acknowledge(f);
	assert_int_equal(f->violations, 1);
	assert_int_equal(f->el.next, 0);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(events_go_out_in_order),
		TEST(little_traffic_waits_long),
		TEST(a_log_role_that_hangs),
		TEST(too_much_gives_way),
		TEST(nonsense_is_reported),
		TEST(acknowledging_what_was_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
