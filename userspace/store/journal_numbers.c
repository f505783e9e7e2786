// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/journal_numbers.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "store/event_json.h"
#include "store/journal.h"
#include "store/journal_read.h"

#define NUMBERS	     "numbers"
#define NUMBERS_NEW  "numbers.new"
#define NUMBERS_MODE 0640
#define ENTRY_MAX    40 /* an id and its line feed */
#define FILE_BYTES   ((size_t)JOURNAL_SOURCES * ENTRY_MAX)

/* --- the table --------------------------------------------------------------- */

struct journal_source *journal_numbers_source(struct journal *j,
					      uint64_t instance)
{
	struct journal_source *oldest = &j->sources[0];

	for (size_t i = 0; i < j->source_count; i++) {
		struct journal_source *s = &j->sources[i];

		if (s->instance == instance) {
			s->used = ++j->used;
			return s;
		}
		if (s->used < oldest->used)
			oldest = s;
	}
	if (j->source_count < JOURNAL_SOURCES)
		oldest = &j->sources[j->source_count++];
	*oldest = (struct journal_source){.instance = instance,
					  .used = ++j->used};
	return oldest;
}

/* Event @id is in the journal, if perhaps not yet on disk. */
static void note_id(struct journal *j, const char *id)
{
	uint64_t instance, number;
	struct journal_source *s;

	if (!event_json_id(id, &instance, &number) || number == UINT64_MAX)
		return;
	s = journal_numbers_source(j, instance);
	if (s->next <= number)
		s->next = number + 1;
}

/* --- the file: the last id of each instance, one a line ------------------------ */

int journal_numbers_save(const struct journal *j)
{
	char text[FILE_BYTES + 1];
	struct strbuf sb;
	int fd, rc = 0;

	strbuf_init(&sb, text, sizeof(text));
	for (size_t i = 0; i < j->source_count; i++)
		if (j->sources[i].next > 0)
			strbuf_printf(&sb, "%" PRIx64 "-%" PRIu64 "\n",
				      j->sources[i].instance,
				      j->sources[i].next - 1);
	fd = openat(j->dir_fd, NUMBERS_NEW,
		    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    NUMBERS_MODE);
	if (fd == -1)
		return -errno;
	if (write(fd, text, sb.len) != (ssize_t)sb.len)
		rc = errno != 0 ? -errno : -ENOSPC;
	close(fd);
	/*
	 * Not synced: after a crash of the machine no instance is left that
	 * could send anything again.
	 */
	if (rc == 0 &&
	    renameat(j->dir_fd, NUMBERS_NEW, j->dir_fd, NUMBERS) == -1)
		rc = -errno;
	return rc;
}

static int load(struct journal *j)
{
	char text[FILE_BYTES + 1];
	char *line = text, *feed;
	ssize_t n;
	int fd = openat(j->dir_fd, NUMBERS,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd == -1)
		return errno == ENOENT ? 0 : -errno;
	n = read(fd, text, FILE_BYTES);
	close(fd);
	if (n == -1)
		return -EIO;
	text[n] = '\0';
	for (; (feed = strchr(line, '\n')) != NULL; line = feed + 1) {
		*feed = '\0';
		note_id(j, line);
	}
	return 0;
}

/* --- the tail of the journal --------------------------------------------------- */

static void note_line(struct journal *j, struct json_tokener *parser,
		      struct str line)
{
	struct json_object *ev, *id;

	json_tokener_reset(parser);
	ev = json_tokener_parse_ex(parser, line.p, (int)line.len);
	if (json_object_object_get_ex(ev, "id", &id))
		note_id(j, json_object_get_string(id));
	json_object_put(ev);
}

static int scan_tail(struct journal *j, struct json_tokener *parser)
{
	struct journal_reader reader;
	struct str line;
	int rc = journal_reader_init(&reader, j->dir_fd, j->kind->stem);

	if (rc != 0)
		return rc;
	rc = journal_reader_seek_tail(&reader, JOURNAL_TAIL);
	if (rc == 0)
		rc = 1;
	while (rc == 1) {
		rc = journal_reader_next(&reader, &line);
		if (rc == 1)
			note_line(j, parser, line);
	}
	journal_reader_close(&reader);
	return rc;
}

int journal_numbers_recover(struct journal *j)
{
	struct json_tokener *parser = json_tokener_new();
	int rc, tail;

	if (parser == NULL)
		return -ENOMEM;
	rc = load(j);
	tail = scan_tail(j, parser);
	json_tokener_free(parser);
	return rc == 0 ? tail : rc;
}
