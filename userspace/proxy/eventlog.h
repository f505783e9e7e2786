/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A relay's events into its outbox (ipc/outbox.h), from where they go to the log role. */
#ifndef SLUICE_PROXY_EVENTLOG_H
#define SLUICE_PROXY_EVENTLOG_H

#include "ipc/event.h"
#include "ipc/outbox.h"

/* Keep @ev for the log role, or count it as dropped where memory is short. */
void eventlog_add(struct outbox *ob, const struct event *ev);

#endif
