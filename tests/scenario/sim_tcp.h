/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TCP connection: the relay's socket, and the far end that a peer of the
 * scenario plays. Between them two queues with a size, so that a peer that
 * does not read is felt.
 *
 * Lifetime: one reference (@file.refs) for the relay's side, and @far for as
 * long as a peer or the list of connecting ones holds it; the last one frees.
 */
#ifndef SLUICE_TESTS_SIM_TCP_H
#define SLUICE_TESTS_SIM_TCP_H

#include <sys/types.h>

#include "bytes.h"
#include "sim.h"

/* The gateway's. */
#define SIM_OWN_ADDRESS	 "198.51.100.1"
#define SIM_OWN_ADDRESS6 "2001:db8:ff::1"

enum tcp_state { TCP_NEW, TCP_SYN_SENT, TCP_OPEN, TCP_RESET };

/* How the relay ended it, as the far end sees it behind the last byte. */
enum tcp_end { TCP_NO_END, TCP_FIN, TCP_RST };

struct sim_tcp {
	struct sim_file file;
	enum tcp_state state;
	struct ip_endpoint local;  /* the relay's socket: what was dialled */
	struct ip_endpoint remote; /* ... and by whom, or where it goes */
	struct bytes in;	   /* arrived, not read by the relay */
	struct bytes out;	   /* sent by the relay, not read out there */
	size_t in_size;
	size_t out_size;
	bool in_fin;   /* nothing comes after @in */
	bool out_fin;  /* the relay sends no more */
	bool no_space; /* it was told EAGAIN: it waits for room */
	bool abort;    /* SO_LINGER 0: close(2) resets */
	bool data;     /* marked so: it may listen */
	bool upstream; /* ... for servers */
	bool closed;   /* the relay has no descriptor any more */
	bool far;      /* the far end is still held */
	int error;     /* what SO_ERROR says */
	enum tcp_end end;
	struct list node; /* sim->connecting, then a listener's queue */
};

struct sim_tcp *sim_tcp_new(void);

/* --- the far end ------------------------------------------------------ */

/* The answer to a SYN: 0, or the error that connect(2) ends with. */
void tcp_answer(struct sim_tcp *t, int error);
/* @n bytes arrive, or as many as there is room for; how many. */
size_t tcp_arrive(struct sim_tcp *t, const uint8_t *p, size_t n);
void tcp_arrive_fin(struct sim_tcp *t);
void tcp_arrive_rst(struct sim_tcp *t);
/* At most @max bytes that the relay sent move to @to. */
size_t tcp_read(struct sim_tcp *t, struct bytes *to, size_t max);
/* The far end is not held any more. */
void tcp_forget(struct sim_tcp *t);
/* One that a peer asked for, and nobody listens: held by it all the same. */
void tcp_refuse(struct sim_tcp *t);

/* --- the relay's system calls: as they return, with errno set ---------- */

/* Of @f; NULL with ENOTSOCK when it is something else. */
struct sim_tcp *sim_tcp_of(struct sim_file *f);
/* A port that has a listener on its leg is in use. */
int tcp_bind(struct sim_tcp *t, const struct sockaddr_storage *ss);
/* @fd, that of @t, is a listener from now on. */
int tcp_listen(struct sim_tcp *t, int fd);
int tcp_connect(struct sim_tcp *t, const struct ip_endpoint *to);
/* connect(2) with AF_UNSPEC: @fd, that of @t, is as new, but for its options. */
int tcp_dissolve(struct sim_tcp *t, int fd);
ssize_t tcp_recv(struct sim_tcp *t, void *p, size_t n);
/* recv(2) and splice(2): the next at most @n bytes, to @to. */
ssize_t tcp_recv_to(struct sim_tcp *t, struct bytes *to, size_t n);
ssize_t tcp_send(struct sim_tcp *t, const void *p, size_t n);
int tcp_shutdown(struct sim_tcp *t);
int tcp_take_error(struct sim_tcp *t);
/* What the kernel calls it; TCP_CLOSE once both have ended it. */
uint8_t tcp_linux_state(const struct sim_tcp *t);

/* --- listeners --------------------------------------------------------- */

struct sim_listener {
	struct sim_file file;
	struct list node;  /* sim->listeners */
	struct list queue; /* struct sim_tcp, not accepted yet */
	struct ip_endpoint local;
	bool upstream; /* its packets are those of servers */
	bool abort;    /* SO_LINGER 0, as what it accepts has then */
};

struct sim_listener *sim_listener_new(void);
/* The one at @local, or NULL. */
struct sim_listener *sim_listener_at(const struct ip_endpoint *local,
				     bool upstream);
/* Whether there is one, or was. */
bool sim_listened_at(const struct ip_endpoint *local, bool upstream);
/* A client's connection stands in its queue. */
void listener_arrive(struct sim_listener *l, struct sim_tcp *t);
struct sim_listener *sim_listener_of(struct sim_file *f);
/* accept4(2): NULL with errno set. */
struct sim_tcp *listener_accept(struct sim_listener *l);

#endif
