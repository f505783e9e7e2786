/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log role: takes events, each once, and says that they are on disk. */
#ifndef SLUICE_TESTS_ROLE_LOG_H
#define SLUICE_TESTS_ROLE_LOG_H

#include "ipc/event.h"
#include "sim_chan.h"

struct log_event {
	struct list node;
	struct event event; /* its views point into @packed */
	struct bytes packed;
};

struct role_log {
	struct sim_chan *chan; /* NULL: not running */
	struct list events;    /* that the scenario has not looked at */
	uint64_t next;	       /* number of the one that comes next */
};

void role_log_init(struct role_log *log);
void role_log_close(struct role_log *log);
bool role_log_turn(struct role_log *log);
/* The oldest one is done with. False when there is none. */
bool role_log_drop(struct role_log *log);
/* "verdict", "status", ... of @ev as text; false for another name. */
bool log_event_field(const struct event *ev, struct str name,
		     struct strbuf *value);
/* All of them, for a person. */
void log_event_describe(const struct event *ev, struct strbuf *sb);

#endif
