/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scan that a relay asked for.
 *
 * Lifetime: made when the request comes, in one of the client's queues until a
 * worker has it; freed when it has been answered. When the relay goes or
 * cancels, a job that runs loses its client and goes on without: its verdict
 * is worth keeping. Its worker, its client and the hasher's list point to it,
 * and are unlinked before it is freed.
 */
#ifndef SLUICE_SCAN_JOB_H
#define SLUICE_SCAN_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/wheel.h"
#include "ipc/msg.h"
#include "scan/finding.h"

struct client;
struct worker;
struct dispatcher;

/* Whether the object can still change under the verdict. */
enum job_object {
	OBJECT_LOOSE,  /* it can: its verdict is not kept */
	OBJECT_SEALED, /* a memory file with seals */
	OBJECT_LEASED /* a file that nobody has open for writing: ours to know */
};

enum job_hash { HASH_NONE, HASH_PENDING, HASH_KNOWN };

struct job {
	struct dispatcher *dispatcher;
	struct client *client; /* NULL: nobody waits for the answer */
	struct list queued;    /* of the client's that wait */
	struct list owned;     /* of all of the client's */
	struct list hashing;   /* of those that the hasher has */
	struct timer timer;    /* its deadline */
	struct worker *worker; /* at work on it, or NULL */
	uint64_t serial;       /* ours, never used twice */
	uint64_t arrived_us;
	uint64_t started_ms; /* at a worker */
	uint64_t deadline_ms;
	uint32_t epoch; /* of the cache when a worker got it */
	int fd;
	enum job_object object;
	enum job_hash hash;
	bool scanned; /* @found is valid */
	struct finding found;
	uint8_t sha256[MSG_SHA256];
	struct msg_scan msg;
};

/* Whether @fd is a readable file (or memory file) of just @size bytes. */
bool job_descriptor_valid(int fd, uint64_t size);
/* Whether the values in a request are possible, its descriptor included. */
bool job_valid(const struct msg_scan *msg, int fd);
bool job_part_valid(const struct msg_part *part);
/* Takes over @fd. NULL without memory (then @fd is closed, too). */
struct job *job_new(const struct msg_scan *msg, int fd);
/* Unlinked from everything before. */
void job_free(struct job *job);
/* Whether the object is still what was scanned and hashed. */
bool job_object_unchanged(const struct job *job);

#endif
