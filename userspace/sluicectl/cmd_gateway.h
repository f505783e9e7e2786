/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about the daemon as a whole. Each returns enum ctl_status. */
#ifndef SLUICE_SLUICECTL_CMD_GATEWAY_H
#define SLUICE_SLUICECTL_CMD_GATEWAY_H

#include "sluicectl/ctl.h"

int cmd_status(struct ctl *ctl, int argc, char **argv);
int cmd_sessions(struct ctl *ctl, int argc, char **argv);
int cmd_reload(struct ctl *ctl, int argc, char **argv);
int cmd_stop(struct ctl *ctl, int argc, char **argv);

#endif
