/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `sluicectl apps`: asks sluiced for records of usage, which apps.h sums up. */
#ifndef SLUICE_SLUICECTL_CMD_APPS_H
#define SLUICE_SLUICECTL_CMD_APPS_H

#include "sluicectl/ctl.h"

int cmd_apps(struct ctl *ctl, int argc, char **argv);

#endif
