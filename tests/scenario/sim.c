// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "problem.h"
#include "sim_disk.h"

#define BOOT_MS	      1000000
#define SOCKET_BUFFER (256u << 10)
#define PORT_FIRST    33000

static struct sim sim;

struct sim *sim_begin(void)
{
	memset(&sim, 0, sizeof(sim));
	list_init(&sim.ready);
	list_init(&sim.connecting);
	list_init(&sim.listeners);
	list_init(&sim.listened);
	sim.next_port = PORT_FIRST;
	list_init(&sim.names);
	sim.now_ms = BOOT_MS;
	sim.send_buffer = SOCKET_BUFFER;
	sim.receive_buffer = SOCKET_BUFFER;
	sim.disk_free = UINT64_MAX;
	return &sim;
}

struct sim *sim_now(void)
{
	return &sim;
}

void sim_end(void)
{
	struct list *node;

	while ((node = list_pop(&sim.listened)) != NULL)
		free(list_entry(node, struct sim_listened, node));
	for (int i = 0; i < SIM_FDS; i++) {
		if (sim.fds[i] == NULL)
			continue;
		problem("descriptor %d (%s) was left open", i + SIM_FD_FIRST,
			sim.fds[i]->ops->name);
		sim_close(i + SIM_FD_FIRST);
	}
	if (!list_empty(&sim.names))
		problem("a file was left in the spool");
	sim_disk_clear();
	if (sim.mappings > 0)
		problem("%llu mappings were left",
			(unsigned long long)sim.mappings);
	if (sim.allocations > 0)
		problem("%llu pieces of memory were not freed",
			(unsigned long long)sim.allocations);
}

/* --- files and descriptors ------------------------------------------ */

void sim_file_init(struct sim_file *f, const struct sim_file_ops *ops)
{
	*f = (struct sim_file){.ops = ops};
	list_init(&f->ready);
}

struct sim_file *sim_hold(struct sim_file *f)
{
	f->refs++;
	return f;
}

void sim_release(struct sim_file *f)
{
	if (--f->refs > 0)
		return;
	/* As close(2) takes the last descriptor out of every epoll. */
	f->watched = false;
	list_del(&f->ready);
	f->ops->released(f);
}

void sim_wake(struct sim_file *f)
{
	if (f->watched && !list_linked(&f->ready))
		list_add_tail(&sim.ready, &f->ready);
}

int sim_install(struct sim_file *f)
{
	for (int i = 0; i < SIM_FDS; i++) {
		if (sim.fds[i] == NULL) {
			sim.fds[i] = sim_hold(f);
			return i + SIM_FD_FIRST;
		}
	}
	return -1;
}

bool sim_is_open(int fd)
{
	return fd >= SIM_FD_FIRST && fd < SIM_FD_FIRST + SIM_FDS &&
	       sim.fds[fd - SIM_FD_FIRST] != NULL;
}

struct sim_file *sim_file_of(int fd, const char *call)
{
	if (sim_is_open(fd))
		return sim.fds[fd - SIM_FD_FIRST];
	problem("%s() on descriptor %d, which is not open", call, fd);
	errno = EBADF;
	return NULL;
}

void sim_close(int fd)
{
	struct sim_file *f = sim_file_of(fd, "close");

	if (f == NULL)
		return;
	sim.fds[fd - SIM_FD_FIRST] = NULL;
	sim_release(f);
}

void sim_replace(int fd, struct sim_file *f)
{
	struct sim_file *old = sim.fds[fd - SIM_FD_FIRST];

	if (old->watched)
		problem("descriptor %d is used anew while it is watched", fd);
	sim.fds[fd - SIM_FD_FIRST] = sim_hold(f);
	sim_release(old);
}

/* --- epoll ---------------------------------------------------------- */

int sim_epoll_ctl(int op, int fd, const struct epoll_event *ev)
{
	struct sim_file *f = sim_file_of(fd, "epoll_ctl");

	if (f == NULL)
		return -1;
	if ((op == EPOLL_CTL_ADD) == f->watched) {
		errno = op == EPOLL_CTL_ADD ? EEXIST : ENOENT;
		problem("epoll_ctl() twice on descriptor %d", fd);
		return -1;
	}
	list_del(&f->ready);
	f->watched = op != EPOLL_CTL_DEL;
	if (!f->watched)
		return 0;
	f->events = ev->events | EPOLLERR | EPOLLHUP;
	f->data = ev->data;
	if (f->ops->poll(f) & f->events)
		sim_wake(f);
	return 0;
}

int sim_epoll_wait(struct epoll_event *events, int max)
{
	struct list level = LIST_INIT(level);
	struct list *node;
	int n = 0;

	while (n < max && (node = list_pop(&sim.ready)) != NULL) {
		struct sim_file *f = list_entry(node, struct sim_file, ready);
		uint32_t now = f->ops->poll(f) & f->events;

		/* The reason of the wake-up may be gone again. */
		if (now == 0)
			continue;
		events[n].events = now;
		events[n++].data = f->data;
		/* Level-triggered: looked at again until it is quiet. */
		if (!(f->events & EPOLLET))
			list_add_tail(&level, &f->ready);
	}
	list_splice_tail(&sim.ready, &level);
	sim.activity += (uint64_t)n;
	return n;
}
