// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The question for the span that is being counted, from a control connection
 * to the app role and back. The role is a bare socket here; the supervisor is
 * one slot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy/app.h"
#include "roles/sluiced/child_msg.h"
#include "roles/sluiced/conn.h"
#include "roles/sluiced/inquiry.h"
#include "roles/sluiced/peers.h"
#include "roles/sluiced/status.h"

#define INSTANCE 0x6277

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
	struct supervisor sup;
	struct control ctl;
	struct conn *conn; /* NULL when it has ended */
	int client;	   /* its other end */
	int app;	   /* the other end of the role's channel */
	bool has_app;
	unsigned int killed;
};

static struct fixture *fx;

/* --- what the rest of the daemon would do ---------------------------------------- */

struct child *supervisor_child(struct supervisor *sup, enum role_id role,
			       uint32_t index)
{
	if (role != ROLE_APP || index != 0 || !fx->has_app)
		return NULL;
	return &sup->children[0];
}

void child_kill(struct child *c, const char *why)
{
	assert_ptr_equal(c, &fx->sup.children[0]);
	assert_non_null(why);
	fx->killed++;
}

bool peers_talk(enum role_id a, enum role_id b)
{
	return a != b;
}

void peers_connect_pair(struct child *a, struct child *b)
{
	fail_msg("%u and %u", a->role, b->role);
}

void supervisor_say_alive(struct supervisor *sup)
{
	(void)sup;
}

struct json_object *status_session_json(uint64_t instance,
					const struct msg_session *row)
{
	(void)instance;
	(void)row;
	return json_object_new_object();
}

/* --- set-up -------------------------------------------------------------------------- */

static void on_request(struct conn *c, const char *line, size_t len)
{
	(void)line;
	(void)len;
	inquiry_usage(c->owner, c);
}

static void on_ended(struct conn *c)
{
	inquiry_drop(c);
	fx->conn = NULL;
}

static const struct conn_ops conn_ops = {on_request, on_ended};

static void turn(struct fixture *f, uint64_t ms)
{
	clock_ms += ms;
	for (int i = 0; i < 5; i++)
		assert_int_equal(loop_round(&f->sup.loop, 0), 0);
}

static void ask(struct fixture *f)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX,
				    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				    0, fds),
			 0);
	f->conn = conn_open(&f->sup.loop, fds[0], &conn_ops, &f->ctl);
	assert_non_null(f->conn);
	f->client = fds[1];
	assert_int_equal(write(f->client, "{}\n", 3), 3);
	turn(f, 0);
}

static int set_up(void **state)
{
	struct child *c;
	int fds[2];

	fx = calloc(1, sizeof(*fx));
	clock_ms = 1000000;
	assert_int_equal(loop_init(&fx->sup.loop, &fake_clock), 0);
	fx->ctl.sup = &fx->sup;
	inquiry_listen(&fx->ctl);
	c = &fx->sup.children[0];
	c->sup = &fx->sup;
	c->role = ROLE_APP;
	c->state = CHILD_READY;
	c->instance = INSTANCE;
	chan_init(&c->chan, &fx->sup.loop, &child_msg_ops, c);
	assert_int_equal(chan_pair(fds), 0);
	assert_int_equal(chan_open(&c->chan, fds[0]), 0);
	fx->app = fds[1];
	fx->has_app = true;
	fx->client = -1;
	*state = fx;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->conn != NULL)
		conn_end(f->conn);
	turn(f, 0);
	chan_close(&f->sup.children[0].chan);
	loop_close(&f->sup.loop);
	close(f->app);
	close(f->client);
	free(f);
	return 0;
}

/* --- the role's side ----------------------------------------------------------------- */

static uint32_t take_question(struct fixture *f)
{
	struct {
		struct msg_header header;
		struct msg_want_sessions want;
	} m;

	assert_int_equal(recv(f->app, &m, sizeof(m), MSG_DONTWAIT), sizeof(m));
	assert_int_equal(m.header.type, MSG_WANT_USAGE);
	return m.want.request;
}

static struct usage make_usage(uint16_t app, uint64_t bytes)
{
	struct usage u = {.time_s = 1732227000,
			  .app = app,
			  .bytes = bytes,
			  .packets = 2,
			  .flows = 1,
			  .direction = USAGE_DOWN};

	assert_true(ip_addr_parse("10.0.0.1", &u.client));
	return u;
}

static void answer(struct fixture *f, uint32_t request, bool last,
		   struct usage u)
{
	struct {
		struct msg_header header;
		struct msg_usage_now now;
		struct usage rows[1];
	} m = {{MSG_USAGE_NOW, 0}, {request, last, 4321, 17}, {u}};

	assert_int_equal(send(f->app, &m, sizeof(m), 0), sizeof(m));
	turn(f, 0);
}

static void expect_answer(struct fixture *f, const char *wanted)
{
	char text[2048] = {0};
	ssize_t n = read(f->client, text, sizeof(text) - 1);

	assert_true(n > 0);
	assert_string_equal(text, wanted);
	/* and that was all: the connection is closed */
	assert_int_equal(read(f->client, text, sizeof(text)), 0);
}

/* --- tests --------------------------------------------------------------------------- */

static void rows_and_the_end(void **state)
{
	struct fixture *f = *state;
	uint32_t request;

	ask(f);
	request = take_question(f);
	answer(f, request, false, make_usage(APP_DNS, 100));
	answer(f, request + 1, true, make_usage(APP_DNS, 1)); /* another's */
	answer(f, request, true, make_usage(APP_NONE, 200));
	expect_answer(f, "{\"ok\":true}\n"
			 "{\"time\":\"2024-11-21T22:10:00Z\",\"app\":\"dns\","
			 "\"group\":\"name-service\",\"client\":\"10.0.0.1\","
			 "\"direction\":\"down\",\"bytes\":100,\"packets\":2,"
			 "\"flows\":1}\n"
			 "{\"time\":\"2024-11-21T22:10:00Z\",\"app\":\"-\","
			 "\"group\":\"-\",\"client\":\"10.0.0.1\","
			 "\"direction\":\"down\",\"bytes\":200,\"packets\":2,"
			 "\"flows\":1}\n"
			 "{\"end\":true,\"complete\":true,\"counting\":true,"
			 "\"instance\":\"6277\",\"elapsed_ms\":4321,"
			 "\"next\":17}\n");
}

#define NOT_COUNTING                                             \
	"\"counting\":false,\"instance\":\"\",\"elapsed_ms\":0," \
	"\"next\":0}\n"

static void without_the_role(void **state)
{
	struct fixture *f = *state;

	f->has_app = false;
	ask(f);
	expect_answer(
		f,
		"{\"ok\":true}\n{\"end\":true,\"complete\":true," NOT_COUNTING);
}

static void a_role_that_is_silent(void **state)
{
	struct fixture *f = *state;

	ask(f);
	take_question(f);
	turn(f, 4000);
	assert_non_null(f->conn);
	turn(f, 2000);
	expect_answer(
		f,
		"{\"ok\":true}\n{\"end\":true,\"complete\":false," NOT_COUNTING);
}

static void a_role_that_dies(void **state)
{
	struct fixture *f = *state;

	ask(f);
	take_question(f);
	f->sup.listener.child_gone(f->sup.listener.user, ROLE_RELAY, 0);
	assert_non_null(f->conn);
	f->sup.listener.child_gone(f->sup.listener.user, ROLE_APP, 0);
	turn(f, 0);
	expect_answer(
		f,
		"{\"ok\":true}\n{\"end\":true,\"complete\":false," NOT_COUNTING);
}

static void nobody_waits_any_more(void **state)
{
	struct fixture *f = *state;
	uint32_t request;

	ask(f);
	request = take_question(f);
	close(f->client);
	f->client = -1;
	turn(f, 0);
	assert_null(f->conn);
	answer(f, request, true, make_usage(APP_DNS, 1));
	assert_int_equal(f->killed, 0);
}

static void impossible_records_end_the_role(void **state)
{
	struct fixture *f = *state;

	ask(f);
	answer(f, take_question(f), true, make_usage(APP_ID_MAX + 1, 1));
	assert_int_equal(f->killed, 1);
}

/* A relay may not say what was used. */
static void only_the_app_role_may(void **state)
{
	struct fixture *f = *state;

	ask(f);
	f->sup.children[0].role = ROLE_RELAY;
	answer(f, take_question(f), true, make_usage(APP_DNS, 1));
	assert_int_equal(f->killed, 1);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_and_the_end),
		TEST(without_the_role),
		TEST(a_role_that_is_silent),
		TEST(a_role_that_dies),
		TEST(nobody_waits_any_more),
		TEST(impossible_records_end_the_role),
		TEST(only_the_app_role_may),
	};

	return cmocka_run_group_tests_name("usage", tests, NULL, NULL);
}
