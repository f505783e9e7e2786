/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of policy.conf to struct app_policy. Reading is not done here. */
#ifndef SLUICE_CONF_POLICY_H
#define SLUICE_CONF_POLICY_H

#include "conf/errors.h"
#include "policy/app_policy.h"

/*
 * Fill @out from @text, the content of the file called @name, as
 * config_load_text() does: 0; or -EINVAL or -ENOMEM with @errs, to which is
 * added, saying why, and @out as it was.
 */
__attribute__((warn_unused_result)) int
config_load_policy(const char *name, const char *text, struct app_policy *out,
		   struct config_errors *errs);

#endif
