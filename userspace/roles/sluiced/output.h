/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the log goes in the end: standard error with a time stamp (-f), or
 * syslog(3). The parent's own lines take the same way as the roles': a pipe on
 * standard error, read by the loop.
 */
#ifndef SLUICE_ROLES_OUTPUT_H
#define SLUICE_ROLES_OUTPUT_H

#include <stdbool.h>

/* From now on lines go to syslog(3), not to standard error. */
void output_use_syslog(void);
/* One line of a role, "LEVEL WHO: text", without its line end. */
void output_line(const char *line);

#endif
