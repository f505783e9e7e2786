/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request to sluiced over its control socket, and the answer. */
#ifndef SLUICE_SLUICECTL_CTL_H
#define SLUICE_SLUICECTL_CTL_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;

#define CTL_SOCKET "/run/sluice/control.sock"

struct ctl {
	const char *socket; /* path */
	bool json;	    /* --json: print what came */
};

/* Exit statuses of sluicectl. */
enum ctl_status { CTL_DONE = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

struct ctl_answer {
	int fd;	       /* the connection */
	int passed_fd; /* came with the answer, or -1 */
	int error;     /* why ctl_next() gave NULL: 0 at the end, -errno */
	char *data;    /* received, not used yet */
	size_t len;
	size_t size;
};

/*
 * Send @request (still the caller's) and read the first line. The object
 * (caller's), or NULL when sluiced can't be reached or says no: then one line
 * on standard error said why and what to do. @answer is to be ended either
 * way.
 */
struct json_object *ctl_ask(const struct ctl *ctl, struct json_object *request,
			    struct ctl_answer *answer);
/* The next line of a longer answer, or NULL: see answer->error. */
struct json_object *ctl_next(struct ctl_answer *answer);
/* However long the next line takes: no time limit from now on. */
void ctl_wait(struct ctl_answer *answer);
/* "sluicectl: ..." on standard error, each line of @text on its own. */
void ctl_complain(const char *text);
void ctl_end(struct ctl_answer *answer);

/* {"command": name}; the caller's. */
struct json_object *ctl_request(const char *name);

/* Members of an answer; "" or 0 or false when there is none of that type. */
const char *ctl_string(struct json_object *o, const char *key);
unsigned long long ctl_number(struct json_object *o, const char *key);
bool ctl_bool(struct json_object *o, const char *key);
struct json_object *ctl_object(struct json_object *o, const char *key);

/* One object as one line on standard output. */
void ctl_print_json(struct json_object *o);

#endif
