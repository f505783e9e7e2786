/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `sluicectl apps`: what the network carried, by application, client or group,
 * from the records of usage (sluice-usage(5)). Memory doesn't depend on how
 * many records are read.
 */
#ifndef SLUICE_SLUICECTL_APPS_H
#define SLUICE_SLUICECTL_APPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/ip.h"
#include "sluicectl/tally.h"

#define APPS_HOURS 25 /* of a day, when the clock is put back in it */

enum apps_by { APPS_BY_APP, APPS_BY_CLIENT, APPS_BY_GROUP };

struct apps_options {
	enum apps_by by;
	bool by_given; /* JSON: sums, instead of the records */
	bool watch;
	bool day;
	bool json;
	struct ip_net client; /* family 0: any */
	const char *app;      /* as in records; NULL: any */
	uint64_t since_s;
	uint64_t until_s;
	uint64_t limit; /* rows; UINT64_MAX: all */
};

/* What the options are, one a line, for a usage text. */
extern const char *const apps_usage;

/*
 * Options from argv[1] on (argv[0] is the command's name); strings stay the
 * caller's. @now_us: "--since 2h" counts from it. 0, or -EINVAL with @wrong
 * saying what is wrong.
 */
int apps_parse(int argc, char *argv[], uint64_t now_us,
	       struct apps_options *options, char *wrong, size_t size)
	__attribute__((warn_unused_result));

/* A report as it comes to be. Lifetime: apps_begin() to apps_end(). */
struct apps_report {
	const struct apps_options *options;
	FILE *out;
	struct tally tally;
	struct tally_sum hours[APPS_HOURS]; /* --day: since its midnight */
	uint64_t records;		    /* that the report is of */
	uint64_t bad;			    /* lines that were none */
	/*
	 * Records of this instance, from this number on, are left out of what
	 * is stored: apps_take() had them before.
	 */
	char live_instance[24]; /* hexadecimal; empty: of none */
	uint64_t live_next;
};

/* 0 or -ENOMEM. */
int apps_begin(struct apps_report *r, const struct apps_options *options,
	       FILE *out) __attribute__((warn_unused_result));
void apps_end(struct apps_report *r);
/* A record: summed up if it fits the options, or printed (JSON without --by). */
void apps_take(struct apps_report *r, const struct usage_line *u);
/* All records stored in @dir_fd. 0, -EPIPE when @out takes no more, -errno. */
int apps_read(struct apps_report *r, int dir_fd)
	__attribute__((warn_unused_result));

#endif
