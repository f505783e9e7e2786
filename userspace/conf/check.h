/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must hold between the keys of a configuration. */
#ifndef SLUICE_CONF_CHECK_H
#define SLUICE_CONF_CHECK_H

#include <stdbool.h>

#include "conf/config.h"
#include "conf/errors.h"
#include "conf/keys.h"

/* What the file said about each key; the index is that of config_keys. */
struct config_source {
	const char *file;
	unsigned int line[CONFIG_KEYS_MAX]; /* 0 when it is not in the file */
	bool bad[CONFIG_KEYS_MAX];	    /* refused; the default stands in */
};

/*
 * Report what doesn't go together in @c. A rule about a key that was refused
 * already is passed over, as its value is not what the administrator meant.
 */
void config_check(const struct config *c, const struct config_source *source,
		  struct config_errors *errs);

#endif
