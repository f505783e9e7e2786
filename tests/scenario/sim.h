/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel for one process, the relay under test: descriptors and what they
 * stand for (connections, listeners, channels, pipes, files), an epoll, a disk
 * and a clock that only moves when it is told to. What is modelled is what the
 * relay can see through its system calls, quirks included, since some of them
 * are what a scenario is about: edges of readiness, data that is read before
 * the reset behind it, SO_LINGER.
 *
 * calls.c offers it to the relay's code under the names of the real calls;
 * the peers and roles of a scenario use sim_*.h directly.
 *
 * Lifetime: sim_begin() to sim_end(), one at a time, since system calls carry
 * no pointer to it. A file lives while a descriptor or a message in flight
 * holds it; its kind may keep it longer (a connection has another end).
 */
#ifndef SLUICE_TESTS_SIM_H
#define SLUICE_TESTS_SIM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/ip.h"
#include "base/list.h"

/* Numbers that no real descriptor of a test program has. */
#define SIM_FD_FIRST 1000
#define SIM_FDS	     512

struct sim_file;

struct sim_file_ops {
	const char *name; /* for what is left open */
	/* What poll(2) would say of it now. */
	uint32_t (*poll)(const struct sim_file *f);
	/* Nobody holds it any more. */
	void (*released)(struct sim_file *f);
};

struct sim_file {
	const struct sim_file_ops *ops;
	unsigned int refs;
	/* its place in the epoll */
	bool watched;
	uint32_t events;
	epoll_data_t data;
	struct list ready; /* linked: to be looked at by epoll_wait(2) */
};

/* What becomes of a connect(2). */
enum sim_connect {
	CONNECT_OK,
	CONNECT_REFUSED,     /* a RST answers the SYN */
	CONNECT_TIMEOUT,     /* the kernel gives up */
	CONNECT_NEVER,	     /* the SYN is not answered (yet) */
	CONNECT_UNREACHABLE, /* connect(2) itself says so */
	CONNECT_KINDS
};

/* Where there was a listener once. */
struct sim_listened {
	struct list node;
	struct ip_endpoint local;
	bool upstream;
};

struct sim {
	struct sim_file *fds[SIM_FDS];
	struct list ready; /* files, in the order of their events */
	uint64_t now_ms;
	/* Grows with each event that epoll_wait(2) reported. */
	uint64_t activity;
	uint8_t random; /* what getrandom(2) gives next */

	enum sim_connect connect;
	struct list connecting; /* struct sim_tcp that wait for an answer */
	struct list listeners;	/* struct sim_listener, all there are */
	struct list listened;	/* struct sim_listened, of listen(2) */
	uint16_t next_port;	/* for who asks for any */
	size_t send_buffer;	/* of new connections, bytes */
	size_t receive_buffer;

	uint64_t disk_free;
	struct list names; /* struct sim_name: files that have one */
	/* What the relay holds besides descriptors. */
	uint64_t mappings;
	uint64_t allocations;
};

struct sim *sim_begin(void);
/* What the relay left behind is a problem (problem.h). */
void sim_end(void);
/* The one that system calls go to. */
struct sim *sim_now(void);

void sim_file_init(struct sim_file *f, const struct sim_file_ops *ops);
struct sim_file *sim_hold(struct sim_file *f);
void sim_release(struct sim_file *f);
/* Something changed that wakes those who poll it. */
void sim_wake(struct sim_file *f);

/* The lowest free descriptor, which holds @f; -1 when there is none. */
int sim_install(struct sim_file *f);
/* NULL, and a problem, when it is not open. */
struct sim_file *sim_file_of(int fd, const char *call);
bool sim_is_open(int fd);
void sim_close(int fd);
/* Descriptor @fd, which is open, is one of @f from now on. */
void sim_replace(int fd, struct sim_file *f);

/* epoll_ctl(2) and epoll_wait(2), which never waits: time is told, not spent */
int sim_epoll_ctl(int op, int fd, const struct epoll_event *ev);
int sim_epoll_wait(struct epoll_event *events, int max);

#endif
