// SPDX-License-Identifier: GPL-2.0-or-later
/* Connections of the control socket, with a clock that stands still. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "roles/sluiced/conn.h"

static uint64_t now_ms;

static uint64_t clock_ms(void)
{
	return now_ms;
}

static uint64_t clock_us(void)
{
	return now_ms * 1000;
}

static const struct clock_ops stands_still = {
	.monotonic_ms = clock_ms,
	.wall_us = clock_us,
};

/* A connection, the other end of it, and what it was told. */
struct rig {
	struct loop loop;
	struct conn *conn;
	int peer; /* -1: closed */
	unsigned int requests;
	unsigned int ended;
	char line[CONN_REQUEST_MAX];
	size_t line_len;
	bool end_at_once; /* conn_end() from within the request */
	bool wait;	  /* the answer comes later */
};

static void on_request(struct conn *c, const char *line, size_t len)
{
	struct rig *rig = c->owner;

	rig->requests++;
	assert_true(len < sizeof(rig->line));
	memcpy(rig->line, line, len + 1);
	rig->line_len = len;
	if (rig->end_at_once)
		conn_end(c);
	else if (!rig->wait)
		conn_answer(c, conn_ok());
}

static void on_ended(struct conn *c)
{
	struct rig *rig = c->owner;

	rig->ended++;
}

static const struct conn_ops ops = {.request = on_request, .ended = on_ended};

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	int fds[2];

	assert_non_null(rig);
	now_ms = 1000;
	assert_int_equal(loop_init(&rig->loop, &stands_still), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	rig->conn = conn_open(&rig->loop, fds[0], &ops, rig);
	assert_non_null(rig->conn);
	rig->peer = fds[1];
	*state = rig;
	return 0;
}

/* Some rounds: what is there is handled, and what that brings about. */
static void turn(struct rig *rig)
{
	for (int i = 0; i < 4; i++)
		assert_int_equal(loop_round(&rig->loop, 0), 0);
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	if (rig->peer != -1)
		close(rig->peer);
	turn(rig);
	if (rig->ended == 0) {
		conn_end(rig->conn);
		turn(rig);
	}
	assert_int_equal(rig->ended, 1);
	assert_true(rig->loop.wheel.armed == 0);
	loop_close(&rig->loop);
	free(rig);
	return 0;
}

static void say(struct rig *rig, const char *text, size_t len)
{
	assert_int_equal(send(rig->peer, text, len, MSG_NOSIGNAL), len);
	turn(rig);
}

static void say_text(struct rig *rig, const char *text)
{
	say(rig, text, strlen(text));
}

/* What has come, as text; "" is the end of it. */
static const char *hear(struct rig *rig)
{
	static char text[8192];
	ssize_t n = recv(rig->peer, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static bool hears_nothing(struct rig *rig)
{
	char byte;

	return recv(rig->peer, &byte, 1, 0) == -1 && errno == EAGAIN;
}

static void later(struct rig *rig, uint64_t ms)
{
	now_ms += ms;
	turn(rig);
}

/* --- reading --------------------------------------------------------------------- */

static void a_line_is_a_request(void **state)
{
	struct rig *rig = *state;

	say_text(rig, "hello\n");
	assert_int_equal(rig->requests, 1);
	assert_string_equal(rig->line, "hello");
	assert_string_equal(hear(rig), "{\"ok\":true}\n");
	assert_string_equal(hear(rig), "");
	assert_int_equal(rig->ended, 1);
}

static void so_it_is_byte_by_byte(void **state)
{
	struct rig *rig = *state;

	for (const char *p = "hello"; *p != '\0'; p++) {
		say(rig, p, 1);
		assert_int_equal(rig->requests, 0);
	}
	say_text(rig, "\n");
	assert_int_equal(rig->requests, 1);
	assert_string_equal(rig->line, "hello");
}

static void a_nul_byte_is_part_of_it(void **state)
{
	struct rig *rig = *state;

	say(rig, "a\0b\n", 4);
	assert_int_equal(rig->line_len, 3);
	assert_memory_equal(rig->line, "a\0b", 4);
}

static void more_lines_are_not_read(void **state)
{
	struct rig *rig = *state;

	rig->wait = true;
	say_text(rig, "one\ntwo\n");
	say_text(rig, "three\n");
	assert_int_equal(rig->requests, 1);
	assert_string_equal(rig->line, "one");
	assert_true(hears_nothing(rig));
	conn_answer(rig->conn, conn_ok());
	assert_string_equal(hear(rig), "{\"ok\":true}\n");
}

static void a_line_without_end_is_refused(void **state)
{
	struct rig *rig = *state;
	char text[CONN_REQUEST_MAX];

	memset(text, 'x', sizeof(text));
	say(rig, text, sizeof(text) - 1);
	assert_int_equal(rig->ended, 0);
	say(rig, text, 1);
	assert_int_equal(rig->requests, 0);
	assert_non_null(strstr(hear(rig), "the request is too long"));
	assert_int_equal(rig->ended, 1);
}

static void the_longest_line_fits(void **state)
{
	struct rig *rig = *state;
	char text[CONN_REQUEST_MAX];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	say(rig, text, sizeof(text));
	assert_int_equal(rig->requests, 1);
	assert_int_equal(rig->line_len, sizeof(text) - 1);
}

static void an_end_before_the_line_is_one(void **state)
{
	struct rig *rig = *state;

	say_text(rig, "half a l");
	assert_int_equal(shutdown(rig->peer, SHUT_WR), 0);
	turn(rig);
	assert_int_equal(rig->requests, 0);
	assert_int_equal(rig->ended, 1);
}

static void one_that_only_sends_no_more_gets_its_answer(void **state)
{
	struct rig *rig = *state;

	rig->wait = true;
	say_text(rig, "question\n");
	assert_int_equal(shutdown(rig->peer, SHUT_WR), 0);
	turn(rig);
	assert_int_equal(rig->ended, 0);
	conn_answer(rig->conn, conn_ok());
	assert_string_equal(hear(rig), "{\"ok\":true}\n");
}

static void one_that_goes_is_not_waited_for(void **state)
{
	struct rig *rig = *state;

	rig->wait = true;
	say_text(rig, "question\n");
	close(rig->peer);
	rig->peer = -1;
	turn(rig);
	assert_int_equal(rig->ended, 1);
}

static void it_may_end_within_the_request(void **state)
{
	struct rig *rig = *state;

	rig->end_at_once = true;
	say_text(rig, "bye\n");
	assert_int_equal(rig->ended, 1);
	assert_string_equal(hear(rig), "");
}

/* --- time -------------------------------------------------------------------------- */

static void silence_ends_it(void **state)
{
	struct rig *rig = *state;

	later(rig, CONN_REQUEST_MS - 100);
	assert_int_equal(rig->ended, 0);
	later(rig, 200);
	assert_int_equal(rig->ended, 1);
}

/* A byte now and then doesn't buy time: it is the line that counts. */
static void slowness_ends_it(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 4; i++) {
		later(rig, CONN_REQUEST_MS / 5);
		say_text(rig, "x");
		assert_int_equal(rig->ended, 0);
	}
	later(rig, CONN_REQUEST_MS / 5 + 100);
	assert_int_equal(rig->ended, 1);
}

static void who_works_on_it_has_all_the_time(void **state)
{
	struct rig *rig = *state;

	rig->wait = true;
	say_text(rig, "question\n");
	later(rig, 100 * CONN_OUTPUT_MS);
	assert_int_equal(rig->ended, 0);
	conn_put(rig->conn, conn_ok());
	conn_flush(rig->conn);
	assert_string_equal(hear(rig), "{\"ok\":true}\n");
	later(rig, 100 * CONN_OUTPUT_MS); /* the first of two lines is read */
	assert_int_equal(rig->ended, 0);
}

/* A line of about @size bytes. */
static struct json_object *long_line(size_t size)
{
	struct json_object *o = json_object_new_object();
	char *text = malloc(size + 1);

	assert_non_null(text);
	memset(text, 'y', size);
	json_object_object_add(o, "text",
			       json_object_new_string_len(text, (int)size));
	free(text);
	return o;
}

static size_t drain(struct rig *rig)
{
	static char bytes[65536];
	size_t all = 0;
	ssize_t n;

	while ((n = recv(rig->peer, bytes, sizeof(bytes), 0)) > 0)
		all += (size_t)n;
	return all;
}

static void a_reader_that_does_not_read_is_left(void **state)
{
	struct rig *rig = *state;

	rig->wait = true;
	say_text(rig, "question\n");
	conn_answer(rig->conn, long_line(4u << 20));
	turn(rig);
	later(rig, CONN_OUTPUT_MS - 100);
	assert_int_equal(rig->ended, 0);
	later(rig, 200);
	assert_int_equal(rig->ended, 1);
}

static void a_slow_reader_gets_all_of_it(void **state)
{
	struct rig *rig = *state;
	size_t got = 0;

	rig->wait = true;
	say_text(rig, "question\n");
	conn_answer(rig->conn, long_line(4u << 20));
	for (int i = 0; i < 1000 && rig->ended == 0; i++) {
		later(rig, CONN_OUTPUT_MS - 100);
		got += drain(rig);
	}
	got += drain(rig);
	assert_int_equal(got, (4u << 20) + strlen("{\"text\":\"\"}\n"));
}

/* --- limits, descriptors ------------------------------------------------------------ */

static void what_is_too_much_is_left_out(void **state)
{
	struct rig *rig = *state;

	rig->wait = true;
	say_text(rig, "question\n");
	conn_put(rig->conn, long_line(CONN_OUTPUT_MAX / 2));
	assert_false(rig->conn->cut);
	conn_put(rig->conn, long_line(CONN_OUTPUT_MAX / 2));
	assert_true(rig->conn->cut);
	conn_put(rig->conn, conn_ok()); /* what fits is still taken */
	assert_int_equal(rig->ended, 0);
}

static int passed_fd(struct rig *rig)
{
	char bytes[CMSG_SPACE(sizeof(int))], text[64];
	struct iovec iov = {text, sizeof(text)};
	struct msghdr mh = {.msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = bytes,
			    .msg_controllen = sizeof(bytes)};
	int fd;

	assert_true(recvmsg(rig->peer, &mh, 0) > 0);
	if (CMSG_FIRSTHDR(&mh) == NULL)
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&mh)), sizeof(fd));
	return fd;
}

static void a_descriptor_goes_with_the_answer(void **state)
{
	struct rig *rig = *state;
	struct stat sent, got;
	int fds[2], fd;

	rig->wait = true;
	say_text(rig, "question\n");
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fstat(fds[0], &sent), 0);
	conn_pass(rig->conn, fds[0]);
	conn_answer(rig->conn, conn_ok());
	fd = passed_fd(rig);
	assert_int_equal(fstat(fd, &got), 0);
	assert_true(sent.st_ino == got.st_ino);
	close(fd);
	close(fds[1]);
}

static void one_that_nobody_fetched_is_closed(void **state)
{
	struct rig *rig = *state;
	int fds[2];

	rig->wait = true;
	say_text(rig, "question\n");
	assert_int_equal(pipe(fds), 0);
	conn_pass(rig->conn, fds[0]);
	conn_end(rig->conn);
	assert_int_equal(fcntl(fds[0], F_GETFD), -1);
	close(fds[1]);
}

#define CONN_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONN_TEST(a_line_is_a_request),
		CONN_TEST(so_it_is_byte_by_byte),
		CONN_TEST(a_nul_byte_is_part_of_it),
		CONN_TEST(more_lines_are_not_read),
		CONN_TEST(a_line_without_end_is_refused),
		CONN_TEST(the_longest_line_fits),
		CONN_TEST(an_end_before_the_line_is_one),
		CONN_TEST(one_that_only_sends_no_more_gets_its_answer),
		CONN_TEST(one_that_goes_is_not_waited_for),
		CONN_TEST(it_may_end_within_the_request),
		CONN_TEST(silence_ends_it),
		CONN_TEST(slowness_ends_it),
		CONN_TEST(who_works_on_it_has_all_the_time),
		CONN_TEST(a_reader_that_does_not_read_is_left),
		CONN_TEST(a_slow_reader_gets_all_of_it),
		CONN_TEST(what_is_too_much_is_left_out),
		CONN_TEST(a_descriptor_goes_with_the_answer),
		CONN_TEST(one_that_nobody_fetched_is_closed),
	};

	return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
