// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A channel against a peer that may do anything: the peer here is a bare
 * socket. After each test no descriptor may be open that wasn't before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/chan.h"

struct numbers {
	uint64_t a, b;
};

/* MSG_READY: nothing; MSG_STOP: numbers; MSG_PEER: 1..2 fds; MSG_EVENTS: +8s */
struct fixture {
	struct loop loop;
	struct chan chan;
	int peer;
	unsigned int open_before;
	/* what the handlers saw */
	unsigned int messages;
	unsigned int closed;
	unsigned int drained;
	const char *violation;
	struct numbers last;
	size_t last_elements;
	unsigned int last_fds;
	int answer;    /* what the handler returns */
	bool close_it; /* the handler closes the channel */
	bool pause_it; /* ... or pauses it */
	char saw[64];  /* first bytes of the elements */
};

static unsigned int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static int on_message(struct chan *ch, const struct chan_msg *msg)
{
	struct fixture *f = ch->user;

	f->messages++;
	f->last_elements = msg->elements_len;
	f->last_fds = msg->nfds;
	if (msg->type == MSG_STOP)
		memcpy(&f->last, msg->body, sizeof(f->last));
	if (msg->elements_len > 0)
		memcpy(f->saw, msg->elements,
		       msg->elements_len < sizeof(f->saw) ? msg->elements_len
							  : sizeof(f->saw));
	assert_int_equal((uintptr_t)msg->body % 8, 0);
	for (unsigned int i = 0; i < msg->nfds; i++) {
		assert_int_equal(fcntl(msg->fds[i], F_GETFD), FD_CLOEXEC);
		close(msg->fds[i]);
	}
	if (f->close_it)
		chan_close(ch);
	if (f->pause_it)
		assert_int_equal(chan_pause(ch, true), 0);
	return f->answer;
}

static void on_closed(struct chan *ch, const char *violation)
{
	struct fixture *f = ch->user;

	assert_false(chan_is_open(ch));
	f->closed++;
	f->violation = violation;
}

static void on_drained(struct chan *ch)
{
	struct fixture *f = ch->user;

	f->drained++;
}

static const struct chan_rule rules[] = {
	{MSG_READY, 0, 0, 0, 0, on_message},
	{MSG_STOP, sizeof(struct numbers), 0, 0, 0, on_message},
	{MSG_PEER, 0, 0, 1, 2, on_message},
	{MSG_EVENTS, 8, 8, 0, 0, on_message},
};

static const struct chan_ops ops = {
	.rules = rules,
	.nrules = sizeof(rules) / sizeof(rules[0]),
	.closed = on_closed,
	.drained = on_drained,
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fds[2];

	f->open_before = open_descriptors();
	assert_int_equal(loop_init(&f->loop, &clock_system), 0);
	assert_int_equal(chan_pair(fds), 0);
	chan_init(&f->chan, &f->loop, &ops, f);
	assert_false(chan_is_open(&f->chan));
	assert_int_equal(chan_open(&f->chan, fds[0]), 0);
	f->peer = fds[1];
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	chan_close(&f->chan);
	if (f->peer != -1)
		close(f->peer);
	loop_close(&f->loop);
	assert_int_equal(open_descriptors(), f->open_before);
	free(f);
	return 0;
}

static void rounds(struct fixture *f, int n)
{
	while (n-- > 0)
		assert_int_equal(loop_round(&f->loop, 0), 0);
}

/* @len bytes that begin with @type, and @nfds descriptors. */
static void peer_sends(struct fixture *f, uint32_t type, size_t len,
		       unsigned int nfds)
{
	static uint64_t buf[MSG_MAX / 8 + 8];
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(253 * sizeof(int))];
	struct iovec iov = {buf, len};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	int fds[253] = {0};

	memset(buf, 0, sizeof(buf));
	memcpy(buf, &type, sizeof(type));
	buf[1] = 11;
	buf[2] = 22;
	if (nfds > 0) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		memset(control, 0, sizeof(control));
		mh.msg_control = control;
		mh.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		for (unsigned int i = 0; i < nfds; i++)
			fds[i] = f->peer;
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	assert_int_equal(sendmsg(f->peer, &mh, MSG_NOSIGNAL), len);
}

static void good_messages_arrive(void **state)
{
	struct fixture *f = *state;

	peer_sends(f, MSG_READY, 8, 0);
	peer_sends(f, MSG_STOP, 8 + sizeof(struct numbers), 0);
	peer_sends(f, MSG_PEER, 8, 1);
	peer_sends(f, MSG_PEER, 8, 2);
	peer_sends(f, MSG_EVENTS, 8 + 8, 0);
	peer_sends(f, MSG_EVENTS, 8 + 8 + 24, 0);
	peer_sends(f, MSG_EVENTS, MSG_MAX, 0);
	rounds(f, 1);
	assert_int_equal(f->messages, 7);
	assert_int_equal(f->closed, 0);
	assert_int_equal(f->last.a, 11);
	assert_int_equal(f->last.b, 22);
	assert_int_equal(f->last_elements, MSG_MAX - 16);
}

struct bad {
	uint32_t type;
	size_t len;
	unsigned int fds;
};

/* Each ends the channel, is told once, and reaches no handler. */
static void bad_messages_end_it(void **state)
{
	static const struct bad bad[] = {
		{MSG_SCAN, 8, 0}, /* not this peer's to send */
		{0, 8, 0},
		{UINT32_MAX, 8, 0},
		{MSG_READY, 1, 0}, /* less than a header */
		{MSG_READY, 7, 0},
		{MSG_READY, 9, 0}, /* too long, too short */
		{MSG_STOP, 8 + 15, 0},
		{MSG_STOP, 8 + 17, 0},
		{MSG_EVENTS, 8 + 7, 0},
		{MSG_EVENTS, 8 + 8 + 4, 0}, /* half an element */
		{MSG_EVENTS, MSG_MAX + 8, 0},
		{MSG_READY, 8, 1}, /* descriptors */
		{MSG_PEER, 8, 0},
		{MSG_PEER, 8, 3},
		{MSG_PEER, 8, MSG_FDS_MAX},
		{MSG_PEER, 8, MSG_FDS_MAX + 1},
		{MSG_PEER, 8, 253},
		{MSG_SCAN, 8, 2},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fixture *f = *state;

		peer_sends(f, bad[i].type, bad[i].len, bad[i].fds);
		peer_sends(f, MSG_READY, 8, 0);
		rounds(f, 2);
		assert_int_equal(f->messages, 0);
		assert_int_equal(f->closed, 1);
		assert_non_null(f->violation);
		assert_false(chan_is_open(&f->chan));
		assert_int_equal(chan_send(&f->chan, MSG_READY, NULL, 0),
				 -ENOTCONN);
		teardown(state);
		setup(state);
	}
}

/* No bytes at all look like the end; descriptors with them must not stay. */
static void empty_message(void **state)
{
	struct fixture *f = *state;

	peer_sends(f, MSG_READY, 0, 2);
	rounds(f, 1);
	assert_int_equal(f->closed, 1);
	assert_int_equal(f->messages, 0);
}

static void impossible_value_ends_it(void **state)
{
	struct fixture *f = *state;

	f->answer = -EPROTO;
	peer_sends(f, MSG_PEER, 8, 2);
	peer_sends(f, MSG_READY, 8, 0);
	rounds(f, 1);
	assert_int_equal(f->messages, 1);
	assert_int_equal(f->closed, 1);
	assert_non_null(f->violation);
}

static void end_of_the_peer(void **state)
{
	struct fixture *f = *state;

	peer_sends(f, MSG_READY, 8, 0);
	close(f->peer);
	f->peer = -1;
	rounds(f, 2);
	assert_int_equal(f->messages, 1);
	assert_int_equal(f->closed, 1);
	assert_null(f->violation);
}

static void handler_closes_it(void **state)
{
	struct fixture *f = *state;

	f->close_it = true;
	peer_sends(f, MSG_READY, 8, 0);
	peer_sends(f, MSG_READY, 8, 0);
	rounds(f, 2);
	assert_int_equal(f->messages, 1);
	assert_int_equal(f->closed, 0);
	assert_false(chan_is_open(&f->chan));
}

/* What waits comes in order, with its descriptors, and then drained is said. */
static void slow_peer(void **state)
{
	struct fixture *f = *state;
	char block[4096] = {0}, got[8192];
	unsigned int sent = 0, received = 0;
	int rc, with[1] = {f->peer};

	for (;;) {
		uint64_t number = sent;

		rc = chan_send_full(&f->chan, MSG_EVENTS, &number,
				    sizeof(number), block, sizeof(block), with,
				    sent % 50 == 7 ? 1 : 0);
		if (rc != 0)
			break;
		sent++;
	}
	assert_int_equal(rc, -ENOBUFS);
	assert_true(f->chan.queued <= CHAN_QUEUE_MAX);
	assert_true(f->chan.queued > CHAN_QUEUE_MAX - 2 * sizeof(block));
	while (received < sent) {
		ssize_t n = recv(f->peer, got, sizeof(got), 0);
		uint64_t number;

		if (n == -1) {
			assert_int_equal(errno, EAGAIN);
			rounds(f, 1);
			continue;
		}
		assert_int_equal(n, 8 + 8 + sizeof(block));
		memcpy(&number, got + 8, sizeof(number));
		assert_int_equal(number, received);
		received++;
	}
	rounds(f, 2);
	assert_int_equal(f->drained, 1);
	assert_int_equal(f->chan.queued, 0);
	assert_int_equal(chan_send(&f->chan, MSG_READY, NULL, 0), 0);
}

/* With a queue: the peer goes away, or the owner closes. */
static void queue_is_dropped_at_the_end(void **state)
{
	struct fixture *f = *state;
	char block[4096] = {0};
	int with[1] = {STDIN_FILENO};

	while (chan_send_full(&f->chan, MSG_READY, NULL, 0, block,
			      sizeof(block), with, 1) == 0)
		;
	close(f->peer);
	f->peer = -1;
	rounds(f, 2);
	assert_int_equal(f->closed, 1);
	assert_int_equal(f->chan.queued, 0);
	assert_true(list_empty(&f->chan.queue));
}

static void too_large_is_refused(void **state)
{
	struct fixture *f = *state;
	static char block[MSG_MAX];
	int fds[MSG_FDS_MAX + 1] = {0};

	assert_int_equal(chan_send(&f->chan, MSG_READY, block, MSG_MAX - 7),
			 -EMSGSIZE);
	assert_int_equal(chan_send(&f->chan, MSG_READY, block, MSG_MAX - 8), 0);
	assert_int_equal(chan_send_full(&f->chan, MSG_READY, NULL, 0, NULL, 0,
					fds, MSG_FDS_MAX + 1),
			 -EMSGSIZE);
}

/* Nothing is read, not even the end, and the loop doesn't spin. */
static void paused(void **state)
{
	struct fixture *f = *state;
	struct loop_fd *lfd = &f->chan.lfd;
	struct epoll_event ev;

	f->pause_it = true;
	peer_sends(f, MSG_READY, 8, 0);
	peer_sends(f, MSG_READY, 8, 0);
	rounds(f, 3);
	assert_int_equal(f->messages, 1);
	peer_sends(f, MSG_READY, 8, 0);
	close(f->peer);
	f->peer = -1;
	rounds(f, 3);
	assert_int_equal(f->messages, 1);
	assert_int_equal(f->closed, 0);
	assert_int_equal(epoll_wait(f->loop.epoll_fd, &ev, 1, 0), 0);
	assert_true(lfd->fd != -1);
	f->pause_it = false;
	assert_int_equal(chan_pause(&f->chan, false), 0);
	rounds(f, 2);
	assert_int_equal(f->messages, 3);
	assert_int_equal(f->closed, 1);
}

/* While it takes nothing, what it has to say still goes out. */
static void paused_still_sends(void **state)
{
	struct fixture *f = *state;
	char block[4096] = {0}, got[8192];
	unsigned int sent = 0, received = 0;

	assert_int_equal(chan_pause(&f->chan, true), 0);
	while (chan_send(&f->chan, MSG_READY, block, sizeof(block)) == 0)
		sent++;
	while (received < sent) {
		if (recv(f->peer, got, sizeof(got), 0) > 0)
			received++;
		else
			rounds(f, 1);
	}
	rounds(f, 1);
	assert_int_equal(f->drained, 1);
}

#define CHAN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHAN_TEST(good_messages_arrive),
		CHAN_TEST(bad_messages_end_it),
		CHAN_TEST(empty_message),
		CHAN_TEST(impossible_value_ends_it),
		CHAN_TEST(end_of_the_peer),
		CHAN_TEST(handler_closes_it),
		CHAN_TEST(slow_peer),
		CHAN_TEST(queue_is_dropped_at_the_end),
		CHAN_TEST(too_large_is_refused),
		CHAN_TEST(paused),
		CHAN_TEST(paused_still_sends),
	};

	return cmocka_run_group_tests_name("chan", tests, NULL, NULL);
}
