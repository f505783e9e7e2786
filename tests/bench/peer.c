// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both ends of two loads that the shared harness hasn't got: bytes over a
 * protocol that is no HTTP, and HTTP bodies of which no two are alike.
 *
 * build: cc -O2 -D_GNU_SOURCE -pthread -o build/bench/peer tests/bench/peer.c
 * usage: peer serve PORT
 *	a thread a connection. A request of 9 bytes, 0x01 and a big-endian size,
 *	is answered with as many bytes, by sendfile(2); "GET /SIZE" with a body
 *	that begins with a number nobody got before.
 * usage: peer fetch ADDRESS PORT CONNECTIONS SIZE SECONDS
 *	asks for SIZE bytes on each of its connections, again and again, and
 *	prints what bget of the harness prints: a line of JSON.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FILE_SIZE   (64u << 20) /* larger objects are it, repeated */
#define RAW_REQUEST 9
#define HEAD_MAX    8192
#define PIECE	    (256u << 10)
#define CONNECTIONS 256

static int file = -1; /* random bytes, in memory */
static atomic_ulong served;

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static uint16_t port_of(const char *text)
{
	return (uint16_t)strtoul(text, NULL, 10);
}

static bool send_all(int fd, const void *data, size_t n, int flags)
{
	const uint8_t *p = data;

	while (n > 0) {
		ssize_t sent = send(fd, p, n, flags | MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* --- serve -------------------------------------------------------------------- */

static void make_file(void)
{
	uint8_t *p;

	file = memfd_create("objects", MFD_CLOEXEC);
	if (file == -1 || ftruncate(file, FILE_SIZE) == -1)
		die("memfd");
	p = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (p == MAP_FAILED)
		die("mmap");
	for (size_t done = 0; done < FILE_SIZE; done += 256) {
		if (getrandom(p + done, 256, 0) != 256)
			die("getrandom");
	}
	munmap(p, FILE_SIZE);
}

static bool send_file(int fd, uint64_t from, uint64_t n)
{
	while (n > 0) {
		off_t at = (off_t)(from % FILE_SIZE);
		uint64_t there = FILE_SIZE - (uint64_t)at;
		ssize_t sent = sendfile(fd, file, &at, n < there ? n : there);

		if (sent <= 0)
			return false;
		from += (uint64_t)sent;
		n -= (uint64_t)sent;
	}
	return true;
}

static bool send_unique(int fd, uint64_t size)
{
	uint64_t stamp[2] = {atomic_fetch_add(&served, 1), (uint64_t)getpid()};
	uint64_t first = size < sizeof(stamp) ? size : sizeof(stamp);
	char head[256];
	int len = snprintf(head, sizeof(head),
			   "HTTP/1.1 200 OK\r\n"
			   "Content-Type: application/octet-stream\r\n"
			   "Cache-Control: no-store\r\n"
			   "Content-Length: %llu\r\n\r\n",
			   (unsigned long long)size);

	return send_all(fd, head, (size_t)len, MSG_MORE) &&
	       send_all(fd, stamp, first, size > first ? MSG_MORE : 0) &&
	       send_file(fd, first, size - first);
}

/*
 * One request at the start of @p: its length, after it was answered; 0: more
 * must come; -1: the connection is of no use.
 */
static ssize_t answer(int fd, char *p, size_t n)
{
	static const char get[] = "GET /";
	uint64_t raw;
	char *end;

	if (p[0] == 1) {
		if (n < RAW_REQUEST)
			return 0;
		memcpy(&raw, p + 1, sizeof(raw));
		return send_file(fd, 0, be64toh(raw)) ? RAW_REQUEST : -1;
	}
	p[n] = '\0';
	end = strstr(p, "\r\n\r\n");
	if (end == NULL)
		return 0;
	if (strncmp(p, get, sizeof(get) - 1) != 0 ||
	    !send_unique(fd, strtoull(p + sizeof(get) - 1, NULL, 10)))
		return -1;
	return end + 4 - p;
}

static void *serve_one(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char in[HEAD_MAX + 1];
	size_t have = 0;
	ssize_t n;

	while ((n = recv(fd, in + have, HEAD_MAX - have, 0)) > 0) {
		have += (size_t)n;
		while (have > 0 && (n = answer(fd, in, have)) > 0) {
			have -= (size_t)n;
			memmove(in, in + n, have);
		}
		if (n < 0 || have == HEAD_MAX)
			break;
	}
	close(fd);
	return NULL;
}

static void serve(uint16_t port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6,
				   .sin6_port = htons(port)};
	int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	make_file();
	signal(SIGPIPE, SIG_IGN); /* of sendfile(2) */
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) == -1 ||
	    listen(listener, 4096) == -1)
		die("listen");
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		pthread_t thread;

		if (fd == -1)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (pthread_create(&thread, NULL, serve_one,
				   (void *)(intptr_t)fd) == 0)
			pthread_detach(thread);
		else
			close(fd);
	}
}

/* --- fetch -------------------------------------------------------------------- */

struct fetcher {
	pthread_t thread;
	struct sockaddr_in to;
	uint64_t size;
	uint64_t until_ns;
	uint64_t bytes;
	uint64_t objects;
	uint64_t errors;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Whether the whole object came in time, and it was no error. */
static bool fetch_object(struct fetcher *f, int fd, uint8_t *piece)
{
	uint8_t request[RAW_REQUEST] = {1};
	uint64_t raw = htobe64(f->size);

	memcpy(request + 1, &raw, sizeof(raw));
	if (!send_all(fd, request, sizeof(request), 0)) {
		f->errors++;
		return false;
	}
	for (uint64_t left = f->size; left > 0;) {
		ssize_t n = recv(fd, piece, left < PIECE ? left : PIECE, 0);

		if (n <= 0) {
			f->errors++;
			return false;
		}
		left -= (uint64_t)n;
		f->bytes += (uint64_t)n;
		if (now_ns() >= f->until_ns)
			return false;
	}
	f->objects++;
	return true;
}

static void *fetch_one(void *arg)
{
	struct fetcher *f = arg;
	uint8_t *piece = malloc(PIECE);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (piece == NULL ||
	    connect(fd, (struct sockaddr *)&f->to, sizeof(f->to)) == -1)
		f->errors++;
	else
		while (fetch_object(f, fd, piece))
			;
	close(fd);
	free(piece);
	return NULL;
}

static int fetch(char **argv)
{
	static struct fetcher fetchers[CONNECTIONS];
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(port_of(argv[1]))};
	unsigned int n = (unsigned int)strtoul(argv[2], NULL, 10);
	uint64_t begin = now_ns(), bytes = 0, objects = 0, errors = 0;
	double secs;

	if (inet_pton(AF_INET, argv[0], &to.sin_addr) != 1 || n < 1 ||
	    n > CONNECTIONS) {
		fprintf(stderr,
			"peer: no address, or not 1 to %d connections\n",
			CONNECTIONS);
		return 2;
	}
	for (unsigned int i = 0; i < n; i++) {
		struct fetcher *f = &fetchers[i];

		f->to = to;
		f->size = strtoull(argv[3], NULL, 10);
		f->until_ns = begin + (uint64_t)(strtod(argv[4], NULL) * 1e9);
		if (pthread_create(&f->thread, NULL, fetch_one, f) != 0)
			die("thread");
	}
	for (unsigned int i = 0; i < n; i++) {
		pthread_join(fetchers[i].thread, NULL);
		bytes += fetchers[i].bytes;
		objects += fetchers[i].objects;
		errors += fetchers[i].errors;
	}
	secs = (double)(now_ns() - begin) / 1e9;
	printf("{\"reqs\":%llu,\"bytes\":%llu,\"errs\":%llu,\"secs\":%.3f,"
	       "\"p50ms\":0,\"p99ms\":0,\"maxms\":0,\"err\":\"%s\"}\n",
	       (unsigned long long)objects, (unsigned long long)bytes,
	       (unsigned long long)errors, secs,
	       errors > 0 ? "a connection broke" : "");
	return errors > 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(port_of(argv[2]));
	if (argc == 7 && strcmp(argv[1], "fetch") == 0)
		return fetch(argv + 2);
	fprintf(stderr, "usage: peer serve PORT\n"
			"       peer fetch ADDRESS PORT CONNECTIONS SIZE "
			"SECONDS\n");
	return 2;
}
