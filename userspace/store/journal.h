/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a journal: each record once, and on disk before anybody is told.
 * There are two of them, of events and of usage (journal_kinds.h); what is
 * said here of events holds for both.
 *
 * Events come numbered by the role that made them (an "instance" of it: it
 * begins anew at each start) and are kept in memory until fdatasync(2) has
 * returned. After any failure the file is cut back to its last byte that is
 * known to be on disk, and the same lines are written again: no part of a line
 * stays, nothing is written twice.
 *
 * Exactly once, also when this process is killed: an instance sends again what
 * was not acknowledged, and journal_recover() finds out which numbers are in
 * the journal. Those up to a certain place are in the file "numbers", renewed
 * before JOURNAL_TAIL bytes were added, and the rest is in that tail. So what
 * has to be read doesn't depend on how much an instance has waiting (16 MiB a
 * relay), nor on how long it took no acknowledgements while others went on.
 *
 * Lifetime: owned by the log role, journal_init() to journal_close().
 */
#ifndef SLUICE_STORE_JOURNAL_H
#define SLUICE_STORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/journal_files.h"
#include "store/journal_kinds.h"

/* Instances that are known at a time; the longest silent one makes room. */
#define JOURNAL_SOURCES	      256
#define JOURNAL_BUFFER	      (4u << 20) /* lines not yet on disk */
#define JOURNAL_SYNC_BYTES    (1u << 20) /* of them, when it is time to sync */
#define JOURNAL_NUMBERS_EVERY (4u << 20)
#define JOURNAL_TAIL	      (JOURNAL_NUMBERS_EVERY + JOURNAL_BUFFER)

struct journal_source {
	uint64_t instance;
	uint64_t next;	 /* number expected; lower ones are in the journal */
	uint64_t stored; /* the same, of what is on disk */
	uint64_t used;	 /* larger: more recently */
};

struct journal {
	const struct journal_kind *kind;
	char current[JOURNAL_NAME_MAX]; /* the name of the file written */
	int dir_fd;			/* the user's */
	int fd; /* the current file, or -1: opened when needed */
	uint64_t rotate;
	uint64_t stored; /* bytes of the current file that are on disk */
	char *buf;	 /* the lines that follow them */
	size_t len;
	size_t written;	  /* bytes of @buf that the file has */
	uint64_t waiting; /* events in @buf */
	struct journal_source sources[JOURNAL_SOURCES];
	size_t source_count;
	uint64_t used;
	uint64_t since_numbers; /* bytes stored since they were saved */
	char last_rotated[JOURNAL_NAME_MAX];
	int64_t clock_offset_ms; /* wall clock less the monotonic one */
	bool clock_known;
	uint64_t rotations;
	uint64_t cut_bytes; /* of torn lines */
};

/* 0 or -ENOMEM. Files appear in @dir_fd with mode 0640 less the umask. */
int journal_init(struct journal *j, const struct journal_kind *kind, int dir_fd,
		 uint64_t rotate) __attribute__((warn_unused_result));
/*
 * Learn what is in the journal. 0, or -errno when some of it can't be read:
 * then events may be there twice, none is lost.
 */
int journal_recover(struct journal *j) __attribute__((warn_unused_result));
/* Harmless when journal_init() was not called on zeroed memory, or failed. */
void journal_close(struct journal *j);

/* Room for every event of a message (MSG_MAX), whatever they hold. */
bool journal_has_room(const struct journal *j);
/*
 * Take event @number of @instance, @record being what the kind says. 1, 0 when
 * the journal has it already, -ENOBUFS without journal_has_room(), -ENOMEM.
 * Instance 0 has no numbers of its own: its events get the next one, and none
 * is ever taken for a second.
 */
int journal_append(struct journal *j, const void *record, uint64_t instance,
		   uint64_t number) __attribute__((warn_unused_result));

/* Write what waits to the file. 0 or -errno (all of it still waits). */
int journal_write(struct journal *j) __attribute__((warn_unused_result));
/*
 * Write and sync; then rotate if the file has reached its size (@wall_us names
 * it). 0, or -errno: nothing more is stored, call again later. -ESTALE: the
 * directory itself was removed, and a new one must be opened.
 */
int journal_sync(struct journal *j, uint64_t wall_us)
	__attribute__((warn_unused_result));
/* All events of @instance below this number are on disk. */
uint64_t journal_stored(const struct journal *j, uint64_t instance);

/*
 * Remove rotated files older than @keep_ms. To be called now and then: only
 * after two calls between which the wall clock went as fast as the monotonic
 * one, so that a clock that jumps ahead doesn't empty the journal at once.
 * Returns how many are gone.
 */
unsigned int journal_expire(struct journal *j, uint64_t keep_ms,
			    uint64_t wall_us, uint64_t monotonic_ms);

#endif
