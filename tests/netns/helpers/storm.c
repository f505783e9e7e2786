// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * New connections, as many as go: each asks an origin that answers with the
 * port it sees ("GET /port"), so that this end knows whether its connection
 * was forwarded or taken in by a relay.
 *
 * usage: storm SERVER PORT AT_ONCE TIMEOUT_MS
 *
 * Until SIGTERM, a line each 100 ms, with the time since 1970 in ms and what
 * became of the connections that ended since the last line:
 *	1700000000100 direct 812 relayed 0 refused 0 reset 0 timeout 0
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE_MAX 512
#define LINE_MS	    100
#define SWEEP_MS    10 /* failed ones are tried again, late ones given up */

enum outcome { DIRECT, RELAYED, REFUSED, RESET, TIMEOUT, OUTCOMES };

static const char *const names[OUTCOMES] = {"direct", "relayed", "refused",
					    "reset", "timeout"};

struct slot {
	int fd; /* -1: waits for the next sweep */
	bool asked;
	bool again;    /* the last one went well: the next at once */
	uint16_t port; /* its own */
	uint64_t deadline_ms;
	char answer[1024];
	size_t len;
};

struct storm {
	int epoll_fd;
	struct sockaddr_storage server;
	socklen_t server_len;
	uint64_t timeout_ms;
	size_t count;
	struct slot slots[AT_ONCE_MAX];
	uint64_t ended[OUTCOMES];
};

static volatile sig_atomic_t stopped;

static void on_term(int sig)
{
	(void)sig;
	stopped = 1;
}

static uint64_t clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static bool parse_address(struct storm *st, const char *host, const char *port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&st->server;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&st->server;
	in_port_t number = htons((uint16_t)strtoul(port, NULL, 10));

	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = number;
		st->server_len = sizeof(*in);
		return true;
	}
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
		return false;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = number;
	st->server_len = sizeof(*in6);
	return true;
}

/* --- a connection ---------------------------------------------------------- */

static void end_slot(struct storm *st, struct slot *s, enum outcome how)
{
	close(s->fd);
	s->fd = -1;
	s->again = how == DIRECT || how == RELAYED;
	st->ended[how]++;
}

static enum outcome failure(int error)
{
	return error == ECONNREFUSED ? REFUSED : RESET;
}

static void open_slot(struct storm *st, struct slot *s)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
				 .data.ptr = s};

	s->fd = socket(st->server.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (s->fd == -1)
		return;
	s->asked = false;
	s->len = 0;
	s->deadline_ms = clock_ms(CLOCK_MONOTONIC) + st->timeout_ms;
	if (connect(s->fd, (struct sockaddr *)&st->server, st->server_len) ==
		    -1 &&
	    errno != EINPROGRESS)
		end_slot(st, s, failure(errno));
	else if (epoll_ctl(st->epoll_fd, EPOLL_CTL_ADD, s->fd, &ev) == -1)
		end_slot(st, s, RESET);
}

static void ask(struct storm *st, struct slot *s)
{
	static const char request[] = "GET /port HTTP/1.1\r\nHost: origin\r\n"
				      "Connection: close\r\n\r\n";
	struct sockaddr_in6 own = {0};
	socklen_t len = sizeof(own);

	s->asked = true;
	if (getsockname(s->fd, (struct sockaddr *)&own, &len) == -1 ||
	    send(s->fd, request, sizeof(request) - 1, MSG_NOSIGNAL) == -1) {
		end_slot(st, s, failure(errno));
		return;
	}
	/* At the same place in both families. */
	s->port = ntohs(own.sin6_port);
}

/* The origin closed: what it saw is the last line. */
static void judge(struct storm *st, struct slot *s)
{
	const char *body;

	s->answer[s->len] = '\0';
	body = strstr(s->answer, "\r\n\r\n");
	if (body == NULL || strncmp(s->answer, "HTTP/1.1 200 ", 13) != 0)
		end_slot(st, s, RESET);
	else if (strtoul(body + 4, NULL, 10) == s->port)
		end_slot(st, s, DIRECT);
	else
		end_slot(st, s, RELAYED);
}

static void read_slot(struct storm *st, struct slot *s)
{
	for (;;) {
		ssize_t n = recv(s->fd, s->answer + s->len,
				 sizeof(s->answer) - 1 - s->len, 0);

		if (n > 0) {
			s->len += (size_t)n;
			continue;
		}
		if (n == 0)
			judge(st, s);
		else if (errno != EAGAIN)
			end_slot(st, s, failure(errno));
		return;
	}
}

static void on_event(struct storm *st, struct slot *s, uint32_t events)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (s->fd == -1)
		return;
	if (events & EPOLLERR) {
		(void)getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		end_slot(st, s, failure(error));
		return;
	}
	if (!s->asked)
		ask(st, s);
	if (s->fd != -1 && s->asked)
		read_slot(st, s);
	if (s->fd == -1 && s->again)
		open_slot(st, s);
}

/* --- all of them ------------------------------------------------------------ */

static void sweep(struct storm *st, uint64_t now_ms)
{
	for (size_t i = 0; i < st->count; i++) {
		struct slot *s = &st->slots[i];

		if (s->fd != -1 && now_ms >= s->deadline_ms)
			end_slot(st, s, TIMEOUT);
		if (s->fd == -1)
			open_slot(st, s);
	}
}

static void print_line(struct storm *st)
{
	printf("%llu", (unsigned long long)clock_ms(CLOCK_REALTIME));
	for (int i = 0; i < OUTCOMES; i++) {
		printf(" %s %llu", names[i], (unsigned long long)st->ended[i]);
		st->ended[i] = 0;
	}
	printf("\n");
	fflush(stdout);
}

static void run(struct storm *st)
{
	uint64_t sweep_ms = 0, line_ms = clock_ms(CLOCK_MONOTONIC) + LINE_MS;

	while (!stopped) {
		struct epoll_event events[64];
		int n = epoll_wait(st->epoll_fd, events, 64, SWEEP_MS);
		uint64_t now_ms = clock_ms(CLOCK_MONOTONIC);

		for (int i = 0; i < n; i++)
			on_event(st, events[i].data.ptr, events[i].events);
		if (now_ms >= sweep_ms) {
			sweep(st, now_ms);
			sweep_ms = now_ms + SWEEP_MS;
		}
		if (now_ms >= line_ms) {
			print_line(st);
			/* One for all that were missed. */
			line_ms += (now_ms - line_ms) / LINE_MS * LINE_MS +
				   LINE_MS;
		}
	}
}

int main(int argc, char **argv)
{
	static struct storm st;

	if (argc != 5 || !parse_address(&st, argv[1], argv[2]))
		return EXIT_FAILURE;
	st.count = strtoul(argv[3], NULL, 10);
	st.timeout_ms = strtoull(argv[4], NULL, 10);
	st.epoll_fd = epoll_create1(0);
	if (st.epoll_fd == -1 || st.count > AT_ONCE_MAX)
		return EXIT_FAILURE;
	signal(SIGTERM, on_term);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < st.count; i++)
		st.slots[i].fd = -1;
	run(&st);
	print_line(&st);
	return EXIT_SUCCESS;
}
