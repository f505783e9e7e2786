/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a journal: "STEM.jsonl", which is written, and those that were
 * rotated, "STEM-YYYYMMDDTHHMMSSZ-NNN.jsonl". Their names sort in the order in
 * which they were written, also when the clock was put back: a name is never
 * below the one before it.
 */
#ifndef SLUICE_STORE_JOURNAL_FILES_H
#define SLUICE_STORE_JOURNAL_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stems: of the events, of the records of usage. */
#define JOURNAL_EVENTS	 "events"
#define JOURNAL_USAGE	 "usage"
#define JOURNAL_NAME_MAX 48

/* Names, oldest first, the current file last if it exists. */
struct journal_files {
	char (*names)[JOURNAL_NAME_MAX];
	size_t count;
};

/* 0 or -errno. Free with journal_files_free(). */
int journal_files_list(int dir_fd, const char *stem,
		       struct journal_files *files)
	__attribute__((warn_unused_result));
void journal_files_free(struct journal_files *files);

/* When a rotated file was finished, seconds since 1970; false: not one. */
bool journal_files_time(const char *name, const char *stem, uint64_t *seconds);
/* The name of the current file, in @dst of JOURNAL_NAME_MAX bytes. */
void journal_files_current(char *dst, const char *stem);
/*
 * The name for a file that is rotated at @seconds, in @dst of
 * JOURNAL_NAME_MAX bytes, above @last ("" when there is none).
 */
void journal_files_name(char *dst, const char *stem, uint64_t seconds,
			const char *last);

#endif
