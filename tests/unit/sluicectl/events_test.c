// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sluicectl/events.h"
#include "store/event_json.h"

#define NOW_US	  UINT64_C(1732227120000000) /* 2024-11-21T22:12:00 */
#define S_US	  UINT64_C(1000000)
#define WORDS_MAX 16

struct fixture {
	char dir[64];
	int fd;
	char *out; /* what was printed last */
	uint64_t bad;
};

/* Two lines in an older file, three and one that is none in the current. */
static void write_event(const struct fixture *f, const char *name,
			const struct event *ev, uint64_t number)
{
	static char line[EVENT_JSON_MAX];
	size_t n = event_json_write(ev, 1, number, line, sizeof(line));
	int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_APPEND, 0600);

	assert_true(n > 0 && fd != -1);
	assert_int_equal(write(fd, line, n), n);
	close(fd);
}

static struct event event_at(uint64_t s_ago, const char *client,
			     const char *host, const char *url)
{
	struct event ev = {.time_us = NOW_US - s_ago * S_US,
			   .session = s_ago,
			   .verdict = VERDICT_CLEAN,
			   .status = 200,
			   .bytes_out = 1536,
			   .duration_ms = 7,
			   .method = STR("GET"),
			   .host = str_of(host),
			   .url = str_of(url)};

	assert_true(ip_addr_parse(client, &ev.client.addr));
	ev.client.port = 50000;
	assert_true(ip_addr_parse("192.0.2.80", &ev.server.addr));
	ev.server.port = 80;
	return ev;
}

static void write_journal(const struct fixture *f)
{
	static const char old[] = "events-20241121T211200Z-000.jsonl";
	struct event ev;
	int fd;

	ev = event_at(7200, "10.0.0.1", "a.test", "http://a.test/one");
	write_event(f, old, &ev, 0);
	ev = event_at(5400, "10.0.0.2", "b.test:8080", "http://b.test/two");
	write_event(f, old, &ev, 1);
	ev = event_at(120, "fd00::1", "www.A.test", "http://www.a.test/3");
	write_event(f, "events.jsonl", &ev, 2);
	ev = event_at(60, "10.0.0.2", "b.test", "http://b.test/\x1b[31mred");
	ev.verdict = VERDICT_BLOCKED;
	ev.reason = REASON_SIGNATURE;
	ev.name = STR("Eicar");
	ev.status = 403;
	ev.stopped = true;
	write_event(f, "events.jsonl", &ev, 3);
	fd = openat(f->fd, "events.jsonl", O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "no event\n", 9), 9);
	close(fd);
	ev = event_at(0, "10.0.1.1", "c.test", "http://c.test/five");
	write_event(f, "events.jsonl", &ev, 4);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "%s/sluice-events.XXXXXX",
		 getenv("TMPDIR") != NULL ? getenv("TMPDIR") : P_tmpdir);
	assert_non_null(mkdtemp(f->dir));
	f->fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd != -1);
	write_journal(f);
	*state = f;
	return 0;
}

static int unlink_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	free(f->out);
	nftw(f->dir, unlink_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

/* "--verdict clean" and so on, as words of a command line. */
static int parse(const char *words, struct events_options *o, char *wrong,
		 size_t size)
{
	static char copy[256];
	char *argv[WORDS_MAX] = {(char *)(uintptr_t) "events"}, *save = NULL;
	int argc = 1;

	assert_true(str_copy(copy, sizeof(copy), words));
	for (char *w = strtok_r(copy, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	return events_parse(argc, argv, NOW_US, o, wrong, size);
}

/* The numbers of the events that these options show, e.g. "0 3 4". */
static const char *shown(struct fixture *f, const char *words)
{
	static char numbers[64];
	struct events_options o;
	char wrong[128], all[256];
	size_t size;
	FILE *out;

	snprintf(all, sizeof(all), "--json %s", words);
	assert_int_equal(parse(all, &o, wrong, sizeof(wrong)), 0);
	free(f->out);
	out = open_memstream(&f->out, &size);
	assert_int_equal(events_print(f->fd, &o, out, &f->bad), 0);
	fclose(out);
	numbers[0] = '\0';
	for (const char *at = f->out; (at = strstr(at, "\"id\":\"1-")) != NULL;
	     at++) {
		size_t n = strlen(numbers);

		snprintf(numbers + n, sizeof(numbers) - n, "%s%c",
			 n > 0 ? " " : "", at[8]);
	}
	return numbers;
}

static void filters(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(shown(f, ""), "0 1 2 3 4");
	assert_int_equal(f->bad, 1);
	assert_string_equal(shown(f, "--client 10.0.0.2"), "1 3");
	assert_string_equal(shown(f, "--client 10.0.0.0/24"), "0 1 3");
	assert_string_equal(shown(f, "--client fd00::/8"), "2");
	assert_string_equal(shown(f, "--server 192.0.2.80"), "0 1 2 3 4");
	assert_string_equal(shown(f, "--server 192.0.2.81"), "");
	assert_string_equal(shown(f, "--host a.test"), "0 2");
	assert_string_equal(shown(f, "--host b.test"), "1 3");
	assert_string_equal(shown(f, "--host test"), "0 1 2 3 4");
	assert_string_equal(shown(f, "--host est"), "");
	assert_string_equal(shown(f, "--url /five"), "4");
	assert_string_equal(shown(f, "--verdict blocked"), "3");
	assert_string_equal(shown(f, "--reason signature"), "3");
	assert_string_equal(shown(f, "--reason size"), "");
	assert_string_equal(shown(f, "--session 1.120"), "2");
	assert_string_equal(shown(f, "--verdict clean --host b.test"), "1");
}

static void times_and_limits(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(shown(f, "--since 1h"), "2 3 4");
	assert_string_equal(shown(f, "--since 2h"), "0 1 2 3 4");
	assert_string_equal(shown(f, "--since 2024-11-21T22:11:00Z"), "3 4");
	assert_string_equal(shown(f, "--until 90s"), "0 1 2");
	assert_string_equal(shown(f, "--since 2h --until 1h"), "0 1");
	assert_string_equal(shown(f, "--limit 2"), "3 4");
	assert_string_equal(shown(f, "-n 1 --host b.test"), "3");
	assert_string_equal(shown(f, "-n 2 --host b.test"), "1 3");
	assert_string_equal(shown(f, "-n 99"), "0 1 2 3 4");
	assert_string_equal(shown(f, "-n 1 --since 1h"), "4");
	assert_string_equal(shown(f, "-n 1 --until 1h"), "1");
}

static void raw_lines(void **state)
{
	struct fixture *f = *state;
	size_t n;

	shown(f, "-n 1");
	n = strlen(f->out);
	assert_memory_equal(f->out,
			    "{\"time\":\"2024-11-21T22:12:00.000000Z\","
			    "\"id\":\"1-4\"",
			    48);
	assert_int_equal(f->out[n - 1], '\n');
}

static void lines_for_people(void **state)
{
	struct fixture *f = *state;
	struct events_options o;
	char wrong[128];
	size_t size;
	FILE *out;

	assert_int_equal(parse("-n 2", &o, wrong, sizeof(wrong)), 0);
	out = open_memstream(&f->out, &size);
	assert_int_equal(events_print(f->fd, &o, out, &f->bad), 0);
	fclose(out);
	assert_string_equal(
		f->out,
		"2024-11-21 22:11:00.000Z 10.0.0.2        block blocked     "
		"403   1.5K      7ms GET http://b.test/\\x1b[31mred "
		"[signature: Eicar]\n"
		"2024-11-21 22:12:00.000Z 10.0.1.1        allow clean       "
		"200   1.5K      7ms GET http://c.test/five\n");
}

static void bad_options(void **state)
{
	static const char *const bad[] = {
		"--client nobody",   "--client 10.0.0.1/8",
		"--verdict dirty",   "--reason why",
		"--since yesterday", "--limit -1",
		"--nothing",	     "--host",
		"--follow=1",	     "word",
		"--since 99999999d",
	};
	struct events_options o;
	char wrong[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		wrong[0] = '\0';
		assert_int_equal(parse(bad[i], &o, wrong, sizeof(wrong)),
				 -EINVAL);
		assert_true(strlen(wrong) > 10);
	}
	assert_int_equal(parse("", &o, wrong, sizeof(wrong)), 0);
	assert_int_equal(o.limit, EVENTS_LIMIT);
	assert_int_equal(parse("--since 1h", &o, wrong, sizeof(wrong)), 0);
	assert_int_equal(o.limit, 0);
}

static void no_journal(void **state)
{
	struct fixture *f = *state;

	unlinkat(f->fd, "events.jsonl", 0);
	unlinkat(f->fd, "events-20241121T211200Z-000.jsonl", 0);
	assert_string_equal(shown(f, ""), "");
	assert_string_equal(shown(f, "--since 1h"), "");
}

/* Until "1-@number" has come out of @fd. */
static void read_until(int fd, char number)
{
	static char got[4096];
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	size_t n = 0;
	char wanted[] = "\"id\":\"1-?\"";

	wanted[8] = number;
	while (memmem(got, n, wanted, strlen(wanted)) == NULL) {
		ssize_t r;

		assert_int_equal(poll(&pfd, 1, 20000), 1);
		assert_true(n < sizeof(got));
		r = read(fd, got + n, sizeof(got) - n);
		assert_true(r > 0);
		n += (size_t)r;
	}
}

static void follow(const struct fixture *f, int fd)
{
	struct events_options o;
	char wrong[128];
	uint64_t bad;
	FILE *out = fdopen(fd, "w");

	signal(SIGPIPE, SIG_IGN);
	if (out == NULL ||
	    parse("--json -f -n 1", &o, wrong, sizeof(wrong)) != 0)
		_exit(1);
	/* ends when nobody listens any more */
	_exit(events_print(f->fd, &o, out, &bad) == -EPIPE ? 0 : 2);
}

static void follows(void **state)
{
	struct fixture *f = *state;
	struct event ev = event_at(0, "10.0.0.9", "d.test", "http://d.test/");
	int fds[2], status = 0;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		follow(f, fds[1]);
	}
	close(fds[1]);
	read_until(fds[0], '4');
	write_event(f, "events.jsonl", &ev, 5);
	read_until(fds[0], '5');
	assert_int_equal(renameat(f->fd, "events.jsonl", f->fd,
				  "events-20241121T221200Z-000.jsonl"),
			 0);
	write_event(f, "events.jsonl", &ev, 6);
	read_until(fds[0], '6');
	close(fds[0]);
	write_event(f, "events.jsonl", &ev, 7);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define EVENTS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EVENTS_TEST(filters),	       EVENTS_TEST(times_and_limits),
		EVENTS_TEST(raw_lines),	       EVENTS_TEST(lines_for_people),
		cmocka_unit_test(bad_options), EVENTS_TEST(no_journal),
		EVENTS_TEST(follows),
	};

	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
