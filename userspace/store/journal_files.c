// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/journal_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"

#define SUFFIX	     ".jsonl"
#define TIME_FORMAT  "%Y%m%dT%H%M%SZ"
#define TIME_LEN     16
#define SEQUENCE_LEN 3
#define SEQUENCE_MAX 999
/* Without its stem: "-TIME-NNN.jsonl". */
#define REST_LEN     (1 + TIME_LEN + 1 + SEQUENCE_LEN + sizeof(SUFFIX) - 1)

/* --- names ------------------------------------------------------------------- */

/* Like strptime(3), but only for exactly this form. */
static bool parse_time(const char *text, uint64_t *seconds)
{
	char again[TIME_LEN + 1];
	struct tm tm = {0};
	time_t t;

	if (strptime(text, TIME_FORMAT, &tm) != text + TIME_LEN)
		return false;
	t = timegm(&tm);
	if (t < 0 || strftime(again, sizeof(again), TIME_FORMAT, &tm) == 0)
		return false;
	*seconds = (uint64_t)t;
	return memcmp(text, again, TIME_LEN) == 0;
}

static bool parse_name(const char *name, const char *stem, uint64_t *seconds,
		       uint64_t *sequence)
{
	size_t len = strlen(stem);
	struct str digits;

	if (strlen(name) != len + REST_LEN || memcmp(name, stem, len) != 0 ||
	    name[len] != '-' ||
	    strcmp(name + len + REST_LEN - strlen(SUFFIX), SUFFIX) != 0)
		return false;
	name += len + 1;
	digits = (struct str){name + TIME_LEN + 1, SEQUENCE_LEN};
	return parse_time(name, seconds) && name[TIME_LEN] == '-' &&
	       str_to_u64(digits, sequence);
}

bool journal_files_time(const char *name, const char *stem, uint64_t *seconds)
{
	uint64_t sequence;

	return parse_name(name, stem, seconds, &sequence);
}

void journal_files_current(char *dst, const char *stem)
{
	snprintf(dst, JOURNAL_NAME_MAX, "%s" SUFFIX, stem);
}

void journal_files_name(char *dst, const char *stem, uint64_t seconds,
			const char *last)
{
	uint64_t last_seconds, last_sequence, sequence = 0;
	char when[TIME_LEN + 1];
	struct tm tm = {0};
	time_t t;

	if (parse_name(last, stem, &last_seconds, &last_sequence) &&
	    last_seconds >= seconds) {
		seconds = last_seconds;
		sequence = last_sequence + 1;
	}
	if (sequence > SEQUENCE_MAX) {
		seconds++;
		sequence = 0;
	}
	t = (time_t)seconds;
	gmtime_r(&t, &tm);
	strftime(when, sizeof(when), TIME_FORMAT, &tm);
	snprintf(dst, JOURNAL_NAME_MAX, "%s-%s-%03u" SUFFIX, stem, when,
		 (unsigned int)sequence);
}

/* --- the directory ----------------------------------------------------------- */

static bool is_journal(const char *name, const char *stem, const char *current)
{
	uint64_t seconds;

	return strcmp(name, current) == 0 ||
	       journal_files_time(name, stem, &seconds);
}

/* By bytes: '-' sorts before '.', so the current file comes last. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int journal_files_list(int dir_fd, const char *stem,
		       struct journal_files *files)
{
	char current[JOURNAL_NAME_MAX];
	struct dirent **found = NULL;
	int n, rc = 0;

	files->names = NULL;
	files->count = 0;
	journal_files_current(current, stem);
	n = scandirat(dir_fd, ".", &found, NULL, by_name);
	if (n == -1)
		return -errno;
	files->names = calloc((size_t)n + 1, sizeof(*files->names));
	if (files->names == NULL)
		rc = -ENOMEM;
	for (int i = 0; i < n; i++) {
		if (rc == 0 && is_journal(found[i]->d_name, stem, current))
			str_copy(files->names[files->count++], JOURNAL_NAME_MAX,
				 found[i]->d_name);
		free(found[i]);
	}
	free(found);
	return rc;
}

void journal_files_free(struct journal_files *files)
{
	free(files->names);
	files->names = NULL;
	files->count = 0;
}
