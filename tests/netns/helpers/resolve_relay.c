// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * In sluice-relay's place: carries no traffic, but asks the resolve role, by
 * the relay's own proxy/name_ask.c, for the names that it is told.
 *
 * RUN_DIR/ask-INDEX is a socket of datagrams: "TOKEN NAME" asks for a name;
 * "TOKEN !NAME" sends NAME unchecked, as no relay should. Each answer is a line
 * of RUN_DIR/answers-INDEX: TOKEN NAME STATUS MILLISECONDS ADDRESS..., where
 * STATUS is ok or the name of an errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ipc/role.h"
#include "proxy/name_ask.h"
#include "sys/log.h"

struct asking {
	struct name_ask ask;
	uint64_t began_ms;
	char token[32];
	char name[MSG_HOST_MAX];
};

static struct role role;
static struct chan resolve;
static struct name_asks asks;
static struct loop_fd told;
static int answers;

/* --- answers ----------------------------------------------------------------- */

static void answer(const char *token, const char *name, int status, uint64_t ms,
		   const struct ip_addr *addrs, unsigned int count)
{
	char line[1024], text[IP_TEXT_MAX];
	struct strbuf sb;

	strbuf_init(&sb, line, sizeof(line));
	strbuf_printf(&sb, "%s %s %s %llu", token, name,
		      status == 0 ? "ok" : strerrorname_np(-status),
		      (unsigned long long)ms);
	for (unsigned int i = 0; i < count; i++)
		strbuf_printf(&sb, " %s",
			      ip_addr_format(&addrs[i], text, sizeof(text)));
	strbuf_putc(&sb, '\n');
	if (write(answers, line, sb.len) != (ssize_t)sb.len)
		log_error("an answer can't be written");
}

static void on_done(struct name_ask *ask, int status,
		    const struct ip_addr *addrs, unsigned int count)
{
	struct asking *a = list_entry(ask, struct asking, ask);

	answer(a->token, a->name, status, role.loop.now_ms - a->began_ms, addrs,
	       count);
	free(a);
}

/* --- the resolve role ---------------------------------------------------------- */

static int on_resolved(struct chan *ch, const struct chan_msg *m)
{
	(void)ch;
	return name_asks_answered(&asks, m);
}

static void on_closed(struct chan *ch, const char *violation)
{
	(void)ch;
	if (violation != NULL)
		role_report_violation(&role, ROLE_RESOLVE, 0, violation);
}

static const struct chan_rule rules[] = {
	{MSG_RESOLVED, sizeof(struct msg_resolved), 0, 0, 0, on_resolved},
};

static const struct chan_ops resolve_ops = {
	.rules = rules, .nrules = 1, .closed = on_closed};

static int on_peer(struct role *r, const struct msg_peer *who, int fd)
{
	int rc;

	(void)r;
	if (who->role != ROLE_RESOLVE) {
		close(fd);
		return 0;
	}
	chan_close(&resolve);
	rc = chan_open(&resolve, fd);
	name_asks_connected(&asks);
	return rc;
}

/* --- what it is told -------------------------------------------------------------- */

static void send_raw(const char *name)
{
	struct msg_resolve msg = {.id = 1};

	str_copy(msg.name, sizeof(msg.name), name);
	if (chan_send(&resolve, MSG_RESOLVE, &msg, sizeof(msg)) != 0)
		log_error("can't send that");
}

static void ask_for(const char *token, const char *name)
{
	struct asking *a = calloc(1, sizeof(*a));
	int rc;

	if (a == NULL)
		return;
	name_ask_init(&a->ask, on_done);
	a->began_ms = role.loop.now_ms;
	str_copy(a->token, sizeof(a->token), token);
	str_copy(a->name, sizeof(a->name), name);
	rc = name_ask_want(&asks, &a->ask, str_of(name));
	if (rc != 0) {
		answer(token, name, rc, 0, NULL, 0);
		free(a);
	}
}

static void on_told(struct loop_fd *lfd, uint32_t events)
{
	char line[512], *name;
	ssize_t n;

	(void)events;
	while ((n = recv(lfd->fd, line, sizeof(line) - 1, MSG_DONTWAIT)) > 0) {
		line[n] = '\0';
		name = strchr(line, ' ');
		if (name == NULL)
			continue;
		*name++ = '\0';
		if (name[0] == '!')
			send_raw(name + 1);
		else
			ask_for(line, name);
	}
}

static int open_places(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	const char *dir = role.config->config->run_dir;
	char path[CONFIG_PATH_MAX + 32];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(path, sizeof(path), "%s/answers-%u", dir, role.init.index);
	answers = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	snprintf(path, sizeof(path), "%s/ask-%u", dir, role.init.index);
	if (!str_copy(sun.sun_path, sizeof(sun.sun_path), path))
		return -ENAMETOOLONG;
	unlink(path);
	if (fd == -1 || answers == -1 ||
	    bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		return -errno;
	return loop_add(&role.loop, &told, fd, EPOLLIN, on_told);
}

static int on_want_sessions(struct chan *ch, const struct chan_msg *m)
{
	const struct msg_want_sessions *want = m->body;
	struct msg_sessions msg = {.request = want->request, .last = 1};

	return chan_send(ch, MSG_SESSIONS, &msg, sizeof(msg));
}

int main(void)
{
	static const struct chan_rule parent_rules[] = {
		{MSG_WANT_SESSIONS, sizeof(struct msg_want_sessions), 0, 0, 0,
		 on_want_sessions}};
	static const struct role_ops ops = {.id = ROLE_RELAY,
					    .rules = parent_rules,
					    .nrules = 1,
					    .peer = on_peer};
	int rc = role_begin(&role, &ops, NULL);

	if (rc == 0) {
		chan_init(&resolve, &role.loop, &resolve_ops, NULL);
		name_asks_init(&asks, &role.loop, &resolve);
		rc = open_places();
	}
	if (rc == 0)
		rc = role_ready(&role);
	if (rc == 0)
		rc = role_run(&role);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
