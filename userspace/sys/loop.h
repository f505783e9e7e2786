/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop of a role: descriptors (epoll), timers (base/wheel.h) and
 * tasks that run after the events at hand.
 *
 * Lifetime: a loop_fd, timer or task belongs to the structure it is part of.
 * That structure is never freed inside a callback of the same round: it is
 * unlinked (loop_del, timer_cancel), marked dead, and freed by a task that
 * loop_defer() queued, since later events of the round may still name it.
 */
#ifndef SLUICE_SYS_LOOP_H
#define SLUICE_SYS_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/list.h"
#include "base/wheel.h"
#include "sys/clock.h"

struct loop_fd;
/* @events: EPOLLIN and so on, as epoll_wait(2) reports them. */
typedef void (*loop_fd_fn)(struct loop_fd *lfd, uint32_t events);

struct loop_fd {
	int fd; /* -1: not in the loop */
	loop_fd_fn fn;
};

struct loop_task;
typedef void (*loop_task_fn)(struct loop_task *task);

struct loop_task {
	struct list node;
	loop_task_fn fn;
};

struct loop {
	int epoll_fd;
	bool stopping;
	uint64_t now_ms; /* taken once a round */
	const struct clock_ops *clock;
	struct wheel wheel;
	struct list tasks;
};

/* 0 or -errno. @clock is clock_system but for tests. */
int loop_init(struct loop *loop, const struct clock_ops *clock)
	__attribute__((warn_unused_result));
void loop_close(struct loop *loop);

/*
 * Watch @fd (stays the caller's) for @events. Sockets of sessions use EPOLLET
 * and keep their own readiness; others are level-triggered. 0 or -errno.
 */
int loop_add(struct loop *loop, struct loop_fd *lfd, int fd, uint32_t events,
	     loop_fd_fn fn) __attribute__((warn_unused_result));
int loop_modify(struct loop *loop, struct loop_fd *lfd, uint32_t events)
	__attribute__((warn_unused_result));
/* No callback comes after it. Call before close(2); twice is harmless. */
void loop_del(struct loop *loop, struct loop_fd *lfd);

void loop_task_init(struct loop_task *task, loop_task_fn fn);
/* Run @task after the present round's events; queueing it twice runs it once. */
void loop_defer(struct loop *loop, struct loop_task *task);

/* Run until loop_stop(). 0 or -errno of epoll_wait(2). */
int loop_run(struct loop *loop) __attribute__((warn_unused_result));
/* One round: wait at most @max_ms, then events, timers, tasks. */
int loop_round(struct loop *loop, uint64_t max_ms)
	__attribute__((warn_unused_result));
void loop_stop(struct loop *loop);

#endif
