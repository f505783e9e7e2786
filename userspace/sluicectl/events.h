/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `sluicectl events`: the journal, filtered, as lines for people or as the
 * lines of JSON that it holds (sluice-events(5)).
 */
#ifndef SLUICE_SLUICECTL_EVENTS_H
#define SLUICE_SLUICECTL_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/ip.h"

/* Events shown when neither --since nor --limit says how many. */
#define EVENTS_LIMIT 100

struct events_options {
	bool follow; /* go on with what is written from now on */
	bool json;
	struct ip_net client; /* family 0: any */
	struct ip_net server;
	const char *host; /* it or a name below it; NULL: any */
	const char *url;  /* a part of it */
	const char *verdict;
	const char *reason;
	const char *session;
	uint64_t since_us; /* 0: any */
	uint64_t until_us; /* UINT64_MAX: any */
	uint64_t limit;	   /* the last ones; 0: all */
};

/* What the options are, one a line, for a usage text. */
extern const char *const events_usage;

/*
 * Options from argv[1] on (argv[0] is the command's name); the strings stay
 * the caller's. @now_us: "--since 2h" counts from it. 0, or -EINVAL with
 * @wrong saying what is wrong and what is allowed.
 */
int events_parse(int argc, char *argv[], uint64_t now_us,
		 struct events_options *options, char *wrong, size_t size)
	__attribute__((warn_unused_result));

/*
 * Print the journal in @dir_fd. With options->follow it returns only when
 * @out can't be written any more (-EPIPE) or the journal not be read. 0 or
 * -errno. @bad: lines that were no events, skipped.
 */
int events_print(int dir_fd, const struct events_options *options, FILE *out,
		 uint64_t *bad) __attribute__((warn_unused_result));

#endif
