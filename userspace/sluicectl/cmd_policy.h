/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sluicectl policy: what is done with applications, and who is over a quota. */
#ifndef SLUICE_SLUICECTL_CMD_POLICY_H
#define SLUICE_SLUICECTL_CMD_POLICY_H

#include "sluicectl/ctl.h"

int cmd_policy(struct ctl *ctl, int argc, char **argv);

#endif
