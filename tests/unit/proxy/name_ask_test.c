// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A relay's questions for names. The resolve role is a bare socket here, which
 * goes away and lies; the clock is ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/name_ask.h"

static uint64_t clock_ms = 1000;

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
	struct chan chan;
	struct name_asks all;
	int role; /* the resolve role's end */
	unsigned int violations;
};

struct asker {
	struct name_ask ask;
	unsigned int told;
	int status;
	unsigned int count;
	struct ip_addr addr;
	struct name_asks *again; /* asks once more when it is told */
};

static void on_done(struct name_ask *ask, int status,
		    const struct ip_addr *addrs, unsigned int count)
{
	struct asker *a = list_entry(ask, struct asker, ask);
	struct name_asks *all = a->again;

	assert_false(name_ask_pending(ask));
	a->told++;
	a->status = status;
	a->count = count;
	a->addr = count > 0 ? addrs[0] : (struct ip_addr){.family = 0};
	a->again = NULL;
	if (all != NULL)
		assert_int_equal(name_ask_want(all, ask, STR("again.test")), 0);
}

static int on_resolved(struct chan *ch, const struct chan_msg *m)
{
	return name_asks_answered(&list_entry(ch, struct fixture, chan)->all,
				  m);
}

static void on_closed(struct chan *ch, const char *violation)
{
	list_entry(ch, struct fixture, chan)->violations += violation != NULL;
}

static const struct chan_rule rules[] = {
	{MSG_RESOLVED, sizeof(struct msg_resolved), 0, 0, 0, on_resolved},
};
static const struct chan_ops ops = {
	.rules = rules, .nrules = 1, .closed = on_closed};

static void connect_role(struct fixture *f)
{
	int fds[2];

	chan_close(&f->chan);
	if (f->role != -1)
		close(f->role);
	assert_int_equal(chan_pair(fds), 0);
	assert_int_equal(chan_open(&f->chan, fds[0]), 0);
	f->role = fds[1];
	name_asks_connected(&f->all);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(loop_init(&f->loop, &fake_clock), 0);
	chan_init(&f->chan, &f->loop, &ops, f);
	name_asks_init(&f->all, &f->loop, &f->chan);
	f->role = -1;
	connect_role(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	chan_close(&f->chan);
	close(f->role);
	loop_close(&f->loop);
	free(f);
	return 0;
}

static void later(struct fixture *f, uint64_t ms)
{
	clock_ms += ms;
	assert_int_equal(loop_round(&f->loop, 0), 0);
}

/* The next question that the role gets into @msg; false: there is none. */
static bool next_question(struct fixture *f, struct msg_resolve *msg)
{
	struct {
		struct msg_header header;
		struct msg_resolve body;
		uint8_t more;
	} m;
	ssize_t n = read(f->role, &m, sizeof(m));

	if (n == -1)
		return false;
	assert_int_equal(n, sizeof(m.header) + sizeof(m.body));
	assert_int_equal(m.header.type, MSG_RESOLVE);
	*msg = m.body;
	return true;
}

static void role_answers(struct fixture *f, const struct msg_resolved *body)
{
	struct {
		struct msg_header header;
		struct msg_resolved body;
	} m = {.header.type = MSG_RESOLVED, .body = *body};

	assert_int_equal(write(f->role, &m, sizeof(m)), sizeof(m));
	later(f, 1);
}

static struct msg_resolved good(uint64_t id)
{
	struct msg_resolved msg = {.id = id, .count = 2};

	assert_true(ip_addr_parse("192.0.2.1", &msg.addrs[0]));
	assert_true(ip_addr_parse("2001:db8::1", &msg.addrs[1]));
	return msg;
}

static void begin(struct fixture *f, struct asker *a, const char *name)
{
	memset(a, 0, sizeof(*a));
	name_ask_init(&a->ask, on_done);
	assert_int_equal(name_ask_want(&f->all, &a->ask, str_of(name)), 0);
	assert_true(name_ask_pending(&a->ask));
}

static void question_and_answer(void **state)
{
	static const char zero[MSG_HOST_MAX];
	struct fixture *f = *state;
	struct msg_resolved answer;
	struct msg_resolve msg = {.id = 0};
	struct asker a;

	begin(f, &a, "WWW.Example.COM.");
	assert_true(next_question(f, &msg));
	assert_string_equal(msg.name, "www.example.com");
	assert_memory_equal(msg.name + 15, zero, MSG_HOST_MAX - 15);
	assert_false(next_question(f, &msg));
	answer = good(msg.id);
	role_answers(f, &answer);
	assert_int_equal(a.told, 1);
	assert_int_equal(a.status, 0);
	assert_int_equal(a.count, 2);
	assert_true(ip_addr_equal(&a.addr, &answer.addrs[0]));
	assert_int_equal(f->loop.wheel.armed, 0);
	role_answers(f, &answer); /* once more: nobody waits */
	assert_int_equal(a.told, 1);
	assert_int_equal(f->violations, 0);
}

static void no_name(void **state)
{
	static const char *const texts[] = {"", "192.0.2.1", "a b", "a..b"};
	struct fixture *f = *state;
	struct msg_resolve msg = {.id = 0};
	struct asker a = {.told = 0};

	name_ask_init(&a.ask, on_done);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(
			name_ask_want(&f->all, &a.ask, str_of(texts[i])),
			-EINVAL);
		assert_false(name_ask_pending(&a.ask));
	}
	assert_false(next_question(f, &msg));
	name_ask_cancel(&a.ask); /* harmless */
	assert_int_equal(a.told, 0);
}

static void its_time_is_over(void **state)
{
	struct fixture *f = *state;
	struct msg_resolved answer;
	struct msg_resolve msg = {.id = 0};
	struct asker a;

	begin(f, &a, "a.test");
	assert_true(next_question(f, &msg));
	later(f, NAME_ASK_MS - 1);
	assert_int_equal(a.told, 0);
	later(f, 20);
	assert_int_equal(a.told, 1);
	assert_int_equal(a.status, -ETIMEDOUT);
	answer = good(msg.id);
	role_answers(f, &answer);
	assert_int_equal(a.told, 1);
	assert_int_equal(f->violations, 0);
}

static void cancelled(void **state)
{
	struct fixture *f = *state;
	struct msg_resolved answer;
	struct msg_resolve msg = {.id = 0};
	struct asker a, b;

	begin(f, &a, "a.test");
	begin(f, &b, "a.test");
	assert_true(next_question(f, &msg));
	name_ask_cancel(&a.ask);
	name_ask_cancel(&a.ask);
	answer = good(msg.id);
	role_answers(f, &answer);
	later(f, 2 * NAME_ASK_MS);
	assert_int_equal(a.told, 0);
	assert_int_equal(b.told, 1);
}

static void asked_again(void **state)
{
	struct fixture *f = *state;
	struct msg_resolved answer;
	struct msg_resolve msg = {.id = 0};
	struct asker a, b, c;

	begin(f, &a, "a.test");
	begin(f, &b, "b.test");
	assert_true(next_question(f, &msg));
	answer = good(msg.id);
	role_answers(f, &answer);
	assert_int_equal(a.told, 1);
	/* It ends, and while there is none, one more question comes. */
	close(f->role);
	f->role = -1;
	later(f, 1);
	assert_false(chan_is_open(&f->chan));
	begin(f, &c, "c.test");
	connect_role(f);
	assert_true(next_question(f, &msg));
	assert_string_equal(msg.name, "b.test");
	answer = good(msg.id);
	role_answers(f, &answer);
	assert_true(next_question(f, &msg));
	assert_string_equal(msg.name, "c.test");
	assert_false(next_question(f, &msg));
	answer = (struct msg_resolved){.id = msg.id, .status = -ENOENT};
	role_answers(f, &answer);
	assert_int_equal(a.told, 1);
	assert_int_equal(b.status, 0);
	assert_int_equal(c.told, 1);
	assert_int_equal(c.status, -ENOENT);
}

static void one_that_asks_when_it_is_told(void **state)
{
	struct fixture *f = *state;
	struct msg_resolved answer;
	struct msg_resolve msg = {.id = 0};
	struct asker a;

	begin(f, &a, "a.test");
	a.again = &f->all;
	assert_true(next_question(f, &msg));
	answer = good(msg.id);
	role_answers(f, &answer);
	assert_true(name_ask_pending(&a.ask));
	assert_true(next_question(f, &msg));
	assert_string_equal(msg.name, "again.test");
	answer = good(msg.id);
	role_answers(f, &answer);
	assert_int_equal(a.told, 2);
}

/* The first that it may not say ends the channel; the question stays. */
static void lies(void **state)
{
	static const struct {
		uint64_t id; /* 0: that of the question */
		int32_t status;
		uint32_t count;
		uint8_t family;
	} cases[] = {
		{999, 0, 1, AF_INET},
		{UINT64_MAX, -ENOENT, 0, 0},
		{0, 0, 0, 0},
		{0, 1, 0, 0},
		{0, -ENOENT, 1, AF_INET},
		{0, 0, MSG_ADDRS + 1, AF_INET},
		{0, 0, UINT32_MAX, AF_INET},
		{0, 0, MSG_ADDRS, 0},
		{0, 0, 1, AF_UNIX},
	};
	struct fixture *f = *state;
	struct msg_resolve msg = {.id = 0};
	struct asker a;

	begin(f, &a, "a.test");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct msg_resolved answer = {.status = cases[i].status,
					      .count = cases[i].count};

		assert_true(next_question(f, &msg));
		answer.id = cases[i].id != 0 ? cases[i].id : msg.id;
		for (unsigned int n = 0; n < MSG_ADDRS; n++)
			answer.addrs[n].family = cases[i].family;
		role_answers(f, &answer);
		assert_int_equal(f->violations, i + 1);
		assert_int_equal(a.told, 0);
		connect_role(f);
	}
	assert_true(next_question(f, &msg));
	name_ask_cancel(&a.ask);
}

static void many(void **state)
{
	static struct asker askers[3 * NAME_ASK_BUCKETS];
	struct fixture *f = *state;
	struct msg_resolved answer;
	struct msg_resolve msg = {.id = 0};
	char name[32];

	for (unsigned int i = 0; i < 3 * NAME_ASK_BUCKETS; i++) {
		snprintf(name, sizeof(name), "n%u.test", i);
		begin(f, &askers[i], name);
		later(f, 0);
	}
	for (unsigned int i = 0; i < 3 * NAME_ASK_BUCKETS; i++) {
		while (!next_question(f, &msg))
			later(f, 0);
		snprintf(name, sizeof(name), "n%u.test", i);
		assert_string_equal(msg.name, name);
		answer = good(msg.id);
		role_answers(f, &answer);
		assert_int_equal(askers[i].told, 1);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(question_and_answer),
		TEST(no_name),
		TEST(its_time_is_over),
		TEST(cancelled),
		TEST(asked_again),
		TEST(one_that_asks_when_it_is_told),
		TEST(lies),
		TEST(many),
	};

	return cmocka_run_group_tests_name("name_ask", tests, NULL, NULL);
}
