/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `sluicectl events`: asks sluiced for the journal, which events.h prints. */
#ifndef SLUICE_SLUICECTL_CMD_EVENTS_H
#define SLUICE_SLUICECTL_CMD_EVENTS_H

#include "sluicectl/ctl.h"

int cmd_events(struct ctl *ctl, int argc, char **argv);

#endif
