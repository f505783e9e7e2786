/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal's current file: opening, rotating, finding it gone. */
#ifndef SLUICE_STORE_JOURNAL_CURRENT_H
#define SLUICE_STORE_JOURNAL_CURRENT_H

#include <stdbool.h>
#include <stdint.h>

struct journal;

/*
 * Open or make it, cut a torn last line off and sync the rest; j->stored is its
 * size then.
 * One that can't be written (another account's, no regular file) is moved
 * aside as if it were rotated. 0, -ESTALE when the directory was removed, or
 * -errno.
 */
int journal_current_open(struct journal *j) __attribute__((warn_unused_result));
/* Whether the open file still is the one of that name. */
bool journal_current_in_place(const struct journal *j);
/* Give it its final name; the next write makes a new one. 0 or -errno. */
int journal_current_rotate(struct journal *j, uint64_t wall_s)
	__attribute__((warn_unused_result));

#endif
