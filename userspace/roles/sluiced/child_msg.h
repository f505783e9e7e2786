/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the roles say to the parent. */
#ifndef SLUICE_ROLES_CHILD_MSG_H
#define SLUICE_ROLES_CHILD_MSG_H

#include "ipc/chan.h"

extern const struct chan_ops child_msg_ops;

#endif
