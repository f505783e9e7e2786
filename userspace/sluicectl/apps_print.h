/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports of usage on paper: tables with bars, or lines of JSON. */
#ifndef SLUICE_SLUICECTL_APPS_PRINT_H
#define SLUICE_SLUICECTL_APPS_PRINT_H

#include "sluicectl/apps.h"

/* For people, instead of "-", what no application was named for. */
#define APPS_UNLABELLED "unlabelled"

/* One record as `sluicectl --json apps` prints it. */
void apps_print_record(FILE *out, const struct usage_line *u);
/*
 * What was summed up, at @now_s, in the form that the options ask for. The
 * report is of no further use.
 */
void apps_print(struct apps_report *r, uint64_t now_s);
/*
 * @rates: what came in the last @ms (at least 1), as rows a second. Of no
 * further use after it.
 */
void apps_print_rates(const struct apps_options *o, FILE *out,
		      struct tally *rates, uint64_t ms, uint64_t now_s);

#endif
