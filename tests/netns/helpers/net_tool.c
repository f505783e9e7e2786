// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The real sluice-net with a parent and relays made of this program, for
 * tests/netns/ftp_rules_test.sh. usage: net_tool PROGRAM FILE.conf
 *
 * Each second it says that all is well. Commands come as lines on standard
 * input; each is answered with one line, "ok..." or "error ...":
 *
 *	relay N				a channel, in place of an older one
 *	close N				its relay is gone
 *	listen N			its listeners, which nobody accepts from
 *	pair N CLIENT SERVER 1|0	when it is in the kernel
 *	data N CLIENT SERVER PORT	what becomes of a socket that calls the client
 *					from that port: 0 or -errno
 *	stock N LEG			... of a socket of such a leg (enum
 *					msg_sockets_leg)
 *	passive N CLIENT SERVER PORT	carry one data connection, as a relay does:
 *					listen for the client, then dial
 *	active N CLIENT PORT SERVER LOCAL	listen for the server on LOCAL, which
 *					is the client's address or ours; then dial
 *					the client from port 20
 *	reload FILE.conf
 *	kill				sluice-net is killed and started again
 *	stat NAME			a counter
 *	stop				in order; the end
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "conf/load.h"
#include "ipc/role.h"
#include "sys/memfile.h"

#define NOBODY	 65534
#define RELAYS	 4
#define ANSWER	 5000  /* ms for an answer */
#define DATA_MS	 30000 /* ... for a data connection to come or to move */
#define WORDS	 8
#define LINE_LEN 512

struct tool {
	const char *program;
	struct config config;
	pid_t pid;
	int parent;
	int relays[RELAYS];
	int stats_fd;
	struct stats *stats;
	uint64_t ids;
};

static void die(const char *what)
{
	fprintf(stderr, "net_tool: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- messages ------------------------------------------------------------------ */

static void send_msg(int sock, uint32_t type, const void *body, size_t len,
		     const int *fds, size_t nfds)
{
	struct msg_header header = {.type = type};
	struct iovec iov[2] = {{&header, sizeof(header)}, {(void *)body, len}};
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = len > 0 ? 2 : 1};

	memset(&control, 0, sizeof(control));
	if (nfds > 0) {
		struct cmsghdr *cmsg = &control.align;

		mh.msg_control = control.bytes;
		mh.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, nfds * sizeof(int));
	}
	/* An end that is gone is noticed by the answer that doesn't come. */
	(void)sendmsg(sock, &mh, MSG_NOSIGNAL);
}

/* Its type, 0 at the end of the channel, or -ETIMEDOUT; @fd the first one. */
static int receive(int sock, void *body, size_t size, int *fd)
{
	struct msg_header header = {0};
	struct iovec iov[2] = {{&header, sizeof(header)}, {body, size}};
	union {
		char bytes[CMSG_SPACE(MSG_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr mh = {.msg_iov = iov,
			    .msg_iovlen = 2,
			    .msg_control = control.bytes,
			    .msg_controllen = sizeof(control.bytes)};
	struct pollfd pfd = {.fd = sock, .events = POLLIN};

	*fd = -1;
	if (poll(&pfd, 1, ANSWER) != 1)
		return -ETIMEDOUT;
	if (recvmsg(sock, &mh, MSG_CMSG_CLOEXEC) <= 0)
		return 0;
	if (mh.msg_controllen > 0 && CMSG_FIRSTHDR(&mh) != NULL)
		memcpy(fd, CMSG_DATA(CMSG_FIRSTHDR(&mh)), sizeof(*fd));
	return (int)header.type;
}

/* --- the role -------------------------------------------------------------------- */

static void read_config(const char *path, struct config *c)
{
	static struct config_errors errs;
	static char text[65536];
	FILE *f = fopen(path, "re");

	if (f == NULL)
		die(path);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	if (config_load_text(path, text, c, &errs) != 0) {
		fprintf(stderr, "%s\n", errs.list[0].text);
		exit(1);
	}
}

static void run(int sock, const char *program)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(sock, ROLE_PARENT_FD);
	execl(program, program, (char *)NULL);
	die(program);
}

static int config_fd(const struct tool *t)
{
	int fd = memfile_snapshot("config", &t->config, sizeof(t->config));

	if (fd < 0)
		die("config");
	return fd;
}

static void start(struct tool *t)
{
	struct msg_init init = {.role = ROLE_NET,
				.relays = RELAYS,
				.uid = NOBODY,
				.gid = NOBODY,
				.instance = 1};
	int fds[2], with[2] = {config_fd(t), t->stats_fd}, none;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		die("socketpair");
	t->pid = fork();
	if (t->pid == 0)
		run(fds[1], t->program);
	close(fds[1]);
	t->parent = fds[0];
	send_msg(t->parent, MSG_INIT, &init, sizeof(init), with, 2);
	close(with[0]);
	if (receive(t->parent, NULL, 0, &none) != MSG_READY)
		die("not ready");
}

static void alive(const struct tool *t)
{
	const struct msg_alive msg = {.alive = 1};

	send_msg(t->parent, MSG_ALIVE, &msg, sizeof(msg), NULL, 0);
}

/* --- data connections -------------------------------------------------------------- */

/* 1; 0 when @from has ended, which is passed on; -1. */
static int copy(int from, int to)
{
	char buf[65536];
	ssize_t n = read(from, buf, sizeof(buf));

	if (n == 0)
		return shutdown(to, SHUT_WR);
	for (ssize_t done = 0; n > 0 && done < n;) {
		ssize_t w = write(to, buf + done, (size_t)(n - done));

		if (w <= 0)
			return -1;
		done += w;
	}
	return n > 0 ? 1 : -1;
}

/* Both ways, until both ends have ended. */
static void carry(int a, int b)
{
	struct pollfd p[2] = {{.fd = a, .events = POLLIN},
			      {.fd = b, .events = POLLIN}};

	fcntl(a, F_SETFL, 0);
	fcntl(b, F_SETFL, 0);
	while ((p[0].fd >= 0 || p[1].fd >= 0) && poll(p, 2, DATA_MS) > 0) {
		for (int i = 0; i < 2; i++) {
			int rc;

			if (p[i].fd < 0 || p[i].revents == 0)
				continue;
			rc = copy(p[i].fd, i == 0 ? b : a);
			if (rc == -1)
				return;
			if (rc == 0)
				p[i].fd = -1;
		}
	}
}

static bool wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	return poll(&p, 1, DATA_MS) == 1;
}

/* A connection of @from, or -1. */
static int accept_from(int listener, const struct ip_addr *from)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct ip_endpoint peer;
	int fd;

	if (!wait_for(listener, POLLIN))
		return -1;
	fd = accept4(listener, (void *)&ss, &len, SOCK_CLOEXEC);
	if (fd == -1 || !ip_endpoint_from_sockaddr(&peer, &ss) ||
	    !ip_addr_equal(&peer.addr, from)) {
		fprintf(stderr, "net_tool: somebody else connects\n");
		return -1;
	}
	return fd;
}

static bool dial(int fd, const struct ip_endpoint *to)
{
	struct sockaddr_storage ss;
	socklen_t len = ip_endpoint_to_sockaddr(to, &ss), size = sizeof(int);
	int err = 0;

	if (connect(fd, (void *)&ss, len) == -1 && errno != EINPROGRESS)
		return false;
	return wait_for(fd, POLLOUT) &&
	       getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) == 0 &&
	       err == 0;
}

/* In a process of its own: @listener's connection of @from goes on to @to. */
static void serve(const struct tool *t, int listener,
		  const struct ip_addr *from, int fd,
		  const struct ip_endpoint *to)
{
	int accepted;

	if (fork() != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* What ends, ends for all. */
	close(t->parent);
	for (int i = 0; i < RELAYS; i++)
		close(t->relays[i]);
	accepted = accept_from(listener, from);
	close(listener);
	if (accepted == -1)
		_exit(1);
	if (!dial(fd, to)) {
		fprintf(stderr, "net_tool: no connection: %s\n",
			strerror(errno));
		_exit(1);
	}
	carry(accepted, fd);
	_exit(0);
}

/* --- commands ---------------------------------------------------------------------- */

static bool parse_pair(struct msg_pair *pair, char **w)
{
	memset(pair, 0, sizeof(*pair));
	return ip_addr_parse(w[0], &pair->client) &&
	       ip_addr_parse(w[1], &pair->server);
}

static uint16_t number(const char *text)
{
	uint64_t n = 0;

	(void)str_to_u64(str_of(text), &n);
	return (uint16_t)n;
}

/* The descriptor or -errno; -EPIPE when the channel was ended. */
static int want(struct tool *t, int relay, const struct msg_pair *pair,
		uint16_t port)
{
	struct msg_data msg;
	struct msg_data_answer answer;
	int fd;

	memset(&msg, 0, sizeof(msg));
	msg.id = ++t->ids;
	msg.client = pair->client;
	msg.server = pair->server;
	msg.port = port;
	send_msg(t->relays[relay], MSG_WANT_DATA, &msg, sizeof(msg), NULL, 0);
	if (receive(t->relays[relay], &answer, sizeof(answer), &fd) != MSG_DATA)
		return -EPIPE;
	if (answer.id != msg.id || (answer.status == 0) != (fd >= 0))
		return -EPROTO;
	return answer.status == 0 ? fd : answer.status;
}

static int want_stock(struct tool *t, int relay, uint32_t leg, uint8_t family)
{
	struct msg_sockets msg = {.family = family, .count = 1, .leg = leg};
	int fd;

	send_msg(t->relays[relay], MSG_WANT_SOCKETS, &msg, sizeof(msg), NULL,
		 0);
	if (receive(t->relays[relay], &msg, sizeof(msg), &fd) != MSG_SOCKETS)
		return -EPIPE;
	return fd;
}

/* As a relay does. */
static int listen_at(struct tool *t, int relay, uint32_t leg,
		     const struct ip_endpoint *local)
{
	struct sockaddr_storage ss;
	socklen_t len = ip_endpoint_to_sockaddr(local, &ss);
	int fd = want_stock(t, relay, leg, local->addr.family);
	int err;

	if (fd < 0 || (bind(fd, (void *)&ss, len) == 0 && listen(fd, 4) == 0))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static void answer(int rc)
{
	if (rc >= 0)
		puts("ok");
	else
		printf("error %d %s\n", rc, strerror(-rc));
}

static void cmd_relay(struct tool *t, char **w)
{
	struct msg_peer peer = {.role = ROLE_RELAY, .index = number(w[0])};
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		die("socketpair");
	if (t->relays[peer.index] != -1)
		close(t->relays[peer.index]);
	t->relays[peer.index] = fds[0];
	send_msg(t->parent, MSG_PEER, &peer, sizeof(peer), &fds[1], 1);
	close(fds[1]);
	answer(0);
}

static void cmd_close(struct tool *t, char **w)
{
	close(t->relays[number(w[0])]);
	t->relays[number(w[0])] = -1;
	answer(0);
}

/* All of them: their descriptors stay open here. */
static void cmd_listen(struct tool *t, char **w)
{
	int relay = t->relays[number(w[0])];
	struct msg_listener msg;
	int rc = 0, fd;

	send_msg(relay, MSG_LISTEN, NULL, 0, NULL, 0);
	for (uint32_t i = 0; i < t->config.service_count; i++)
		if (receive(relay, &msg, sizeof(msg), &fd) != MSG_LISTENER)
			rc = -EPROTO;
	answer(rc);
}

static int say_pair(struct tool *t, int relay, struct msg_pair *pair)
{
	struct msg_data_answer msg;
	int fd;

	pair->id = ++t->ids;
	send_msg(t->relays[relay], MSG_PAIR, pair, sizeof(*pair), NULL, 0);
	if (pair->held == 0)
		return 0;
	if (receive(t->relays[relay], &msg, sizeof(msg), &fd) != MSG_PAIRED)
		return -EPIPE;
	return msg.id == pair->id ? msg.status : -EPROTO;
}

static void cmd_pair(struct tool *t, char **w)
{
	struct msg_pair pair;

	if (!parse_pair(&pair, w + 1)) {
		answer(-EINVAL);
		return;
	}
	pair.held = number(w[3]);
	answer(say_pair(t, number(w[0]), &pair));
}

static void cmd_data(struct tool *t, char **w)
{
	struct msg_pair pair;
	int fd;

	if (!parse_pair(&pair, w + 1)) {
		answer(-EINVAL);
		return;
	}
	fd = want(t, number(w[0]), &pair, number(w[3]));
	answer(fd);
	if (fd >= 0)
		close(fd);
}

static void cmd_stock(struct tool *t, char **w)
{
	int fd = want_stock(t, number(w[0]), number(w[1]), AF_INET);

	answer(fd);
	if (fd >= 0)
		close(fd);
}

static void cmd_passive(struct tool *t, char **w)
{
	struct ip_endpoint server = {.port = number(w[3])}, from = {.port = 0};
	struct sockaddr_storage ss;
	struct msg_pair pair;
	int relay = number(w[0]), listener, fd;
	socklen_t len;

	if (!parse_pair(&pair, w + 1)) {
		answer(-EINVAL);
		return;
	}
	server.addr = pair.server;
	from.addr = pair.client;
	listener = listen_at(t, relay, SOCKETS_DATA_CLIENT, &server);
	fd = listener >= 0
		     ? want_stock(t, relay, SOCKETS_SERVER, pair.client.family)
		     : listener;
	answer(fd);
	if (fd < 0)
		return;
	len = ip_endpoint_to_sockaddr(&from, &ss);
	if (bind(fd, (void *)&ss, len) == -1)
		die("bind");
	serve(t, listener, &pair.client, fd, &server);
	close(listener);
	close(fd);
}

/* The port of PORT is that of the listener on @local and of the client. */
static void cmd_active(struct tool *t, char **w)
{
	char *addresses[] = {w[1], w[3]};
	struct ip_endpoint client = {.port = number(w[2])};
	struct ip_endpoint local = {.port = client.port};
	struct msg_pair pair;
	int relay = number(w[0]), listener, fd;

	if (!parse_pair(&pair, addresses) ||
	    !ip_addr_parse(w[4], &local.addr)) {
		answer(-EINVAL);
		return;
	}
	client.addr = pair.client;
	listener = listen_at(t, relay, SOCKETS_DATA_SERVER, &local);
	fd = listener >= 0 ? want(t, relay, &pair, 20) : listener;
	answer(fd);
	if (fd < 0)
		return;
	serve(t, listener, &pair.server, fd, &client);
	close(listener);
	close(fd);
}

static void cmd_reload(struct tool *t, char **w)
{
	int fd;

	read_config(w[0], &t->config);
	fd = config_fd(t);
	send_msg(t->parent, MSG_CONFIG, NULL, 0, &fd, 1);
	close(fd);
	answer(0);
}

static void cmd_kill(struct tool *t, char **w)
{
	(void)w;
	kill(t->pid, SIGKILL);
	waitpid(t->pid, NULL, 0);
	close(t->parent);
	for (int i = 0; i < RELAYS; i++) {
		if (t->relays[i] != -1)
			close(t->relays[i]);
		t->relays[i] = -1;
	}
	start(t);
	alive(t);
	answer(0);
}

static void cmd_stat(struct tool *t, char **w)
{
	for (unsigned int i = 0; i < stats_count(ROLE_NET); i++) {
		if (strcmp(stats_name(ROLE_NET, i), w[0]) != 0)
			continue;
		printf("ok %llu\n", (unsigned long long)stats_get(t->stats, i));
		return;
	}
	answer(-ENOENT);
}

static void cmd_stop(struct tool *t, char **w)
{
	const struct msg_stop msg = {.timeout_ms = 1000};
	int status = 0;

	(void)w;
	send_msg(t->parent, MSG_STOP, &msg, sizeof(msg), NULL, 0);
	waitpid(t->pid, &status, 0);
	answer(status == 0 ? 0 : -EIO);
	exit(0);
}

static const struct command {
	const char *name;
	int args;
	void (*run)(struct tool *t, char **w);
} commands[] = {
	{"relay", 1, cmd_relay},     {"close", 1, cmd_close},
	{"listen", 1, cmd_listen},   {"pair", 4, cmd_pair},
	{"data", 4, cmd_data},	     {"stock", 2, cmd_stock},
	{"passive", 4, cmd_passive}, {"active", 5, cmd_active},
	{"reload", 1, cmd_reload},   {"kill", 0, cmd_kill},
	{"stat", 1, cmd_stat},	     {"stop", 0, cmd_stop},
};

static void obey(struct tool *t, char *line)
{
	char *words[WORDS] = {NULL}, *save = NULL;
	int n = 0;

	for (char *w = strtok_r(line, " \n", &save); w != NULL && n < WORDS;
	     w = strtok_r(NULL, " \n", &save))
		words[n++] = w;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];

		if (words[0] != NULL && n == c->args + 1 &&
		    strcmp(words[0], c->name) == 0) {
			c->run(t, words + 1);
			fflush(stdout);
			return;
		}
	}
	answer(-EINVAL);
	fflush(stdout);
}

/* Data connections that are over; the role is not to end. */
static void reap(const struct tool *t)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		if (pid != t->pid)
			continue;
		fprintf(stderr, "net_tool: sluice-net has ended\n");
		exit(1);
	}
}

static void set_up(struct tool *t, char **argv)
{
	char path[CONFIG_PATH_MAX + 8];

	signal(SIGPIPE, SIG_IGN);
	t->program = argv[1];
	read_config(argv[2], &t->config);
	snprintf(path, sizeof(path), "%s/net", t->config.run_dir);
	(void)mkdir(t->config.run_dir, 0755);
	(void)mkdir(path, 0700);
	if (chown(path, NOBODY, NOBODY) == -1)
		die(path);
	for (int i = 0; i < RELAYS; i++)
		t->relays[i] = -1;
	t->stats_fd = memfile_shared("stats", sizeof(*t->stats));
	t->stats = memfile_map_shared(t->stats_fd, sizeof(*t->stats));
	if (t->stats == NULL)
		die("stats");
	start(t);
}

int main(int argc, char **argv)
{
	static struct tool t;
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	char line[LINE_LEN];

	if (argc != 3) {
		fprintf(stderr, "usage: net_tool PROGRAM FILE.conf\n");
		return 2;
	}
	set_up(&t, argv);
	setvbuf(stdin, NULL, _IONBF, 0); /* poll(2) sees all that is left */
	for (;;) {
		int n;

		reap(&t);
		alive(&t);
		n = poll(&in, 1, 1000);
		if (n > 0 && fgets(line, sizeof(line), stdin) == NULL)
			return 1;
		if (n > 0)
			obey(&t, line);
	}
}
