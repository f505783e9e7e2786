// SPDX-License-Identifier: GPL-2.0-or-later
#include "sluicectl/ctl.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

#define ANSWER_MAX     (64u << 20)
/* sluiced itself waits for a role for 5 s. */
#define ANSWER_SECONDS 15

void ctl_complain(const char *text)
{
	do {
		size_t n = strcspn(text, "\n");

		fprintf(stderr, "sluicectl: %.*s\n", (int)n, text);
		text += n;
	} while (*text++ != '\0' && *text != '\0');
}

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
	case EAGAIN:
	case ETIMEDOUT:
		return "sluiced does not answer (is it stopped or overloaded? "
		       "its log says more)";
	case EBADMSG:
	case ENOTSOCK:
	case EPROTOTYPE:
		return "what answers is not sluiced (name its socket with -s)";
	case EMSGSIZE:
		return "the answer is too long";
	case 0:
	case EPIPE:
	case ECONNRESET:
		return "sluiced closed the connection without an answer (try "
		       "again; its log says more)";
	default:
		return strerror(error);
	}
}

static void complain(const struct ctl *ctl, int error)
{
	fprintf(stderr, "sluicectl: %s: %s\n", ctl->socket, what_to_do(error));
}

/* A socket's operations take at most @seconds; 0: for ever. */
static int set_timeout(int fd, int seconds)
{
	struct timeval wait = {.tv_sec = seconds};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0)
		return 0;
	return -errno;
}

/* The connection, or -errno. */
static int connect_to(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd, rc;

	if (!str_copy(sun.sun_path, sizeof(sun.sun_path), path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -errno;
	rc = set_timeout(fd, ANSWER_SECONDS);
	if (rc == 0 && connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		rc = -errno;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

void ctl_wait(struct ctl_answer *a)
{
	a->error = set_timeout(a->fd, 0);
}

static int send_line(int fd, struct json_object *request)
{
	const char *text =
		json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	size_t len = strlen(text);

	if (send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len &&
	    send(fd, "\n", 1, MSG_NOSIGNAL) == 1)
		return 0;
	/* It may have said why before it closed: read that. */
	return errno == EPIPE ? 0 : -errno;
}

/* --- answers --------------------------------------------------------------------- */

static int make_room(struct ctl_answer *a)
{
	size_t size = a->size > 0 ? a->size * 2 : 65536;
	char *data;

	if (a->len < a->size)
		return 0;
	if (size > ANSWER_MAX)
		return -EMSGSIZE;
	data = realloc(a->data, size);
	if (data == NULL)
		return -ENOMEM;
	a->data = data;
	a->size = size;
	return 0;
}

/* More of the answer, and a descriptor if one comes with it. 1, 0, -errno. */
static int receive(struct ctl_answer *a)
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
	ssize_t n = make_room(a);

	if (n < 0)
		return (int)n;
	iov.iov_base = a->data + a->len;
	iov.iov_len = a->size - a->len;
	do
		n = recvmsg(a->fd, &mh, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&mh);
	if (cmsg != NULL && cmsg->cmsg_level == SOL_SOCKET &&
	    cmsg->cmsg_type == SCM_RIGHTS && a->passed_fd == -1)
		memcpy(&a->passed_fd, CMSG_DATA(cmsg), sizeof(int));
	a->len += (size_t)n;
	return n > 0;
}

struct json_object *ctl_next(struct ctl_answer *a)
{
	struct json_object *o;
	char *end;

	while ((end = a->len > 0 ? memchr(a->data, '\n', a->len) : NULL) ==
	       NULL) {
		int rc = receive(a);

		if (rc <= 0) {
			/* A line without its end was cut off. */
			a->error = rc == 0 && a->len > 0 ? -EBADMSG : rc;
			return NULL;
		}
	}
	*end = '\0';
	o = json_tokener_parse(a->data);
	a->len -= (size_t)(end + 1 - a->data);
	memmove(a->data, end + 1, a->len);
	a->error = o != NULL ? 0 : -EBADMSG;
	return o;
}

void ctl_end(struct ctl_answer *a)
{
	if (a->fd >= 0)
		close(a->fd);
	if (a->passed_fd != -1)
		close(a->passed_fd);
	free(a->data);
	*a = (struct ctl_answer){.fd = -1, .passed_fd = -1};
}

struct json_object *ctl_ask(const struct ctl *ctl, struct json_object *request,
			    struct ctl_answer *a)
{
	struct json_object *o = NULL;

	*a = (struct ctl_answer){.passed_fd = -1};
	a->fd = connect_to(ctl->socket);
	a->error = a->fd < 0 ? a->fd : send_line(a->fd, request);
	if (a->error == 0)
		o = ctl_next(a);
	if (o != NULL &&
	    !json_object_is_type(ctl_object(o, "ok"), json_type_boolean)) {
		json_object_put(o);
		o = NULL;
		a->error = -EBADMSG;
	}
	if (o == NULL) {
		complain(ctl, -a->error);
		return NULL;
	}
	if (ctl_bool(o, "ok"))
		return o;
	ctl_complain(ctl_string(o, "error"));
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
