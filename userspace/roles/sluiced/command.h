/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of the control socket. */
#ifndef SLUICE_ROLES_COMMAND_H
#define SLUICE_ROLES_COMMAND_H

#include <stddef.h>

struct conn;
struct control;

/* Do what @line says; the answer goes to @c, now or later. */
void command_run(struct control *ctl, struct conn *c, const char *line,
		 size_t len);

#endif
