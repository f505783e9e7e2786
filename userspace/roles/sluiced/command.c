// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/command.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "roles/sluiced/conn.h"
#include "roles/sluiced/control.h"
#include "roles/sluiced/inquiry.h"
#include "roles/sluiced/request.h"
#include "roles/sluiced/status.h"
#include "sys/log.h"

/* What changes something is logged with who asked for it. */
static void log_who(const struct conn *c, const char *what, const char *more)
{
	struct ucred cred = {0};
	socklen_t len = sizeof(cred);

	if (getsockopt(c->lfd.fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
		log_info("control: %s%s, asked by user %u (pid %d)", what, more,
			 cred.uid, (int)cred.pid);
}

static void cmd_status(struct control *ctl, struct conn *c,
		       struct json_object *request)
{
	(void)request;
	conn_answer(c, status_json(ctl->sup));
}

static void cmd_sessions(struct control *ctl, struct conn *c,
			 struct json_object *request)
{
	(void)request;
	inquiry_sessions(ctl, c);
}

static void cmd_reload(struct control *ctl, struct conn *c,
		       struct json_object *request)
{
	char text[CONTROL_TEXT_MAX] = "";
	struct json_object *o;

	(void)request;
	log_who(c, "reload", "");
	if (ctl->ops.reload(ctl->ops.user, text, sizeof(text)) != 0) {
		conn_refuse(c, text);
		return;
	}
	o = conn_ok();
	json_object_object_add(
		o, "generation",
		json_object_new_uint64(ctl->sup->config->generation));
	json_object_object_add(o, "note", json_object_new_string(text));
	conn_answer(c, o);
}

/*
 * The answer comes in two lines: that the end has begun, and at the end of the
 * end (control_close()) that it is reached.
 */
static void cmd_stop(struct control *ctl, struct conn *c,
		     struct json_object *request)
{
	(void)request;
	log_who(c, "stop", "");
	conn_put(c, conn_ok());
	supervisor_stop(ctl->sup);
}

/*
 * Directory @name of the state directory goes to the caller as a descriptor.
 * False, and the connection is answered, when it can't be opened.
 */
static bool pass_directory(struct control *ctl, struct conn *c,
			   const char *name)
{
	char path[CONFIG_PATH_MAX + 16];
	char wrong[CONFIG_PATH_MAX + 96];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", ctl->sup->config->state_dir,
		 name);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1) {
		snprintf(wrong, sizeof(wrong), "%s: %s", path, strerror(errno));
		conn_refuse(c, wrong);
		return false;
	}
	conn_pass(c, fd);
	return true;
}

static void cmd_journal(struct control *ctl, struct conn *c,
			struct json_object *request)
{
	(void)request;
	if (pass_directory(ctl, c, "journal"))
		conn_answer(c, conn_ok());
}

/* What is in the store, and in lines of the answer what is not there yet. */
static void cmd_usage(struct control *ctl, struct conn *c,
		      struct json_object *request)
{
	(void)request;
	if (pass_directory(ctl, c, "usage"))
		inquiry_usage(ctl, c);
}

static void cmd_policy(struct control *ctl, struct conn *c,
		       struct json_object *request)
{
	(void)request;
	inquiry_policy(ctl, c);
}

struct rules_word {
	const char *word;
	enum msg_rules_op op;
	bool changes;
};

static const struct rules_word rules_words[] = {
	{"show", RULES_SHOW, false},
	{"diff", RULES_DIFF, false},
	{"install", RULES_INSTALL, true},
	{"remove", RULES_REMOVE, true},
	{"plan-install", RULES_PLAN_INSTALL, false},
	{"plan-remove", RULES_PLAN_REMOVE, false},
	{"bypass-add", RULES_BYPASS_ADD, true},
	{"bypass-delete", RULES_BYPASS_DELETE, true},
	{"bypass-list", RULES_BYPASS_LIST, false},
};

static const struct rules_word *rules_word(const char *word)
{
	for (size_t i = 0; i < sizeof(rules_words) / sizeof(rules_words[0]);
	     i++)
		if (strcmp(rules_words[i].word, word) == 0)
			return &rules_words[i];
	return NULL;
}

/* The network of a bypass. False when the request doesn't name one well. */
static bool take_net(struct json_object *request, struct msg_rules *msg)
{
	const char *side = request_text(request, "side");

	msg->servers = strcmp(side, "server") == 0;
	return (msg->servers || strcmp(side, "client") == 0) &&
	       ip_net_parse(request_text(request, "net"), &msg->net);
}

static void cmd_rules(struct control *ctl, struct conn *c,
		      struct json_object *request)
{
	const struct rules_word *word = rules_word(request_text(request, "op"));
	struct msg_rules msg = {0};
	char what[IP_TEXT_MAX + 32];

	if (word == NULL) {
		conn_refuse(c, "rules: op is unknown");
		return;
	}
	msg.op = word->op;
	if ((msg.op == RULES_BYPASS_ADD || msg.op == RULES_BYPASS_DELETE) &&
	    !take_net(request, &msg)) {
		conn_refuse(c, "rules: want side client or server, and as net "
			       "an address or network whose host bits are "
			       "zero");
		return;
	}
	snprintf(what, sizeof(what), "%s %s %s", word->word,
		 request_text(request, "side"), request_text(request, "net"));
	if (word->changes && ctl->sup->phase != PHASE_RUNNING) {
		conn_refuse(c, "sluiced is stopping");
		return;
	}
	if (word->changes)
		log_who(c, "rules ", what);
	inquiry_rules(ctl, c, &msg);
}

struct command {
	const char *name;
	void (*run)(struct control *ctl, struct conn *c,
		    struct json_object *request);
};

static const struct command commands[] = {
	{"status", cmd_status}, {"sessions", cmd_sessions},
	{"reload", cmd_reload}, {"journal", cmd_journal},
	{"usage", cmd_usage},	{"rules", cmd_rules},
	{"policy", cmd_policy}, {"stop", cmd_stop},
};

void command_run(struct control *ctl, struct conn *c, const char *line,
		 size_t len)
{
	const char *wrong;
	struct json_object *request = request_parse(line, len, &wrong);

	if (request == NULL) {
		conn_refuse(c, wrong);
		return;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name,
			   request_text(request, "command")) != 0)
			continue;
		commands[i].run(ctl, c, request);
		json_object_put(request);
		return;
	}
	conn_refuse(c, "the command is unknown");
	json_object_put(request);
}
