/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The account and the capabilities of a role (libcap-ng). */
#ifndef SLUICE_SYS_CAPS_H
#define SLUICE_SYS_CAPS_H

#include <stddef.h>

#include "sys/sandbox.h"

/*
 * Become sb->uid and sb->gid without supplementary groups and with no
 * capability but those asked for; no way back. 0 or -errno with
 * @wrong naming the step.
 */
int caps_drop(const struct sandbox *sb, char *wrong, size_t size)
	__attribute__((warn_unused_result));

#endif
