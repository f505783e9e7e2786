/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What sluiced answered, for people. */
#ifndef SLUICE_SLUICECTL_SHOW_H
#define SLUICE_SLUICECTL_SHOW_H

struct json_object;

void show_status(struct json_object *status);
void show_sessions_head(void);
void show_session(struct json_object *session);

#endif
