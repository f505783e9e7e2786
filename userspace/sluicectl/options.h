/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of a command, read by getopt_long(3). */
#ifndef SLUICE_SLUICECTL_OPTIONS_H
#define SLUICE_SLUICECTL_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a command takes: options alone, no argument. */
struct options {
	const char *command; /* its name */
	const char *letters; /* as getopt(3) has them, without a leading '+' */
	const struct option *names;
	/* Whether @value (NULL: none) is good for @option; keeps it in @into. */
	bool (*take)(void *into, int option, char *value, uint64_t now_us);
};

/*
 * Read them into @into. 0, or -EINVAL with what is wrong in @wrong. Not for
 * two threads at a time, as getopt(3) is not.
 */
int options_read(const struct options *o, int argc, char *argv[], void *into,
		 uint64_t now_us, char *wrong, size_t size)
	__attribute__((warn_unused_result));

#endif
