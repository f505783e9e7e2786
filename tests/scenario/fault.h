/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which system call of the relay fails, and how: all calls of a kind because
 * the scenario says so, or one because a run is about just that one. A run
 * without failures writes down its calls, and so makes the list of all the
 * runs that let one of them fail.
 */
#ifndef SLUICE_TESTS_FAULT_H
#define SLUICE_TESTS_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/* Calls that can fail in earnest; close(2) and the like can't. */
enum call {
	CALL_ACCEPT4,
	CALL_BIND,
	CALL_CALLOC,
	CALL_CONNECT,
	CALL_EPOLL_CTL,
	CALL_EPOLL_WAIT,
	CALL_FCNTL,
	CALL_FTRUNCATE,
	CALL_GETSOCKNAME,
	CALL_GETSOCKOPT,
	CALL_LISTEN,
	CALL_MALLOC,
	CALL_MEMFD_CREATE,
	CALL_MMAP,
	CALL_OPEN,
	CALL_PIPE2,
	CALL_PWRITE,
	CALL_REALLOC,
	CALL_RECV,
	CALL_RECVMSG,
	CALL_SEND,
	CALL_SENDFILE,
	CALL_SENDMSG,
	CALL_SHUTDOWN,
	CALL_SPLICE,
	CALL_WRITE,
	CALL_KINDS
};

/* Forget everything: no call fails. */
void fault_clear(void);
/* Only what the relay calls by itself counts, not its set-up and its end. */
void fault_arm(bool armed);
/*
 * Every call is asked for: 0, or the errno that it fails with.
 */
int fault_of(enum call call);

/* By the names in scenario files. False when there is no such thing. */
bool fault_find(const char *name, enum call *call);
bool fault_errno(const char *name, int *error);
/* All calls of this kind fail so; 0: they work again. */
void fault_always(enum call call, int error);

/* The call after @more others fails, with one of its errnos by @which. */
void fault_soon(unsigned int more, unsigned int which);

/*
 * The failures of the run that has ended: one call, one errno each. Those that
 * @pass: the call would work a moment later (EAGAIN, EINTR); or the others.
 */
size_t fault_plan(bool pass);
/* In the run that begins, failure @n of the plan happens. */
void fault_inject(size_t n);
/* "recv() number 17 fails: ECONNRESET" */
void fault_describe(size_t n, char *dst, size_t size);

#endif
