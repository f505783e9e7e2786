// SPDX-License-Identifier: GPL-2.0-or-later
#include "fault.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "problem.h"

#define ERRNOS_MAX 4
#define CALLS_MAX  100000

struct call_kind {
	const char *name;
	int errnos[ERRNOS_MAX]; /* each is tried */
};

static const struct call_kind kinds[CALL_KINDS] = {
	[CALL_ACCEPT4] = {"accept4", {EMFILE, ENOMEM, ECONNABORTED}},
	[CALL_BIND] = {"bind", {EADDRINUSE}},
	[CALL_CALLOC] = {"calloc", {ENOMEM}},
	[CALL_CONNECT] = {"connect", {EADDRNOTAVAIL, ENOMEM}},
	[CALL_EPOLL_CTL] = {"epoll_ctl", {ENOMEM, ENOSPC}},
	[CALL_EPOLL_WAIT] = {"epoll_wait", {EINTR}},
	[CALL_FCNTL] = {"fcntl", {EMFILE, EBUSY}},
	[CALL_FTRUNCATE] = {"ftruncate", {ENOMEM}},
	[CALL_GETSOCKNAME] = {"getsockname", {ENOBUFS}},
	[CALL_GETSOCKOPT] = {"getsockopt", {ENOMEM}},
	[CALL_LISTEN] = {"listen", {EADDRINUSE}},
	[CALL_MALLOC] = {"malloc", {ENOMEM}},
	[CALL_MEMFD_CREATE] = {"memfd_create", {EMFILE, ENOMEM}},
	[CALL_MMAP] = {"mmap", {ENOMEM}},
	[CALL_OPEN] = {"open", {EMFILE, ENOSPC}},
	[CALL_PIPE2] = {"pipe2", {EMFILE, ENFILE}},
	[CALL_PWRITE] = {"pwrite", {ENOSPC, EIO, EINTR}},
	[CALL_REALLOC] = {"realloc", {ENOMEM}},
	[CALL_RECV] = {"recv", {ECONNRESET, ENOMEM, EAGAIN}},
	[CALL_RECVMSG] = {"recvmsg", {ECONNRESET, ENOMEM, EINTR}},
	[CALL_SEND] = {"send", {EPIPE, ENOBUFS, EAGAIN}},
	[CALL_SENDFILE] = {"sendfile", {EIO, ENOMEM, EAGAIN}},
	[CALL_SENDMSG] = {"sendmsg", {EPIPE, ENOBUFS, EAGAIN}},
	[CALL_SHUTDOWN] = {"shutdown", {ENOTCONN}},
	[CALL_SPLICE] = {"splice", {ECONNRESET, ENOMEM, EAGAIN}},
	[CALL_WRITE] = {"write", {ENOMEM}},
};

static const struct {
	const char *name;
	int error;
} errors[] = {
	{"EADDRINUSE", EADDRINUSE},
	{"EADDRNOTAVAIL", EADDRNOTAVAIL},
	{"EAGAIN", EAGAIN},
	{"EBUSY", EBUSY},
	{"ECONNABORTED", ECONNABORTED},
	{"ECONNRESET", ECONNRESET},
	{"EINTR", EINTR},
	{"EIO", EIO},
	{"EMFILE", EMFILE},
	{"ENFILE", ENFILE},
	{"ENOBUFS", ENOBUFS},
	{"ENOMEM", ENOMEM},
	{"ENOSPC", ENOSPC},
	{"ENOTCONN", ENOTCONN},
	{"EPERM", EPERM},
	{"EPIPE", EPIPE},
};

#define ERRORS (sizeof(errors) / sizeof(errors[0]))

/* One failure of the plan. */
struct failure {
	uint32_t at; /* number of the call */
	uint8_t call;
	uint8_t error; /* index in its kind's errnos */
};

static struct {
	bool armed;
	int always[CALL_KINDS];
	uint32_t calls; /* so far */
	uint8_t made[CALLS_MAX];
	struct failure plan[CALLS_MAX];
	const struct failure *injected; /* NULL: none in this run */
	uint32_t soon;			/* the same by number; 0: none */
	unsigned int soon_which;
} fault;

void fault_clear(void)
{
	fault.armed = false;
	memset(fault.always, 0, sizeof(fault.always));
	fault.calls = 0;
	fault.injected = NULL;
	fault.soon = 0;
}

void fault_arm(bool armed)
{
	fault.armed = armed;
}

static int nth_errno(enum call call, unsigned int n)
{
	const int *errnos = kinds[call].errnos;
	unsigned int count = 0;

	while (count < ERRNOS_MAX && errnos[count] != 0)
		count++;
	return errnos[count > 0 ? n % count : 0];
}

int fault_of(enum call call)
{
	uint32_t at = fault.calls;
	const struct failure *f = fault.injected;

	if (!fault.armed)
		return 0;
	if (at < CALLS_MAX)
		fault.made[fault.calls++] = (uint8_t)call;
	if (f != NULL && f->at == at) {
		/* The same run up to here, or the plan is worth nothing. */
		if (f->call != call)
			problem("%s() came where %s() did before",
				kinds[call].name, kinds[f->call].name);
		return kinds[call].errnos[f->error];
	}
	if (fault.soon != 0 && fault.calls == fault.soon)
		return nth_errno(call, fault.soon_which);
	return fault.always[call];
}

void fault_soon(unsigned int more, unsigned int which)
{
	fault.soon = fault.calls + 1 + more;
	fault.soon_which = which;
}

bool fault_find(const char *name, enum call *call)
{
	for (int i = 0; i < CALL_KINDS; i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*call = (enum call)i;
			return true;
		}
	}
	return false;
}

bool fault_errno(const char *name, int *error)
{
	for (size_t i = 0; i < ERRORS; i++) {
		if (strcmp(errors[i].name, name) == 0) {
			*error = errors[i].error;
			return true;
		}
	}
	return false;
}

static const char *error_name(int error)
{
	for (size_t i = 0; i < ERRORS; i++)
		if (errors[i].error == error)
			return errors[i].name;
	return "?";
}

void fault_always(enum call call, int error)
{
	fault.always[call] = error;
}

/* --- the plan ------------------------------------------------------- */

static bool passes(int error)
{
	return error == EAGAIN || error == EINTR;
}

size_t fault_plan(bool pass)
{
	size_t n = 0;

	for (uint32_t at = 0; at < fault.calls; at++) {
		const int *errnos = kinds[fault.made[at]].errnos;

		for (uint8_t e = 0; e < ERRNOS_MAX && errnos[e] != 0; e++)
			if (n < CALLS_MAX && passes(errnos[e]) == pass)
				fault.plan[n++] =
					(struct failure){at, fault.made[at], e};
	}
	return n;
}

void fault_inject(size_t n)
{
	fault.injected = &fault.plan[n];
}

void fault_describe(size_t n, char *dst, size_t size)
{
	const struct failure *f = &fault.plan[n];

	snprintf(dst, size, "call %u, %s(), fails with %s", f->at + 1,
		 kinds[f->call].name,
		 error_name(kinds[f->call].errnos[f->error]));
}
