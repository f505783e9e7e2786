/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the journal line by line, in both directions, over all its files,
 * while it may be written and rotated. Memory is one buffer, whatever the size
 * of the journal.
 *
 * Only whole lines come out. A line that its writer has not finished is read
 * again from its start the next time, because it may be cut off again.
 */
#ifndef SLUICE_STORE_JOURNAL_READ_H
#define SLUICE_STORE_JOURNAL_READ_H

#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"
#include "store/journal_kinds.h"
#include "store/journal_files.h"

/* Lifetime: owned by its user, from journal_reader_init() to _close(). */
struct journal_reader {
	int dir_fd; /* the user's */
	const char *stem;
	char current[JOURNAL_NAME_MAX];
	int fd;	      /* the file at hand, or -1 */
	off_t offset; /* in it: between two lines */
	char *buf;    /* READ_BUFFER bytes, from ... */
	off_t start;  /* ... here in the file */
	size_t len;
	uint64_t bad; /* lines that were too long or had no end */
};

/* The journal of @stem (a literal) in @dir_fd. 0 or -ENOMEM. */
int journal_reader_init(struct journal_reader *r, int dir_fd, const char *stem)
	__attribute__((warn_unused_result));
void journal_reader_close(struct journal_reader *r);

/*
 * Go to the start of the oldest file that may hold events from @since_us on.
 * Files are told apart by the time they were finished, an hour being allowed
 * for clocks. 0, also when there is no file yet, or -errno.
 */
int journal_reader_seek_time(struct journal_reader *r, uint64_t since_us)
	__attribute__((warn_unused_result));
/* Go to the end of the newest file. 0 or -errno. */
int journal_reader_seek_end(struct journal_reader *r)
	__attribute__((warn_unused_result));

/*
 * Go to the first line that starts in the last @bytes of the journal, across
 * its files. 0 or -errno.
 */
int journal_reader_seek_tail(struct journal_reader *r, uint64_t bytes)
	__attribute__((warn_unused_result));

/*
 * The line after or before the position, without its line feed; the position
 * moves past it. @line lives until the next call. 1, or 0 at the end (ask again
 * later: there may be more) or start, or -errno.
 */
int journal_reader_next(struct journal_reader *r, struct str *line)
	__attribute__((warn_unused_result));
int journal_reader_prev(struct journal_reader *r, struct str *line)
	__attribute__((warn_unused_result));

#endif
