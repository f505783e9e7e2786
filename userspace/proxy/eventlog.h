/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of sessions, on their way to the log role. */
#ifndef SLUICE_PROXY_EVENTLOG_H
#define SLUICE_PROXY_EVENTLOG_H

#include "ipc/event.h"
#include "ipc/outbox.h"

struct session;

/* Put @ev into the outbox @ob; what was decided against is never given up. */
void eventlog_add(struct outbox *ob, const struct event *ev);
/*
 * @ev of session @s, whose time, addresses and number are filled in: counted by
 * verdict and reason, and written if it has to be (log.access).
 */
void eventlog_tell(const struct session *s, struct event *ev);
/* The id that the next event is going to have; @size: EVENT_ID_MAX. */
const char *eventlog_next_id(const struct outbox *ob, char *dst, size_t size);

#endif
