/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verdict cache, the table of infected URLs and that of objects of which
 * clients hold parts: one shared mapping, made by the parent, written by the
 * scan role alone, read by every relay.
 *
 * Concurrency: one writer; each entry has its own sequence number (odd while
 * it is written), and a reader that sees it change reports a miss. Entries of
 * an earlier epoch (another signature database, other scan options) are
 * misses. Readers trust nothing they read: enumerations and text are checked.
 *
 * Lifetime: the mapping outlives the scan role; a restarted one goes on with
 * the next epoch.
 */
#ifndef SLUICE_IPC_VCACHE_H
#define SLUICE_IPC_VCACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/msg.h"
#include "policy/verdict.h"

struct vcache; /* the mapped memory */

struct vcache_entry {
	enum verdict verdict;
	enum reason reason;
	char name[MSG_NAME_MAX];
};

/* Bytes to map. */
size_t vcache_size(void);

/*
 * What besides the bytes decides a verdict: the content codings that are
 * undone before the scan. Form data is never remembered: its verdict also
 * follows from the boundary, of which senders make what they like, so that any
 * short form of two boundaries can be made the same.
 */
#define VCACHE_NEVER 0
uint32_t vcache_variant(const struct coding_list *codings, struct str boundary);

/* --- readers ---------------------------------------------------------------- */

/* Whether an engine is in service. */
bool vcache_ready(const struct vcache *vc);
bool vcache_find(const struct vcache *vc, const uint8_t sha256[MSG_SHA256],
		 uint32_t variant, struct vcache_entry *out);
/* @now_s: wall clock, seconds; entries past their time are misses. */
bool vcache_find_url(const struct vcache *vc, const uint8_t key[MSG_SHA256],
		     uint64_t now_s, struct vcache_entry *out);
/* How the object begins of which parts were sent (msg_part.key). */
bool vcache_find_part(const struct vcache *vc, const uint8_t key[MSG_SHA256],
		      uint64_t now_s, struct msg_beginning *out);

/* --- the writer ------------------------------------------------------------- */

/* Make a zeroed or earlier mapping usable; keeps entries, bumps the epoch. */
void vcache_attach(struct vcache *vc);
/* All verdicts so far are void; returns the new epoch. */
uint32_t vcache_new_epoch(struct vcache *vc);
void vcache_set_ready(struct vcache *vc, bool ready);
/* Verdicts held of the present epoch; the writer's own count. */
uint64_t vcache_entries(const struct vcache *vc);
void vcache_store(struct vcache *vc, const uint8_t sha256[MSG_SHA256],
		  uint32_t variant, const struct vcache_entry *entry);
void vcache_store_url(struct vcache *vc, const uint8_t key[MSG_SHA256],
		      uint64_t until_s, const struct vcache_entry *entry);
/* What is known otherwise than @part says stays, unless it has ended. */
void vcache_store_part(struct vcache *vc, const struct msg_part *part,
		       uint64_t now_s, uint64_t until_s);

#endif
