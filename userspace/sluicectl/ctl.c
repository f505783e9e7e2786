// SPDX-License-Identifier: GPL-2.0-or-later
#include "sluicectl/ctl.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

#define ANSWER_MAX (64u << 20)

/* --- connection --------------------------------------------------------------- */

static const char *what_to_do(int error)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
		return "sluiced is not running (start it, or name its socket "
		       "with -s)";
	case EACCES:
	case EPERM:
		return "permission denied (be root, or in the gateway's group)";
	default:
		return strerror(error);
	}
}

static int connect_to(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd;

	if (!str_copy(sun.sun_path, sizeof(sun.sun_path), path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool send_line(int fd, struct json_object *request)
{
	const char *text =
		json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	size_t len = strlen(text);

	return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len &&
	       send(fd, "\n", 1, MSG_NOSIGNAL) == 1;
}

/* More of the answer, and a descriptor if one comes with it. False: the end. */
static bool receive(struct ctl_answer *a)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov;
	struct msghdr mh = {.msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.bytes,
			    .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *cmsg;
	ssize_t n;

	if (a->len == a->size) {
		size_t size = a->size > 0 ? a->size * 2 : 65536;
		char *data = size <= ANSWER_MAX ? realloc(a->data, size) : NULL;

		if (data == NULL)
			return false;
		a->data = data;
		a->size = size;
	}
	iov.iov_base = a->data + a->len;
	iov.iov_len = a->size - a->len;
	n = recvmsg(a->fd, &mh, MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return false;
	cmsg = CMSG_FIRSTHDR(&mh);
	if (cmsg != NULL && cmsg->cmsg_level == SOL_SOCKET &&
	    cmsg->cmsg_type == SCM_RIGHTS && a->passed_fd == -1)
		memcpy(&a->passed_fd, CMSG_DATA(cmsg), sizeof(int));
	a->len += (size_t)n;
	return true;
}

struct json_object *ctl_next(struct ctl_answer *a)
{
	struct json_object *o;
	char *end;

	while ((end = a->len > 0 ? memchr(a->data, '\n', a->len) : NULL) ==
	       NULL)
		if (!receive(a))
			return NULL;
	*end = '\0';
	o = json_tokener_parse(a->data);
	a->len -= (size_t)(end + 1 - a->data);
	memmove(a->data, end + 1, a->len);
	return o;
}

void ctl_end(struct ctl_answer *a)
{
	if (a->fd != -1)
		close(a->fd);
	if (a->passed_fd != -1)
		close(a->passed_fd);
	free(a->data);
	*a = (struct ctl_answer){.fd = -1, .passed_fd = -1};
}

struct json_object *ctl_ask(const struct ctl *ctl, struct json_object *request,
			    struct ctl_answer *a)
{
	struct json_object *o;

	*a = (struct ctl_answer){.fd = connect_to(ctl->socket),
				 .passed_fd = -1};
	if (a->fd == -1 || !send_line(a->fd, request)) {
		fprintf(stderr, "sluicectl: %s: %s\n", ctl->socket,
			what_to_do(errno));
		return NULL;
	}
	o = ctl_next(a);
	if (o == NULL) {
		fprintf(stderr, "sluicectl: %s: no answer\n", ctl->socket);
		return NULL;
	}
	if (ctl_bool(o, "ok"))
		return o;
	fprintf(stderr, "sluicectl: %s\n", ctl_string(o, "error"));
	json_object_put(o);
	return NULL;
}

/* --- objects ------------------------------------------------------------------- */

struct json_object *ctl_request(const char *name)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "command", json_object_new_string(name));
	return o;
}

struct json_object *ctl_object(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (o == NULL || !json_object_object_get_ex(o, key, &v))
		return NULL;
	return v;
}

const char *ctl_string(struct json_object *o, const char *key)
{
	struct json_object *v = ctl_object(o, key);

	return json_object_is_type(v, json_type_string)
		       ? json_object_get_string(v)
		       : "";
}

unsigned long long ctl_number(struct json_object *o, const char *key)
{
	struct json_object *v = ctl_object(o, key);

	return json_object_is_type(v, json_type_int) ? json_object_get_uint64(v)
						     : 0;
}

bool ctl_bool(struct json_object *o, const char *key)
{
	struct json_object *v = ctl_object(o, key);

	return json_object_is_type(v, json_type_boolean) &&
	       json_object_get_boolean(v);
}

void ctl_print_json(struct json_object *o)
{
	puts(json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}
