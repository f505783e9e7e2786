/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dispatcher's side of hashing (hash.h): small objects here and now, in
 * memory already, so that no disk holds up the loop; others by a child.
 *
 * Lifetime: part of the dispatcher. The child is started again when it dies;
 * what it had is then not hashed, and its verdict not kept.
 */
#ifndef SLUICE_SCAN_HASHER_H
#define SLUICE_SCAN_HASHER_H

#include "conf/config.h"
#include "ipc/chan.h"
#include "scan/job.h"
#include "sys/loop.h"

struct hash;
struct hasher;

/* job->hash is no longer HASH_PENDING. */
typedef void (*hasher_fn)(struct hasher *h, struct job *job);

struct hasher {
	struct loop *loop;
	hasher_fn done;
	enum config_log_level level;
	struct hash *here;
	struct chan chan;
	struct loop_fd exit_watch; /* the child's pidfd */
	struct timer restart;
	struct list jobs; /* job.hashing, that the child has, in order */
};

int hasher_init(struct hasher *h, struct loop *loop, hasher_fn done,
		enum config_log_level level)
	__attribute__((warn_unused_result));
/* After the sandbox was entered. 0 or -errno. */
int hasher_start(struct hasher *h) __attribute__((warn_unused_result));
void hasher_close(struct hasher *h);

/* Set job->hash, to HASH_PENDING if it takes a while; job->sha256 if known. */
void hasher_submit(struct hasher *h, struct job *job);
/* The job is about to be freed. */
void hasher_forget(struct job *job);

#endif
