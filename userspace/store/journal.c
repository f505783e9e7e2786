// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/journal_current.h"
#include "store/journal_numbers.h"

#define MS_A_SECOND   1000
#define US_A_SECOND   1000000
#define CLOCK_JUMP_MS 60000
/*
 * JSON of a message: 454 events of the least size, or texts all escaped; 1165
 * records of usage.
 */
#define MESSAGE_LINES (1u << 20)

_Static_assert(JOURNAL_BUFFER >
		       JOURNAL_SYNC_BYTES + MESSAGE_LINES + JOURNAL_LINE_MAX,
	       "a buffer that is due for a sync must still have room");

int journal_init(struct journal *j, const struct journal_kind *kind, int dir_fd,
		 uint64_t rotate)
{
	memset(j, 0, sizeof(*j));
	j->kind = kind;
	journal_files_current(j->current, kind->stem);
	j->dir_fd = dir_fd;
	j->fd = -1;
	j->rotate = rotate;
	j->buf = malloc(JOURNAL_BUFFER);
	return j->buf == NULL ? -ENOMEM : 0;
}

/* When it fails, the next sync tries again; the journal itself is complete. */
static void save_numbers(struct journal *j)
{
	if (journal_numbers_save(j) == 0)
		j->since_numbers = 0;
}

int journal_recover(struct journal *j)
{
	struct journal_files files;
	uint64_t finished;
	int rc = journal_files_list(j->dir_fd, j->kind->stem, &files);

	for (size_t i = 0; i < files.count; i++)
		if (journal_files_time(files.names[i], j->kind->stem,
				       &finished))
			memcpy(j->last_rotated, files.names[i],
			       sizeof(j->last_rotated));
	journal_files_free(&files);
	if (rc == 0)
		rc = journal_numbers_recover(j);
	/* At once: the tail just read is all that may lie behind the file. */
	j->since_numbers = JOURNAL_NUMBERS_EVERY;
	save_numbers(j);
	return rc;
}

void journal_close(struct journal *j)
{
	if (j->buf == NULL)
		return;
	/* Only what is stored: a successor must take the rest again. */
	if (j->len == 0)
		save_numbers(j);
	if (j->fd != -1)
		close(j->fd);
	j->fd = -1;
	free(j->buf);
	j->buf = NULL;
}

/* --- taking events ----------------------------------------------------------- */

bool journal_has_room(const struct journal *j)
{
	return JOURNAL_BUFFER - j->len >= MESSAGE_LINES + JOURNAL_LINE_MAX;
}

int journal_append(struct journal *j, const void *record, uint64_t instance,
		   uint64_t number)
{
	struct journal_source *source = journal_numbers_source(j, instance);
	size_t room = JOURNAL_BUFFER - j->len;
	size_t len;

	if (number < source->next)
		return 0;
	if (room < JOURNAL_LINE_MAX)
		return -ENOBUFS;
	len = j->kind->write(record, instance, number, j->buf + j->len, room);
	if (len == 0)
		return -ENOMEM;
	j->len += len;
	j->waiting++;
	source->next = number + 1;
	return 1;
}

uint64_t journal_stored(const struct journal *j, uint64_t instance)
{
	for (size_t i = 0; i < j->source_count; i++)
		if (j->sources[i].instance == instance)
			return j->sources[i].stored;
	return 0;
}

/* --- the disk ---------------------------------------------------------------- */

/*
 * Forget what was written since the last sync. The file is cut so that no part
 * of a line stays; if that fails too, the next write covers the same bytes.
 */
static void take_back(struct journal *j)
{
	j->written = 0;
	if (j->fd != -1 && ftruncate(j->fd, (off_t)j->stored) == -1)
		errno = 0;
}

static int write_rest(struct journal *j)
{
	while (j->written < j->len) {
		ssize_t n = pwrite(j->fd, j->buf + j->written,
				   j->len - j->written,
				   (off_t)(j->stored + j->written));

		if (n == -1 && errno != EINTR)
			return -errno;
		j->written += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int journal_write(struct journal *j)
{
	int rc = 0;

	if (j->written == j->len)
		return 0;
	if (j->fd == -1)
		rc = journal_current_open(j);
	if (rc == 0)
		rc = write_rest(j);
	/* ENOSPC, EDQUOT, EIO, EROFS: what the disk has of it, it gives back */
	if (rc != 0)
		take_back(j);
	return rc;
}

/* Everything in the buffer is on disk. */
static void stored(struct journal *j)
{
	j->stored += j->len;
	j->since_numbers += j->len;
	j->len = 0;
	j->written = 0;
	j->waiting = 0;
	for (size_t i = 0; i < j->source_count; i++)
		j->sources[i].stored = j->sources[i].next;
}

int journal_sync(struct journal *j, uint64_t wall_us)
{
	int rc = 0;

	if (j->fd != -1 && !journal_current_in_place(j)) {
		/* Moved or removed by somebody: go on in a new file. */
		take_back(j);
		close(j->fd);
		j->fd = -1;
	}
	/* Opening it also syncs what a predecessor wrote and didn't. */
	if (j->fd == -1)
		rc = journal_current_open(j);
	if (rc == 0)
		rc = journal_write(j);
	if (rc != 0)
		return rc;
	if (j->len > 0 && fdatasync(j->fd) == -1) {
		/* The kernel may have dropped the pages: write them again. */
		rc = -errno;
		take_back(j);
		return rc;
	}
	stored(j);
	if (j->since_numbers >= JOURNAL_NUMBERS_EVERY)
		save_numbers(j);
	return j->stored >= j->rotate
		       ? journal_current_rotate(j, wall_us / US_A_SECOND)
		       : 0;
}

/* --- age --------------------------------------------------------------------- */

/* Whether the wall clock has kept pace with the monotonic one. */
static bool clock_is_steady(struct journal *j, uint64_t wall_us,
			    uint64_t monotonic_ms)
{
	int64_t offset =
		(int64_t)(wall_us / MS_A_SECOND) - (int64_t)monotonic_ms;
	int64_t moved = offset - j->clock_offset_ms;
	bool steady = j->clock_known && moved < CLOCK_JUMP_MS &&
		      moved > -CLOCK_JUMP_MS;

	j->clock_offset_ms = offset;
	j->clock_known = true;
	return steady;
}

unsigned int journal_expire(struct journal *j, uint64_t keep_ms,
			    uint64_t wall_us, uint64_t monotonic_ms)
{
	uint64_t now_s = wall_us / US_A_SECOND;
	uint64_t finished, keep_s = keep_ms / MS_A_SECOND;
	struct journal_files files;
	unsigned int removed = 0;

	if (!clock_is_steady(j, wall_us, monotonic_ms) ||
	    journal_files_list(j->dir_fd, j->kind->stem, &files) != 0)
		return 0;
	for (size_t i = 0; i < files.count; i++)
		if (journal_files_time(files.names[i], j->kind->stem,
				       &finished) &&
		    finished < now_s && now_s - finished > keep_s &&
		    unlinkat(j->dir_fd, files.names[i], 0) == 0)
			removed++;
	journal_files_free(&files);
	return removed;
}
