/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the processes of the scan role say to each other, each pair over a
 * SOCK_SEQPACKET socketpair, framed like all messages (ipc/msg.h).
 *
 *	dispatcher -- keeper	of a generation: loads the engine, forks
 *	dispatcher -- worker	scans one object at a time
 *	dispatcher -- hasher	names objects by their SHA-256
 *
 * The dispatcher has struct chan at its end; the others block on theirs. A
 * worker reads hostile bytes and may turn hostile itself, so its answers are
 * checked like a relay's.
 */
#ifndef SLUICE_SCAN_WIRE_H
#define SLUICE_SCAN_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ipc/msg.h"
#include "scan/engine.h"

/*
 * A worker's id: which of its generation it is. It names its directories, so
 * it is never used twice.
 */
#define WIRE_WORKER(generation, n) ((uint64_t)(generation) << 32 | (n))
#define WIRE_WORKER_FORMAT	   "%u-%u"
#define WIRE_WORKER_ARGS(id)	   (uint32_t)((id) >> 32), (uint32_t)(id)

/* A child finds its end of the channel here, and nothing open beyond it. */
#define WIRE_FD 3

enum wire_type {
	/* keeper -> dispatcher */
	WIRE_LOADED = 1000, /* wire_loaded: in order, workers can be had */
	WIRE_FAILED,	    /* wire_failed: it ends now */
	WIRE_FORKED,	    /* wire_forked; fd: pidfd, unless it failed */
	WIRE_STALE,	    /* nothing: the engine's signatures changed */
	/* dispatcher -> keeper */
	WIRE_FORK, /* wire_fork; fd: the worker's end */
	/* dispatcher -> worker */
	WIRE_SCAN, /* wire_scan; fd: the object */
	/* worker -> dispatcher */
	WIRE_SCANNED, /* wire_scanned */
	/* dispatcher -> hasher */
	WIRE_HASH, /* wire_hash; fd: the object */
	/* hasher -> dispatcher */
	WIRE_HASHED, /* wire_hashed */
};

struct wire_loaded {
	uint64_t signatures;
	uint32_t finds_eicar;
	uint32_t zero;
	char warning[ENGINE_TEXT_MAX];
};

struct wire_failed {
	char why[ENGINE_TEXT_MAX];
};

struct wire_fork {
	uint64_t worker; /* WIRE_WORKER() */
};

struct wire_forked {
	uint64_t worker;
	int32_t error; /* 0 or -errno */
	uint32_t zero;
};

struct wire_scan {
	uint64_t job;
	uint64_t size;
	uint64_t deadline_ms; /* monotonic clock */
	struct coding_list codings;
	uint8_t boundary_len;
	char boundary[MULTIPART_BOUNDARY_MAX];
};

struct wire_scanned {
	uint64_t job;
	uint32_t verdict;
	uint32_t reason;
	char name[MSG_NAME_MAX];
};

struct wire_hash {
	uint64_t job;
	uint64_t size;
};

struct wire_hashed {
	uint64_t job;
	int32_t error; /* 0 or -errno: it could not be read */
	uint32_t zero;
	uint8_t sha256[MSG_SHA256];
};

/*
 * For the blocking ends. Send @body, with descriptor @fd unless it is -1; 0 or
 * -errno.
 */
int wire_send(int sock, enum wire_type type, const void *body, size_t len,
	      int fd) __attribute__((warn_unused_result));
/*
 * Wait for a message of @type with a body of @len bytes and, when @fd is not
 * NULL, one descriptor. 1, 0 when the dispatcher has gone, or -errno (-EPROTO:
 * another message, -EINTR: a signal).
 */
int wire_receive(int sock, enum wire_type type, void *body, size_t len, int *fd)
	__attribute__((warn_unused_result));

/*
 * In a child: make @fd its WIRE_FD, blocking, close everything but that and
 * the standard descriptors, take default signals, and die with @parent, which
 * forked it. 0 or -errno.
 */
int wire_become_child(int fd, pid_t parent) __attribute__((warn_unused_result));

#endif
