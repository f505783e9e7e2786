/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A question that roles have to answer before a control connection gets its
 * own answer. What they send is bounded, and so is the time they have.
 *
 * Lifetime: from a command to the last answer, the deadline, or the end of its
 * connection; conn->work points to it meanwhile.
 */
#ifndef SLUICE_ROLES_INQUIRY_H
#define SLUICE_ROLES_INQUIRY_H

#include "roles/sluiced/control.h"

struct conn;

/* Ask net; its text becomes the answer. */
void inquiry_rules(struct control *ctl, struct conn *c, struct msg_rules *msg);
/* Ask all relays for their sessions; each becomes a line of the answer. */
void inquiry_sessions(struct control *ctl, struct conn *c);
/*
 * Ask the app role for the span that is being counted; each record becomes a
 * line of the answer. Without that role there are none.
 */
void inquiry_usage(struct control *ctl, struct conn *c);
/* What policy.conf says, and who has used what of its quotas. */
void inquiry_policy(struct control *ctl, struct conn *c);
/* The connection is gone: nobody waits any more. */
void inquiry_drop(struct conn *c);
/* Answers of the roles come here from now on. */
void inquiry_listen(struct control *ctl);

#endif
