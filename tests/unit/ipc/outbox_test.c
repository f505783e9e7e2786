// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records of a role whose log role is away, slow, or out of its mind. The log
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

#include "ipc/outbox.h"

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
	struct outbox ob;
	int peer;
	uint64_t next; /* the number that the next message must begin with */
	unsigned int violations;
	unsigned int told; /* that more is stored */
};

static struct fixture *fixture_of(struct outbox *ob)
{
	return list_entry(ob, struct fixture, ob);
}

static void on_violation(struct outbox *ob, const char *violation)
{
	assert_non_null(violation);
	fixture_of(ob)->violations++;
}

static void on_stored(struct outbox *ob)
{
	fixture_of(ob)->told++;
}

/* Any type and any two counters will do. */
static const struct outbox_ops ops = {
	.type = MSG_USAGE,
	.waiting = APP_USAGE_WAITING,
	.dropped = APP_USAGE_DROPPED,
	.stored = on_stored,
	.violation = on_violation,
};

static int set_up(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.peer = -1;
	clock_ms = 1000000;
	assert_int_equal(loop_init(&f.loop, &fake_clock), 0);
	outbox_init(&f.ob, &ops, &f.loop, &f.stats, INSTANCE);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	outbox_close(&f->ob);
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
	assert_int_equal(outbox_connect(&f->ob, fds[0]), 0);
}

static void turn(struct fixture *f, uint64_t ms)
{
	clock_ms += ms;
	assert_int_equal(loop_round(&f->loop, 0), 0);
}

static const uint8_t record[OUTBOX_RECORD_MAX + 1];

static bool add(struct fixture *f, size_t len, bool important)
{
	return outbox_add(&f->ob, record, len, important);
}

static uint64_t dropped(const struct fixture *f)
{
	return stats_get(&f->stats, APP_USAGE_DROPPED);
}

static uint64_t waiting(const struct fixture *f)
{
	return stats_get(&f->stats, APP_USAGE_WAITING);
}

/* Whether a message came; its records follow on the ones before. */
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

static void records_go_out_in_order(void **state)
{
	struct fixture *f = *state;

	connect_log(f);
	for (uint64_t i = 0; i < 1000; i++) {
		assert_int_equal(outbox_next(&f->ob), i);
		assert_true(add(f, 60, false));
	}
	turn(f, 150);
	take_all(f);
	assert_int_equal(f->next, 1000);
	assert_int_equal(waiting(f), 1000);
	assert_int_equal(f->told, 0);
	acknowledge(f);
	assert_int_equal(f->told, 1);
	assert_int_equal(waiting(f), 0);
	assert_true(outbox_empty(&f->ob));
}

/* Ten records a second; the log role hangs for 10 minutes or can't start. */
static void little_traffic_waits_long(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 6000; i++) {
		add(f, 160, false);
		turn(f, 110);
	}
	assert_int_equal(dropped(f), 0);
	assert_int_equal(waiting(f), 6000);
	connect_log(f);
	take_all(f);
	assert_int_equal(f->next, 6000);
	acknowledge(f);
	assert_int_equal(waiting(f), 0);
	assert_int_equal(f->ob.held, 0);
}

/* The same with a channel that is there, but nobody reads it. */
static void a_log_role_that_hangs(void **state)
{
	struct fixture *f = *state;

	connect_log(f);
	for (int i = 0; i < 6000; i++) {
		add(f, 160, false);
		turn(f, 110);
	}
	assert_int_equal(dropped(f), 0);
	/* It is killed, and its successor gets them all. */
	connect_log(f);
	take_all(f);
	assert_int_equal(f->next, 6000);
}

/* Memory is bounded, and what is important is kept longest. */
static void too_much_gives_way(void **state)
{
	struct fixture *f = *state;
	int kept = 0;

	while (dropped(f) == 0 && kept < 100000) {
		add(f, 4060, false);
		kept++;
	}
	assert_in_range(kept, 3900, 4300);
	assert_true(f->ob.held <= OUTBOX_MAX + MSG_MAX);
	for (int i = 0; i < 1500; i++)
		add(f, 4060, true);
	assert_int_equal(dropped(f), 1);
	for (int i = 0; i < 2000; i++)
		add(f, 4060, true);
	assert_true(dropped(f) > 1000);
	assert_true(f->ob.held <= OUTBOX_MAX_HARD + MSG_MAX);
	/* No number is missing where events were left out. */
	connect_log(f);
	turn(f, 150);
	take_all(f);
	assert_int_equal(f->next, f->ob.next);
}

static void nonsense_is_reported(void **state)
{
	struct fixture *f = *state;
	struct msg_header wrong = {MSG_SCANNED, 0};

	connect_log(f);
	add(f, 160, false);
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
	assert_int_equal(f->ob.next, 0);
}

static void of_any_size_that_fits(void **state)
{
	struct fixture *f = *state;

	assert_false(add(f, 0, true));
	assert_false(add(f, OUTBOX_RECORD_MAX + 1, true));
	assert_int_equal(dropped(f), 2);
	assert_true(add(f, 1, false));
	assert_true(add(f, OUTBOX_RECORD_MAX, false));
	assert_true(add(f, OUTBOX_RECORD_MAX, false));
	connect_log(f);
	turn(f, 150);
	take_all(f);
	assert_int_equal(f->next, 3);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_go_out_in_order),
		TEST(little_traffic_waits_long),
		TEST(a_log_role_that_hangs),
		TEST(too_much_gives_way),
		TEST(of_any_size_that_fits),
		TEST(nonsense_is_reported),
		TEST(acknowledging_what_was_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
