// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/journal_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/journal_files.h"

/* More than two lines, so that moving within it is rare. */
#define READ_BUFFER   (512u << 10)
#define CLOCK_SLACK_S 3600
#define US_A_SECOND   1000000

_Static_assert(READ_BUFFER > 2 * JOURNAL_LINE_MAX, "too small for its lines");

int journal_reader_init(struct journal_reader *r, int dir_fd, const char *stem)
{
	memset(r, 0, sizeof(*r));
	r->stem = stem;
	journal_files_current(r->current, stem);
	r->dir_fd = dir_fd;
	r->fd = -1;
	r->buf = malloc(READ_BUFFER);
	return r->buf == NULL ? -ENOMEM : 0;
}

void journal_reader_close(struct journal_reader *r)
{
	if (r->fd != -1)
		close(r->fd);
	r->fd = -1;
	free(r->buf);
	r->buf = NULL;
}

/* --- files ------------------------------------------------------------------- */

/*
 * Read @name from its start from now on. 1, 0 when it is gone, no regular file
 * or another account's, or -errno.
 */
static int open_file(struct journal_reader *r, const char *name)
{
	struct stat st;
	int fd = openat(r->dir_fd, name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd == -1)
		return errno == ENOENT || errno == EACCES || errno == ELOOP
			       ? 0
			       : -errno;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(fd);
		return 0;
	}
	if (r->fd != -1)
		close(r->fd);
	r->fd = fd;
	r->offset = 0;
	r->start = 0;
	r->len = 0;
	return 1;
}

/*
 * The place of the file at hand in @files, whatever its name is by now. One
 * that was removed gets the place before the first that was written after it.
 */
static size_t place_of(const struct journal_reader *r,
		       const struct journal_files *files)
{
	struct stat own, st;
	size_t later = files->count;

	if (fstat(r->fd, &own) == -1)
		return files->count;
	for (size_t i = files->count; i-- > 0;) {
		if (fstatat(r->dir_fd, files->names[i], &st,
			    AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		if (st.st_ino == own.st_ino && st.st_dev == own.st_dev)
			return i;
		if (st.st_mtime >= own.st_mtime)
			later = i;
	}
	return later - 1;
}

/* Whether the file at hand is the one being written. */
static bool is_current(const struct journal_reader *r)
{
	struct stat own, st;

	return fstat(r->fd, &own) == 0 &&
	       fstatat(r->dir_fd, r->current, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_ino == own.st_ino && st.st_dev == own.st_dev;
}

/* Open the file after the one at hand, or the oldest. 1, 0 or -errno. */
static int open_next_file(struct journal_reader *r)
{
	struct journal_files files;
	size_t i = 0;
	int rc = journal_files_list(r->dir_fd, r->stem, &files);

	if (rc == 0 && r->fd != -1)
		i = place_of(r, &files) + 1;
	for (; rc == 0 && i < files.count; i++)
		rc = open_file(r, files.names[i]);
	journal_files_free(&files);
	return rc;
}

/* Open the file before the one at hand, at its end. 1, 0 or -errno. */
static int open_previous_file(struct journal_reader *r)
{
	struct journal_files files;
	size_t i = 0;
	int rc = journal_files_list(r->dir_fd, r->stem, &files);

	if (rc == 0)
		i = r->fd == -1 ? files.count : place_of(r, &files);
	while (rc == 0 && i > 0 && i <= files.count)
		rc = open_file(r, files.names[--i]);
	journal_files_free(&files);
	if (rc == 1)
		r->offset = lseek(r->fd, 0, SEEK_END);
	return rc == 1 && r->offset == -1 ? -errno : rc;
}

static void forget_file(struct journal_reader *r)
{
	if (r->fd != -1)
		close(r->fd);
	r->fd = -1;
}

int journal_reader_seek_time(struct journal_reader *r, uint64_t since_us)
{
	struct journal_files files;
	int rc = journal_files_list(r->dir_fd, r->stem, &files);

	forget_file(r);
	for (size_t i = 0; rc == 0 && i < files.count; i++) {
		uint64_t finished;

		if (!journal_files_time(files.names[i], r->stem, &finished) ||
		    finished + CLOCK_SLACK_S >= since_us / US_A_SECOND)
			rc = open_file(r, files.names[i]);
	}
	journal_files_free(&files);
	return rc < 0 ? rc : 0;
}

int journal_reader_seek_end(struct journal_reader *r)
{
	int rc;

	forget_file(r);
	rc = open_previous_file(r);
	return rc < 0 ? rc : 0;
}

/* Open the newest file from which on the journal has @bytes, or the oldest. */
static int open_tail_file(struct journal_reader *r, uint64_t bytes)
{
	struct journal_files files;
	uint64_t size = 0;
	struct stat st;
	int rc = journal_files_list(r->dir_fd, r->stem, &files);

	for (size_t i = files.count; rc >= 0 && size < bytes && i > 0;) {
		rc = open_file(r, files.names[--i]);
		if (rc == 1 && fstat(r->fd, &st) == 0)
			size += (uint64_t)st.st_size;
	}
	journal_files_free(&files);
	if (rc >= 0 && size > bytes)
		r->offset = (off_t)(size - bytes);
	return rc < 0 ? rc : 0;
}

int journal_reader_seek_tail(struct journal_reader *r, uint64_t bytes)
{
	struct str cut;
	int rc;

	forget_file(r);
	rc = open_tail_file(r, bytes);
	/* In the middle of a line, or at its start: both are left out. */
	if (rc == 0 && r->fd != -1 && r->offset > 0)
		rc = journal_reader_next(r, &cut);
	return rc < 0 ? rc : 0;
}

/* --- lines ------------------------------------------------------------------- */

/* Fill the buffer with what is in the file from @start on. 0 or -errno. */
static int fill(struct journal_reader *r, off_t start)
{
	r->start = start;
	r->len = 0;
	while (r->len < READ_BUFFER) {
		ssize_t n = pread(r->fd, r->buf + r->len, READ_BUFFER - r->len,
				  r->start + (off_t)r->len);

		if (n == -1 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		r->len += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Where the buffered line at the position ends, or NULL. */
static const char *line_end(const struct journal_reader *r)
{
	size_t at;

	if (r->offset < r->start || r->offset >= r->start + (off_t)r->len)
		return NULL;
	at = (size_t)(r->offset - r->start);
	return memchr(r->buf + at, '\n', r->len - at);
}

/*
 * Skip what has gone on for a whole buffer without an end. 1 when lines follow,
 * 0 when its end isn't written yet (it stays to be skipped), -errno.
 */
static int skip_long_line(struct journal_reader *r)
{
	off_t line = r->offset;
	int rc = 0;

	while (rc == 0 && line_end(r) == NULL && r->len > 0) {
		r->offset = r->start + (off_t)r->len;
		rc = fill(r, r->offset);
	}
	if (rc != 0)
		return rc;
	if (r->len == 0) {
		r->offset = line;
		return 0;
	}
	r->offset = r->start + (line_end(r) - r->buf) + 1;
	r->bad++;
	return 1;
}

/* The next line of the file at hand: 1, 0 at its end, -errno. */
static int next_in_file(struct journal_reader *r, struct str *line)
{
	for (;;) {
		const char *end = line_end(r);
		int rc;

		if (end == NULL) {
			/* Afresh: a line without an end may be cut off. */
			rc = fill(r, r->offset);
			if (rc != 0)
				return rc;
			end = line_end(r);
		}
		if (end == NULL && r->len < READ_BUFFER)
			return 0;
		if (end == NULL) {
			rc = skip_long_line(r);
			if (rc <= 0)
				return rc;
			continue;
		}
		line->p = r->buf + (r->offset - r->start);
		line->len = (size_t)(end - line->p);
		r->offset += (off_t)line->len + 1;
		if (line->len < JOURNAL_LINE_MAX)
			return 1;
		r->bad++;
	}
}

/* Bytes of the file at hand after the position, when nobody writes to it. */
static bool has_rest(const struct journal_reader *r)
{
	struct stat st;

	return fstat(r->fd, &st) == 0 && st.st_size > r->offset;
}

int journal_reader_next(struct journal_reader *r, struct str *line)
{
	for (;;) {
		/* Whole lines at hand, often thousands, need no look at it. */
		bool at_hand = r->fd != -1 && line_end(r) != NULL;
		bool rest,
			finished = !at_hand && (r->fd == -1 || !is_current(r));
		int rc = r->fd == -1 ? 0 : next_in_file(r, line);

		if (rc != 0)
			return rc;
		if (at_hand) /* all of them were too long */
			continue;
		/* Its last lines may have come just before it was rotated. */
		if (!finished)
			return 0;
		rest = r->fd != -1 && has_rest(r);
		rc = open_next_file(r);
		if (rc <= 0)
			return rc;
		r->bad += rest ? 1 : 0;
	}
}

/* Have the bytes before the position in the buffer. 1, 0 at 0, -errno. */
static int fill_before(struct journal_reader *r)
{
	off_t from = r->offset > READ_BUFFER ? r->offset - READ_BUFFER : 0;
	int rc = r->offset > 0 ? fill(r, from) : 0;

	/* The file may have become shorter. */
	if (rc == 0 && r->start + (off_t)r->len < r->offset)
		r->offset = r->start + (off_t)r->len;
	return rc == 0 && r->offset > 0 ? 1 : rc;
}

/*
 * The position is no line's start: the file ends without a line feed, or a
 * line was longer than the buffer. Back to the last start, or out of the buffer.
 */
static void leave_partial_line(struct journal_reader *r)
{
	size_t n = (size_t)(r->offset - r->start);
	const char *feed = memrchr(r->buf, '\n', n);

	r->offset = feed == NULL ? r->start : r->start + (feed - r->buf) + 1;
}

/* The line before the position in the file at hand: 1, 0 at its start, -errno. */
static int prev_in_file(struct journal_reader *r, struct str *line)
{
	while (r->offset > 0) {
		const char *feed;
		size_t n;

		if (r->offset <= r->start ||
		    r->offset > r->start + (off_t)r->len) {
			int rc = fill_before(r);

			if (rc <= 0)
				return rc;
		}
		n = (size_t)(r->offset - r->start);
		if (r->buf[n - 1] != '\n') {
			leave_partial_line(r);
			continue;
		}
		feed = memrchr(r->buf, '\n', n - 1);
		if (feed == NULL && r->start > 0 && n <= JOURNAL_LINE_MAX) {
			r->len = 0; /* it begins before the buffer */
			continue;
		}
		line->p = feed == NULL ? r->buf : feed + 1;
		line->len = (size_t)(r->buf + n - 1 - line->p);
		r->offset -= (off_t)line->len + 1;
		if (line->len < JOURNAL_LINE_MAX)
			return 1;
		r->bad++;
	}
	return 0;
}

int journal_reader_prev(struct journal_reader *r, struct str *line)
{
	for (;;) {
		int rc = r->fd == -1 ? 0 : prev_in_file(r, line);

		if (rc == 0)
			rc = open_previous_file(r);
		else
			return rc;
		if (rc <= 0)
			return rc;
	}
}
