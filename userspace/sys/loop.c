// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/loop.h"

#include <errno.h>
#include <unistd.h>

#define EVENTS_A_ROUND 256
#define WAIT_MAX_MS    1000

int loop_init(struct loop *loop, const struct clock_ops *clock)
{
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd == -1)
		return -errno;
	loop->stopping = false;
	loop->clock = clock;
	loop->now_ms = clock->monotonic_ms();
	wheel_init(&loop->wheel, loop->now_ms);
	list_init(&loop->tasks);
	return 0;
}

void loop_close(struct loop *loop)
{
	close(loop->epoll_fd);
	loop->epoll_fd = -1;
}

int loop_add(struct loop *loop, struct loop_fd *lfd, int fd, uint32_t events,
	     loop_fd_fn fn)
{
	struct epoll_event ev = {.events = events, .data.ptr = lfd};

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == -1) {
		lfd->fd = -1;
		return -errno;
	}
	lfd->fd = fd;
	lfd->fn = fn;
	return 0;
}

int loop_modify(struct loop *loop, struct loop_fd *lfd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = lfd};

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, lfd->fd, &ev) == -1)
		return -errno;
	return 0;
}

void loop_del(struct loop *loop, struct loop_fd *lfd)
{
	if (lfd->fd == -1)
		return;
	/* ENOENT or EBADF would be a bug of ours, and harmless here. */
	(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, lfd->fd, NULL);
	lfd->fd = -1;
}

void loop_task_init(struct loop_task *task, loop_task_fn fn)
{
	list_init(&task->node);
	task->fn = fn;
}

void loop_defer(struct loop *loop, struct loop_task *task)
{
	if (!list_linked(&task->node))
		list_add_tail(&loop->tasks, &task->node);
}

static void run_tasks(struct loop *loop)
{
	struct list now = LIST_INIT(now);
	struct list *node;

	/* What a task defers waits for the next round, so this ends. */
	list_splice_tail(&now, &loop->tasks);
	while ((node = list_pop(&now)) != NULL) {
		struct loop_task *task =
			list_entry(node, struct loop_task, node);

		task->fn(task);
	}
}

int loop_round(struct loop *loop, uint64_t max_ms)
{
	struct epoll_event events[EVENTS_A_ROUND];
	uint64_t wait = 0;
	int n;

	if (list_empty(&loop->tasks))
		wait = wheel_wait_ms(&loop->wheel, loop->now_ms, max_ms);
	n = epoll_wait(loop->epoll_fd, events, EVENTS_A_ROUND, (int)wait);
	if (n == -1 && errno != EINTR)
		return -errno;
	loop->now_ms = loop->clock->monotonic_ms();
	for (int i = 0; i < n; i++) {
		struct loop_fd *lfd = events[i].data.ptr;

		/* Deleted by an earlier event of this round. */
		if (lfd->fd != -1)
			lfd->fn(lfd, events[i].events);
	}
	wheel_advance(&loop->wheel, loop->now_ms);
	run_tasks(loop);
	return 0;
}

int loop_run(struct loop *loop)
{
	int rc = 0;

	while (rc == 0 && !loop->stopping)
		rc = loop_round(loop, WAIT_MAX_MS);
	return rc;
}

void loop_stop(struct loop *loop)
{
	loop->stopping = true;
}
