/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about what the kernel is told. Each returns enum ctl_status. */
#ifndef SLUICE_SLUICECTL_CMD_RULES_H
#define SLUICE_SLUICECTL_CMD_RULES_H

#include "sluicectl/ctl.h"

int cmd_rules(struct ctl *ctl, int argc, char **argv);
int cmd_bypass(struct ctl *ctl, int argc, char **argv);

#endif
