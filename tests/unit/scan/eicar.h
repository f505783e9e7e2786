/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Things that a scanner finds, made so that no scanner finds them in the test
 * programs: the EICAR test file in halves, and a database that knows it.
 */
#ifndef SLUICE_TESTS_SCAN_EICAR_H
#define SLUICE_TESTS_SCAN_EICAR_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EICAR_SIZE 68

static inline void eicar_fill(char dst[EICAR_SIZE])
{
	static const char head[] = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-";
	static const char tail[] = "STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";

	memcpy(dst, head, sizeof(head) - 1);
	memcpy(dst + sizeof(head) - 1, tail, sizeof(tail) - 1);
}

/* Write @text as file @name in @dir; a rename makes it whole at once. */
static inline void write_file(const char *dir, const char *name,
			      const char *text)
{
	char path[512], temporary[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(temporary, sizeof(temporary), "%s/.%s.new", dir, name);
	f = fopen(temporary, "w");
	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0 ||
	    rename(temporary, path) == -1)
		abort();
}

/* @name finds @len bytes at @data wherever they are. */
static inline void write_signature(const char *dir, const char *file,
				   const char *name, const void *data,
				   size_t len)
{
	const unsigned char *p = data;
	char line[1024];
	int n = snprintf(line, sizeof(line), "%s:0:*:", name);

	for (size_t i = 0; i < len; i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, "%02x", p[i]);
	snprintf(line + n, sizeof(line) - (size_t)n, "\n");
	write_file(dir, file, line);
}

/* A database with two signatures: EICAR, and the word "thirteen-bad-words". */
#define BAD_WORDS "thirteen-bad-words"
static inline void write_database(const char *dir)
{
	char eicar[EICAR_SIZE];

	eicar_fill(eicar);
	write_signature(dir, "eicar.ndb", "Test.Eicar", eicar, EICAR_SIZE);
	write_signature(dir, "words.ndb", "Test.Words", BAD_WORDS,
			strlen(BAD_WORDS));
}

#endif
