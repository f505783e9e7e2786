/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `sluicectl rules` and `sluicectl bypass` ask of this role. */
#ifndef SLUICE_ROLES_ANSWER_H
#define SLUICE_ROLES_ANSWER_H

#include "roles/net/rules.h"

/* Do @msg and send the parent its text. 0, or -EPROTO. */
int answer_rules(struct rules *r, struct chan *parent,
		 const struct msg_rules *msg)
	__attribute__((warn_unused_result));

#endif
