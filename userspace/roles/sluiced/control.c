// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/control.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "roles/sluiced/status.h"
#include "sys/log.h"

#define CONNECTIONS_MAX 32
#define REQUEST_MAX	4096
#define OUTPUT_MAX	(8u << 20) /* a reader that is slower is cut off */
#define ANSWER_MS	5000	   /* what a role owes must be here by then */

/*
 * A connection: created by accept; conn_end() takes it out of everything and
 * frees it after the round, since an event of this round may still name it.
 * One that waits for a role carries the request number it waits for.
 */
struct conn {
	struct list node;
	struct control *ctl;
	struct loop_fd lfd;
	struct timer deadline;
	struct loop_task reaper;
	char in[REQUEST_MAX];
	size_t in_len;
	char *out;
	size_t out_len, out_sent, out_size;
	int pass_fd;	  /* goes with the first byte of the answer, or -1 */
	uint32_t request; /* what a role answers with; 0 = none */
	uint32_t owed;	  /* relays that have not sent all sessions yet */
	bool answered;	  /* close when all is written */
	struct json_object *text; /* answer of net in the making: its text */
	bool differ;
};

struct control {
	struct supervisor *sup;
	struct control_ops ops;
	struct loop_fd listener;
	struct list conns;
	unsigned int nconns;
	uint32_t next_request;
	char path[CONFIG_PATH_MAX + 16];
};

/* --- answers -------------------------------------------------------------------- */

static void conn_reap(struct loop_task *task)
{
	struct conn *c = list_entry(task, struct conn, reaper);

	free(c->out);
	free(c);
}

static void conn_end(struct conn *c)
{
	int fd = c->lfd.fd;

	timer_cancel(&c->ctl->sup->loop.wheel, &c->deadline);
	loop_del(&c->ctl->sup->loop, &c->lfd);
	close(fd);
	if (c->pass_fd != -1)
		close(c->pass_fd);
	list_del(&c->node);
	c->ctl->nconns--;
	json_object_put(c->text);
	c->text = NULL;
	loop_defer(&c->ctl->sup->loop, &c->reaper);
}

static ssize_t send_some(struct conn *c)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {c->out + c->out_sent, c->out_len - c->out_sent};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

	if (c->pass_fd != -1) {
		struct cmsghdr *cmsg;

		mh.msg_control = control.bytes;
		mh.msg_controllen = sizeof(control.bytes);
		cmsg = CMSG_FIRSTHDR(&mh);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &c->pass_fd, sizeof(int));
	}
	return sendmsg(c->lfd.fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Write what is there. False when the connection is over. */
static bool conn_flush(struct conn *c)
{
	while (c->out_sent < c->out_len) {
		ssize_t n = send_some(c);

		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n == -1) {
			conn_end(c); /* EPIPE, ECONNRESET: it went away */
			return false;
		}
		if (c->pass_fd != -1) {
			close(c->pass_fd);
			c->pass_fd = -1;
		}
		c->out_sent += (size_t)n;
	}
	if (c->out_sent == c->out_len && c->answered) {
		conn_end(c);
		return false;
	}
	if (loop_modify(&c->ctl->sup->loop, &c->lfd,
			c->out_sent < c->out_len ? EPOLLIN | EPOLLOUT
						 : EPOLLIN) != 0) {
		conn_end(c);
		return false;
	}
	return true;
}

/* Queue one line; takes over @o. A full queue drops the reader later. */
static void conn_put(struct conn *c, struct json_object *o)
{
	size_t len;
	const char *line = json_object_to_json_string_length(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		&len);

	if (c->out_len + len + 1 > c->out_size) {
		size_t size = (c->out_len + len + 1) * 2;
		char *out = size <= OUTPUT_MAX ? realloc(c->out, size) : NULL;

		if (out == NULL) {
			log_warn("control: an answer was too long or memory "
				 "is short; it is cut");
			json_object_put(o);
			return;
		}
		c->out = out;
		c->out_size = size;
	}
	memcpy(c->out + c->out_len, line, len);
	c->out[c->out_len + len] = '\n';
	c->out_len += len + 1;
	json_object_put(o);
}

static struct json_object *ok_json(void)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "ok", json_object_new_boolean(true));
	return o;
}

static void answer_error(struct conn *c, const char *error)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "ok", json_object_new_boolean(false));
	json_object_object_add(o, "error", json_object_new_string(error));
	conn_put(c, o);
	c->answered = true;
}

static void answer(struct conn *c, struct json_object *o)
{
	conn_put(c, o);
	c->answered = true;
}

/* --- commands -------------------------------------------------------------------- */

static const char *member(struct json_object *request, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(request, key, &v) ||
	    !json_object_is_type(v, json_type_string))
		return "";
	return json_object_get_string(v);
}

static void wait_for_role(struct conn *c)
{
	struct control *ctl = c->ctl;

	c->request = ++ctl->next_request;
	if (c->request == 0)
		c->request = ++ctl->next_request;
	timer_arm(&ctl->sup->loop.wheel, &c->deadline,
		  ctl->sup->loop.now_ms + ANSWER_MS);
}

static void cmd_status(struct conn *c, struct json_object *request)
{
	(void)request;
	answer(c, status_json(c->ctl->sup));
}

static void cmd_reload(struct conn *c, struct json_object *request)
{
	struct control *ctl = c->ctl;
	char wrong[2048] = "";
	struct json_object *o;

	(void)request;
	if (ctl->ops.reload(ctl->ops.user, wrong, sizeof(wrong)) != 0) {
		answer_error(c, wrong);
		return;
	}
	o = ok_json();
	json_object_object_add(
		o, "generation",
		json_object_new_uint64(ctl->sup->config->generation));
	json_object_object_add(o, "note", json_object_new_string(wrong));
	answer(c, o);
}

/* The answer comes now; the end is seen by the socket's disappearance. */
static void cmd_stop(struct conn *c, struct json_object *request)
{
	(void)request;
	supervisor_stop(c->ctl->sup);
	answer(c, ok_json());
}

static void cmd_sessions(struct conn *c, struct json_object *request)
{
	struct supervisor *sup = c->ctl->sup;
	struct msg_want_sessions msg;

	(void)request;
	wait_for_role(c);
	msg = (struct msg_want_sessions){.request = c->request};
	conn_put(c, ok_json());
	for (size_t i = 0; i < sup->nchildren; i++) {
		struct child *child = &sup->children[i];

		if (child->role == ROLE_RELAY && child->state == CHILD_READY &&
		    chan_send(&child->chan, MSG_WANT_SESSIONS, &msg,
			      sizeof(msg)) == 0)
			c->owed++;
	}
	if (c->owed == 0)
		c->answered = true;
}

/* The journal's directory goes to the caller as a descriptor. */
static void cmd_journal(struct conn *c, struct json_object *request)
{
	char path[CONFIG_PATH_MAX + 16];
	char wrong[CONFIG_PATH_MAX + 96];

	(void)request;
	snprintf(path, sizeof(path), "%s/journal",
		 c->ctl->sup->config->state_dir);
	c->pass_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->pass_fd == -1) {
		snprintf(wrong, sizeof(wrong), "%s: %s", path, strerror(errno));
		answer_error(c, wrong);
		return;
	}
	answer(c, ok_json());
}

struct rules_word {
	const char *word;
	enum msg_rules_op op;
};

static const struct rules_word rules_words[] = {
	{"show", RULES_SHOW},
	{"diff", RULES_DIFF},
	{"install", RULES_INSTALL},
	{"remove", RULES_REMOVE},
	{"plan-install", RULES_PLAN_INSTALL},
	{"plan-remove", RULES_PLAN_REMOVE},
	{"bypass-add", RULES_BYPASS_ADD},
	{"bypass-delete", RULES_BYPASS_DELETE},
	{"bypass-list", RULES_BYPASS_LIST},
};

static bool rules_op(const char *word, uint32_t *op)
{
	for (size_t i = 0; i < sizeof(rules_words) / sizeof(rules_words[0]);
	     i++) {
		if (strcmp(rules_words[i].word, word) == 0) {
			*op = rules_words[i].op;
			return true;
		}
	}
	return false;
}

static void cmd_rules(struct conn *c, struct json_object *request)
{
	struct child *net = supervisor_child(c->ctl->sup, ROLE_NET, 0);
	const char *net_text = member(request, "net");
	struct msg_rules msg = {0};

	if (!rules_op(member(request, "op"), &msg.op)) {
		answer_error(c, "rules: op is unknown");
		return;
	}
	if (net_text[0] != '\0' && !ip_net_parse(net_text, &msg.net)) {
		answer_error(c, "rules: net is no address or network (host "
				"bits beyond the prefix must be zero)");
		return;
	}
	msg.servers = strcmp(member(request, "side"), "server") == 0;
	wait_for_role(c);
	msg.request = c->request;
	if (net == NULL || net->state != CHILD_READY ||
	    chan_send(&net->chan, MSG_RULES, &msg, sizeof(msg)) != 0) {
		c->request = 0;
		answer_error(c, "the net role is not running; it is started "
				"again by itself, see: sluicectl status");
	}
}

struct command {
	const char *name;
	bool changes; /* logged with who asked */
	void (*run)(struct conn *c, struct json_object *request);
};

static const struct command commands[] = {
	{"status", false, cmd_status},	 {"sessions", false, cmd_sessions},
	{"journal", false, cmd_journal}, {"reload", true, cmd_reload},
	{"stop", true, cmd_stop},	 {"rules", true, cmd_rules},
};

static void log_who(const struct conn *c, const char *command)
{
	struct ucred cred = {0};
	socklen_t len = sizeof(cred);

	if (getsockopt(c->lfd.fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
		log_info("control: %s, asked by user %u (pid %d)", command,
			 cred.uid, (int)cred.pid);
}

static void run_request(struct conn *c, const char *line)
{
	struct json_object *request = json_tokener_parse(line);
	const char *name;

	if (request == NULL ||
	    !json_object_is_type(request, json_type_object)) {
		answer_error(c, "the request is not a JSON object");
		json_object_put(request);
		return;
	}
	name = member(request, "command");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		if (commands[i].changes)
			log_who(c, name);
		commands[i].run(c, request);
		json_object_put(request);
		return;
	}
	answer_error(c, "the command is unknown");
	json_object_put(request);
}

/* --- what roles answer ----------------------------------------------------------- */

static struct conn *conn_waiting(struct control *ctl, uint32_t request)
{
	struct list *pos;

	list_for_each(pos, &ctl->conns) {
		struct conn *c = list_entry(pos, struct conn, node);

		if (c->request == request && !c->answered)
			return c;
	}
	return NULL;
}

static void finish_rules(struct conn *c, int status)
{
	const char *text = c->text != NULL ? json_object_get_string(c->text)
					   : "";

	if (status != 0) {
		char wrong[256];

		snprintf(wrong, sizeof(wrong), "%s",
			 text[0] != '\0' ? text : strerror(-status));
		json_object_put(c->text);
		answer_error(c, wrong);
	} else {
		struct json_object *o = ok_json();

		json_object_object_add(o, "differ",
				       json_object_new_boolean(c->differ));
		json_object_object_add(
			o, "text",
			c->text != NULL ? c->text : json_object_new_string(""));
		answer(c, o);
	}
	c->text = NULL;
	conn_flush(c);
}

static void on_text(void *user, const struct msg_text *msg, const uint8_t *text,
		    size_t len)
{
	struct conn *c = conn_waiting(user, msg->request);
	struct strbuf sb;
	size_t have;
	char *joined;

	if (c == NULL)
		return; /* it went away, or gave up waiting */
	have = c->text != NULL ? (size_t)json_object_get_string_len(c->text)
			       : 0;
	joined = have + len < OUTPUT_MAX ? malloc(have + len + 1) : NULL;
	if (joined != NULL) {
		strbuf_init(&sb, joined, have + len + 1);
		if (c->text != NULL)
			strbuf_put(&sb, json_object_get_string(c->text), have);
		strbuf_put(&sb, (const char *)text, len);
		json_object_put(c->text);
		c->text = json_object_new_string_len(joined, (int)sb.len);
		free(joined);
	}
	c->differ = c->differ || msg->differ != 0;
	if (msg->last)
		finish_rules(c, msg->status);
}

static void on_sessions(void *user, uint32_t relay,
			const struct msg_sessions *msg,
			const struct msg_session *rows, size_t nrows)
{
	struct conn *c = conn_waiting(user, msg->request);

	if (c == NULL || c->owed == 0)
		return;
	for (size_t i = 0; i < nrows; i++)
		conn_put(c, status_session_json(relay, &rows[i]));
	if (msg->last && --c->owed == 0)
		c->answered = true;
	conn_flush(c);
}

static void on_child_gone(void *user, enum role_id role, uint32_t index)
{
	struct control *ctl = user;
	struct list *pos, *tmp;

	(void)index;
	list_for_each_safe(pos, tmp, &ctl->conns) {
		struct conn *c = list_entry(pos, struct conn, node);

		if (c->request == 0 || c->answered)
			continue;
		if (role == ROLE_RELAY && c->owed > 0 && --c->owed == 0) {
			c->answered = true;
			conn_flush(c);
		} else if (role == ROLE_NET && c->owed == 0) {
			answer_error(c, "the net role died; try again");
			conn_flush(c);
		}
	}
}

static void on_deadline(struct timer *t, uint64_t now_ms)
{
	struct conn *c = list_entry(&t->node, struct conn, deadline.node);

	(void)now_ms;
	if (c->owed > 0) /* what came is better than nothing */
		c->answered = true;
	else
		answer_error(c, "the role did not answer in time");
	conn_flush(c);
}

/* --- connections ------------------------------------------------------------------ */

static void conn_read(struct conn *c)
{
	ssize_t n = recv(c->lfd.fd, c->in + c->in_len,
			 sizeof(c->in) - 1 - c->in_len, MSG_DONTWAIT);
	char *end;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_end(c);
		return;
	}
	c->in_len += (size_t)n;
	c->in[c->in_len] = '\0';
	end = memchr(c->in, '\n', c->in_len);
	if (end != NULL && !c->answered && c->request == 0) {
		*end = '\0';
		run_request(c, c->in);
	} else if (c->in_len == sizeof(c->in) - 1) {
		answer_error(c, "the request is too long");
	}
	conn_flush(c);
}

static void conn_event(struct loop_fd *lfd, uint32_t events)
{
	struct conn *c = list_entry(lfd, struct conn, lfd);

	if ((events & EPOLLOUT) && !conn_flush(c))
		return;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		conn_read(c);
}

static void on_accept(struct loop_fd *lfd, uint32_t events)
{
	struct control *ctl = list_entry(lfd, struct control, listener);
	int fd = accept4(lfd->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct conn *c;

	(void)events;
	if (fd == -1)
		return;
	c = ctl->nconns < CONNECTIONS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (c == NULL) {
		log_warn("control: too many connections, one is refused");
		close(fd);
		return;
	}
	c->ctl = ctl;
	c->pass_fd = -1;
	timer_init(&c->deadline, on_deadline);
	loop_task_init(&c->reaper, conn_reap);
	if (loop_add(&ctl->sup->loop, &c->lfd, fd, EPOLLIN, conn_event) != 0) {
		close(fd);
		free(c);
		return;
	}
	list_add_tail(&ctl->conns, &c->node);
	ctl->nconns++;
}

static int listen_at(const char *path, gid_t gid)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd, rc;

	if (!str_copy(sun.sun_path, sizeof(sun.sun_path), path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -errno;
	/* RUN_DIR is locked by us, so a socket there is a dead daemon's. */
	if (unlink(path) == -1 && errno != ENOENT)
		goto fail;
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    chown(path, 0, gid) == -1 || chmod(path, 0660) == -1 ||
	    listen(fd, 16) == -1)
		goto fail;
	return fd;
fail:
	rc = -errno;
	close(fd);
	return rc;
}

struct control *control_open(struct supervisor *sup,
			     const struct control_ops *ops)
{
	struct control *ctl = calloc(1, sizeof(*ctl));
	int fd, rc;

	if (ctl == NULL)
		return NULL;
	ctl->sup = sup;
	ctl->ops = *ops;
	list_init(&ctl->conns);
	snprintf(ctl->path, sizeof(ctl->path), "%s/control.sock",
		 sup->config->run_dir);
	fd = listen_at(ctl->path, sup->gid);
	rc = fd < 0 ? fd
		    : loop_add(&sup->loop, &ctl->listener, fd, EPOLLIN,
			       on_accept);
	if (rc != 0) {
		log_error("%s: %s", ctl->path, strerror(-rc));
		free(ctl);
		errno = -rc;
		return NULL;
	}
	sup->listener = (struct supervisor_listener){
		.text = on_text,
		.sessions = on_sessions,
		.child_gone = on_child_gone,
		.user = ctl,
	};
	return ctl;
}

void control_close(struct control *ctl)
{
	int fd = ctl->listener.fd;
	struct list *pos, *tmp;

	memset(&ctl->sup->listener, 0, sizeof(ctl->sup->listener));
	list_for_each_safe(pos, tmp, &ctl->conns) {
		struct conn *c = list_entry(pos, struct conn, node);

		conn_end(c);
		list_del(&c->reaper.node); /* no round comes after this */
		conn_reap(&c->reaper);
	}
	loop_del(&ctl->sup->loop, &ctl->listener);
	close(fd);
	unlink(ctl->path);
	free(ctl);
}
