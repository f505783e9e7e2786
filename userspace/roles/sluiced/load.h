/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From files to struct config: sluice.conf, policy.conf, page templates. */
#ifndef SLUICE_ROLES_LOAD_H
#define SLUICE_ROLES_LOAD_H

#include "conf/config.h"
#include "conf/errors.h"

/*
 * A new configuration (caller frees it) from @path, or NULL with @errs saying
 * why, each "FILE:LINE: what is wrong and what is allowed". Page templates
 * that are absent from the default directory come from the program itself; an
 * absent directory that is named is an error; the same holds for the policy.
 */
struct config *load_config(const char *path, struct config_errors *errs);

#endif
